/**
 * A job as squeue and sacct list it: one flat record, made by the controller, the same for tables and JSON.
 *
 * Times are milliseconds since 1970 and `null` where Slurm prints N/A.
 */

import { firstTask } from "../core/array-spec.ts";
import { formatDependencyState } from "../core/dependency.ts";
import { isNeverTrue } from "../core/dependency-outcome.ts";
import { fold } from "../core/hostlist.ts";
import { displayState, type EndedJob, isEnded, type Job, type JobState } from "../core/job.ts";
import { arrayTasksLabel } from "../core/job-label.ts";
import { QOS_DEFAULT } from "../core/jobspec.ts";
import { priorityOf } from "../core/priority.ts";
import { type Allocation, gpuThousandths, type ResourceRequest, WHOLE_GPU } from "../core/resources.ts";
import type { JobRow } from "../protocol/procedures.ts";

/** What a job's record alone does not tell. */
export interface JobRowExtra {
  /** Slurm's reason word of a waiting job, `None` for any other. */
  readonly reason: string;
  /** The same in words; empty where there is none. */
  readonly reasonText: string;
  /** Name of the partition that the job is in. */
  readonly partition: string;
  /** Its place in the queue, where it is not by its own wishes alone. */
  readonly priority?: number;
  /** What is left of its dependency while it waits; without it every term counts as unfulfilled. */
  readonly dependency?: string;
}

const NOTHING: Allocation = [];

/** Slurm's reason words of jobs that ended badly. */
const END_REASONS: Partial<Record<JobState, string>> = {
  FAILED: "NonZeroExitCode",
  TIMEOUT: "TimeLimit",
  NODE_FAIL: "NodeDown",
  BOOT_FAIL: "JobLaunchFailure",
  DEADLINE: "DeadLine",
  OUT_OF_MEMORY: "OutOfMemory",
};

/** Slurm's reason word of an ended job. */
function endReason({ state, cause }: EndedJob): string {
  if (state === "CANCELLED" && isNeverTrue(cause)) return "DependencyNeverSatisfied";
  return END_REASONS[state] ?? "None";
}

type SingleField =
  | ("id" | "name" | "user" | "uid" | "partition" | "state" | "reason" | "reasonText" | "submitAt" | "eligibleAt")
  | (
      | "startAt"
      | "endAt"
      | "suspendedAt"
      | "suspendedMs"
      | "limitS"
      | "nodeList"
      | "nodes"
      | "arrayJobId"
      | "arrayTasks"
    )
  | (
      | "hetJobId"
      | "hetOffset"
      | "account"
      | "comment"
      | "qos"
      | "priority"
      | "attempt"
      | "kind"
      | "command"
      | "workDir"
    );

/** Fields that each can be told without the rest of the row: what most listings ask for, of queues of any length. */
export const ROW_FIELDS: { readonly [F in SingleField]: (job: Job, extra: JobRowExtra) => JobRow[F] } = {
  id: (job) => job.id,
  name: (job) => job.spec.name,
  user: (job) => job.spec.user.name,
  uid: (job) => job.spec.user.uid,
  partition: (_job, extra) => extra.partition,
  state: (job) => displayState(job),
  reason: (job, extra) => (isEnded(job) ? endReason(job) : extra.reason),
  reasonText: (job, extra) => (isEnded(job) ? job.cause : extra.reasonText),
  submitAt: (job) => job.submitAt,
  eligibleAt: (job) => job.eligibleAt,
  startAt: (job) => (job.state === "PENDING" ? null : job.startAt),
  endAt: (job) => (isEnded(job) ? job.endAt : null),
  suspendedAt: (job) => (job.state === "RUNNING" ? job.suspendedAt : null),
  suspendedMs: (job) => (job.state === "PENDING" ? 0 : job.suspendedMs),
  limitS: (job) => (job.state === "PENDING" ? null : job.limitS) ?? job.spec.timeLimitS ?? 0,
  nodeList: (job) => (isPlaced(job) ? fold(allocationOf(job).map((share) => share.node)) : ""),
  nodes: (job) => (isPlaced(job) ? allocationOf(job).length : (job.spec.request.nodes?.min ?? 1)),
  arrayJobId: (job) => job.array?.jobId ?? 0,
  arrayTasks: (job) => arrayTasksLabel(job),
  hetJobId: ({ id, spec: { het } }) => (het ? id - het.offset : 0),
  hetOffset: (job) => job.spec.het?.offset ?? 0,
  account: (job) => job.spec.account ?? "",
  comment: (job) => job.spec.comment,
  qos: (job) => job.spec.qos ?? QOS_DEFAULT,
  priority: (job, extra) => (job.state === "PENDING" && job.hold ? 0 : (extra.priority ?? priorityOf(job))),
  attempt: (job) => job.attempt,
  kind: (job) => job.spec.kind,
  command: (job) => commandOf(job.spec),
  workDir: (job) => job.spec.workDir,
};

