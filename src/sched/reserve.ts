/** Promises: when and where a job that waits for room will start at the latest, as far as time limits hold. */

import type { PendingJob } from "../core/job.ts";
import type { Allocation, NodeShare } from "../core/resources.ts";
import { longest } from "./attempt.ts";
import { type Pass, untilOf } from "./pass.ts";
import { createPlacer } from "./place/place.ts";
import { placeTogether, type Wish } from "./place/together.ts";
import { ANYWHERE, type Place } from "./places.ts";

/** Times that are looked at for one job, behind the first at which there could be room. */
const TIMES_MAX = 200;

/** A time, and what each of some jobs that start together holds from then on. */
export interface Found {
  readonly at: number;
  readonly parts: readonly { readonly job: PendingJob; readonly place: Place; readonly allocation: Allocation }[];
}

/** The earliest later time at which jobs that start together find room for as long as they may run; `null` for none. */
export function earliestStart(pass: Pass, jobs: readonly PendingJob[]): Found | null {
  const times = timesOf(pass);
  let next = firstFreed(pass, jobs, times);
  for (const last = Math.min(times.length, next + TIMES_MAX); next < last; next++) {
    const found = startAt(pass, jobs, times[next] ?? 0);
    if (found) return found;
  }
  return null;
}

/** Keeps what was found from all jobs behind. */
export function promise(pass: Pass, { at, parts }: Found): void {
  const { profile, policy } = pass;
  for (const { job, place, allocation } of parts) {
    const { id: jobId, spec } = job;
    const limit = untilOf(pass, job, at);
    // For those who are promised what comes after.
    const until = Number.isFinite(limit) ? limit : at + policy.assumedTimeS * 1000;
    profile.promise({ ...{ jobId, at, until, allocation, licenses: spec.licenses }, partition: place.partition });
  }
}

function timesOf({ profile, view, now }: Pass): readonly number[] {
  const changes = (view.later?.times ?? []).filter((at) => at > now);
  if (changes.length === 0) return profile.times();
  return [...new Set([...profile.times(), ...changes])].sort((a, b) => a - b);
}

/**
 * The first of the times before which there is no room, whatever is promised to others: what runs gives back more and
 * more, so it is found by halving.
 */
function firstFreed(pass: Pass, jobs: readonly PendingJob[], times: readonly number[]): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = times[middle] ?? 0;
    if (allocate(pass, jobs, (place) => pass.pools.freedBy(place, at), pass.places)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function startAt(pass: Pass, jobs: readonly PendingJob[], at: number): Found | null {
  const { profile, view } = pass;
  const until = longest(pass, jobs, at);
  const { licenses } = view;
  if (licenses && !jobs.every(({ spec }) => profile.hasLicenses(licenses, spec.licenses, at, until))) return null;
  const places = view.later?.placesAt(at) ?? pass.places;
  const parts = allocate(pass, jobs, (place) => pass.pools.at(place, at, until), places);
  return parts && { at, parts };
}

function allocate(
  pass: Pass,
  jobs: readonly PendingJob[],
  poolOf: (place: Place) => ReturnType<Pass["pools"]["at"]>,
  places: Pass["places"],
): Found["parts"] | null {
  const wishes = jobs.map((job) => {
    const place = places(job);
    return { job, place, pool: poolOf(place), request: place.adapt(job.spec.request) };
  });
  const [only] = wishes;
  if (only && wishes.length === 1) {
    const allocation = only.pool.place(only.request);
    return allocation && [{ job: only.job, place: only.place, allocation: whole(pass, only.place, allocation) }];
  }
  // Components that share nodes must see what the others get.
  const all = poolOf(ANYWHERE).candidates;
  const byName = new Map(all.map((one) => [one.node.name, one]));
  const shared = wishes.map(({ pool, place, request }): Wish => {
    const candidates = pool.candidates.map((one) => byName.get(one.node.name) ?? one);
    return { request, place: createPlacer(candidates, pass.policy.scoringOf?.(place.partition)) };
  });
  const allocations = placeTogether(all, shared);
  return allocations && wishes.map(({ job, place }, at) => ({ job, place, allocation: allocations[at] ?? [] }));
}

/** Who wants no other user there is promised whole nodes. */
function whole({ view }: Pass, { onlyUser }: Place, allocation: Allocation): Allocation {
  if (onlyUser === null) return allocation;
  return allocation.map((share): NodeShare => {
    const inventory = view.nodes.find(({ name }) => name === share.node)?.inventory;
    return inventory ? { ...share, cpus: inventory.cpus } : share;
  });
}
