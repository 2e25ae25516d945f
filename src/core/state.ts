/**
 * The whole state of a cluster: records that never change in place, in maps that only `reduce` writes.
 *
 * `pending`, `active` and `requests` are indexes: they follow from the records and are not stored.
 */

import type { JobId, NodeName } from "./ids.ts";
import { holdsResources, type Job } from "./job.ts";
import type { Node } from "./node.ts";
import { DEFAULT_PARTITION, type Partition } from "./partition.ts";

export interface ClusterState {
  /** Sequence number of the last record applied; 0 for none. */
  seq: number;
  nextJobId: JobId;
  readonly jobs: Map<JobId, Job>;
  readonly nodes: Map<NodeName, Node>;
  readonly partitions: Map<string, Partition>;
  /** Jobs in state PENDING, by ascending id. */
  readonly pending: Set<JobId>;
  /** Jobs that hold resources. */
  readonly active: Set<JobId>;
  /** Request id of each known job's submission. */
  readonly requests: Map<string, JobId>;
}

/** What a snapshot holds. */
export interface StoredState {
  readonly seq: number;
  readonly nextJobId: JobId;
  readonly jobs: readonly Job[];
  readonly nodes: readonly Node[];
  readonly partitions: readonly Partition[];
}

/** A cluster before its first event. */
export function emptyState(): ClusterState {
  return fromStored({ seq: 0, nextJobId: 1, jobs: [], nodes: [], partitions: [DEFAULT_PARTITION] });
}

/** State from a snapshot; rebuilds the indexes. */
export function fromStored(stored: StoredState): ClusterState {
  const state: ClusterState = {
    seq: stored.seq,
    nextJobId: stored.nextJobId,
    jobs: new Map(stored.jobs.map((job) => [job.id, job])),
    nodes: new Map(stored.nodes.map((node) => [node.name, node])),
    partitions: new Map(stored.partitions.map((partition) => [partition.name, partition])),
    pending: new Set(),
    active: new Set(),
    requests: new Map(),
  };
  for (const job of state.jobs.values()) indexJob(state, job);
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
  };
}

/** Puts a job's newest record in place and keeps the indexes true. Only for `reduce`. */
export function putJob(state: ClusterState, job: Job): void {
  const returns = job.state === "PENDING" && state.jobs.get(job.id)?.state === "RUNNING";
  state.jobs.set(job.id, job);
  indexJob(state, job);
  if (returns) sortPending(state);
}

/** Forgets a job. Only for `reduce`. */
export function dropJob(state: ClusterState, job: Job): void {
  state.jobs.delete(job.id);
  state.pending.delete(job.id);
  state.active.delete(job.id);
  state.requests.delete(job.requestId);
}

/** A requeued job takes its old place in the queue. Requeues are rare, so the queue is sorted anew. */
function sortPending(state: ClusterState): void {
  const ids = [...state.pending].sort((a, b) => a - b);
  state.pending.clear();
  for (const id of ids) state.pending.add(id);
}

function indexJob(state: ClusterState, job: Job): void {
  state.requests.set(job.requestId, job.id);
  if (job.state === "PENDING") state.pending.add(job.id);
  else state.pending.delete(job.id);
  if (holdsResources(job)) state.active.add(job.id);
  else state.active.delete(job.id);
}