/** The job's row. Counts are what the job was given, or what it asks for while it waits. */
export function toJobRow(job: Job, extra: JobRowExtra): JobRow {
  const ended = isEnded(job) ? job : null;
  return {
    id: ROW_FIELDS.id(job, extra),
    name: ROW_FIELDS.name(job, extra),
    user: ROW_FIELDS.user(job, extra),
    uid: ROW_FIELDS.uid(job, extra),
    partition: ROW_FIELDS.partition(job, extra),
    state: ROW_FIELDS.state(job, extra),
    reason: ROW_FIELDS.reason(job, extra),
    reasonText: ROW_FIELDS.reasonText(job, extra),
    submitAt: ROW_FIELDS.submitAt(job, extra),
    eligibleAt: ROW_FIELDS.eligibleAt(job, extra),
    startAt: ROW_FIELDS.startAt(job, extra),
    endAt: ROW_FIELDS.endAt(job, extra),
    suspendedAt: ROW_FIELDS.suspendedAt(job, extra),
    suspendedMs: ROW_FIELDS.suspendedMs(job, extra),
    limitS: ROW_FIELDS.limitS(job, extra),
    ...placement(job, extra),
    arrayJobId: ROW_FIELDS.arrayJobId(job, extra),
    arrayTasks: ROW_FIELDS.arrayTasks(job, extra),
    hetJobId: ROW_FIELDS.hetJobId(job, extra),
    hetOffset: ROW_FIELDS.hetOffset(job, extra),
    ...wishes(job, extra),
    dependency: dependencyOf(job, extra),
    priority: ROW_FIELDS.priority(job, extra),
    attempt: ROW_FIELDS.attempt(job, extra),
    exitCode: ended?.exit.code ?? 0,
    exitSignal: ended?.exit.signal ?? 0,
    kind: ROW_FIELDS.kind(job, extra),
    command: ROW_FIELDS.command(job, extra),
    workDir: ROW_FIELDS.workDir(job, extra),
    stdout: outputPath(job),
    cause: ended?.cause ?? "",
  };
}

/** A job that waits has nothing. */
function allocationOf(job: Job): Allocation {
  return job.state === "PENDING" ? NOTHING : job.allocation;
}

function isPlaced(job: Job): boolean {
  return allocationOf(job).length > 0;
}

/** What sbatch keeps in place of a script's path, where there is none: for Slurm such a job has no command. */
const PATHLESS: ReadonlySet<string> = new Set(["wrap", "sbatch"]);

function commandOf({ kind, argv }: Job["spec"]): string {
  return kind === "batch" && PATHLESS.has(argv[0] ?? "") ? "" : argv.join(" ");
}

/** `node1:0,1;node2:0`: which GPUs an allocation holds; empty if none. */
export function formatGpuIds(allocation: Allocation): string {
  return allocation
    .filter((share) => share.gpus.length > 0)
    .map((share) => `${share.node}:${share.gpus.map((grant) => grant.index).join(",")}`)
    .join(";");
}

