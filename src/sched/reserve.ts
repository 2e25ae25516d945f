/** Promises: when and where a job that waits for room will start at the latest, as far as time limits hold. */

import type { PendingJob } from "../core/job.ts";
import type { Allocation, NodeShare } from "../core/resources.ts";
import { isReservedFrom, longest } from "./attempt.ts";
import { countUpTo } from "./book.ts";
import { isThere, type Kept } from "./kept.ts";
import { type Pass, untilOf } from "./pass.ts";
import { createPlacer } from "./place/place.ts";
import { shapeOf } from "./place/shapes.ts";
import { placeTogether, type Wish } from "./place/together.ts";
import { ANYWHERE, type Place } from "./places.ts";
import type { LaterPool } from "./pools.ts";

/** Times that are looked at for one job, behind the first at which there could be room. */
const TIMES_MAX = 200;

/** A time, and what each of some jobs that start together holds from then on. */
export interface Found {
  readonly at: number;
  readonly parts: readonly { readonly job: PendingJob; readonly place: Place; readonly allocation: Allocation }[];
}

/** The earliest later time at which jobs that start together find room for as long as they may run; `null` for none. */
function* earliestStart(pass: Pass, jobs: readonly PendingJob[]): Generator<void, Found | null> {
  const times = timesOf(pass);
  let next = yield* firstFreed(pass, jobs, times);
  for (let looked = 0; looked < TIMES_MAX && next < times.length; looked++) {
    const at = times[next] ?? 0;
    const found = startAt(pass, jobs, at);
    if (found) return found;
    next = Math.max(
      next + 1,
      countUpTo(times, (one) => one, nextChange(pass, jobs, at) - 1),
    );
    yield;
  }
  return null;
}

/** When there may be room for jobs that reservations leave too few nodes at some time; negative infinity for any time. */
function nextChange(pass: Pass, jobs: readonly PendingJob[], at: number): number {
  const { later } = pass.view;
  if (!later) return Number.NEGATIVE_INFINITY;
  const places = later.placesAt(at);
  if (!jobs.some((job) => isReservedFrom(pass, job, places(job)))) return Number.NEGATIVE_INFINITY;
  return later.times.reduce((next, one) => (one > at ? Math.min(next, one) : next), Number.POSITIVE_INFINITY);
}

/** Jobs that are to be promised a time together, and what they were promised in the pass before; empty for nothing. */
export interface Claim {
  /** As of each partition in which they may start. */
  readonly variants: readonly (readonly PendingJob[])[];
  readonly own: readonly Kept[];
  /** Starts them if there is room now, or says whether it is room that is missing. */
  readonly retry: () => Retry;
}

/** Jobs started; they lack room; or something else is in their way. */
export type Retry = "starts" | "room" | "other";

/**
 * What jobs are promised: the earliest start that moves nobody else's promise, and never a later one than they have. Whose
 * estimate failed, and who had no promise yet, go before those behind them: these find a new place when their turn comes.
 */
export function* claim(
  pass: Pass,
  { variants, own, retry }: Claim,
): Generator<void, Found | Exclude<Retry, "room"> | null> {
  const { kept, now } = pass;
  const search = (): Generator<void, Found | null> => earliestOf(pass, variants);
  const hasOwn = own.length > 0;
  if (!hasOwn && !kept.hasMore) return yield* search();
  const before = Math.max(...own.map(({ at }) => at));
  const found = yield* search();
  if (hasOwn && found && found.at <= before) return found;
  const same = hasOwn && before > now ? asBefore(pass, variants, own) : null;
  if (same || !kept.hasMore) return same ?? found;
  const putBack = kept.lift();
  const again = retry();
  const next = again === "room" ? yield* search() : null;
  const at = next?.at ?? now;
  putBack(hasOwn && again !== "other" ? Math.max(0, at - before) : 0);
  return again === "room" ? next : again;
}

/** What was promised before, if it still can be kept. */
function asBefore(pass: Pass, variants: Claim["variants"], own: readonly Kept[]): Found | null {
  const [first] = own;
  const jobs = variants.find(([one]) => one && pass.places(one).partition === first?.partition);
  if (!first || jobs?.length !== own.length) return null;
  const { at } = first;
  const places = pass.view.later?.placesAt(at) ?? pass.places;
  const parts = jobs.flatMap((job) => {
    const place = places(job);
    const promised = own.find(({ jobId }) => jobId === job.id);
    if (!promised || promised.shape !== shapeOf(place.adapt(job.spec.request))) return [];
    const { allocation, licenses } = promised;
    const span = [at, untilOf(pass, job, at)] as const;
    const isLicensed = !pass.view.licenses || pass.profile.hasLicenses(pass.view.licenses, licenses, ...span);
    return isLicensed && isThere(pass, place, allocation, span) ? [{ job, place, allocation }] : [];
  });
  return parts.length === jobs.length ? { at, parts } : null;
}

