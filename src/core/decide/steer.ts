/** Ending, signalling, holding, suspending and changing jobs. */

import { intersect, type TaskSet, taskCount } from "../array-spec.ts";
import type {
  CancelJob,
  CompleteJob,
  ExpireJob,
  HoldJob,
  JobChanges,
  PurgeJob,
  RequeueJob,
  SignalJob,
  SuspendJob,
  UpdateJob,
} from "../commands.ts";
import type { Event, JobEnded, JobRequeued } from "../events.ts";
import { componentsOf, isFollower, isLed, leaderId, livingOthers } from "../het.ts";
import {
  type EarlierAttempt,
  type EndedJob,
  EXIT_OK,
  type ExitStatus,
  type Hold,
  isEnded,
  type Job,
  type RunningJob,
  type TerminalState,
} from "../job.ts";
import { jobLabel } from "../job-label.ts";
import type { JobSpec } from "../jobspec.ts";
import type { Partition } from "../partition.ts";
import { isListed, namedPartitions } from "../partition-list.ts";
import { chargeOf, queueProblem } from "../policy/charge.ts";
import { withoutJob } from "../policy/ledger.ts";
import type { ClusterState } from "../state.ts";
import { reservationProblem } from "./admission.ts";
import { sharesProblem } from "./allocate.ts";
import { accept, type Decision, deny, ignore, type Refusal } from "./decision.ts";
import { licenseProblem } from "./licenses.ts";
import {
  dependencyProblem,
  effectiveLimit,
  entryProblem,
  findPartition,
  hetTimeProblem,
  nodeProblem,
  priorityProblem,
  timeProblem,
} from "./submit.ts";

const FINISHED = "Job/step already completing or completed";

/** Ends a waiting job at once; a running one's state is decided now, its processes are ended by its nodes. */
export function decideCancel(state: ClusterState, command: CancelJob): Decision {
  const job = findOwn(state, command);
  if ("kind" in job) return job;
  if (isEnded(job)) return deny("JOB_FINISHED", FINISHED);
  if (job.state === "PENDING" && isLed(state, job)) return denyPart(job);
  const { part, events } = partOf(state, job, command.tasks);
  if (!part) return deny("INVALID_JOB", "Invalid job id specified", "none of these tasks waits any more");
  return accept(...events, ...endWhole(state, part, "CANCELLED", EXIT_OK, command.cause, command.byUid));
}

/** Ends a waiting job that can't start any more. */
export function decideExpire(state: ClusterState, command: ExpireJob): Decision {
  const job = state.jobs.get(command.jobId);
  if (job?.state !== "PENDING") return ignore("the job waits no longer");
  const { part, events } = partOf(state, job, command.tasks);
  if (!part) return ignore("the tasks wait no longer");
  return accept(...events, ...endWhole(state, part, command.state, EXIT_OK, command.cause, null));
}

/** An allocation is given back. */
export function decideComplete(state: ClusterState, command: CompleteJob): Decision {
  const job = findOwn(state, command);
  if ("kind" in job) return job;
  if (isEnded(job)) return ignore("the job is over already");
  if (job.spec.kind !== "alloc") {
    return deny("DISABLED", "Requested operation is presently disabled", "only an allocation of salloc is given back");
  }
  if (job.state === "PENDING") {
    return accept(...endWhole(state, job, "CANCELLED", EXIT_OK, "its salloc ended", command.byUid));
  }
  const isGood = command.exit.code === 0 && command.exit.signal === 0;
  return accept(...endWhole(state, job, isGood ? "COMPLETED" : "FAILED", command.exit, "", null));
}

/** Passes a signal to a running job's nodes; changes no state. */
export function decideSignal(state: ClusterState, command: SignalJob): Decision {
  const job = findOwn(state, command);
  if ("kind" in job) return job;
  if (isEnded(job)) return deny("JOB_FINISHED", FINISHED);
  if (job.state === "PENDING") {
    const hint = "a waiting job has no processes; scancel without --signal removes it";
    return deny("NOT_RUNNING", "Job is pending execution", hint);
  }
  const { jobId, target, signal } = command;
  if (target !== "steps" && target !== "full" && !job.steps.some((step) => step.id === target)) {
    return deny("INVALID_STEP", "Invalid job id specified", `job ${jobId} has no step ${target}`);
  }
  return { kind: "accept", events: [], signal: { jobId, target, signal } };
}