/** The file of a job's output; patterns are filled in on its node only. Empty if it goes to the client. */
function outputPath({ id, spec, array }: Job): string {
  const name = array ? `slurm-${array.jobId}_${firstTask(array.tasks)}.out` : `slurm-${id}.out`;
  const path = spec.io.stdout ?? (spec.kind === "batch" ? name : "");
  if (path === "" || path.startsWith("/")) return path;
  return `${spec.workDir.replace(/\/$/, "")}/${path}`;
}

type Placement = "nodeList" | "nodes" | "tasks" | "cpus" | "cpusPerTask" | "memoryMiB" | "gpus" | "gpuType" | "gpuIds";

function placement(job: Job, extra: JobRowExtra): Pick<JobRow, Placement> {
  const { request } = job.spec;
  const allocation = allocationOf(job);
  const has = isPlaced(job);
  const nodes = ROW_FIELDS.nodes(job, extra);
  const tasks = request.tasks ?? nodes * (request.tasksPerNode || 1);
  return {
    nodeList: ROW_FIELDS.nodeList(job, extra),
    nodes,
    tasks: has
      ? Math.max(
          1,
          sum(allocation, (share) => share.tasks),
        )
      : tasks,
    cpus: has ? sum(allocation, (share) => share.cpus) : leastCpus(request, tasks, nodes),
    cpusPerTask: request.cpusPerTask ?? 1,
    memoryMiB: request.memory?.mib ?? 0,
    gpus: has ? gpuThousandths(allocation) : wishedGpus(request, nodes, tasks),
    gpuType: request.gpus?.wishes[0]?.type ?? null,
    gpuIds: has ? formatGpuIds(allocation) : "",
  };
}

type Wishes =
  | "account"
  | "comment"
  | "qos"
  | "wckey"
  | "reservation"
  | "licenses"
  | "features"
  | "requestedNodes"
  | "excludedNodes"
  | "nice"
  | "memoryPer"
  | "gpusPer"
  | "exclusive"
  | "onlyUser"
  | "requeue"
  | "timeMinS";

/** A job that waits no longer waits for nothing. */
function dependencyOf({ spec, state }: Job, { dependency }: JobRowExtra): string {
  if (!spec.dependency || state !== "PENDING") return "";
  return dependency ?? formatDependencyState(spec.dependency);
}

function wishes(job: Job, extra: JobRowExtra): Pick<JobRow, Wishes> {
  const { spec } = job;
  const { request } = spec;
  return {
    account: ROW_FIELDS.account(job, extra),
    comment: ROW_FIELDS.comment(job, extra),
    qos: ROW_FIELDS.qos(job, extra),
    wckey: spec.wckey,
    reservation: spec.reservation ?? "",
    licenses: spec.licenses.map(({ name, count }) => (count === 1 ? name : `${name}:${count}`)).join(","),
    features: request.constraint,
    requestedNodes: fold(request.nodeList),
    excludedNodes: fold(request.excluded),
    nice: spec.nice,
    memoryPer: request.memory?.per ?? "node",
    gpusPer: request.gpus?.per ?? "job",
    exclusive: request.exclusive,
    onlyUser: request.onlyUser === true,
    requeue: spec.requeue,
    timeMinS: spec.timeMinS ?? 0,
  };
}

/** Thousandths for the whole job, as far as they are known before it has its nodes. */
function wishedGpus({ gpus, gpuIds }: ResourceRequest, nodes: number, tasks: number): number {
  const chosen = sum(gpuIds, ({ indices }) => indices.length * WHOLE_GPU);
  if (!gpus) return chosen;
  const wish = sum(gpus.wishes, ({ thousandths }) => thousandths);
  return wish * { job: 1, node: nodes, task: tasks }[gpus.per];
}

function leastCpus(request: ResourceRequest, tasks: number, nodes: number): number {
  if (request.overcommit) return nodes;
  return Math.max(nodes, tasks * (request.cpusPerTask ?? 1));
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
