/**
 * The queue in lanes: waiting jobs whose priorities can only differ by their age, in the order of their numbers (lane.ts). Who
 * reads the queue by priority merges the lanes' heads, and sorts nothing.
 *
 * Jobs that ask for the same, too, have a lane of their own as long as there are not too many such lanes: where one of
 * them finds no room, none behind it does. The others share a mixed lane.
 *
 * A job that became eligible later than it was submitted (--begin, a requeue) is in a lane of its own time: so in
 * every lane the first is the oldest. Until that time a lane keeps it aside, and no reader of now comes by it.
 */

import { shortHash } from "../util/hash.ts";
import type { JobId } from "./ids.ts";
import type { PendingJob } from "./job.ts";
import type { JobSpec } from "./jobspec.ts";
import { Lane, placeOf } from "./lane.ts";
import { namedPartitions } from "./partition-list.ts";
import { isPolicyOn, type PolicyState } from "./policy/state.ts";
import { wishedTres } from "./policy/tres.ts";
import { type Prioritizer, priorityOf } from "./priority.ts";
import type { ResourceRequest } from "./resources.ts";

/** What jobs of one lane have in common. */
export function laneOf(policy: PolicyState, job: PendingJob): string {
  const { spec } = job;
  if (!isPolicyOn(policy)) return `${priorityOf(job)}\0${namedPartitions(spec).join()}`;
  const { config } = policy;
  const isSized = config.weightJobSize > 0 || Object.keys(config.weightTres).length > 0;
  const size = isSized ? Object.values(wishedTres(spec.request, {})).join(",") : "";
  const late = config.weightAge > 0 && job.eligibleAt > job.submitAt ? job.eligibleAt : "";
  return [
    spec.priority,
    spec.nice,
    spec.account,
    spec.user.name,
    spec.qos,
    namedPartitions(spec).join(),
    size,
    late,
  ].join("\0");
}

/** Lanes of one shape each: beyond, reading their heads takes longer than passing over jobs one by one. */
const LANES_MAX = 1000;

/** Ends the names of lanes in which all jobs ask for the same. */
const UNIFORM = "\u0001";

/** Puts a job into its lane, at its place. */
export function enterLane(lanes: Map<string, Lane>, key: string, job: PendingJob): void {
  const own = uniformKey(key, job);
  // Components of a heterogeneous job wait for one another, not for what they ask for.
  const isUniform = !job.spec.het && (lanes.has(own) || lanes.size < LANES_MAX);
  const used = isUniform ? own : key;
  const lane = lanes.get(used) ?? new Lane();
  lanes.set(used, lane);
  // It may have come in when there was another lane for it.
  const at = job.eligibleAt > job.submitAt ? job.eligibleAt : 0;
  if (lane.add(job.id, placeOf(job), at)) leaveOne(lanes, isUniform ? key : own, job.id);
}

/** Takes a job out of its lane; an empty lane goes. */
export function leaveLane(lanes: Map<string, Lane>, key: string, job: PendingJob): void {
  if (!leaveOne(lanes, uniformKey(key, job), job.id)) leaveOne(lanes, key, job.id);
}

function leaveOne(lanes: Map<string, Lane>, key: string, id: JobId): boolean {
  const lane = lanes.get(key);
  const isFound = lane?.delete(id) ?? false;
  if (lane?.size === 0) lanes.delete(key);
  return isFound;
}

/** Whether a lane by its name in the index may hold a job whose lane is so named by {@link laneOf}. */
export function isLaneOf(name: string, key: string, job: PendingJob): boolean {
  return name === key || name === uniformKey(key, job);
}

function uniformKey(key: string, { spec }: PendingJob): string {
  return `${key}${UNIFORM}${wishKey(spec)}`;
}

/** The same for jobs that ask for the same resources, for as long. */
export function wishKey(spec: JobSpec): string {
  let key = keys.get(spec.request);
  if (key === undefined) {
    const text = JSON.stringify(spec.request);
    key = `${shortHash(text)}${shortHash(text, SECOND_SEED)}`;
    keys.set(spec.request, key);
  }
  const { timeLimitS, timeMinS, reservation, licenses } = spec;
  const more = licenses.length > 0 || reservation !== null ? JSON.stringify([reservation, licenses]) : "";
  return `${key} ${timeLimitS} ${timeMinS} ${more}`;
}