/** Holds or releases waiting jobs. What the operator holds, only the operator releases. */
export function decideHold(state: ClusterState, command: HoldJob): Decision {
  const job = findOwn(state, command);
  if ("kind" in job) return job;
  if (job.state !== "PENDING") return deny("NOT_PENDING", "Job is no longer pending execution");
  const { part, events } = partOf(state, job, command.tasks);
  if (!part) return deny("INVALID_JOB", "Invalid job id specified", "none of these tasks waits any more");
  // As in Slurm: of one component it holds that one alone, which keeps the others waiting too.
  const others = isFollower(part) ? [] : livingOthers(state, part);
  const parts = [part, ...others].filter((one) => one.state === "PENDING");
  const changed = parts.filter((one) => one.hold !== command.hold);
  if (changed.length === 0) return ignore(command.hold ? "held already" : "not held");
  if (parts.some((one) => one.hold === "admin") && command.byUid !== 0) return denyAccess(job.id);
  return accept(...events, ...changed.map((one): Event => ({ type: "job.held", jobId: one.id, hold: command.hold })));
}

/** Ends a batch job's processes and puts it back into the queue under the same number. */
export function decideRequeue(state: ClusterState, command: RequeueJob, now: number): Decision {
  const job = findOwn(state, command);
  if ("kind" in job) return job;
  if (job.state === "PENDING") return deny("NOT_RUNNING", "Job is pending execution");
  if (job.spec.kind !== "batch" || !job.spec.requeue) {
    const why = job.spec.kind === "batch" ? "it was submitted with --no-requeue" : "only batch jobs can start again";
    return deny("DISABLED", "Requested operation is presently disabled", `job ${job.id}: ${why}`);
  }
  if (isEnded(job) && (job.spec.het || job.array)) {
    const problem = requeueProblem(state, job, command.tasks);
    if (problem) return deny("DISABLED", "Requested operation is presently disabled", `job ${job.id}: ${problem}`);
  }
  if (isLed(state, job)) return denyPart(job);
  const hold: Hold | null = command.hold ? holdBy(job, command.byUid) : null;
  const special = command.special ? { special: true } : {};
  const events = isEnded(job)
    ? componentsOf(state, job).flatMap((one) => (isEnded(one) ? [requeueEnded(one, now, hold)] : []))
    : requeueWhole(state, job, "requeued by request", now, hold);
  return accept(...events.map((event) => (event.type === "job.requeued" ? { ...event, ...special } : event)));
}

/** Why an ended job can't start again though it is a batch job; empty if it can. */
function requeueProblem(state: ClusterState, job: EndedJob, tasks: TaskSet | null): string {
  const { spec, array } = job;
  if (spec.het) {
    if (isFollower(job)) return `it starts again with the whole heterogeneous job: requeue ${leaderId(job)}`;
    const parts = componentsOf(state, job);
    if (parts.length < spec.het.size)
      return "parts of this heterogeneous job have left memory: submit it again instead";
    return parts.every(isEnded) ? "" : "parts of this heterogeneous job are not over";
  }
  const all = taskCount(array?.tasks ?? []);
  if (tasks === null || array === null || taskCount(intersect(array.tasks, tasks)) === all) return "";
  return `these tasks ended together, before any started: requeue all ${all} of them`;
}

/** The event that starts an ended job over, in the same record: its end stays as an earlier attempt. */
function requeueEnded(job: EndedJob, now: number, hold: Hold | null): JobRequeued {
  const { id: jobId, cleanup, state, exit } = job;
  const cause = job.cause || "requeued by request";
  return { type: "job.requeued", jobId, cause, cleanup, eligibleAt: now, hold, retried: 0, state, exit };
}

