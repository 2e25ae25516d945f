/** May a job enter the queue. */

import type { SubmitJob } from "../commands.ts";
import type { Dependency } from "../dependency.ts";
import { possibleNodes } from "../elastic/imagined.ts";
import { feasibility } from "../fit.ts";
import { COMPONENTS_MAX } from "../het.ts";
import { fold } from "../hostlist.ts";
import type { Job, PendingJob } from "../job.ts";
import { fullQueue } from "../job-limits.ts";
import { type JobSpec, UNLIMITED } from "../jobspec.ts";
import { nodesIn, type Partition } from "../partition.ts";
import { isListed, namedPartitions } from "../partition-list.ts";
import { type Charge, chargeOf, queueProblem } from "../policy/charge.ts";
import { sharedSpec } from "../shared-specs.ts";
import { type ClusterState, recordsOf } from "../state.ts";
import { accessProblem, exceeds, partitionLimit, reservationProblem, withDefaults } from "./admission.ts";
import { type Decision, deny, type Refusal } from "./decision.ts";
import { isKnownToFit, noteFit } from "./fitting.ts";
import { licenseProblem } from "./licenses.ts";

/** Accepts a job, or says which of its wishes this cluster can never meet. */
export function decideSubmit(state: ClusterState, command: SubmitJob, now: number): Decision {
  const known = state.requests.get(command.requestId);
  if (known !== undefined) return { kind: "ignore", why: "this submission was accepted before", jobId: known };
  const { spec } = command;
  const problem = submissionProblem(state, command);
  if (problem) return problem;
  const { nextJobId } = state;
  const specs = componentSpecs(spec, command.followers).map((one) => {
    return sharedSpec(charged(state, withPartitionDefaults(state, one)));
  });
  const jobs = specs.map((one, offset) => newJob(one, nextJobId + offset, offset === 0 ? command.requestId : "", now));
  return { kind: "accept", events: jobs.map((job) => ({ type: "job.submitted", job })), jobId: nextJobId };
}

/** The components of a heterogeneous job, each with its place in it; any other job as it is. */
function componentSpecs(spec: JobSpec, followers: readonly JobSpec[] = []): readonly JobSpec[] {
  if (followers.length === 0) return [spec.het === null ? spec : { ...spec, het: null }];
  const size = followers.length + 1;
  return [spec, ...followers].map((one, offset) => ({ ...one, het: { offset, size } }));
}

function newJob(spec: JobSpec, id: number, requestId: string, now: number): PendingJob {
  return {
    state: "PENDING",
    id,
    spec,
    submitAt: now,
    attempt: 0,
    requestId,
    eligibleAt: Math.max(now, spec.beginAt),
    hold: spec.hold ? "user" : null,
    array: spec.array && { jobId: id, tasks: spec.array.tasks },
    allocation: [],
    cleanup: [],
    retried: 0,
  };
}

/** Why a submission would be refused, of a heterogeneous job with the component that it is for; `null` if it would not. */
export function submissionProblem(
  state: ClusterState,
  asked: Pick<SubmitJob, "spec" | "followers" | "isEnforced" | "queueLimits">,
): Refusal | null {
  const { spec, followers = [], queueLimits } = asked;
  return wishProblem(state, asked) ?? (queueLimits ? fullQueue(state, queueLimits, [spec, ...followers]) : null);
}

function wishProblem(
  state: ClusterState,
  { spec, followers = [], isEnforced = false }: Pick<SubmitJob, "spec" | "followers" | "isEnforced">,
): Refusal | null {
  if (followers.length === 0) return submitProblem(state, spec, isEnforced);
  if (followers.length >= COMPONENTS_MAX) {
    const hint = `${followers.length + 1} components, at most ${COMPONENTS_MAX} can be`;
    return deny("NOT_FEASIBLE", "Requested node configuration is not available", hint);
  }
  for (const [offset, one] of [spec, ...followers].entries()) {
    if (one.array) return deny("INVALID_ARRAY", "Invalid job array specification", HET_ARRAY);
    const late = hetTimeProblem(one);
    if (late) return late;
    const problem = submitProblem(state, one, isEnforced);
    if (!problem) continue;
    const { code, message, hint } = problem.denial;
    return deny(code, message, hint === undefined ? `component ${offset} is refused` : `component ${offset}: ${hint}`);
  }
  return null;
}

/** Components start together, each with its own limit: a least time of one of them says nothing of the others. */
export function hetTimeProblem({ timeMinS = null }: Partial<Pick<JobSpec, "timeMinS">>): Refusal | null {
  if (timeMinS === null) return null;
  const words = "components of a heterogeneous job start with the time limit that each asks for";
  return deny("INVALID_TIME_LIMIT", words, "leave --time-min out, or ask for less with --time");
}

const HET_ARRAY = "a heterogeneous job can't be an array: submit it several times";

/** What {@link withPartitionDefaults} made last of a specification. */
const placed = new WeakMap<JobSpec, { readonly partition: Partition; readonly spec: JobSpec }>();

