/**
 * schedule(view, now, policy): which waiting jobs start where, which end unstarted, who waits for room, and from when on
 * it is promised to the first of these. Pure.
 *
 * Jobs are looked at in the order given. The first of a partition that could run on the nodes at hand but has no room
 * now is promised the earliest time and place at which there is room; jobs behind it start only where they delay no
 * promise (backfill). Where no such time is known, all nodes of its partition are kept for it. Jobs that may not start
 * yet (held, dependent, too early), and jobs that the nodes at hand could not hold even when empty, stop nobody.
 */

import type { PendingJob } from "../core/job.ts";
import { isListed } from "../core/partition-list.ts";
import { type Miss, shorterLimits, startIn, startWhole } from "./attempt.ts";
import { isOfUser, wishGroup } from "./limits.ts";
import { beginPass, contest, isContested, type Pass, queueOf, untilOf, wakeAt } from "./pass.ts";
import type { Place } from "./places.ts";
import type { Plan, Reservation } from "./plan.ts";
import { EASY, type SchedulerPolicy } from "./policy.ts";
import { keepForYielded, makeRoom } from "./preempt.ts";
import { PRIORITY } from "./reasons.ts";
import { type Claim, claim, promise, type Retry } from "./reserve.ts";
import type { ScheduleView } from "./view.ts";

export type { ScheduleView } from "./view.ts";

