/** squeue's fields of --Format: their names in lower case, with Slurm's headers. Most print what a letter does. */

import { formatDuration } from "../core/time.ts";
import {
  column,
  constant,
  type JobColumn,
  type JobField,
  jobColumns,
  type ListingView,
  number,
} from "./job-columns.ts";

type Columns = Record<string, JobColumn>;

/** Fields that print as a letter of --format does. */
const LETTERS: Readonly<Record<string, string>> = {
  account: "a",
  arrayjobid: "F",
  arraytaskid: "K",
  batchhost: "B",
  command: "o",
  comment: "k",
  contiguous: "O",
  cores: "I",
  corespec: "X",
  dependency: "E",
  endtime: "e",
  excnodes: "x",
  feature: "f",
  gres: "b",
  groupid: "G",
  groupname: "g",
  jobarrayid: "i",
  jobid: "A",
  licenses: "W",
  mincpus: "c",
  minmemory: "m",
  mintmpdisk: "d",
  name: "j",
  nice: "y",
  nodelist: "N",
  numcpus: "C",
  numnodes: "D",
  oversubscribe: "h",
  partition: "P",
  priority: "p",
  prioritylong: "Q",
  qos: "q",
  reason: "r",
  reasonlist: "R",
  reqnodes: "n",
  reservation: "v",
  schednodes: "Y",
  sct: "z",
  selectjobinfo: "s",
  shared: "h",
  sockets: "H",
  starttime: "S",
  state: "T",
  statecompact: "t",
  submittime: "V",
  threads: "J",
  timeleft: "L",
  timelimit: "l",
  timeused: "M",
  userid: "U",
  username: "u",
  wckey: "w",
  workdir: "Z",
};

/** What mgpu does not have prints as Slurm prints it where nothing is set. */
const CONSTANTS: Readonly<Record<string, readonly [header: string, text: string]>> = {
  admin_comment: ["ADMIN_COMMENT", "(null)"],
  allocsid: ["ALLOC_SID", "0"],
  associd: ["ASSOC_ID", "0"],
  boardspernode: ["BOARDS_PER_NODE", "0"],
  burstbuffer: ["BURST_BUFFER", "(null)"],
  burstbufferstate: ["BURST_BUFFER_STATE", "(null)"],
  clusterfeature: ["CLUSTER_FEATURES", "(null)"],
  container: ["CONTAINER", "(null)"],
  containerid: ["CONTAINER_ID", "(null)"],
  delayboot: ["DELAY_BOOT", "0:00"],
  mcslabel: ["MCSLABEL", "(null)"],
  network: ["NETWORK", "(null)"],
  ntperboard: ["NTASKS_PER_BOARD", "0"],
  ntpercore: ["NTASKS_PER_CORE", "N/A"],
  ntpersocket: ["NTASKS_PER_SOCKET", "N/A"],
  origin: ["ORIGIN", "NA"],
  originraw: ["ORIGIN_RAW", "NA"],
  preempttime: ["PREEMPT_TIME", "N/A"],
  prefer: ["PREFER", "(null)"],
  profile: ["PROFILE", "NotSet"],
  reboot: ["REBOOT", "0"],
  reqswitch: ["REQ_SWITCH", "0"],
  resizetime: ["RESIZE_TIME", "N/A"],
  siblingsactive: ["ACTIVE_SIBLINGS", "NA"],
  siblingsactiveraw: ["ACTIVE_SIBLINGS_RAW", "NA"],
  siblingsviable: ["VIABLE_SIBLINGS", "NA"],
  // Slurm's own spelling.
  siblingsviableraw: ["VIALBLE_SIBLINGS_RAW", "NA"],
  sperboard: ["SOCKETS_PER_BOARD", "0"],
  system_comment: ["SYSTEM_COMMENT", "(null)"],
  "tres-bind": ["TRES_BIND", "N/A"],
  "tres-freq": ["TRES_FREQ", "N/A"],
  "tres-per-socket": ["TRES_PER_SOCKET", "N/A"],
  wait4switch: ["WAIT4SWITCH", "0:00"],
};

/** Columns by name, in lower case. */
export function jobFieldColumns(view: ListingView): Readonly<Record<string, JobColumn>> {
  const letters = jobColumns(view);
  const columns: Columns = {};
  for (const [name, letter] of Object.entries(LETTERS)) {
    const same = letters[letter];
    if (same) columns[name] = same;
  }
  for (const [name, [header, text]] of Object.entries(CONSTANTS)) columns[name] = constant(header, text);
  return { ...columns, ...timeFields(view), ...resourceFields(), ...otherFields(view) };
}

type TimeField = Extract<JobField, "eligibleAt" | "submitAt" | "startAt">;