/** Requests never change. */
const keys = new WeakMap<ResourceRequest, string>();

const SECOND_SEED = 0x9e3779b9;

/** Waiting jobs in order, to be read once. */
export interface Queue extends Iterable<PendingJob> {
  /** What follows in the lane of the job that was read last is passed over. */
  leaveLane(): void;
  /** The same if all of it asks for what that job asks for. */
  leaveUniform(): void;
  /** When the next of those who were not read for their time alone may be read; Infinity for none. */
  readonly nextAt: number;
}

interface Head {
  readonly job: PendingJob;
  readonly tier: number;
  readonly priority: number;
  readonly rest: Iterator<JobId>;
  readonly isUniform: boolean;
}

/**
 * Waiting jobs, the highest tier of a partition first, in it the highest priority, of equals the lowest number (an array's,
 * for all of its tasks). Read as far as needed.
 * @param now leaves out those that must not start before a later time, in milliseconds since 1970; `null` for nobody
 */
export function byPriority(
  lanes: ReadonlyMap<string, Lane>,
  jobOf: (id: JobId) => PendingJob | undefined,
  prioritizer: Pick<Prioritizer, "priorityOf" | "tierOf">,
  now: number | null = null,
): Queue {
  const reader: Reader = { isLeft: false, isUniform: false, now, nextAt: Number.POSITIVE_INFINITY };
  return {
    [Symbol.iterator]: () => read(lanes, jobOf, prioritizer, reader),
    get nextAt() {
      return reader.nextAt;
    },
    leaveLane() {
      reader.isLeft = true;
    },
    leaveUniform() {
      reader.isLeft ||= reader.isUniform;
    },
  };
}

interface Reader {
  readonly now: number | null;
  nextAt: number;
  isLeft: boolean;
  /** Of the lane that was read last. */
  isUniform: boolean;
}

function* read(
  lanes: ReadonlyMap<string, Lane>,
  jobOf: (id: JobId) => PendingJob | undefined,
  prioritizer: Pick<Prioritizer, "priorityOf" | "tierOf">,
  reader: Reader,
): Generator<PendingJob> {
  // As it is at the beginning: jobs may come while it is read.
  const isSingle = lanes.size === 1;
  const next = (rest: Iterator<JobId>, isUniform: boolean): Head | null => {
    for (let step = rest.next(); !step.done; step = rest.next()) {
      const job = jobOf(step.value);
      if (!job) continue;
      if (isSingle) return { job, tier: 0, priority: 0, rest, isUniform };
      return { job, tier: prioritizer.tierOf(job), priority: prioritizer.priorityOf(job), rest, isUniform };
    }
    return null;
  };
  const heap: Head[] = [];
  for (const [key, lane] of lanes) {
    const ids = reader.now === null ? lane[Symbol.iterator]() : lane.ready(reader.now);
    if (reader.now !== null) reader.nextAt = Math.min(reader.nextAt, lane.nextAt);
    const head = next(ids, key.includes(UNIFORM));
    if (head) push(heap, head);
  }
  for (let first = heap[0]; first !== undefined; first = heap[0]) {
    reader.isUniform = first.isUniform;
    yield first.job;
    const following = reader.isLeft ? null : next(first.rest, first.isUniform);
    reader.isLeft = false;
    const last = following ?? heap.pop();
    if (last && heap.length > 0) sink(heap, last);
  }
}

function isBefore(a: Head, b: Head): boolean {
  if (a.tier !== b.tier) return a.tier > b.tier;
  if (a.priority !== b.priority) return a.priority > b.priority;
  const [one, other] = [placeOf(a.job), placeOf(b.job)];
  return one === other ? a.job.id < b.job.id : one < other;
}

function push(heap: Head[], head: Head): void {
  let at = heap.length;
  heap.push(head);
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt];
    if (!parent || !isBefore(head, parent)) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = head;
}

/** Puts a head in the first one's place. */
function sink(heap: Head[], head: Head): void {
  let at = 0;
  for (;;) {
    let childAt = 2 * at + 1;
    const left = heap[childAt];
    const right = heap[childAt + 1];
    if (!left) break;
    if (right && isBefore(right, left)) childAt += 1;
    const child = right && isBefore(right, left) ? right : left;
    if (!isBefore(child, head)) break;
    heap[at] = child;
    at = childAt;
  }
  heap[at] = head;
}
