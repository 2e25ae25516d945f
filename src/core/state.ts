/**
 * The whole state of a cluster: records that never change in place, in maps that only `reduce` writes.
 *
 * All sets, and the maps behind `requests`, are indexes: they follow from the records and are not stored.
 */

import { ChangeLog } from "../util/change-log.ts";
import { isAsleep, touchedBy } from "./asleep.ts";
import type { DoneWish } from "./done.ts";
import type { ElasticNode, ElasticQueue } from "./elastic/records.ts";
import type { Feed } from "./feed/feed.ts";
import { componentsOf } from "./het.ts";
import type { JobId, NodeName } from "./ids.ts";
import { holdsResources, type Job } from "./job.ts";
import type { JobSpec, LicenseWish } from "./jobspec.ts";
import type { Lane } from "./lane.ts";
import { enterLane, laneOf, leaveLane } from "./lanes.ts";
import { countLicenses, licensesOf } from "./licenses.ts";
import type { Node } from "./node.ts";
import { DEFAULT_PARTITION, type Partition, storedPartition } from "./partition.ts";
import { recount, recountAll } from "./policy/ledger.ts";
import type { StoredPolicy } from "./policy/records.ts";
import { isPolicyOn, type PolicyState, policyFrom, storedPolicy } from "./policy/state.ts";
import type { Reservation } from "./reservation.ts";

export interface ClusterState {
  /** Sequence number of the last record applied; 0 for none. */
  seq: number;
  nextJobId: JobId;
  readonly jobs: Map<JobId, Job>;
  readonly nodes: Map<NodeName, Node>;
  readonly partitions: Map<string, Partition>;
  readonly reservations: Map<string, Reservation>;
  /** How many there are of each license. */
  readonly licenses: Map<string, number>;
  /** Accounts, users, associations and QoS. */
  readonly policy: PolicyState;
  /** Who wants to hear when all of a user's jobs are done, by uid. */
  readonly doneWishes: Map<number, DoneWish>;
  /** Machines that another batch system lends: queues of allocations, and the allocations by their nodes' names. */
  readonly elastic: {
    nextId: number;
    readonly queues: Map<number, ElasticQueue>;
    readonly nodes: Map<NodeName, ElasticNode>;
  };
  nextFeedId: number;
  /** Files of jobs that are watched. */
  readonly feeds: Map<number, Feed>;
  /** Digests of the lines that became jobs, by their file, the oldest first. */
  readonly feedGuards: Map<string, Set<string>>;
  /** Jobs in state PENDING, by ascending id. */
  readonly pending: Set<JobId>;
  /** Jobs that hold resources. */
  readonly active: Set<JobId>;
  /** Jobs that came into {@link active}, left it, or have another record there. */
  readonly activeChanges: ChangeLog;
  /** Request id of each known job's submission. */
  readonly requests: Map<string, JobId>;
  /** Records of each job array, by the array's number. */
  readonly arrays: Map<JobId, Set<JobId>>;
  /** Waiting jobs that are not put aside (asleep.ts), by what their priorities depend on (lanes.ts). */
  readonly lanes: Map<string, Lane>;
  /** Waiting jobs that may end without ever starting: with a deadline, or a dependency that must not fail. */
  readonly expiring: Set<JobId>;
  /** Jobs that hold resources on nodes where no other user's may be (--exclusive=user). */
  readonly onlyUser: Set<JobId>;
  /** Waiting jobs by the number of each job or array that they depend on. */
  readonly dependents: Map<JobId, Set<JobId>>;
}

/** Who missed more looks at all jobs that hold resources. */
const ACTIVE_CHANGES_MAX = 10_000;

/** What a snapshot holds. */
export interface StoredState {
  readonly seq: number;
  readonly nextJobId: JobId;
  readonly jobs: readonly Job[];
  readonly nodes: readonly Node[];
  readonly partitions: readonly Partition[];
  /** Absent for none. */
  readonly reservations?: readonly Reservation[];
  /** Absent for none. */
  readonly licenses?: readonly LicenseWish[];
  /** Absent where nothing was ever set. */
  readonly policy?: StoredPolicy | undefined;
  /** Absent where there never was any. */
  readonly feeds?: StoredFeeds;
  /** Absent for none. */
  readonly doneWishes?: readonly DoneWish[];
  /** Absent where there never was any. */
  readonly elastic?: {
    readonly next: number;
    readonly queues: readonly ElasticQueue[];
    readonly nodes: readonly ElasticNode[];
  };
}