function* earliestOf(pass: Pass, variants: Claim["variants"]): Generator<void, Found | null> {
  let first: Found | null = null;
  for (const jobs of variants) {
    const one = yield* earliestStart(pass, jobs);
    if (one && (first === null || one.at < first.at)) first = one;
  }
  return first;
}

/** Keeps what was found from all jobs behind. */
export function promise(pass: Pass, { at, parts }: Found): void {
  const { kept, policy } = pass;
  for (const { job, place, allocation } of parts) {
    const { id: jobId, spec } = job;
    const limit = untilOf(pass, job, at);
    // For those who are promised what comes after.
    const until = Number.isFinite(limit) ? limit : at + policy.assumedTimeS * 1000;
    const made = { ...{ jobId, at, until, allocation, licenses: spec.licenses }, partition: place.partition };
    kept.make(made, place, spec.request);
  }
}

function timesOf({ profile, view, now }: Pass): readonly number[] {
  const changes = (view.later?.times ?? []).filter((at) => at > now);
  if (changes.length === 0) return profile.times();
  return [...new Set([...profile.times(), ...changes])].sort((a, b) => a - b);
}

/**
 * The first of the times before which there is no room, whatever is promised to others: what runs gives back more and
 * more, so it is found by halving; or next to the one that was found last for the same wish, or to the first.
 */
function* firstFreed(pass: Pass, jobs: readonly PendingJob[], times: readonly number[]): Generator<void, number> {
  const isFree = (index: number): boolean => allocate(pass, jobs, { at: times[index] ?? 0 }, pass.places) !== null;
  const wish = wishOf(pass, jobs);
  if (wish === null) return yield* halved(isFree, 0, times.length);
  const { hints } = pass.memory;
  const known = hints.get(wish);
  // Most jobs need not wait for long: from one of the first times to the next little changes.
  const guess = known === undefined ? 0 : countUpTo(times, (at) => at, known) - 1;
  const found = yield* nearby(isFree, Math.max(0, guess), times.length);
  const at = times[found];
  if (at === undefined) hints.delete(wish);
  else hints.set(wish, at);
  return found;
}

/** Names what one job asks for, where a time can be found from another one near it. */
function wishOf(pass: Pass, jobs: readonly PendingJob[]): string | null {
  const [job] = jobs;
  if (!job || jobs.length > 1) return null;
  const place = pass.places(job);
  const request = place.adapt(job.spec.request);
  return pass.pools.isMonotonic(request) ? `${place.key}\0${shapeOf(request)}` : null;
}

/** The first index from `low` on, and before `high`, that is free; `high` if none is. */
function* halved(isFree: (index: number) => boolean, low: number, high: number): Generator<void, number> {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (isFree(middle)) to = middle;
    else from = middle + 1;
    yield;
  }
  return from;
}

/** {@link halved} over all, in steps that grow away from a guess. */
function* nearby(isFree: (index: number) => boolean, guess: number, count: number): Generator<void, number> {
  if (count === 0) return 0;
  let step = 1;
  if (isFree(guess)) {
    let high = guess;
    for (; high - step >= 0; step *= 2) {
      if (!isFree(high - step)) return yield* halved(isFree, high - step + 1, high);
      high -= step;
      yield;
    }
    return yield* halved(isFree, 0, high);
  }
  let low = guess + 1;
  for (; low + step <= count; step *= 2) {
    if (isFree(low + step - 1)) return yield* halved(isFree, low, low + step - 1);
    low += step;
    yield;
  }
  return yield* halved(isFree, low, count);
}

function startAt(pass: Pass, jobs: readonly PendingJob[], at: number): Found | null {
  const { profile, view } = pass;
  const until = longest(pass, jobs, at);
  const { licenses } = view;
  if (licenses && !jobs.every(({ spec }) => profile.hasLicenses(licenses, spec.licenses, at, until))) return null;
  const places = view.later?.placesAt(at) ?? pass.places;
  const parts = allocate(pass, jobs, { at, until }, places);
  return parts && { at, parts };
}

/** @param when without an end: whatever is promised to others */
function allocate(
  pass: Pass,
  jobs: readonly PendingJob[],
  { at, until }: { readonly at: number; readonly until?: number },
  places: Pass["places"],
): Found["parts"] | null {
  const { pools } = pass;
  const [only] = jobs;
  if (only && jobs.length === 1) {
    const place = places(only);
    const request = place.adapt(only.spec.request);
    const allocation =
      until === undefined ? pools.placeFreed(place, request, at) : pools.placeAt(place, request, at, until);
    return allocation && [{ job: only, place, allocation: whole(pass, place, allocation) }];
  }
  const poolOf = (place: Place): LaterPool =>
    until === undefined ? pools.freedBy(place, at) : pools.at(place, at, until);
  const wishes = jobs.map((job) => {
    const place = places(job);
    return { job, place, pool: poolOf(place), request: place.adapt(job.spec.request) };
  });
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
