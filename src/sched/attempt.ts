/** One try to start a job in one partition, or all components of a heterogeneous job together. */

import { couldRun, describeRequest } from "../core/fit.ts";
import type { PendingJob } from "../core/job.ts";
import { isListed } from "../core/partition-list.ts";
import type { Allocation, ResourceRequest } from "../core/resources.ts";
import { lookAgain, type Pass, passOver, untilOf } from "./pass.ts";
import { shapeOf } from "./place/shapes.ts";
import { couldRunTogether, placeTogether, type Wish } from "./place/together.ts";
import type { Place } from "./places.ts";
import type { Reason, Start } from "./plan.ts";
import type { Pool, Pools } from "./pools.ts";
import type { Holding } from "./profile.ts";
import { freeText, type Impossible, impossibleReason, PRIORITY } from "./reasons.ts";
import type { ScheduleView } from "./view.ts";

/** Why a job can't start now, and the places that it waits for if there is no room; empty for another hindrance. */
export interface Miss {
  readonly reason: Reason;
  readonly waitsIn: readonly Place[];
  /** Reservations keep its nodes from it: there is room, but not before one of them is over. */
  readonly isReserved?: boolean;
}

/**
 * Starts a job or a task in the partition that it names, `null`; else says why not.
 * @param limitS seconds, where it is to start with less than its limit
 */
export function startIn(pass: Pass, wish: PendingJob, taskId: number | null, limitS?: number): Miss | null {
  const job = limitS === undefined ? wish : { ...wish, spec: { ...wish.spec, timeLimitS: limitS } };
  const { pools, profile } = pass;
  const place = pass.places(job);
  const until = untilOf(pass, job, pass.now);
  const pool = pools.of(place, until);
  if (pool === null) return otherwise(PRIORITY);
  const request = place.adapt(job.spec.request);
  const known = impossibleIn(pass, place).get(shapeOf(request));
  if (known) return missOf(known, [place]);
  const { limits } = pass.view.gate;
  const before = limits.check(job, null);
  const allocation = before === null ? pool.place(request) : null;
  // What it would get may be more than it asks for: whole nodes, all the GPUs of a type.
  const blocked = before ?? (allocation && limits.check(job, allocation));
  if (blocked?.word === "Licenses") return { reason: blocked, waitsIn: [place] };
  if (blocked) {
    lookAgain(pass, blocked);
    if (blocked.isForAll) passOver(pass, job, blocked);
    return otherwise(blocked);
  }
  if (allocation && !keepsLicenses(pass, job, until)) return { reason: PRIORITY, waitsIn: [place] };
  if (allocation) {
    limits.take(job, allocation);
    const shorter = limitS === undefined ? {} : { limitS };
    pass.starts.push({ jobId: job.id, taskId, allocation, ...startPlace(job), ...shorter });
    pools.take(place, allocation, job.spec.user.uid);
    profile.start(holdingOf(pass, job, place, allocation));
    return null;
  }
  const never = whyNever(pass, place, request, () => pool.couldRun(request));
  if (never) return missOf(never, [place]);
  // The others of its nodes are kept for jobs before it.
  if (pool.own.length > pool.candidates.length && !couldRun(pool.candidates, request)) return otherwise(PRIORITY);
  const text = `waits for ${describeRequest(request)} to be free${freeText(pool.candidates, request)}`;
  return { reason: { word: "Resources", text }, waitsIn: [place] };
}

/** Most limits that are tried for a job with a least time. */
const LIMITS_MAX = 8;

/**
 * Shorter limits, in seconds, with which a job may find room (--time-min), longest first: up to the times at which
 * something is promised to others. Empty where only its own will do.
 */
export function shorterLimits(pass: Pass, job: PendingJob): readonly number[] {
  const { timeMinS } = job.spec;
  if (timeMinS === null || timeMinS === 0) return [];
  const least = pass.now + timeMinS * 1000;
  const most = untilOf(pass, job, pass.now);
  const ends = pass.profile.promised.flatMap(({ at }) => (at > least && at < most ? [at] : []));
  const longest = [...new Set(ends)].sort((a, b) => b - a).slice(0, LIMITS_MAX);
  return [...longest, ...(least < most ? [least] : [])].map((end) => Math.floor((end - pass.now) / 1000));
}