/** Stops a running job's processes, or lets them go on. */
export function decideSuspend(state: ClusterState, command: SuspendJob): Decision {
  const job = findOwn(state, command);
  if ("kind" in job) return job;
  if (isEnded(job)) return deny("JOB_FINISHED", FINISHED);
  if (job.state === "PENDING") return deny("NOT_RUNNING", "Job is pending execution");
  if ((job.suspendedAt !== null) === command.suspend) {
    return deny("DISABLED", "Requested operation is presently disabled", `job ${job.id} is ${suspendWord(job)}`);
  }
  if (isLed(state, job)) return denyPart(job);
  const parts = [job, ...livingOthers(state, job)].filter((one) => one.state === "RUNNING");
  const changed = parts.filter((one) => (one.suspendedAt !== null) !== command.suspend);
  const taken = command.suspend ? "" : yieldedProblem(state, changed);
  if (taken) return deny("DISABLED", "Requested operation is presently disabled", taken);
  return accept(
    ...changed.map(({ id, attempt }): Event => {
      return { type: "job.suspended", jobId: id, attempt, suspended: command.suspend };
    }),
  );
}

/** Why jobs that made room for others can't go on yet; empty if they can. */
function yieldedProblem(state: ClusterState, jobs: readonly RunningJob[]): string {
  for (const { id, yieldsTo, allocation } of jobs) {
    const problem = yieldsTo === undefined ? "" : sharesProblem(state.nodes, allocation);
    if (problem) return `job ${id} made room for job ${yieldsTo}: ${problem}`;
  }
  return "";
}

/** Changes what a job asked for, as far as its state allows. */
export function decideUpdate(state: ClusterState, command: UpdateJob, now: number): Decision {
  const job = findOwn(state, command);
  if ("kind" in job) return job;
  if (isEnded(job)) return deny("JOB_FINISHED", FINISHED);
  const problem = updateProblem(state, job, command);
  if (problem) return problem;
  const changes = chargedChanges(state, job, command);
  if ("denial" in changes) return changes;
  const { part, events } = job.state === "PENDING" ? partOf(state, job, command.tasks) : { part: job, events: [] };
  if (!part) return deny("INVALID_JOB", "Invalid job id specified", "none of these tasks waits any more");
  const limit = changes.timeLimitS;
  const isLimit = part.state === "RUNNING" && limit !== undefined && limit !== null;
  const isBegin = part.state === "PENDING" && changes.beginAt !== undefined;
  return accept(...events, {
    type: "job.updated",
    jobId: part.id,
    changes,
    before: wishesBefore(job.spec, changes),
    ...(isLimit ? { limitS: limit } : {}),
    ...(isBegin ? { eligibleAt: Math.max(now, changes.beginAt ?? 0) } : {}),
  });
}

/** What is about to be changed, as it is. */
function wishesBefore(spec: JobSpec, changes: JobChanges): Partial<JobSpec> {
  const keys = Object.keys(changes) as (keyof JobSpec)[];
  return Object.fromEntries(keys.map((key) => [key, spec[key]]));
}

/** A finished and cleared job leaves the hot state, unless a waiting one still asks how it ended. */
export function decidePurge(state: ClusterState, command: PurgeJob): Decision {
  const job = state.jobs.get(command.jobId);
  if (!job) return ignore("the job is gone already");
  if (!isPurgeable(state, job)) return ignore("the job is not over, or another one depends on it");
  return accept({ type: "job.purged", jobId: job.id });
}

/** Whether nobody needs a job's record in the hot state any more, its age aside. */
export function isPurgeable(state: ClusterState, job: Job): boolean {
  if (!isEnded(job) || job.cleanup.length > 0) return false;
  return !state.dependents.has(job.id) && !(job.array && state.dependents.has(job.array.jobId));
}

/** The event that decides a job's final state; nodes that may still run something of it have to clear up. */
export function endJob(
  job: Exclude<Job, { readonly state: TerminalState }>,
  state: TerminalState,
  exit: ExitStatus,
  cause: string,
  cancelledBy: number | null,
  clean: readonly string[] = [],
): JobEnded {
  const nodes = job.state === "RUNNING" ? job.allocation.map((share) => share.node) : job.cleanup;
  const cleanup = nodes.filter((node) => !clean.includes(node));
  return { type: "job.ended", jobId: job.id, state, exit, cause, cancelledBy, cleanup };
}

/**
 * The same with the components of a heterogeneous job that can't be without it: one that waits never starts without the
 * others, and the first one's end is the end of all.
 */