function timeFields({ nowMs, moment }: ListingView): Columns {
  const at = (ms: number | null): string => (ms === null || ms === 0 ? "N/A" : moment(ms));
  const time = (header: string, field: TimeField): JobColumn =>
    column(header, [field], (row) => at(row[field]), { sortKey: (row) => row[field] ?? 0, isLocal: true });
  return {
    accruetime: time("ACCRUE_TIME", "eligibleAt"),
    eligibletime: time("ELIGIBLE_TIME", "eligibleAt"),
    // When a waiting job was last looked at is not kept: it is whenever something changes.
    lastschedeval: time("LAST_SCHED_EVAL", "startAt"),
    deadline: column("DEADLINE", ["deadlineAt"], (row) => at(row.deadlineAt), {
      sortKey: (row) => row.deadlineAt,
      isLocal: true,
    }),
    mintime: column("TIME_MIN", ["timeMinS"], (row) => formatDuration(row.timeMinS)),
    pendingtime: number("PENDING_TIME", ["submitAt", "startAt"], (row) =>
      Math.max(0, Math.floor(((row.startAt ?? nowMs) - row.submitAt) / 1000)),
    ),
  };
}

function resourceFields(): Columns {
  const orNone = (header: string, field: "tresAlloc" | "tresPerJob" | "tresPerNode" | "tresPerTask"): JobColumn =>
    column(header, [field], (row) => row[field] || "N/A");
  return {
    "cpus-per-task": number("CPUS_PER_TASK", ["cpusPerTask"], (row) => row.cpusPerTask),
    cpuspertask: number("CPUS_PER_TASK", ["cpusPerTask"], (row) => row.cpusPerTask),
    "cpus-per-tres": column("CPUS_PER_TRES", ["cpusPerGpu"], (row) =>
      row.cpusPerGpu > 0 ? `gres/gpu:${row.cpusPerGpu}` : "N/A",
    ),
    "mem-per-tres": column("MEM_PER_TRES", ["memoryPer", "memoryMiB"], (row) =>
      row.memoryPer === "gpu" && row.memoryMiB > 0 ? `gres/gpu:${row.memoryMiB}` : "N/A",
    ),
    maxcpus: number("MAX_CPUS", ["cpus"], (row) => row.cpus),
    maxnodes: number("MAX_NODES", ["nodes", "nodesMax"], (row) => Math.max(row.nodes, row.nodesMax)),
    ntpernode: number("NTASKS_PER_NODE", ["tasksPerNode"], (row) => row.tasksPerNode),
    numtasks: number("TASKS", ["tasks"], (row) => row.tasks),
    "tres-alloc": orNone("TRES_ALLOC", "tresAlloc"),
    "tres-per-job": orNone("TRES_PER_JOB", "tresPerJob"),
    "tres-per-node": orNone("TRES_PER_NODE", "tresPerNode"),
    "tres-per-task": orNone("TRES_PER_TASK", "tresPerTask"),
  };
}

function otherFields({ clusterName }: ListingView): Columns {
  const file = (header: string, field: "stdinFile" | "stdoutFile" | "stderrFile"): JobColumn =>
    column(header, [field], (row) => row[field]);
  const het = (header: string, text: (row: { hetJobId: number; hetOffset: number; hetSize: number }) => string) =>
    column(header, ["hetJobId", "hetOffset", "hetSize"], (row) => (row.hetJobId === 0 ? "N/A" : text(row)));
  const hetId = het("HET_JOB_ID", (row) => String(row.hetJobId));
  const hetOffset = het("HET_JOB_OFFSET", (row) => String(row.hetOffset));
  const hetSet = het("HET_JOB_ID_SET", ({ hetJobId, hetSize }) =>
    hetSize > 1 ? `${hetJobId}-${hetJobId + hetSize - 1}` : String(hetJobId),
  );
  return {
    allocnodes: column("ALLOC_NODES", ["submitHost"], (row) => row.submitHost || "(null)"),
    batchflag: column("BATCH_FLAG", ["kind"], (row) => (row.kind === "batch" ? "1" : "0")),
    cluster: column("CLUSTER", [], () => clusterName()),
    // The status as wait(2) gives it.
    derivedec: number(
      "DERIVED_EC",
      ["derivedCode", "derivedSignal"],
      (row) => row.derivedCode * 256 + row.derivedSignal,
    ),
    exit_code: number("EXIT_CODE", ["exitCode", "exitSignal"], (row) => row.exitCode * 256 + row.exitSignal),
    requeue: column("REQUEUE", ["requeue", "kind"], (row) => (row.requeue && row.kind === "batch" ? "1" : "0")),
    restartcnt: number("RESTART_COUNT", ["attempt", "state"], (row) =>
      Math.max(0, row.state === "PENDING" ? row.attempt : row.attempt - 1),
    ),
    stderr: file("STDERR", "stderrFile"),
    stdin: file("STDIN", "stdinFile"),
    stdout: file("STDOUT", "stdoutFile"),
    ...{ hetjobid: hetId, packjobid: hetId, hetjoboffset: hetOffset, packjoboffset: hetOffset },
    ...{ hetjobidset: hetSet, packjobidset: hetSet },
  };
}