/** Starts all components of a heterogeneous job, `null`; or none, and says why. */
export function startWhole(pass: Pass, jobs: readonly PendingJob[]): Miss | null {
  const { pools, profile, view } = pass;
  const [job] = jobs;
  const components = jobs.flatMap((one): Component[] => {
    const place = pass.places(one);
    const pool = pools.of(place, longest(pass, jobs, pass.now));
    return pool ? [{ place, pool, request: place.adapt(one.spec.request) }] : [];
  });
  if (!job || components.length < jobs.length) return otherwise(PRIORITY);
  const shape = components.map(({ place, request }) => `${place.key} ${shapeOf(request)}`).join();
  const places = components.map(({ place }) => place);
  const known = impossibleIn(pass, TOGETHER).get(shape);
  if (known) return missOf(known, places);
  const { limits } = view.gate;
  const blocked = firstOf(jobs, (one) => limits.check(one, null));
  if (blocked) {
    lookAgain(pass, blocked);
    return otherwise(blocked);
  }
  const usages = pools.all.map(({ usage }) => usage);
  const [allocation, ...others] =
    placeTogether(
      pools.all,
      components.map((one) => toWish(pools, one)),
    ) ?? [];
  pools.touch();
  if (allocation) {
    const parts = jobs.map((one, at) => ({ job: one, allocation: [allocation, ...others][at] ?? [] }));
    const full = limits.takeAll(parts);
    if (full) {
      for (const [at, candidate] of pools.all.entries()) candidate.usage = usages[at] ?? candidate.usage;
      pools.touch();
      lookAgain(pass, full);
      return otherwise(full);
    }
    const followers = parts.slice(1).map((part) => ({
      ...{ jobId: part.job.id, allocation: part.allocation },
      ...startPlace(part.job),
    }));
    pass.starts.push({ jobId: job.id, taskId: null, allocation, ...startPlace(job), followers });
    for (const [at, { place }] of components.entries()) {
      const granted = parts[at]?.allocation ?? [];
      pools.note(place, granted, job.spec.user.uid);
      profile.start(holdingOf(pass, jobs[at] ?? job, place, granted));
    }
    return null;
  }
  if (!couldRunTogether(components.map(({ pool, request }) => ({ candidates: pool.own, request })))) {
    const never = impossibleTogether(view, components);
    impossibleIn(pass, TOGETHER).set(shape, never);
    return missOf(never, places);
  }
  const text = `waits for all of its ${jobs.length} components to find room at the same time`;
  return { reason: { word: "Resources", text }, waitsIn: places };
}

/** Until when the last of some jobs runs that start together. */
export function longest(pass: Pass, jobs: readonly PendingJob[], at: number): number {
  return Math.max(...jobs.map((one) => untilOf(pass, one, at)));
}

/** Stands for the places of several components. */
const TOGETHER = { key: "\0" };

function otherwise(reason: Reason): Miss {
  return { reason, waitsIn: [] };
}

function missOf({ reason, isReserved }: Impossible, places: readonly Place[]): Miss {
  return isReserved ? { reason, isReserved, waitsIn: places } : otherwise(reason);
}

/** What a job holds that starts now. */
function holdingOf(pass: Pass, job: PendingJob, { partition }: Place, allocation: Allocation): Holding {
  const until = untilOf(pass, job, pass.now);
  const assumed = pass.now + pass.policy.assumedTimeS * 1000;
  return { allocation, until: Number.isFinite(until) ? until : assumed, licenses: job.spec.licenses, partition };
}

/** Whether its licenses stay free for those to whom they are promised. */
function keepsLicenses({ profile, view, now }: Pass, { spec: { licenses } }: PendingJob, until: number): boolean {
  return licenses.length === 0 || !view.licenses || profile.hasLicenses(view.licenses, licenses, now, until);
}

/** Of a job that may start in several partitions: the one that it is looked at in. */
function startPlace({ spec }: PendingJob): Pick<Start, "partition"> {
  return isListed(spec) && spec.partition !== null ? { partition: spec.partition } : {};
}

/** By shape: what is known of requests in a place. */
function impossibleIn({ impossible }: Pass, { key }: Pick<Place, "key">): Map<string, Impossible | null> {
  let known = impossible.get(key);
  if (!known) {
    known = new Map();
    impossible.set(key, known);
  }
  return known;
}

/** Why the nodes of a place could not run a request even if they were free; `null` if they could. Looked at once for each shape. */
function whyNever(pass: Pass, place: Place, request: ResourceRequest, couldBe: () => boolean): Impossible | null {
  const shapes = impossibleIn(pass, place);
  const shape = shapeOf(request);
  const known = shapes.get(shape);
  if (known !== undefined) return known;
  const found = couldBe() ? null : impossibleReason(pass.view, place, request);
  shapes.set(shape, found);
  return found;
}

/** Whether reservations leave a place too few nodes for a job, as it would be if the job started at another time. */
export function isReservedFrom(pass: Pass, job: PendingJob, place: Place): boolean {
  if (place.reserved.length === 0) return false;
  const request = place.adapt(job.spec.request);
  const couldBe = (): boolean =>
    couldRun(
      pass.pools.all.filter(({ node }) => place.allows(node.name)),
      request,
    );
  return whyNever(pass, place, request, couldBe)?.isReserved ?? false;
}

/** A component of a heterogeneous job, with where it may go. */
interface Component {
  readonly place: Place;
  readonly pool: Pool;
  readonly request: ResourceRequest;
}

/** Sees what the others were given just now. */
function toWish(pools: Pools, { pool, request }: Component): Wish {
  const place: Wish["place"] = (wish) => {
    pools.touch();
    return pool.place(wish);
  };
  return { request, place };
}

function impossibleTogether(view: ScheduleView, components: readonly Component[]): Impossible {
  const alone = components.find(({ pool, request }) => !couldRun(pool.own, request));
  if (alone) return impossibleReason(view, alone.place, alone.request);
  const text = `each of its ${components.length} components could run, but not all of them at the same time on these nodes`;
  return { reason: { word: "BadConstraints", text }, isReserved: false };
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | null): R | null {
  for (const item of items) {
    const found = find(item);
    if (found !== null) return found;
  }
  return null;
}