export function endWhole(state: ClusterState, ...end: Parameters<typeof endJob>): JobEnded[] {
  const [job, final, exit, cause, cancelledBy] = end;
  const others = job.state === "PENDING" || !isFollower(job) ? livingOthers(state, job) : [];
  return [endJob(...end), ...others.map((one) => endJob(one, final, exit, cause, cancelledBy))];
}

/** {@link requeueJob} with the other components of a heterogeneous job that run: they start together again. */
export function requeueWhole(state: ClusterState, ...requeue: Parameters<typeof requeueJob>): JobRequeued[] {
  const [job, cause, eligibleAt, hold, , retried, how] = requeue;
  const others = livingOthers(state, job).filter((one) => one.state === "RUNNING");
  return [requeueJob(...requeue), ...others.map((one) => requeueJob(one, cause, eligibleAt, hold, [], retried, how))];
}

/** The first of each job's: a job that ends, or leaves its nodes, with another one does so once, whoever is looked at first. */
export function onePerJob<E extends JobEnded | JobRequeued>(events: readonly E[]): E[] {
  const seen = new Set<number>();
  return events.filter(({ jobId }) => !seen.has(jobId) && seen.add(jobId));
}

/** The event that sends a started job back to the queue; nodes not known to be clean have to clear up first. */
export function requeueJob(
  job: RunningJob,
  cause: string,
  eligibleAt: number,
  hold: Hold | null,
  clean: readonly string[] = [],
  retried = job.retried,
  how: { readonly state: EarlierAttempt["state"]; readonly exit: ExitStatus } = { state: "REQUEUED", exit: EXIT_OK },
): JobRequeued {
  const cleanup = job.allocation.map((share) => share.node).filter((node) => !clean.includes(node));
  return { type: "job.requeued", jobId: job.id, cause, cleanup, eligibleAt, hold, retried, ...how };
}

/** Whether a user may see to a job. */
export function mayTouch(job: Job, uid: number): boolean {
  return uid === 0 || uid === job.spec.user.uid;
}

/** A record that these tasks of a waiting array have to themselves, with the event that makes it if needed. */
function partOf<J extends Job>(
  state: ClusterState,
  job: J,
  tasks: TaskSet | null,
): { readonly part: J | null; readonly events: readonly Event[] } {
  if (tasks === null || job.array === null) return { part: job, events: [] };
  const meant = intersect(job.array.tasks, tasks);
  if (meant.length === 0) return { part: null, events: [] };
  if (job.state !== "PENDING" || taskCount(meant) === taskCount(job.array.tasks)) return { part: job, events: [] };
  const newId = state.nextJobId;
  return {
    part: { ...job, id: newId, array: { ...job.array, tasks: meant } },
    events: [{ type: "array.split", jobId: job.id, tasks: meant, newId }],
  };
}

function updateProblem(state: ClusterState, job: Job, { changes, byUid }: UpdateJob): Refusal | null {
  const isOperator = byUid === 0;
  if (job.state === "RUNNING") {
    const fixed = RUNNING_FIXED.filter((key) => changes[key] !== undefined);
    if (fixed.length > 0) {
      return deny("NOT_PENDING", "Job is no longer pending execution", `a running job keeps its ${fixed.join(", ")}`);
    }
    const limit = changes.timeLimitS;
    const grows = limit !== undefined && job.limitS !== 0 && (limit === 0 || (limit ?? 0) > job.limitS);
    if (grows && !isOperator) return deny("PERMISSION", "Access/permission denied", "only root may lengthen a limit");
  }
  const raised = priorityProblem(state, changes, byUid);
  if (raised) return raised;
  const spec = { ...job.spec, ...changes };
  const { partition, unknown } = updatedPartition(state, spec);
  if (!partition) return deny("INVALID_PARTITION", `invalid partition specified: ${unknown}`);
  return (
    arrayProblem(job, changes) ??
    (job.spec.het ? hetTimeProblem(changes) : null) ??
    timeProblem(spec, partition) ??
    wordsProblem(state, spec, partition, changes) ??
    (changes.dependency ? dependencyProblem(state, spec, job) : null) ??
    (changes.licenses ? licenseProblem(state, spec.licenses) : null)
  );
}

