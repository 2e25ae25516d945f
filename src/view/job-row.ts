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

/** The job's row. Counts are what the job was given, or what it asks for while it waits. */
export function toJobRow(job: Job, extra: JobRowExtra): JobRow {
  const { spec } = job;
  const { het } = spec;
  const ended = isEnded(job) ? job : null;
  const allocation = job.state === "PENDING" ? [] : job.allocation;
  return {
    id: job.id,
    name: spec.name,
    user: spec.user.name,
    uid: spec.user.uid,
    partition: extra.partition,
    state: displayState(job),
    reason: ended ? endReason(ended) : extra.reason,
    reasonText: ended ? ended.cause : extra.reasonText,
    submitAt: job.submitAt,
    eligibleAt: job.eligibleAt,
    startAt: job.state === "PENDING" ? null : job.startAt,
    endAt: ended ? ended.endAt : null,
    suspendedAt: job.state === "RUNNING" ? job.suspendedAt : null,
    suspendedMs: job.state === "PENDING" ? 0 : job.suspendedMs,
    limitS: (job.state === "PENDING" ? null : job.limitS) ?? spec.timeLimitS ?? 0,
    ...placement(job, allocation),
    arrayJobId: job.array?.jobId ?? 0,
    arrayTasks: arrayTasksLabel(job),
    hetJobId: het ? job.id - het.offset : 0,
    hetOffset: het?.offset ?? 0,
    ...wishes(job),
    dependency: dependencyOf(job, extra),
    priority: job.state === "PENDING" && job.hold ? 0 : (extra.priority ?? priorityOf(job)),
    attempt: job.attempt,
    exitCode: ended?.exit.code ?? 0,
    exitSignal: ended?.exit.signal ?? 0,
    kind: spec.kind,
    command: commandOf(spec),
    workDir: spec.workDir,
    stdout: outputPath(job),
    cause: ended?.cause ?? "",
  };
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

function placement({ spec: { request } }: Job, allocation: Allocation): Pick<JobRow, Placement> {
  const isPlaced = allocation.length > 0;
  const nodes = isPlaced ? allocation.length : (request.nodes?.min ?? 1);
  const tasks = request.tasks ?? nodes * (request.tasksPerNode || 1);
  return {
    nodeList: isPlaced ? fold(allocation.map((share) => share.node)) : "",
    nodes,
    tasks: isPlaced
      ? Math.max(
          1,
          sum(allocation, (share) => share.tasks),
        )
      : tasks,
    cpus: isPlaced ? sum(allocation, (share) => share.cpus) : leastCpus(request, tasks, nodes),
    cpusPerTask: request.cpusPerTask ?? 1,
    memoryMiB: request.memory?.mib ?? 0,
    gpus: isPlaced ? gpuThousandths(allocation) : wishedGpus(request, nodes, tasks),
    gpuType: request.gpus?.wishes[0]?.type ?? null,
    gpuIds: isPlaced ? formatGpuIds(allocation) : "",
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

function wishes({ spec }: Job): Pick<JobRow, Wishes> {
  const { request } = spec;
  return {
    account: spec.account ?? "",
    comment: spec.comment,
    qos: spec.qos ?? QOS_DEFAULT,
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
