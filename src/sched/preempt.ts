/** Room for a job at the cost of running ones: as few as will do, the least important and the youngest of them first. */

import type { JobId } from "../core/ids.ts";
import type { PendingJob } from "../core/job.ts";
import { type Allocation, type NodeShare, WHOLE_GPU } from "../core/resources.ts";
import { longest } from "./attempt.ts";
import type { Pass } from "./pass.ts";
import { createPlacer } from "./place/place.ts";
import { placeTogether, type Wish } from "./place/together.ts";
import { ANYWHERE } from "./places.ts";
import type { Preemption } from "./plan.ts";

/** A running job that another one may have the room of. */
export interface Victim extends Omit<Preemption, "by"> {
  readonly allocation: Allocation;
  /** Of a heterogeneous job: all of its components that run. */
  readonly parts?: readonly JobId[];
}

/** A job that made room for another one, and waits to go on. */
interface Yielded {
  readonly jobId: JobId;
  readonly allocation: Allocation;
  /** Milliseconds that it may still run; Infinity without a limit. */
  readonly leftMs: number;
  /** Whether the job that has its room has not started yet. */
  readonly isEarly: boolean;
}

/** What a pass may know of preemption. */
export interface Preempting {
  /** Whose room a job may have, whom to choose first before the others. */
  victimsOf(job: PendingJob): readonly Victim[];
  /** Shares that jobs hold which were told to end, or are being cleared away. */
  readonly leaving: readonly NodeShare[];
  readonly yielded: readonly Yielded[];
}

/** Most jobs that are considered for one. */
const VICTIMS_MAX = 1000;

/** Most jobs in a pass for which others are to make room. */
const PREEMPTORS_MAX = 100;

/** A job that ends at once needs so long until its nodes are clear; in milliseconds. */
const CLEARING_MS = 5000;

/**
 * Has running jobs make room for one that waits. It starts in a later pass, when they are gone.
 * @param jobs one job, as of the partition that it is looked at in; or all components of a heterogeneous one
 */
export function makeRoom(pass: Pass, jobs: readonly PendingJob[]): boolean {
  const { preemption } = pass.view;
  const [job] = jobs;
  if (!preemption || !job || pass.preemptions.length >= PREEMPTORS_MAX) return false;
  const gone = new Set(pass.preemptions.map(({ jobId }) => jobId));
  // Who makes room for a heterogeneous job makes it for each of its components.
  const [own = [], ...others] = jobs.map((one) => preemption.victimsOf(one));
  const victims = own
    .filter(({ jobId }) => !gone.has(jobId) && others.every((list) => list.some((one) => one.jobId === jobId)))
    .slice(0, VICTIMS_MAX);
  if (victims.length === 0) return false;
  const chosen = choose(pass, jobs, preemption.leaving, victims);
  // Nothing helps, or it is enough to wait for those who leave already.
  if (!chosen || chosen.length === 0) return false;
  for (const { jobId, attempt, mode, graceS, parts = [jobId] } of chosen) {
    pass.preemptions.push({ jobId, attempt, mode, graceS, by: job.id });
    const clear = mode === "suspend" ? 1 : graceS * 1000 + CLEARING_MS;
    pass.profile.release(new Set(parts), pass.now + clear);
  }
  return true;
}

/** The fewest of the first victims that will do; `null` if all of them don't. */
function choose(
  pass: Pass,
  jobs: readonly PendingJob[],
  leaving: readonly NodeShare[],
  victims: readonly Victim[],
): readonly Victim[] | null {
  const tryWith = (some: readonly Victim[]): Allocation | null =>
    placeWithout(pass, jobs, [...leaving, ...some.flatMap(({ allocation }) => allocation)]);
  if (tryWith([])) return [];
  let low = 0;
  let high = victims.length;
  let found = tryWith(victims);
  if (!found) return null;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const better = tryWith(victims.slice(0, middle));
    if (better) [high, found] = [middle, better];
    else low = middle;
  }
  const nodes = new Set(found.map(({ node }) => node));
  let chosen = victims.slice(0, high).filter(({ allocation }) => allocation.some(({ node }) => nodes.has(node)));
  // The most important of them are spared first.
  for (const victim of [...chosen].reverse()) {
    const fewer = chosen.filter((one) => one !== victim);
    if (tryWith(fewer)) chosen = fewer;
  }
  return chosen;
}

/** Where jobs that start together would go if some shares were given back. */
function placeWithout(pass: Pass, jobs: readonly PendingJob[], given: readonly NodeShare[]): Allocation | null {
  const until = longest(pass, jobs, pass.now);
  const wishes = jobs.map((job) => {
    const place = pass.places(job);
    return { place, request: place.adapt(job.spec.request), pool: pass.pools.without(place, until, given) };
  });
  const [only] = wishes;
  if (only && wishes.length === 1) return only.pool.place(only.request);
  // Components that share nodes must see what the others get.
  const all = pass.pools.without(ANYWHERE, until, given).candidates;
  const byName = new Map(all.map((one) => [one.node.name, one]));
  const shared = wishes.map(({ place, pool, request }): Wish => {
    const candidates = pool.candidates.map((one) => byName.get(one.node.name) ?? one);
    return { request, place: createPlacer(candidates, pass.policy.scoringOf?.(place.partition)) };
  });
  return placeTogether(all, shared)?.flat() ?? null;
}

/** Jobs that made room for others go on as soon as they can; until then nobody else gets their place for longer. */
export function keepForYielded(pass: Pass): void {
  const { view, pools, profile, now } = pass;
  for (const { jobId, allocation, leftMs, isEarly } of view.preemption?.yielded ?? []) {
    if (isEarly) continue;
    const at = [now, ...profile.times()].find((time) => fits(pass, allocation, time));
    if (at === undefined) continue;
    const common = { allocation, licenses: [], partition: "" };
    if (at > now) {
      profile.promise({ ...common, jobId, at, until: at + Math.min(leftMs, pass.policy.assumedTimeS * 1000) });
      continue;
    }
    pass.resumes.push(jobId);
    pools.hold(allocation);
    profile.start({ ...common, until: now + leftMs });
  }
}

function fits({ pools, profile }: Pass, allocation: Allocation, at: number): boolean {
  return allocation.every((share) => {
    const candidate = pools.all.find(({ node }) => node.name === share.node);
    if (!candidate) return false;
    const usage = profile.runningAt(candidate, at);
    const { inventory } = candidate.node;
    return (
      usage.cpus + share.cpus <= inventory.cpus &&
      usage.memoryMiB + share.memoryMiB <= inventory.memoryMiB &&
      share.gpus.every(({ index, thousandths }) => (usage.gpus[index] ?? 0) + thousandths <= WHOLE_GPU)
    );
  });
}
