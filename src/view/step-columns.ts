/** The letters and fields of `squeue -s`. */

import { formatDuration, formatTimeLimit } from "../core/time.ts";
import type { ListingView } from "./job-columns.ts";
import type { Column } from "./printf.ts";
import type { StepRow } from "./step-row.ts";

/** A column that says how rows are ordered by it. */
export interface StepColumn extends Column<StepRow> {
  sortKey(row: StepRow): string | number;
}

export const SQUEUE_FORMAT_STEPS = "%.15i %.8j %.9P %.8u %.9M %N";

type Columns = Record<string, StepColumn>;

/** Columns by letter. */
export function stepColumns({ nowMs, moment }: ListingView): Columns {
  const usedS = ({ startAt, suspendedAt, suspendedMs }: StepRow): number =>
    Math.max(0, Math.floor(((suspendedAt ?? nowMs) - startAt - suspendedMs) / 1000));
  const isNumber = (text: string): boolean => /^\d/.test(text);
  return {
    i: text("STEPID", (row) => row.label, { sortKey: placeOf }),
    A: number("TASKS", (row) => row.tasks),
    b: text("TRES_PER_JOB", gres),
    j: text("NAME", (row) => row.name),
    l: text("TIME_LIMIT", (row) => formatTimeLimit(row.limitS), { isWhole: isNumber, sortKey: (row) => row.limitS }),
    M: text("TIME", (row) => formatDuration(usedS(row)), { isWhole: isNumber, sortKey: usedS }),
    N: text("NODELIST", (row) => row.nodeList, { isWhole: () => true }),
    P: text("PARTITION", (row) => row.partition),
    S: text("START_TIME", (row) => moment(row.startAt), { sortKey: (row) => row.startAt }),
    u: text("USER", (row) => row.user),
    U: number("UID", (row) => row.uid),
  };
}

/** Fields that print as a letter does. */
const LETTERS: Readonly<Record<string, string>> = {
  gres: "b",
  nodes: "N",
  numtasks: "A",
  partition: "P",
  starttime: "S",
  stepid: "i",
  stepname: "j",
  timelimit: "l",
  timeused: "M",
  "tres-per-node": "b",
  userid: "U",
  username: "u",
};

/** What mgpu does not have, under Slurm's headers. */
const UNSET: Readonly<Record<string, string>> = {
  container: "CONTAINER",
  containerid: "CONTAINER_ID",
  "cpus-per-tres": "CPUS_PER_TRES",
  "mem-per-tres": "MEM_PER_TRES",
  network: "NETWORK",
  resvports: "RESERVED_PORTS",
  "tres-bind": "TRES_BIND",
  "tres-freq": "TRES_FREQ",
  "tres-per-socket": "TRES_PER_SOCKET",
  "tres-per-task": "TRES_PER_TASK",
};

/** Columns by name, in lower case. */
export function stepFieldColumns(view: ListingView): Columns {
  const letters = stepColumns(view);
  const columns: Columns = {};
  for (const [name, letter] of Object.entries(LETTERS)) {
    const same = letters[letter];
    if (same) columns[name] = same;
  }
  for (const [name, header] of Object.entries(UNSET)) columns[name] = text(header, () => "(null)");
  const tresPerStep = text("TRES_PER_STEP", (row) => row.tres);
  return {
    ...columns,
    arrayjobid: number("ARRAY_JOB_ID", (row) => row.arrayJobId),
    arraytaskid: text("ARRAY_TASK_ID", (row) => row.arrayTasks || "N/A"),
    cluster: text("CLUSTER", () => view.clusterName()),
    cpufreq: text("CPU_FREQ", () => "Unknown-Unknown:Unknown"),
    jobid: number("JOB_ID", (row) => row.jobId),
    numcpus: number("NUM_CPUS", (row) => row.cpus),
    stepstate: text("STATE", (row) => row.state, { meaning: "state" }),
    ...{ "tres-per-job": tresPerStep, "tres-per-step": tresPerStep },
  };
}

/** Steps of a job beyond this number are told apart no longer. */
const STEPS_MAX = 1e6;

/** A step's job, then its number. */
function placeOf({ jobId, position }: StepRow): number {
  return jobId + Math.min(position, STEPS_MAX) / (2 * STEPS_MAX);
}

function text(
  header: string,
  value: (row: StepRow) => string,
  more: Partial<Pick<StepColumn, "isWhole" | "sortKey" | "meaning">> = {},
): StepColumn {
  return { header, text: value, sortKey: value, ...more };
}

function number(header: string, value: (row: StepRow) => number): StepColumn {
  return { header, text: (row) => String(value(row)), sortKey: value };
}

/** `gres/gpu:2`; `(null)` without. */
function gres({ tres }: StepRow): string {
  const [, type = "", count] = /gres\/gpu(:[^=,]+)?=([^,]+)/.exec(tres) ?? [];
  return count === undefined ? "(null)" : `gres/gpu${type}:${count}`;
}
