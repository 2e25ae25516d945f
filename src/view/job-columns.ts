/**
 * squeue's letters: what each of them prints, under which header, and which fields of a job's row it needs, so that
 * a listing asks the controller for nothing else.
 */

import { formatDuration, formatTimeLimit, formatTimestamp, type UtcOffset } from "../core/time.ts";
import type { JobRow } from "../protocol/procedures.ts";
import { formatGres, formatMemory } from "./amounts.ts";
import { stateCode } from "./job-states.ts";
import { expectedEndMs, leftS, usedS } from "./job-times.ts";
import type { Column } from "./printf.ts";

export type JobField = keyof JobRow;

/** A column that says what it needs, and how rows are ordered by it. */
export interface JobColumn extends Column<JobRow> {
  readonly fields: readonly JobField[];
  sortKey(row: JobRow): string | number;
}

/** When and where a listing is read. */
export interface ListingTime {
  readonly nowMs: number;
  readonly utcOffset: UtcOffset;
}

/** squeue's own formats. */
export const SQUEUE_FORMAT = "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R";
export const SQUEUE_FORMAT_LONG = "%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R";

/** States in which `%R` tells the reason instead of the nodes. */
const REASON_STATES = new Set(["PENDING", "TIMEOUT", "OUT_OF_MEMORY", "DEADLINE", "FAILED"]);

/** Slurm's largest priority plus one: `%p` is a share of it. */
const PRIORITY_RANGE = 2 ** 32;

/** Columns by letter. */
export function jobColumns(time: ListingTime): Readonly<Record<string, JobColumn>> {
  return { ...identityColumns(), ...timeColumns(time), ...resourceColumns(), ...fixedColumns() };
}

/** Slurm's `%all`: every letter, separated by bars. */
export function expandAll(format: string, columns: Readonly<Record<string, unknown>>): string {
  if (!format.includes("%all")) return format;
  const isLower = (letter: string): boolean => letter === letter.toLowerCase();
  const letters = Object.keys(columns).sort();
  const ordered = [...letters.filter(isLower), ...letters.filter((letter) => !isLower(letter))];
  return format.replaceAll("%all", ordered.map((letter) => `%${letter}`).join("|"));
}

type Columns = Record<string, JobColumn>;

/** A column whose text and order may use the fields it names and no others. */
function column<F extends JobField>(
  header: string,
  fields: readonly F[],
  text: (row: Pick<JobRow, F>) => string,
  more: { readonly sortKey?: (row: Pick<JobRow, F>) => number; readonly isWhole?: (text: string) => boolean } = {},
): JobColumn {
  const { sortKey = text, isWhole } = more;
  return { header, fields, text, sortKey, ...(isWhole ? { isWhole } : {}) };
}

function number<F extends JobField>(
  header: string,
  fields: readonly F[],
  value: (row: Pick<JobRow, F>) => number,
): JobColumn {
  return column(header, fields, (row) => String(value(row)), { sortKey: value });
}

function constant(header: string, text: string): JobColumn {
  return column(header, [], () => text);
}

/** What prints as `(null)` where nothing is set, as in Slurm. */
function word(
  header: string,
  field: "account" | "comment" | "dependency" | "features" | "licenses" | "reservation" | "wckey",
): JobColumn {
  return column(header, [field], (row) => row[field] || "(null)");
}

/** What a job's name in listings is made from. */
const LABEL_FIELDS = ["id", "arrayJobId", "arrayTasks", "hetJobId", "hetOffset"] as const;

/** `12`, `12_3`, `12_[4-9%2]`, `12+1`. */
function jobRowLabel(row: Pick<JobRow, (typeof LABEL_FIELDS)[number]>): string {
  if (row.arrayJobId > 0) return `${row.arrayJobId}_${row.arrayTasks}`;
  return row.hetJobId > 0 ? `${row.hetJobId}+${row.hetOffset}` : String(row.id);
}

function identityColumns(): Columns {
  return {
    i: column("JOBID", LABEL_FIELDS, jobRowLabel, { sortKey: (row) => row.arrayJobId || row.id }),
    A: number("JOBID", ["id"], (row) => row.id),
    F: number("ARRAY_JOB_ID", ["id", "arrayJobId"], (row) => row.arrayJobId || row.id),
    K: column("ARRAY_TASK_ID", ["arrayTasks"], (row) => row.arrayTasks.replace(/[[\]]/g, "") || "N/A"),
    j: column("NAME", ["name"], (row) => row.name),
    u: column("USER", ["user"], (row) => row.user),
    U: number("UID", ["uid"], (row) => row.uid),
    P: column("PARTITION", ["partition"], (row) => row.partition),
    t: column("ST", ["state"], (row) => stateCode(row.state)),
    T: column("STATE", ["state"], (row) => row.state),
    r: column("REASON", ["reason"], (row) => row.reason),
    R: column("NODELIST(REASON)", ["state", "reason", "nodeList"], nodesOrReason, {
      isWhole: (text) => !text.startsWith("("),
    }),
    N: column("NODELIST", ["nodeList"], (row) => row.nodeList, { isWhole: () => true }),
    B: column("EXEC_HOST", ["nodeList"], (row) => firstNode(row.nodeList) || "n/a"),
    o: column("COMMAND", ["command"], (row) => row.command || "(null)"),
    Z: column("WORK_DIR", ["workDir"], (row) => row.workDir),
    p: column("PRIORITY", ["priority"], (row) => (row.priority / PRIORITY_RANGE).toFixed(14), {
      sortKey: (row) => row.priority,
    }),
    Q: number("PRIORITY", ["priority"], (row) => row.priority),
  };
}

