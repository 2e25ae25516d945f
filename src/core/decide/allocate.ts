/** The second look at the scheduler's plan: nothing is granted twice, whatever the plan says. */

import { must } from "../../util/assert.ts";
import { hasTask, taskCount } from "../array-spec.ts";
import type { AllocateJob, ComponentAllocation } from "../commands.ts";
import type { Event, JobAllocated } from "../events.ts";
import { waitingComponents } from "../het.ts";
import type { JobId } from "../ids.ts";
import type { Job, PendingJob, RunningJob, StepHet } from "../job.ts";
import { countLicenses, licenseShortage, licensesOf } from "../licenses.ts";
import type { Node } from "../node.ts";
import { nodesOfOthers } from "../only-user.ts";
import { holdsNode, type Partition } from "../partition.ts";
import { isListed, namedPartitions } from "../partition-list.ts";
import { type Blocked, limitView, startLimit } from "../policy/limits.ts";
import { isPolicyOn } from "../policy/state.ts";
import { tresOf } from "../policy/tres.ts";
import { isActive, LEAVES_EARLY, reservedFor } from "../reservation.ts";
import { type Allocation, addShare, gpuThousandths, type NodeShare, WHOLE_GPU } from "../resources.ts";
import { type ClusterState, usedLicenses } from "../state.ts";
import { accept, type Decision, deny, ignore } from "./decision.ts";
import { effectiveLimit, findPartition } from "./submit.ts";

/** Starts a waiting job with the given allocation if it still waits and every share still fits. */
export function decideAllocate(state: ClusterState, command: AllocateJob, now: number): Decision {
  const job = state.jobs.get(command.jobId);
  if (job?.state !== "PENDING") return ignore("the job waits no longer");
  if (job.spec.het) return allocateWhole(state, job, command, now);
  const { allocation } = command;
  const meant = asPlanned(job, command);
  if (meant === null) return ignore(MOVED);
  const refusal = licenseWait(state, [meant]) ?? startProblem(state, meant, state.nodes, allocation, now);
  if (refusal) return refusal;
  const split = splitOff(state, job, command.taskId);
  if (split === null) return ignore("the task waits no longer");
  return accept(...split.events, startOf(state, { ...meant, id: split.jobId }, allocation));
}

const MOVED = "the job is in another partition now";

/**
 * The job as of the partition and with the limit that the plan is for; `null` if it is not in that one (any more), or
 * takes no less time.
 */
function asPlanned(
  job: PendingJob,
  { partition, limitS }: { readonly partition?: string; readonly limitS?: number },
): PendingJob | null {
  const { spec } = job;
  if (limitS !== undefined && (spec.timeMinS === null || limitS < spec.timeMinS)) return null;
  const shorter = limitS === undefined ? {} : { timeLimitS: limitS };
  if (partition === undefined) return isListed(spec) ? null : { ...job, spec: { ...spec, ...shorter } };
  if (!namedPartitions(spec).includes(partition)) return null;
  return { ...job, spec: { ...spec, partition, ...shorter } };
}

/** A heterogeneous job starts with all of its components that wait, in one record. */
function allocateWhole(state: ClusterState, job: PendingJob, command: AllocateJob, now: number): Decision {
  const given: readonly ComponentAllocation[] = [command, ...(command.followers ?? [])];
  const records = waitingComponents(state, job);
  const waiting = records.flatMap((one, at) => asPlanned(one, given[at] ?? {}) ?? []);
  if (waiting.length < records.length) return ignore(MOVED);
  if (waiting.map((one) => one.id).join() !== given.map((one) => one.jobId).join()) {
    return ignore("the plan is not for all components that wait");
  }
  const short = licenseWait(state, waiting);
  if (short) return short;
  const nodes = new Map(state.nodes);
  for (const [at, one] of waiting.entries()) {
    const allocation = given[at]?.allocation ?? [];
    const refusal = startProblem(state, one, nodes, allocation, now);
    if (refusal) return refusal;
    for (const share of allocation) {
      const node = nodes.get(share.node);
      if (node) nodes.set(share.node, { ...node, usage: addShare(node.usage, share, 1) });
    }
  }
  const parts = given.map(({ allocation }) => allocation.reduce((sum, share) => sum + share.tasks, 0));
  const jobIds = waiting.map((one) => one.id);
  const hets = job.spec.kind === "run" ? stepHets(jobIds, parts) : [];
  return accept(...waiting.map((one, at) => startOf(state, one, given[at]?.allocation ?? [], hets[at])));
}

