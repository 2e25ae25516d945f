/**
 * squeue's letters: what each of them prints, under which header, and which fields of a job's row it needs, so that
 * a listing asks the controller for nothing else.
 */

import { formatDuration, formatTimeLimit } from "../core/time.ts";
import type { JobListRow as JobRow } from "../protocol/procedures.ts";
import { formatGres, formatMemory } from "./amounts.ts";
import { firstNode } from "./job-details.ts";
import { stateCode } from "./job-states.ts";
import { expectedEndMs, leftS, usedS } from "./job-times.ts";
import type { Column, Meaning } from "./printf.ts";
import type { MomentText } from "./time-format.ts";

export type JobField = keyof JobRow;

/** A column that says what it needs, and how rows are ordered by it. */
export interface JobColumn extends Column<JobRow> {
  readonly fields: readonly JobField[];
  /** Whether it tells moments, in the zone of whoever reads them: only the client can make it. */
  readonly isLocal?: boolean;
  sortKey(row: JobRow): string | number;
}

/** When, where and how a listing is read. */
export interface ListingView {
  readonly nowMs: number;
  readonly moment: MomentText;
  /** A group's name; its number where nobody knows it. */
  groupName(gid: number): string;
  clusterName(): string;
  /** Characters of an array's tasks, 0 for all. */
  readonly tasksLengthMax: number;
  /** Memory stays in MiB. */
  readonly isUnconverted: boolean;
}

/** squeue's own formats. */
export const SQUEUE_FORMAT = "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R";
export const SQUEUE_FORMAT_START = "%.18i %.9P %.8j %.8u %.2t %.19S %.6D %20Y %R";
export const SQUEUE_FORMAT_LONG = "%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R";

/** States in which `%R` tells the reason instead of the nodes. */
const REASON_STATES = new Set(["PENDING", "TIMEOUT", "OUT_OF_MEMORY", "DEADLINE", "FAILED"]);

/** Slurm's largest priority plus one: `%p` is a share of it. */
const PRIORITY_RANGE = 2 ** 32;