function withPartitionDefaults(state: ClusterState, spec: JobSpec): JobSpec {
  const partition = findPartition(state, spec);
  if (!partition) return spec;
  const known = placed.get(spec);
  if (known?.partition === partition) return known.spec;
  // By name: another default partition later does not move it.
  const whole = sharedSpec({ ...withDefaults(spec, partition), partition: partition.name });
  placed.set(spec, { partition, spec: whole });
  return whole;
}

/**
 * Why a job would be refused; `null` if it would be accepted.
 * @param isEnforced refuse what exceeds its partition's limits, rather than let it wait
 */
function submitProblem(state: ClusterState, spec: JobSpec, isEnforced: boolean): Refusal | null {
  const specs = eachPartition(spec);
  const unknown = specs.find((one) => !findPartition(state, one));
  if (unknown) return denyPartition(state, unknown);
  return (
    firstProblem(state, specs, (one, partition) => accessProblem(partition, charged(state, one))) ??
    priorityProblem(state, spec, spec.user.uid) ??
    unknownThings(state, spec) ??
    dependencyProblem(state, spec) ??
    // One partition that can hold it is enough: it starts there.
    leastProblem(state, specs, (one, partition) => roomProblem(state, one, partition, isEnforced))
  );
}

/** Why a user may not send a job to the partitions and the reservation that it names; `null` if there is nothing against it. */
export function entryProblem(state: ClusterState, spec: JobSpec): Refusal | null {
  return (
    firstProblem(state, eachPartition(spec), (one, partition) => accessProblem(partition, charged(state, one))) ??
    reservationProblem(state, spec)
  );
}

type Check = (spec: JobSpec, partition: Partition) => Refusal | null;

function roomProblem(state: ClusterState, spec: JobSpec, partition: Partition, isEnforced: boolean): Refusal | null {
  return (
    (isEnforced ? enforcedProblem(spec, partition) : null) ??
    nodeProblem(state, spec, partition) ??
    accountProblem(state, spec, partition)
  );
}

/** The job as of each partition that it may start in. */
function eachPartition(spec: JobSpec): readonly JobSpec[] {
  return isListed(spec) ? namedPartitions(spec).map((partition) => ({ ...spec, partition })) : [spec];
}

function firstProblem(state: ClusterState, specs: readonly JobSpec[], check: Check): Refusal | null {
  for (const spec of specs) {
    const partition = findPartition(state, spec);
    const problem = partition ? check(spec, partition) : null;
    if (problem) return problem;
  }
  return null;
}

/** `null` if one partition has nothing against it; else what the first says. */
function leastProblem(state: ClusterState, specs: readonly JobSpec[], check: Check): Refusal | null {
  let first: Refusal | null = null;
  for (const spec of specs) {
    const problem = firstProblem(state, [spec], check);
    if (!problem) return null;
    first ??= problem;
  }
  return first;
}

/** An account or a QoS that is not there or not for this user, or a limit of theirs. */
function accountProblem(state: ClusterState, spec: JobSpec, partition: Partition): Refusal | null {
  const charge = chargeOf(state.policy, spec, effectiveLimit(spec, partition));
  if ("denial" in charge) return charge;
  const full = { ...spec, ...chargeIn(charge) };
  return queueProblem(state.policy, full, effectiveLimit(full, partition));
}

/** With the account and the QoS that it is charged to. */
function charged(state: ClusterState, spec: JobSpec): JobSpec {
  const partition = findPartition(state, spec);
  const charge = partition ? chargeOf(state.policy, spec, effectiveLimit(spec, partition)) : spec;
  return charge === spec || "denial" in charge ? spec : { ...spec, ...chargeIn(charge) };
}

function chargeIn({ account, qos, timeLimitS }: Charge): Charge {
  return { account, qos, timeLimitS };
}

/** Only root may put a job before those of others. */
export function priorityProblem(
  state: ClusterState,
  wishes: { readonly nice?: number | undefined; readonly priority?: number | null | undefined },
  byUid: number,
): Refusal | null {
  const isRaised = (wishes.nice ?? 0) < 0 || (wishes.priority ?? null) !== null;
  if (!isRaised || byUid === 0 || isOwnQueue(state, byUid)) return null;
  return deny("PERMISSION", "Access/permission denied", "only root may raise a job's priority above others'");
}

/** Whether all jobs that wait belong to one user: then their order is that user's own affair. */
function isOwnQueue(state: ClusterState, uid: number): boolean {
  for (const id of state.pending) if (state.jobs.get(id)?.spec.user.uid !== uid) return false;
  return true;
}

/** The partition a job goes to: the one it names (of several the first, or the one it started in), else the default. */
export function findPartition(state: ClusterState, spec: Pick<JobSpec, "partition">): Partition | undefined {
  if (spec.partition !== null) return state.partitions.get(spec.partition);
  for (const partition of state.partitions.values()) if (partition.isDefault) return partition;
  return undefined;
}

