/**
 * Which jobs a question about the past means, as Slurm's accounting reads it: a window of time, states that a job
 * had within it, and who, where and what.
 */

import { intersect, type TaskSet } from "./array-spec.ts";
import { type EarlierAttempt, type EndedJob, isEnded, type Job } from "./job.ts";
import { QOS_DEFAULT } from "./jobspec.ts";

/** Empty lists select all; several criteria must all hold. */
export interface HistoryFilter {
  /** Numbers of jobs; an array's or heterogeneous job's means all of its records. */
  readonly ids: readonly number[];
  /** Tasks of arrays, in addition to `ids`. */
  readonly tasks?: readonly { readonly jobId: number; readonly tasks: TaskSet }[] | undefined;
  /** Single components of heterogeneous jobs, by the number of the first one, in addition to `ids`. */
  readonly components?: readonly { readonly jobId: number; readonly offset: number }[] | undefined;
  /** Names, or uids in digits. */
  readonly users: readonly string[];
  /** Gids. */
  readonly groups: readonly number[];
  /** Long names, with Slurm's meaning: RUNNING is a job that ran at some time of the window. */
  readonly states: readonly string[];
  readonly names: readonly string[];
  readonly accounts: readonly string[];
  readonly partitions: readonly string[];
  /** Jobs that held any of these. */
  readonly nodes: readonly string[];
  readonly qos: readonly string[];
  readonly wckeys: readonly string[];
  /** Milliseconds since 1970, both included; `null` for no bound, which for `until` is now: nothing is in the future. */
  readonly since: number | null;
  readonly until: number | null;
}

/** A filter that selects jobs of any time, with some criteria; of its own, so that it can be sent. */
export function historyFilter(criteria: Partial<SentFilter>): SentFilter {
  return {
    ...{ ids: [], users: [], groups: [], states: [], names: [], accounts: [], partitions: [], nodes: [], qos: [] },
    ...{ wckeys: [], since: null, until: null },
    ...criteria,
  };
}

/** The same, not shared with anybody. */
type SentFilter = { -readonly [Key in keyof HistoryFilter]: Writable<HistoryFilter[Key]> };
type Writable<Value> = Value extends readonly (infer One)[] ? One[] : Value;

/** One start of a job, or a job that never started: what accounting shows as one row and its steps. */
export interface HistoryRecord {
  /** Of an earlier attempt: as if it had ended then. */
  readonly job: Job;
  /** Slurm's long name: the job's, or REQUEUED of an earlier attempt. */
  readonly state: string;
  /** Name of the partition that it is in. */
  readonly partition: string;
  /** Slurm's reason word of a waiting job, else `None`; and in words. */
  readonly reason: string;
  readonly reasonText: string;
  /** A later record of the same job exists: Slurm shows this one with --duplicates only. */
  readonly isDuplicate: boolean;
}

/** The starts of a job that were given up, as records, oldest first. */
export function earlierRecords(job: Job): { readonly job: EndedJob; readonly state: string }[] {
  return (job.earlier ?? []).map((one) => ({ job: asEnded(job, one), state: one.state }));
}

/** A job as it would stand had this attempt been its last. */
function asEnded(job: Job, one: EarlierAttempt): EndedJob {
  const { id, spec, submitAt, requestId, array, eligibleAt, changed } = job;
  const { attempt, startAt, endAt, limitS, allocation, steps, exit, cause, suspendedMs } = one;
  const state = one.state === "REQUEUED" ? "CANCELLED" : one.state;
  return {
    ...{ id, spec, submitAt, requestId, array, attempt, state, startAt, endAt, limitS, allocation, steps, exit, cause },
    ...{ eligibleAt: Math.min(eligibleAt, startAt), cancelledBy: null, cleanup: [], suspendedMs },
    ...(changed ? { changed } : {}),
  };
}

/**
 * A test for a filter's jobs, the criteria that need a job's record only.
 * @param partitionOf name of the partition that a job is in
 * @param nowMs milliseconds since 1970
 */
