/**
 * Which variables describe a job, and so must not leak from an enclosing job into one that was started inside it.
 *
 * Slurm's inputs (SLURM_CONF, SLURM_CPU_BIND, SLURM_UNBUFFEREDIO, SLURM_EXPORT_ENV ...) are not among them: a user
 * who sets those means them.
 */

/**
 * Names that only a job's own launch may set: those of mgpu (MGPU_STEP and its scope mark the processes of a step, see
 * platform/proctable.ts), and those of Slurm that mgpu has no use for.
 */
const JOB_VARIABLES: ReadonlySet<string> = new Set(
  `
  SLURM_JOB_ID SLURM_JOBID SLURM_JOB_NAME SLURM_JOB_PARTITION SLURM_JOB_USER SLURM_JOB_UID SLURM_JOB_GID
  SLURM_JOB_GROUP SLURM_JOB_ACCOUNT SLURM_JOB_QOS SLURM_JOB_RESERVATION SLURM_JOB_COMMENT SLURM_JOB_DEPENDENCY
  SLURM_JOB_EXTRA SLURM_JOB_LICENSES SLURM_JOB_START_TIME SLURM_JOB_END_TIME SLURM_JOB_NODELIST SLURM_NODELIST
  SLURM_JOB_NUM_NODES SLURM_NNODES SLURM_JOB_CPUS_PER_NODE SLURM_JOB_GPUS SLURM_NODE_ALIASES SLURM_RESTART_COUNT
  SLURM_CLUSTER_NAME SLURM_SUBMIT_DIR SLURM_SUBMIT_HOST SLURM_HET_SIZE SLURM_OOM_KILL_STEP SLURM_PRIO_PROCESS
  SLURM_NTASKS SLURM_NPROCS SLURM_TASKS_PER_NODE SLURM_NTASKS_PER_NODE SLURM_NTASKS_PER_CORE SLURM_NTASKS_PER_GPU
  SLURM_NTASKS_PER_SOCKET SLURM_CPUS_ON_NODE SLURM_CPUS_PER_TASK SLURM_CPUS_PER_GPU SLURM_MEM_PER_NODE
  SLURM_MEM_PER_CPU SLURM_MEM_PER_GPU SLURM_GPUS SLURM_GPUS_ON_NODE SLURM_GPUS_PER_NODE SLURM_GPUS_PER_TASK
  SLURM_GPUS_PER_SOCKET SLURM_SHARDS_ON_NODE SLURM_THREADS_PER_CORE SLURM_DISTRIBUTION SLURM_TRES_PER_TASK
  SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID SLURM_ARRAY_TASK_COUNT SLURM_ARRAY_TASK_MIN SLURM_ARRAY_TASK_MAX
  SLURM_ARRAY_TASK_STEP SLURM_STEP_ID SLURM_STEPID SLURM_STEP_NODELIST SLURM_STEP_NUM_NODES SLURM_STEP_NUM_TASKS
  SLURM_STEP_TASKS_PER_NODE SLURM_STEP_GPUS SLURM_STEP_LAUNCHER_PORT SLURM_STEP_RESV_PORTS SLURM_PROCID SLURM_LOCALID
  SLURM_NODEID SLURM_GTIDS SLURM_TASK_PID SLURM_LAUNCH_NODE_IPADDR SLURM_SRUN_COMM_HOST SLURM_SRUN_COMM_PORT
  SLURM_PTY_PORT SLURM_PTY_WIN_COL SLURM_PTY_WIN_ROW SLURM_CPU_BIND_LIST SLURM_CPU_BIND_TYPE SLURM_CPU_BIND_VERBOSE
  SLURM_TOPOLOGY_ADDR SLURM_TOPOLOGY_ADDR_PATTERN SLURMD_NODENAME SLURM_DIST_PLANESIZE SLURM_GPU_BIND
  SLURM_OVERCOMMIT SLURM_UMASK
  CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER GPU_DEVICE_ORDINAL
  MGPU_STEP MGPU_STEP_SCOPE MGPU_STEP_DEFAULTS
  `
    .trim()
    .split(/\s+/),
);