/** Nodes and features that are not there. A shape that no node has now may come with another change. */
function wordsProblem(state: ClusterState, spec: JobSpec, partition: Partition, changes: JobChanges): Refusal | null {
  const problem = changes.request === undefined ? null : nodeProblem(state, spec, partition);
  const isWord = problem?.denial.code === "INVALID_NODE" || problem?.denial.code === "INVALID_FEATURE";
  return isWord ? problem : null;
}

/** Of an array, only how many of its tasks run at a time may change: which tasks there are is settled. */
function arrayProblem({ spec }: Job, { array }: JobChanges): Refusal | null {
  if (array === undefined) return null;
  if (spec.array === null) return deny("INVALID_ARRAY", "Invalid job array specification", "the job is no array");
  if (array !== null && isEqual(array.tasks, spec.array.tasks)) return null;
  return deny(
    "INVALID_ARRAY",
    "Invalid job array specification",
    "an array keeps its tasks: cancel those it should not run",
  );
}

function isEqual(a: TaskSet, b: TaskSet): boolean {
  return taskCount(a) === taskCount(b) && taskCount(intersect(a, b)) === taskCount(a);
}

/** The changes with the account and the QoS that the job is charged to then, or why it may not be there. */
function chargedChanges(state: ClusterState, job: Job, { changes, byUid }: UpdateJob): JobChanges | Refusal {
  const keys = ["account", "qos", "partition", "partitions"] as const;
  const isCharged = keys.some((key) => changes[key] !== undefined);
  if (!isCharged && changes.reservation === undefined) return changes;
  const spec = { ...job.spec, ...changes };
  const { partition } = updatedPartition(state, spec);
  if (!partition) return changes;
  const charge = isCharged ? chargeOf(state.policy, spec, effectiveLimit(spec, partition)) : spec;
  if ("denial" in charge) return charge;
  const { account, qos } = charge;
  const full = { ...spec, account, qos };
  // Root may put a job where its user may not.
  const barred = byUid === 0 ? reservationProblem(state, { ...full, user: ROOT }) : entryProblem(state, full);
  if (barred || !isCharged) return barred ?? changes;
  const limited = queueProblem(withoutJob(state.policy, job), full, effectiveLimit(full, partition));
  return limited ?? { ...changes, account, qos };
}

const ROOT = { uid: 0, gid: 0, name: "root" };

/** The partition whose limits hold for a job: of several the most generous one. */
function updatedPartition(
  state: ClusterState,
  spec: JobSpec,
): { readonly partition: Partition | undefined; readonly unknown: string | null } {
  if (!isListed(spec)) return { partition: findPartition(state, spec), unknown: spec.partition };
  const names = namedPartitions(spec);
  const unknown = names.find((name) => !state.partitions.has(name));
  if (unknown !== undefined) return { partition: undefined, unknown };
  const found = names.flatMap((name) => state.partitions.get(name) ?? []);
  return { partition: found.find((one) => !timeProblem(spec, one)) ?? found[0], unknown: null };
}

/** Wishes that a running job's allocation has settled. */
const RUNNING_FIXED = ["request", "partition", "dependency", "beginAt", "array", "licenses", "reservation"] as const;

function holdBy(job: Job, uid: number): Hold {
  return uid === job.spec.user.uid ? "user" : "admin";
}

function suspendWord(job: Job): string {
  return job.state === "RUNNING" && job.suspendedAt !== null ? "suspended already" : "not suspended";
}

function findOwn(state: ClusterState, { jobId, byUid }: { jobId: number; byUid: number }): Job | Refusal {
  const job = state.jobs.get(jobId);
  if (!job) return deny("INVALID_JOB", "Invalid job id specified", `there is no job ${jobId} in the queue`);
  return mayTouch(job, byUid) ? job : denyAccess(jobId);
}

/** What is done to all components of a heterogeneous job or to none, asked for one of them. */
function denyPart(job: Job): Refusal {
  const hint = `${jobLabel(job)} starts and waits with the other components: name the whole job, ${leaderId(job)}`;
  return deny("NOT_WHOLE", "Operation not permitted on individual component of heterogeneous job", hint);
}

function denyAccess(jobId: number): Refusal {
  return deny("PERMISSION", "Access/permission denied", `job ${jobId} belongs to somebody else`);
}