function timeColumns({ nowMs, utcOffset }: ListingTime): Columns {
  const at = (ms: number | null): string => (ms === null ? "N/A" : formatTimestamp(ms, utcOffset));
  const isNumber = (text: string): boolean => /^\d/.test(text);
  const endOf = (row: Parameters<typeof expectedEndMs>[0]): string => {
    const end = expectedEndMs(row);
    return end === Number.POSITIVE_INFINITY ? "NONE" : at(end);
  };
  return {
    M: column("TIME", ["startAt", "endAt"], (row) => formatDuration(usedS(row, nowMs)), {
      sortKey: (row) => usedS(row, nowMs),
      isWhole: isNumber,
    }),
    l: column("TIME_LIMIT", ["limitS"], (row) => formatTimeLimit(row.limitS), {
      sortKey: (row) => row.limitS || Number.POSITIVE_INFINITY,
      isWhole: isNumber,
    }),
    L: column("TIME_LEFT", ["limitS", "startAt", "endAt"], (row) => formatDuration(leftS(row, nowMs)), {
      sortKey: (row) => leftS(row, nowMs),
      isWhole: isNumber,
    }),
    S: column("START_TIME", ["startAt"], (row) => at(row.startAt), { sortKey: (row) => row.startAt ?? 0 }),
    e: column("END_TIME", ["startAt", "endAt", "limitS"], endOf, { sortKey: (row) => expectedEndMs(row) ?? 0 }),
    V: column("SUBMIT_TIME", ["submitAt"], (row) => at(row.submitAt), { sortKey: (row) => row.submitAt }),
  };
}

function resourceColumns(): Columns {
  return {
    D: number("NODES", ["nodes"], (row) => row.nodes),
    C: number("CPUS", ["cpus"], (row) => row.cpus),
    c: number("MIN_CPUS", ["cpusPerTask"], (row) => row.cpusPerTask),
    m: column("MIN_MEMORY", ["memoryMiB"], (row) => formatMemory(row.memoryMiB), { sortKey: (row) => row.memoryMiB }),
    b: column("TRES_PER_NODE", ["gpus", "gpuType", "nodes"], (row) => formatGres(row) || "N/A", {
      sortKey: (row) => row.gpus,
    }),
    z: constant("S:C:T", "*:*:*"),
    H: constant("SOCKETS_PER_NODE", "*"),
    I: constant("CORES_PER_SOCKET", "*"),
    J: constant("THREADS_PER_CORE", "*"),
    d: constant("MIN_TMP_DISK", "0"),
    X: constant("CORE_SPEC", "N/A"),
  };
}

function fixedColumns(): Columns {
  return {
    a: word("ACCOUNT", "account"),
    q: column("QOS", ["qos"], (row) => row.qos || "normal"),
    y: number("NICE", ["nice"], (row) => row.nice),
    n: column("REQ_NODES", ["requestedNodes"], (row) => row.requestedNodes),
    x: column("EXC_NODES", ["excludedNodes"], (row) => row.excludedNodes),
    Y: constant("SCHEDNODES", "(null)"),
    E: word("DEPENDENCY", "dependency"),
    f: word("FEATURES", "features"),
    h: column("OVER_SUBSCRIBE", ["exclusive"], (row) => (row.exclusive ? "NO" : "OK")),
    k: word("COMMENT", "comment"),
    O: constant("CONTIGUOUS", "0"),
    s: constant("", ""),
    v: word("RESERVATION", "reservation"),
    w: word("WCKEY", "wckey"),
    W: word("LICENSES", "licenses"),
  };
}

function nodesOrReason(row: Pick<JobRow, "state" | "reason" | "nodeList">): string {
  return REASON_STATES.has(row.state) ? `(${row.reason})` : row.nodeList;
}

/** The first name of a folded list: `n001` of `n[001-003],login`. */
function firstNode(nodeList: string): string {
  const [, prefix = "", digits = ""] = /^([^,[]*)(?:\[(\d+))?/.exec(nodeList) ?? [];
  return prefix + digits;
}