/**
 * Those that describe a step, a node's part of it, or a task: srun within a job sets them anew or not at all. The
 * others are the job's, and stay.
 */
const STEP_VARIABLES: ReadonlySet<string> = new Set(
  `
  SLURM_STEP_ID SLURM_STEPID SLURM_STEP_NODELIST SLURM_STEP_NUM_NODES SLURM_STEP_NUM_TASKS SLURM_STEP_TASKS_PER_NODE
  SLURM_STEP_GPUS SLURM_STEP_LAUNCHER_PORT SLURM_STEP_RESV_PORTS SLURM_PROCID SLURM_LOCALID SLURM_NODEID SLURM_GTIDS
  SLURM_TASK_PID SLURM_LAUNCH_NODE_IPADDR SLURM_SRUN_COMM_HOST SLURM_SRUN_COMM_PORT SLURM_PTY_PORT
  SLURM_PTY_WIN_COL SLURM_PTY_WIN_ROW SLURM_CPU_BIND_LIST SLURM_CPU_BIND_TYPE SLURM_CPU_BIND_VERBOSE
  SLURM_GPUS_ON_NODE SLURM_JOB_GPUS SLURM_SHARDS_ON_NODE SLURM_CPUS_ON_NODE SLURM_DISTRIBUTION SLURM_DIST_PLANESIZE
  SLURM_GPU_BIND SLURMD_NODENAME CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER GPU_DEVICE_ORDINAL
  MGPU_STEP MGPU_STEP_SCOPE MGPU_STEP_DEFAULTS
  `
    .trim()
    .split(/\s+/),
);

/** Variables of heterogeneous jobs carry their group's number. */
const HET_GROUP = /^SLURM_\w+_HET_GROUP_\d+$/;

/**
 * Names the variables without Slurm's prefix that mgpu set because the user had not (MASTER_ADDR, RANK ...), each with
 * its value: `MASTER_ADDR=127.0.0.1,RANK=0`. One that still has that value in a job submitted from inside a job is
 * mgpu's own and must not count as the user's wish.
 */
export const DEFAULTS_VARIABLE = "MGPU_STEP_DEFAULTS";

/** The environment without what describes the job that it was taken from. */
export function withoutEnclosingJob(environment: Readonly<Record<string, string>>): Record<string, string> {
  return without(environment, (name) => JOB_VARIABLES.has(name) || HET_GROUP.test(name));
}

/**
 * What a program that goes on running inside a job must keep of it, whatever other job it works for: it is found by the
 * first two when its job is ended, and may use no other GPUs than its job's.
 */
const LOCAL_VARIABLES: ReadonlySet<string> = new Set(
  "MGPU_STEP MGPU_STEP_SCOPE CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER GPU_DEVICE_ORDINAL".split(" "),
);

/** The same for a program that is started right here for another job, as salloc's command is. */
export function withoutOuterJob(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const given = Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const own: Record<string, string> = Object.fromEntries(given);
  const kept = Object.entries(own).filter(([name]) => LOCAL_VARIABLES.has(name));
  return { ...withoutEnclosingJob(own), ...Object.fromEntries(kept) };
}

/** The environment with what describes the job that it was taken from, but not the step. */
export function withoutEnclosingStep(environment: Readonly<Record<string, string>>): Record<string, string> {
  return without(environment, (name) => STEP_VARIABLES.has(name));
}

function without(
  environment: Readonly<Record<string, string>>,
  isEnclosing: (name: string) => boolean,
): Record<string, string> {
  const defaults = parseDefaults(environment[DEFAULTS_VARIABLE] ?? "");
  const stays = ([name, value]: [string, string]): boolean => !isEnclosing(name) && defaults.get(name) !== value;
  return Object.fromEntries(Object.entries(environment).filter(stays));
}

/** The value of {@link DEFAULTS_VARIABLE}. Names hold no `=` and values no comma. */
export function formatDefaults(defaults: Readonly<Record<string, string>>): string {
  return Object.entries(defaults)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}

function parseDefaults(text: string): Map<string, string> {
  const defaults = new Map<string, string>();
  for (const pair of text.split(",")) {
    const at = pair.indexOf("=");
    if (at > 0) defaults.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return defaults;
}