export function historyMatcher(
  filter: HistoryFilter,
  partitionOf: (job: Job) => string,
  nowMs: number,
): (job: Job, state: string) => boolean {
  const sets = {
    ids: new Set(filter.ids),
    users: new Set(filter.users),
    groups: new Set(filter.groups),
    names: new Set(filter.names),
    accounts: new Set(filter.accounts),
    partitions: new Set(filter.partitions),
    nodes: new Set(filter.nodes),
    qos: new Set(filter.qos),
    wckeys: new Set(filter.wckeys),
  };
  const isWanted = (job: Job): boolean =>
    sets.ids.has(job.id) ||
    (job.array !== null && sets.ids.has(job.array.jobId)) ||
    (job.spec.het !== null && sets.ids.has(job.id - job.spec.het.offset)) ||
    (filter.tasks ?? []).some((one) => hasTasks(job, one)) ||
    (filter.components ?? []).some(({ jobId, offset }) => job.spec.het?.offset === offset && job.id - offset === jobId);
  const named = [filter.ids, filter.tasks ?? [], filter.components ?? []];
  const isAnyId = named.every((list) => list.length === 0);
  return (job, state) => {
    const { spec } = job;
    return (
      (isAnyId || isWanted(job)) &&
      allows(sets.users, spec.user.name, String(spec.user.uid)) &&
      allows(sets.groups, spec.user.gid) &&
      allows(sets.names, spec.name) &&
      allows(sets.accounts, spec.account ?? "") &&
      allows(sets.qos, spec.qos ?? QOS_DEFAULT) &&
      allows(sets.wckeys, spec.wckey) &&
      (sets.partitions.size === 0 || sets.partitions.has(partitionOf(job))) &&
      (sets.nodes.size === 0 || job.allocation.some(({ node }) => sets.nodes.has(node))) &&
      isInWindow(job, state, filter, !isAnyId, nowMs)
    );
  };
}

function hasTasks(job: Job, one: { readonly jobId: number; readonly tasks: TaskSet }): boolean {
  return job.array?.jobId === one.jobId && intersect(job.array.tasks, one.tasks).length > 0;
}

function allows<T>(set: ReadonlySet<T>, ...values: readonly T[]): boolean {
  return set.size === 0 || values.some((value) => set.has(value));
}

/** Slurm's meaning of a window: with no state any job that was there in it, else one that had such a state in it. */
function isInWindow(
  job: Job,
  state: string,
  { states, since, until }: HistoryFilter,
  isNamed: boolean,
  nowMs: number,
): boolean {
  const from = since ?? Number.NEGATIVE_INFINITY;
  const to = until ?? nowMs;
  const life = lifeOf(job);
  // A job that is asked for by its number need not be eligible yet.
  if (states.length === 0) return (isNamed || life.eligibleAt <= to) && life.endAt >= from;
  return states.some((wanted) => hadState(life, state, wanted, from, to));
}

interface Life {
  readonly eligibleAt: number;
  /** Infinity where it never was, or is still to come. */
  readonly startAt: number;
  readonly endAt: number;
  readonly isSuspended: boolean;
}

function lifeOf(job: Job): Life {
  const startAt = job.state === "PENDING" ? null : job.startAt;
  const endAt = isEnded(job) ? job.endAt : Number.POSITIVE_INFINITY;
  return {
    eligibleAt: Math.min(eligibleSince(job) ?? Number.POSITIVE_INFINITY, startAt ?? endAt),
    startAt: startAt ?? Number.POSITIVE_INFINITY,
    endAt,
    isSuspended: job.state === "RUNNING" && job.suspendedAt !== null,
  };
}

/** Since when a job may start; `null` for one on hold. One that started before was eligible from the beginning. */
export function eligibleSince(job: Job): number | null {
  if (job.state !== "PENDING") return job.eligibleAt;
  if (job.attempt > 0) return job.submitAt;
  return job.hold === null ? job.eligibleAt : null;
}

function hadState(life: Life, state: string, wanted: string, from: number, to: number): boolean {
  const { eligibleAt, startAt, endAt, isSuspended } = life;
  switch (wanted) {
    case "PENDING":
      return eligibleAt <= to && Math.min(startAt, endAt) >= from;
    case "RUNNING":
      return startAt <= to && endAt >= from;
    case "SUSPENDED":
      return isSuspended && startAt <= to;
    default:
      return state === wanted && endAt >= from && endAt <= to;
  }
}