/** Feeds as a snapshot holds them. */
export interface StoredFeeds {
  readonly next: number;
  readonly feeds: readonly Feed[];
  readonly guards: readonly { readonly guard: string; readonly digests: readonly string[] }[];
}

/** A cluster before its first event. */
export function emptyState(): ClusterState {
  return fromStored({ seq: 0, nextJobId: 1, jobs: [], nodes: [], partitions: [DEFAULT_PARTITION] });
}

/** State from a snapshot, whose records become its own; rebuilds the indexes. */
export function fromStored(stored: StoredState): ClusterState {
  const state: ClusterState = {
    seq: stored.seq,
    nextJobId: stored.nextJobId,
    jobs: new Map(stored.jobs.map((job) => [job.id, job])),
    nodes: new Map(stored.nodes.map((node) => [node.name, node])),
    partitions: new Map(stored.partitions.map((partition) => [partition.name, storedPartition(partition)])),
    reservations: new Map((stored.reservations ?? []).map((reservation) => [reservation.name, reservation])),
    licenses: new Map((stored.licenses ?? []).map(({ name, count }) => [name, count])),
    policy: policyFrom(stored.policy),
    doneWishes: new Map((stored.doneWishes ?? []).map((wish) => [wish.uid, wish])),
    elastic: {
      nextId: stored.elastic?.next ?? 1,
      queues: new Map((stored.elastic?.queues ?? []).map((queue) => [queue.id, queue])),
      nodes: new Map((stored.elastic?.nodes ?? []).map((elastic) => [elastic.node, elastic])),
    },
    nextFeedId: stored.feeds?.next ?? 1,
    feeds: new Map((stored.feeds?.feeds ?? []).map((feed) => [feed.id, feed])),
    feedGuards: new Map((stored.feeds?.guards ?? []).map(({ guard, digests }) => [guard, new Set(digests)])),
    pending: new Set(),
    active: new Set(),
    activeChanges: new ChangeLog(ACTIVE_CHANGES_MAX),
    requests: new Map(),
    arrays: new Map(),
    dependents: new Map(),
    lanes: new Map(),
    expiring: new Set(),
    onlyUser: new Set(),
  };
  for (const job of state.jobs.values()) indexJob(state, job);
  recountPolicy(state);
  return state;
}

/** The inverse of {@link fromStored}. */
export function toStored(state: ClusterState): StoredState {
  return {
    seq: state.seq,
    nextJobId: state.nextJobId,
    jobs: [...state.jobs.values()],
    nodes: [...state.nodes.values()],
    partitions: [...state.partitions.values()],
    ...(state.reservations.size > 0 ? { reservations: [...state.reservations.values()] } : {}),
    ...(state.licenses.size > 0 ? { licenses: licensesOf(state.licenses) } : {}),
    ...withPolicy(state),
    ...withFeeds(state),
    ...withElastic(state),
    ...(state.doneWishes.size > 0 ? { doneWishes: [...state.doneWishes.values()] } : {}),
  };
}

/** How many of each license are in use: a job holds its own until nothing of it is left. */
export function usedLicenses({ active, jobs }: ClusterState): Map<string, number> {
  return countLicenses([...active].flatMap((id) => jobs.get(id)?.spec ?? []));
}

function withFeeds({ nextFeedId, feeds, feedGuards }: ClusterState): Pick<StoredState, "feeds"> {
  if (nextFeedId === 1 && feedGuards.size === 0) return {};
  const guards = [...feedGuards].map(([guard, digests]) => ({ guard, digests: [...digests] }));
  return { feeds: { next: nextFeedId, feeds: [...feeds.values()], guards } };
}

function withElastic({ elastic: { nextId, queues, nodes } }: ClusterState): Pick<StoredState, "elastic"> {
  return nextId === 1 ? {} : { elastic: { next: nextId, queues: [...queues.values()], nodes: [...nodes.values()] } };
}

function withPolicy({ policy }: ClusterState): Pick<StoredState, "policy"> {
  const stored = storedPolicy(policy);
  return stored ? { policy: stored } : {};
}

/** Puts a job's newest record in place and keeps the indexes true. Only for `reduce`. */
export function putJob(state: ClusterState, job: Job): void {
  const before = state.jobs.get(job.id);
  // A record that comes (back) among the waiting takes the place that its number has.
  const moves = job.state === "PENDING" && before?.state !== "PENDING" && isOutOfOrder(state, job);
  state.jobs.set(job.id, job);
  if (isPolicyOn(state.policy)) recount(state.policy, before, job);
  if (before?.spec.dependency && before.spec.dependency !== job.spec.dependency) dropDependent(state, before);
  indexJob(state, job);
  if (moves) sortPending(state);
  changeLane(state, before, job);
  for (const other of touchedBy(state, before, job)) changeLane(state, other, other);
}