/** Makes a plan. Never changes its input. */
export function schedule(view: ScheduleView, now: number, policy: SchedulerPolicy = EASY): Plan {
  const steps = scheduleInSteps(view, now, policy);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * The same, yielding after each job and each time that is looked at. What the view reads may change meanwhile: the plan is
 * then for something between what was at the beginning and what is now, and each start has to be looked at again.
 */
export function* scheduleInSteps(
  view: ScheduleView,
  now: number,
  policy: SchedulerPolicy = EASY,
): Generator<void, Plan> {
  const pass = beginPass(view, now, policy);
  const later: PendingJob[] = [];
  keepForYielded(pass);
  yield;
  for (const job of view.pending) {
    // A queue that changes while it is read may show a job twice.
    if (pass.planned.has(job.id) || isHeldBack(pass, job) || isBeyondDepth(pass, job)) continue;
    if (mayBeOvertaken(pass, job)) later.push(job);
    else yield* startTasks(pass, job);
    yield;
    if (pass.pools.isDone) break;
  }
  wakeAt(pass, view.pending.nextAt ?? Number.POSITIVE_INFINITY);
  for (const job of shortestFirst(pass, later)) yield* startTasks(pass, job);
  for (const job of view.expiring) endHopeless(pass, job);
  if (pass.kept.hasLapsed((jobId) => pass.planned.has(jobId))) wakeAt(pass, now);
  const { starts, ends, preemptions, resumes, reasons, groupReasons, wakeTimes } = pass;
  const wake = Number.isFinite(wakeTimes.earliest) ? Math.max(now, wakeTimes.earliest) : null;
  const reservations = reservationsOf(pass);
  const { wishReasons } = pass;
  const why = { reasons, groupReasons, wishReasons, otherwise: PRIORITY };
  return {
    starts,
    ends,
    preemptions,
    resumes,
    ...why,
    reservations,
    kept: pass.kept.made,
    planned: pass.planned,
    wakeAt: wake,
  };
}

/** Whether something other than room keeps a job waiting. Notes when time alone changes that. */
function isHeldBack(pass: Pass, job: PendingJob): boolean {
  const found = pass.view.gate.hindrance(job);
  if (found === null) return false;
  if (found.wakeAt !== null) wakeAt(pass, found.wakeAt);
  return true;
}

/** Ends a job if it never can start; notes when its deadline would bring that about. */
function endHopeless(pass: Pass, job: PendingJob): void {
  const { gate } = pass.view;
  const end = gate.endOf(job);
  if (end) pass.ends.push(end);
  const latest = gate.startBy(job);
  if (latest !== null && end === null) wakeAt(pass, latest + 1);
}

/** Behind a job that waits for room only so many are tried. */
function isBeyondDepth(pass: Pass, job: PendingJob): boolean {
  if (pass.contested.places.length === 0 || isListed(job.spec) || job.spec.het) return false;
  const place = pass.places(job);
  if (!isContested(pass, place)) return false;
  const queue = queueOf(pass, place.partition);
  queue.tried += 1;
  if (queue.tried <= pass.policy.backfillDepth) return false;
  pass.view.pending.leaveLane?.();
  return true;
}

/** Whether a job stands behind one that waits, and shorter ones are to be tried before it. */
function mayBeOvertaken(pass: Pass, job: PendingJob): boolean {
  const { policy } = pass;
  if (policy.backfillOrder === "arrival" || pass.contested.places.length === 0) return false;
  return pass.view.gate.variantsOf(job).some((one) => {
    const place = pass.places(one);
    return isContested(pass, place) && queueOf(pass, place.partition).promises >= policy.reservations;
  });
}

function shortestFirst(
  { view: { gate }, policy: { predictS } }: Pass,
  jobs: readonly PendingJob[],
): readonly PendingJob[] {
  if (jobs.length < 2) return jobs;
  const lengths = jobs.map((job) => {
    const limitS = gate.limitS(job);
    return predictS?.(job, limitS) ?? (limitS || Number.POSITIVE_INFINITY);
  });
  const order = jobs.map((_, at) => at);
  order.sort((a, b) => compare(lengths[a] ?? 0, lengths[b] ?? 0) || a - b);
  return order.flatMap((at) => jobs[at] ?? []);
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** What became of a job, or of a task: it starts, has a promise, or waits for another reason. */
type Outcome = "starts" | "promised" | "waits";

/** Starts a job, or as many of an array's tasks as there are room and leave for. */
function* startTasks(pass: Pass, job: PendingJob): Generator<void, void> {
  const before = pass.starts.length;
  const jobs = yield* startSome(pass, job);
  if (pass.starts.length > before) for (const one of jobs) pass.planned.set(one.id, one.spec);
}

/** Those that it is about. */
function* startSome(pass: Pass, job: PendingJob): Generator<void, readonly PendingJob[]> {
  const { gate } = pass.view;
  if (job.spec.het) {
    const jobs = gate.componentsOf(job);
    // Each of its components comes by in the queue: the first one that waits stands for all.
    if (jobs[0]?.id !== job.id) return [];
    const own = pass.kept.take(jobs.map(({ id }) => id));
    const tryAll = (): Misses => tryEach(spreads(pass, jobs), (variants) => startWhole(pass, variants));
    yield* settle(pass, { jobs, own, tryAll }, tryAll());
    return jobs;
  }
  if (!job.array) {
    yield* startOne(pass, job, null);
    return [job];
  }
  const arrayId = job.array.jobId;
  let slots = gate.slotsOf(job) - (pass.startedOfArray.get(arrayId) ?? 0);
  for (const task of gate.openTasks(job)) {
    if (slots <= 0) {
      // The same gate says why once these have started; until then this is what is true of the others.
      const text = "as many of its tasks run as may at the same time";
      if (!pass.reasons.has(job.id)) pass.reasons.set(job.id, { word: "JobArrayTaskLimit", text });
      return [job];
    }
    const outcome = yield* startOne(pass, job, task);
    yield;
    if (outcome === "waits") return [job];
    if (outcome === "starts") pass.startedOfArray.set(arrayId, (pass.startedOfArray.get(arrayId) ?? 0) + 1);
    slots -= 1;
  }
  return [job];
}

/** Starts a job or a task in the first partition with room, else notes why not. */
function* startOne(pass: Pass, job: PendingJob, taskId: number | null): Generator<void, Outcome> {
  const own = pass.kept.take([job.id]);
  const variants = pass.view.gate.variantsOf(job).map((one) => [one]);
  for (const [one] of variants) if (one) yield* pass.pools.prepare(pass.places(one), untilOf(pass, one, pass.now));
  const tryAll = (): Misses =>
    tryEach(variants, ([one]) => (one ? startIn(pass, one, taskId) : { reason: PRIORITY, waitsIn: [] }));
  const misses = tryAll();
  if (misses === "starts") return misses;
  for (const one of shortened(pass, job, misses)) {
    for (const limitS of shorterLimits(pass, one)) if (startIn(pass, one, taskId, limitS) === null) return "starts";
  }
  return yield* settle(pass, { jobs: [job], own, tryAll }, misses);
}

/** Why jobs can't start in any of the partitions that they may go to; or one of them did. */
type Misses = "starts" | readonly (readonly [variant: readonly PendingJob[], miss: Miss])[];

function tryEach(
  variants: readonly (readonly PendingJob[])[],
  start: (variant: readonly PendingJob[]) => Miss | null,
): Misses {
  const misses: [readonly PendingJob[], Miss][] = [];
  for (const variant of variants) {
    const miss = start(variant);
    if (miss === null) return "starts";
    misses.push([variant, miss]);
  }
  return misses;
}

/** Those of the variants that lack room alone, of a job that would take less time. */
function shortened(
  { contested }: Pass,
  { spec }: PendingJob,
  misses: Exclude<Misses, "starts">,
): readonly PendingJob[] {
  // With nothing promised to others a shorter limit changes nothing.
  if (spec.timeMinS === null || contested.places.length === 0) return [];
  const isRoom = ({ waitsIn, reason }: Miss): boolean => waitsIn.length > 0 || reason === PRIORITY;
  return misses.flatMap(([variant, miss]) => (isRoom(miss) ? variant : []));
}

/** Ways to spread the components of a heterogeneous job over the partitions that they name which are tried. */
const SPREADS_MAX = 64;

/** Each component in one of the partitions that are open to it: the first of each first. */
function spreads({ view: { gate } }: Pass, jobs: readonly PendingJob[]): readonly (readonly PendingJob[])[] {
  let found: readonly (readonly PendingJob[])[] = [[]];
  for (const job of jobs) {
    const open = gate.variantsOf(job);
    const own = open.length > 0 ? open : [job];
    found = found.flatMap((before) => own.map((one) => [...before, one])).slice(0, SPREADS_MAX);
  }
  return found;
}

/** Notes why jobs that start together wait. The first of their partition are promised a time. */
function* settle(
  pass: Pass,
  {
    jobs,
    own,
    tryAll,
  }: { readonly tryAll: () => Misses } & Pick<Claim, "own"> & { readonly jobs: readonly PendingJob[] },
  misses: Misses,
): Generator<void, Outcome> {
  if (misses === "starts") return misses;
  const waiting = misses.filter(([, { waitsIn }]) => waitsIn.length > 0);
  const told = (waiting[0] ?? misses[0])?.[1].reason ?? PRIORITY;
  const note = (reason: typeof told): void => {
    for (const { id } of jobs) if (!pass.reasons.has(id)) pass.reasons.set(id, reason);
  };
  const [only] = jobs.length === 1 ? jobs : [];
  const places = waiting.flatMap(([, { waitsIn }]) => waitsIn);
  if (places.length === 0) {
    note(told);
    // Whoever asks for the same is told the same.
    if (only && told !== PRIORITY) {
      pass.wishReasons.set(wishGroup(only), told);
      // Limits of the configuration hold where jobs of several users share a lane.
      if (!isOfUser(told.word)) pass.view.pending.leaveUniform?.();
    }
    return "waits";
  }
  const queues = [...new Set(places.map(({ partition }) => partition))].map((name) => queueOf(pass, name));
  const isReserved = waiting.every(([, miss]) => miss.isReserved);
  const promisesOf = isReserved ? "promisesAfter" : "promises";
  const most = pass.policy.reservations;
  const isLate = most > 0 && queues.every((queue) => queue[promisesOf] >= most);
  // What is promised to jobs behind keeps no running job from making room.
  const putBack = pass.kept.lift();
  const isMaking = !isReserved && waiting.some(([variant]) => makeRoom(pass, variant));
  putBack(0);
  if (isLate && isMaking) {
    note(told);
    return "waits";
  }
  if (isLate) {
    if (only) leaveUniform(pass, places);
    note(told.word === "Licenses" || isReserved ? told : PRIORITY);
    return "waits";
  }
  const variants = waiting.map(([variant]) => variant);
  let later: Misses = misses;
  const retry = (): Retry => {
    later = tryAll();
    return later === "starts" ? later : later.some(([, { waitsIn }]) => waitsIn.length > 0) ? "room" : "other";
  };
  if (most > 0 && only) for (const place of places) yield* pass.pools.prepareLater(place);
  const found = most > 0 ? yield* claim(pass, { variants, own, retry }) : null;
  if (found === "starts" || found === "other") return yield* settle(pass, { jobs, own, tryAll }, later);
  note(told);
  // A license that nobody gives back is no reason to keep nodes free.
  if (!found && told.word === "Licenses") return "waits";
  for (const queue of queues) queue[promisesOf] += 1;
  // Who waits for the end of a reservation keeps nobody from what is free before.
  if (!found && isReserved) return "waits";
  if (!isReserved) contest(pass, places);
  if (!found) {
    for (const place of places) pass.pools.keep(place);
    return "waits";
  }
  promise(pass, found);
  return "promised";
}

/** Nobody behind who asks for the same finds more room: within a pass there is only less. */
function leaveUniform({ view }: Pass, places: readonly Place[]): void {
  // Unless it depends on whose job it is.
  if (places.every(({ others, onlyUser }) => others.size === 0 && onlyUser === null)) view.pending.leaveUniform?.();
}

/** By job the first of its promises. */
function reservationsOf({ profile, kept }: Pass): ReadonlyMap<number, Reservation> {
  // Whose turn did not come has none any more.
  kept.lift();
  const reservations = new Map<number, Reservation>();
  for (const { jobId, at, allocation } of profile.promised) {
    if (!reservations.has(jobId)) reservations.set(jobId, { at, allocation });
  }
  return reservations;
}