/** Where each component's tasks stand in a step over several. */
export function stepHets(jobIds: readonly JobId[], tasks: readonly number[]): StepHet[] {
  const total = tasks.reduce((sum, count) => sum + count, 0);
  let firstTask = 0;
  return tasks.map((count) => {
    const het = { jobIds, firstTask, tasks: total };
    firstTask += count;
    return het;
  });
}

/** Why a waiting job may not start with an allocation; `null` if it may. */
function startProblem(
  state: ClusterState,
  job: PendingJob,
  nodes: ReadonlyMap<string, Node>,
  allocation: Allocation,
  now: number,
): Decision | null {
  if (job.hold !== null || job.cleanup.length > 0 || job.eligibleAt > now) return ignore("the job may not start now");
  const partition = findPartition(state, job.spec);
  if (!partition) return deny("INVALID_PARTITION", "the job's partition is gone");
  const problem =
    partitionProblem(partition, allocation) ||
    reservedProblem(state, job, allocation, effectiveLimit(job.spec, partition), now) ||
    othersProblem(state, job, allocation) ||
    planProblem(nodes, job, allocation);
  if (problem) return deny("NO_CAPACITY", problem);
  const limit = limitInTheWay(state, job, allocation, now);
  return limit ? ignore(limit.text) : null;
}

/** Licenses that jobs which start together can't have now. */
function licenseWait(state: ClusterState, jobs: readonly PendingJob[]): Decision | null {
  const wishes = licensesOf(countLicenses(jobs.map(({ spec }) => spec)));
  if (wishes.length === 0) return null;
  const shortage = licenseShortage(state.licenses, usedLicenses(state), wishes);
  return shortage === null ? null : ignore(shortage);
}

/** The limit of an account or a QoS that a start would break. */
function limitInTheWay(state: ClusterState, job: PendingJob, allocation: Allocation, now: number): Blocked | null {
  const { policy } = state;
  if (!isPolicyOn(policy)) return null;
  const running = () => [...state.active].flatMap((id) => runningOnly(state.jobs.get(id)));
  const partition = must(findPartition(state, job.spec), `the partition of job ${job.id}`);
  const tres = tresOf(allocation, policy.config.billingWeights);
  const limitS = effectiveLimit(job.spec, partition);
  return startLimit(limitView(policy, running, now), { charged: job.spec, tres, nodes: allocation.length, limitS });
}

function runningOnly(job: Job | undefined): RunningJob[] {
  return job?.state === "RUNNING" ? [job] : [];
}

function startOf(state: ClusterState, job: PendingJob, allocation: Allocation, stepHet?: StepHet): JobAllocated {
  const partition = must(findPartition(state, job.spec), `the partition of job ${job.id}`);
  const { id: jobId, attempt, spec } = job;
  const limitS = effectiveLimit(spec, partition);
  const place = isListed(spec) ? { partition: partition.name } : {};
  const het = stepHet ? { stepHet } : {};
  return { type: "job.allocated", jobId, attempt: attempt + 1, allocation, limitS, ...place, ...het };
}

/** The record that a starting task has to itself: a new one while others of its array still wait. */
function splitOff(
  state: ClusterState,
  job: PendingJob,
  taskId: number | null,
): { readonly jobId: number; readonly events: readonly Event[] } | null {
  if (job.array === null) return { jobId: job.id, events: [] };
  if (taskId === null || !hasTask(job.array.tasks, taskId)) return null;
  if (taskCount(job.array.tasks) === 1) return { jobId: job.id, events: [] };
  const newId = state.nextJobId;
  const tasks = [{ first: taskId, last: taskId, step: 1 }];
  return { jobId: newId, events: [{ type: "array.split", jobId: job.id, tasks, newId }] };
}

/** What happened to a partition since the plan was made. */
function partitionProblem(partition: Partition, allocation: Allocation): string {
  if (partition.state === "DOWN" || partition.state === "INACTIVE")
    return `partition ${partition.name} is ${partition.state}`;
  const outside = allocation.find((share) => !holdsNode(partition, share.node));
  return outside ? `${outside.node}: not in partition ${partition.name}` : "";
}