/** Seconds that the job may run, 0 for no limit. */
export function effectiveLimit(spec: Pick<JobSpec, "timeLimitS">, partition: Partition): number {
  if (spec.timeLimitS !== null) return spec.timeLimitS;
  return partition.defaultTimeS !== UNLIMITED ? partition.defaultTimeS : partition.maxTimeS;
}

/** A time limit that the partition does not allow. */
export function timeProblem(spec: Pick<JobSpec, "timeLimitS" | "timeMinS">, partition: Partition): Refusal | null {
  const { maxTimeS, name } = partition;
  if (!exceeds(spec.timeLimitS, maxTimeS) && !exceeds(spec.timeMinS, maxTimeS)) return null;
  const hint = `partition ${name} allows at most ${Math.floor(maxTimeS / 60)} minutes`;
  return deny("INVALID_TIME_LIMIT", "Requested time limit is invalid (missing or exceeds some limit)", hint);
}

function denyPartition(state: ClusterState, spec: JobSpec): Refusal {
  const names = [...state.partitions.keys()].join(", ");
  if (spec.partition === null) {
    const hint = `name one with -p; partitions here: ${names || "none"}`;
    return deny("INVALID_PARTITION", "No partition specified or system default partition", hint);
  }
  return deny("INVALID_PARTITION", `invalid partition specified: ${spec.partition}`, `partitions here: ${names}`);
}

/** Reservations and licenses that there are not, or not for this job. */
function unknownThings(state: ClusterState, spec: JobSpec): Refusal | null {
  return reservationProblem(state, spec) ?? licenseProblem(state, spec.licenses);
}

/** Slurm takes a job that was purged, or never was, for done; a number that was never given is a mistake. */
export function dependencyProblem(
  state: ClusterState,
  { dependency }: Pick<JobSpec, "dependency">,
  own: Job | null = null,
): Refusal | null {
  const ids = own === null ? [] : [own.id, own.array?.jobId ?? own.id];
  for (const { type, jobId } of dependency?.terms ?? []) {
    if (type === "singleton") continue;
    if (ids.includes(jobId)) return deny("INVALID_DEPENDENCY", "Job dependency problem", "a job can't wait for itself");
    if (jobId < state.nextJobId) continue;
    return deny("INVALID_DEPENDENCY", "Job dependency problem", `there never was a job ${jobId}`);
  }
  const chain = ids.length === 0 ? null : circle(state, dependency, ids);
  return chain === null
    ? null
    : deny("INVALID_DEPENDENCY", "Circular job dependency", `job ${chain} waits for it already`);
}

/** A waiting job that, by however many others, waits for one of `ids`, and that `dependency` would wait for. */
function circle(state: ClusterState, dependency: Dependency | null, ids: readonly number[]): number | null {
  const seen = new Set<number>();
  const todo = [...(dependency?.terms ?? [])];
  for (let term = todo.pop(); term !== undefined; term = todo.pop()) {
    if (term.type === "singleton" || seen.has(term.jobId)) continue;
    seen.add(term.jobId);
    for (const job of recordsOf(state, term.jobId)) {
      if (job.state !== "PENDING") continue;
      const terms = job.spec.dependency?.terms ?? [];
      if (terms.some(({ type, jobId }) => type !== "singleton" && ids.includes(jobId))) return job.id;
      todo.push(...terms);
    }
  }
  return null;
}

/** Why none of the nodes can ever hold a job, or its partition's can't; `null` if some can. */
export function nodeProblem(state: ClusterState, spec: JobSpec, partition: Partition): Refusal | null {
  // Before the first node has registered nothing is known of what there will be.
  if (state.nodes.size === 0 || isKnownToFit(spec.request, partition, state.nodes)) return null;
  const own = [...state.nodes.values()];
  const { queues } = state.elastic;
  // What no machine here can hold may run on one that another batch system lends.
  const nodes = queues.size === 0 ? own : [...own, ...possibleNodes(queues.values())];
  const problem = feasibility(nodes, spec.request);
  if (problem) return deny(problem.code, problem.message, problem.hint);
  const here = partition.nodes === null ? nodes : nodesIn(partition, nodes);
  const inside = here === nodes ? null : feasibility(here, spec.request);
  if (!inside) {
    if (queues.size === 0) noteFit(spec.request, partition, state.nodes);
    return null;
  }
  const names = here.length === 0 ? "no node" : fold(here.map(({ name }) => name));
  const hint = `other nodes could run it, but partition ${partition.name} has ${names}`;
  return deny("NOT_FEASIBLE", "Requested node configuration is not available", hint);
}

function enforcedProblem(spec: JobSpec, partition: Partition): Refusal | null {
  const time = timeProblem(spec, partition);
  if (time) return time;
  const words = partitionLimit(spec, partition);
  if (words?.word === "PartitionNodeLimit") {
    return deny("INVALID_NODE_COUNT", "Node count specification invalid", words.text);
  }
  return words && deny("NOT_FEASIBLE", "Memory required by task is not available", words.text);
}