/** Forgets a job. Only for `reduce`. */
export function dropJob(state: ClusterState, job: Job): void {
  state.jobs.delete(job.id);
  if (isPolicyOn(state.policy)) recount(state.policy, job, undefined);
  state.pending.delete(job.id);
  if (state.active.delete(job.id)) state.activeChanges.note(job.id);
  if (job.state === "PENDING") leaveLane(state.lanes, laneOf(state.policy, job), job);
  state.expiring.delete(job.id);
  state.onlyUser.delete(job.id);
  state.requests.delete(job.requestId);
  dropDependent(state, job);
  if (job.array) dropFrom(state.arrays, job.array.jobId, job.id);
  for (const other of touchedBy(state, job, undefined)) changeLane(state, other, other);
}

/** The records that a job's number stands for: its own, or all of the array or heterogeneous job that has it. */
export function recordsOf(state: ClusterState, jobId: JobId): Job[] {
  const ids = state.arrays.get(jobId) ?? [jobId];
  const records = [...ids].flatMap((id) => state.jobs.get(id) ?? []);
  const [first] = records;
  return first?.spec.het?.offset === 0 ? [...componentsOf(state, first)] : records;
}

/** Sorts and counts all jobs anew: what they are sorted and counted by has changed. Only for `reduce`. */
export function recountPolicy(state: ClusterState): void {
  recountAll(state.policy, isPolicyOn(state.policy) ? state.jobs.values() : []);
  state.lanes.clear();
  for (const id of state.pending) {
    const job = state.jobs.get(id);
    if (job?.state === "PENDING") changeLane(state, undefined, job);
  }
}

function changeLane(state: ClusterState, before: Job | undefined, after: Job): void {
  const entered = after.state === "PENDING" && !isAsleep(state, after) ? laneOf(state.policy, after) : null;
  if (before?.state === "PENDING") {
    const left = laneOf(state.policy, before);
    // Another wish is another lane, too.
    if (left !== entered || before.spec !== after.spec) leaveLane(state.lanes, left, before);
  }
  if (entered !== null && after.state === "PENDING") enterLane(state.lanes, entered, after);
}

function isOutOfOrder(state: ClusterState, job: Job): boolean {
  return state.pending.size > 0 && job.id < state.nextJobId - 1;
}

/** Such returns are rare, so the queue is sorted anew. */
function sortPending(state: ClusterState): void {
  const ids = [...state.pending].sort((a, b) => a - b);
  state.pending.clear();
  for (const id of ids) state.pending.add(id);
}

function indexJob(state: ClusterState, job: Job): void {
  if (job.requestId !== "") state.requests.set(job.requestId, job.id);
  if (job.array) addTo(state.arrays, job.array.jobId, job.id);
  if (job.state === "PENDING") {
    state.pending.add(job.id);
    for (const { jobId } of job.spec.dependency?.terms ?? []) addTo(state.dependents, jobId, job.id);
  } else {
    state.pending.delete(job.id);
    dropDependent(state, job);
  }
  keep(state.expiring, job.id, job.state === "PENDING" && mayExpire(job.spec));
  const isActive = holdsResources(job);
  if (isActive || state.active.has(job.id)) state.activeChanges.note(job.id);
  keep(state.active, job.id, isActive);
  keep(state.onlyUser, job.id, job.spec.request.onlyUser === true && holdsResources(job));
}

function mayExpire(spec: JobSpec): boolean {
  return spec.deadlineAt > 0 || (spec.killOnInvalidDep && spec.dependency !== null);
}

function keep(ids: Set<JobId>, id: JobId, isIn: boolean): void {
  if (isIn) ids.add(id);
  else ids.delete(id);
}

function dropDependent(state: ClusterState, job: Job): void {
  for (const { jobId } of job.spec.dependency?.terms ?? []) dropFrom(state.dependents, jobId, job.id);
}

function addTo(index: Map<JobId, Set<JobId>>, key: JobId, id: JobId): void {
  const ids = index.get(key);
  if (ids) ids.add(id);
  else index.set(key, new Set([id]));
}

function dropFrom(index: Map<JobId, Set<JobId>>, key: JobId, id: JobId): void {
  const ids = index.get(key);
  ids?.delete(id);
  if (ids?.size === 0) index.delete(key);
}