/** Columns by letter. */
export function jobColumns(view: ListingView): Readonly<Record<string, JobColumn>> {
  return { ...identityColumns(view), ...timeColumns(view), ...resourceColumns(view), ...fixedColumns() };
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

interface ColumnOptions<F extends JobField> {
  readonly sortKey?: (row: Pick<JobRow, F>) => number;
  readonly isWhole?: (text: string) => boolean;
  readonly meaning?: Meaning;
  readonly isLocal?: boolean;
}

/** A column whose text and order may use the fields it names and no others. */
export function column<F extends JobField>(
  header: string,
  fields: readonly F[],
  text: (row: Pick<JobRow, F>) => string,
  { sortKey, ...more }: ColumnOptions<F> = {},
): JobColumn {
  return { header, fields, text, sortKey: sortKey ?? text, ...more };
}

/** A column of numbers, which orders rows by value. */
export function number<F extends JobField>(
  header: string,
  fields: readonly F[],
  value: (row: Pick<JobRow, F>) => number,
  meaning?: Meaning,
): JobColumn {
  return column(header, fields, (row) => String(value(row)), { sortKey: value, ...(meaning ? { meaning } : {}) });
}

/** What is the same of every job. */
export function constant(header: string, text: string): JobColumn {
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
function jobRowLabel(row: Pick<JobRow, (typeof LABEL_FIELDS)[number]>, lengthMax: number): string {
  if (row.arrayJobId > 0) {
    const tasks = tasksText(row.arrayTasks, lengthMax);
    return `${row.arrayJobId}_${row.arrayTasks.startsWith("[") ? `[${tasks}]` : tasks}`;
  }
  return row.hetJobId > 0 ? `${row.hetJobId}+${row.hetOffset}` : String(row.id);
}

/** Tasks without brackets, as Slurm cuts long lists: `1,3,5,7...%2`. */
function tasksText(arrayTasks: string, lengthMax: number): string {
  const isShort = lengthMax === 0 || arrayTasks.length <= lengthMax;
  if (isShort && !arrayTasks.startsWith("[") && !arrayTasks.includes("%")) return arrayTasks;
  const [list = "", limit] = arrayTasks.replace(/[[\]]/g, "").split("%");
  const kept = lengthMax > 0 && list.length > lengthMax ? `${list.slice(0, lengthMax)}...` : list;
  return limit === undefined ? kept : `${kept}%${limit}`;
}

function identityColumns({ groupName, tasksLengthMax }: ListingView): Columns {
  return {
    i: column("JOBID", LABEL_FIELDS, (row) => jobRowLabel(row, tasksLengthMax), {
      sortKey: (row) => row.arrayJobId || row.id,
    }),
    g: column("GROUP", ["gid"], (row) => groupName(row.gid)),
    G: number("GROUP", ["gid"], (row) => row.gid),
    A: number("JOBID", ["id"], (row) => row.id),
    F: number("ARRAY_JOB_ID", ["id", "arrayJobId"], (row) => row.arrayJobId || row.id),
    K: column("ARRAY_TASK_ID", ["arrayTasks"], (row) => tasksText(row.arrayTasks, tasksLengthMax) || "N/A"),
    j: column("NAME", ["name"], (row) => row.name),
    u: column("USER", ["user"], (row) => row.user),
    U: number("UID", ["uid"], (row) => row.uid),
    P: column("PARTITION", ["partition"], (row) => row.partition),
    t: column("ST", ["state"], (row) => stateCode(row.state), { meaning: "state" }),
    T: column("STATE", ["state"], (row) => row.state, { meaning: "state" }),
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

const RUN_FIELDS = ["startAt", "endAt", "suspendedAt", "suspendedMs"] as const;

function timeColumns({ nowMs, moment }: ListingView): Columns {
  const at = (ms: number | null): string => (ms === null ? "N/A" : moment(ms));
  const isNumber = (text: string): boolean => /^\d/.test(text);
  type EndRow = Pick<JobRow, "startAt" | "endAt" | "limitS" | "suspendedMs" | "expectedAt">;
  const endMs = (row: EndRow): number | null => expectedEndMs({ ...row, startAt: row.startAt ?? row.expectedAt });
  const endOf = (row: EndRow): string => {
    const end = endMs(row);
    return end === Number.POSITIVE_INFINITY ? "NONE" : at(end);
  };
  return {
    M: column("TIME", RUN_FIELDS, (row) => formatDuration(usedS(row, nowMs)), {
      sortKey: (row) => usedS(row, nowMs),
      isWhole: isNumber,
    }),
    l: column("TIME_LIMIT", ["limitS"], (row) => formatTimeLimit(row.limitS), {
      sortKey: (row) => row.limitS || Number.POSITIVE_INFINITY,
      isWhole: isNumber,
    }),
    L: column("TIME_LEFT", ["limitS", ...RUN_FIELDS], (row) => formatDuration(leftS(row, nowMs)), {
      sortKey: (row) => leftS(row, nowMs),
      isWhole: isNumber,
    }),
    // Jobs without a time come last, as in Slurm.
    S: column("START_TIME", ["startAt", "expectedAt"], (row) => at(row.startAt ?? row.expectedAt), {
      sortKey: (row) => row.startAt ?? row.expectedAt ?? Number.POSITIVE_INFINITY,
      isLocal: true,
    }),
    e: column("END_TIME", ["startAt", "endAt", "limitS", "suspendedMs", "expectedAt"], endOf, {
      sortKey: (row) => endMs(row) ?? Number.POSITIVE_INFINITY,
      isLocal: true,
    }),
    V: column("SUBMIT_TIME", ["submitAt"], (row) => at(row.submitAt), {
      sortKey: (row) => row.submitAt,
      isLocal: true,
    }),
  };
}

function resourceColumns({ isUnconverted }: ListingView): Columns {
  const memory = (mib: number): string => (isUnconverted && mib > 0 ? `${mib}M` : formatMemory(mib));
  return {
    D: number("NODES", ["nodes"], (row) => row.nodes, "count"),
    C: number("CPUS", ["cpus"], (row) => row.cpus, "count"),
    c: number("MIN_CPUS", ["cpusPerTask", "tasksPerNode", "cpusMin"], (row) =>
      Math.max(1, row.cpusMin, row.cpusPerTask * Math.max(1, row.tasksPerNode)),
    ),
    m: column("MIN_MEMORY", ["memoryMiB"], (row) => memory(row.memoryMiB), { sortKey: (row) => row.memoryMiB }),
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
    q: column("QOS", ["qos"], (row) => row.qos),
    y: number("NICE", ["nice"], (row) => row.nice),
    n: column("REQ_NODES", ["requestedNodes"], (row) => row.requestedNodes),
    x: column("EXC_NODES", ["excludedNodes"], (row) => row.excludedNodes),
    Y: column("SCHEDNODES", ["expectedNodes"], (row) => row.expectedNodes || "(null)"),
    E: word("DEPENDENCY", "dependency"),
    f: word("FEATURES", "features"),
    h: column("OVER_SUBSCRIBE", ["exclusive", "onlyUser"], (row) =>
      row.exclusive ? "NO" : row.onlyUser ? "USER" : "OK",
    ),
    k: word("COMMENT", "comment"),
    O: column("CONTIGUOUS", ["contiguous"], (row) => (row.contiguous ? "1" : "0")),
    s: constant("", ""),
    v: word("RESERVATION", "reservation"),
    w: word("WCKEY", "wckey"),
    W: word("LICENSES", "licenses"),
  };
}

function nodesOrReason(row: Pick<JobRow, "state" | "reason" | "nodeList">): string {
  return REASON_STATES.has(row.state) ? `(${row.reason})` : row.nodeList;
}