/** Of two users on a node, one of whom wants no other there. */
function othersProblem(state: ClusterState, { spec }: PendingJob, allocation: Allocation): string {
  const taken = nodesOfOthers(state, spec);
  const wrong = taken.size > 0 && allocation.find(({ node }) => taken.has(node));
  return wrong ? `${wrong.node}: a job of another user is there (--exclusive=user)` : "";
}

/** A node that is, or in time will be, reserved for others. */
function reservedProblem(
  state: ClusterState,
  { spec }: PendingJob,
  allocation: Allocation,
  limitS: number,
  now: number,
): string {
  const { reservations } = state;
  const own = spec.reservation === null ? undefined : reservations.get(spec.reservation);
  if (spec.reservation !== null && !(own && isActive(own, now)))
    return `reservation ${spec.reservation} does not hold now`;
  const { only, barred, leaving } = reservedFor(state, spec, limitS, now);
  const gone = allocation.find(({ node }) => leaving.has(node));
  if (gone) return `${gone.node}: ${LEAVES_EARLY}`;
  const wrong = allocation.find(({ node }) => barred.has(node) || only?.has(node) === false);
  return wrong ? `${wrong.node}: reserved for ${barred.get(wrong.node) ?? "others"}` : "";
}

function planProblem(nodes: ReadonlyMap<string, Node>, job: PendingJob, allocation: Allocation): string {
  if (allocation.length === 0) return "the plan gives no node";
  if (new Set(allocation.map((share) => share.node)).size < allocation.length) return "the plan names a node twice";
  const problem = sharesProblem(nodes, allocation);
  if (problem) return problem;
  const { request } = job.spec;
  const tasks = allocation.reduce((sum, share) => sum + share.tasks, 0);
  const wanted = request.nodes ?? { min: 1, max: allocation.length };
  const isShort =
    (request.tasks !== null && tasks !== request.tasks) ||
    allocation.length < wanted.min ||
    allocation.length > wanted.max ||
    (!request.overcommit && allocation.some((share) => share.cpus < share.tasks * (request.cpusPerTask ?? 1)));
  if (isShort || gpuThousandths(allocation) < wishedGpus(job, allocation, tasks)) {
    return "the plan does not give what the job asked for";
  }
  return "";
}

/** Thousandths of a GPU that a job must get on so many nodes with so many tasks. */
function wishedGpus({ spec: { request } }: PendingJob, allocation: Allocation, tasks: number): number {
  const { gpus } = request;
  if (!gpus || gpus.byMemory) return 0;
  const wish = gpus.wishes.reduce((sum, { thousandths }) => sum + thousandths, 0);
  if (gpus.per === "job") return wish;
  return wish * (gpus.per === "node" ? allocation.length : tasks);
}

/** What keeps shares from being granted on their nodes, or an empty string. */
export function sharesProblem(nodes: ReadonlyMap<string, Node>, allocation: Allocation): string {
  for (const share of allocation) {
    const problem = shareProblem(nodes.get(share.node), share);
    if (problem) return `${share.node}: ${problem}`;
  }
  return "";
}

/** What keeps a share from being granted on its node, or an empty string. */
function shareProblem(node: Node | undefined, share: NodeShare): string {
  if (!node) return "no such node";
  if (node.down) return "the node is down";
  if (node.drain) return "the node is drained";
  const { inventory, usage, settings } = node;
  if (usage.cpus + share.cpus > inventory.cpus) return "not enough free CPUs";
  if (usage.memoryMiB + share.memoryMiB > inventory.memoryMiB) return "not enough free memory";
  for (const grant of share.gpus) {
    const gpu = inventory.gpus.find((candidate) => candidate.index === grant.index);
    if (gpu?.uuid !== grant.uuid) return `no GPU ${grant.index} with UUID ${grant.uuid}`;
    if (settings?.pausedGpus?.[grant.index] !== undefined) return `GPU ${grant.index} is paused`;
    if ((usage.gpus[grant.index] ?? 0) + grant.thousandths > WHOLE_GPU) return `GPU ${grant.index} is taken`;
  }
  return "";
}
