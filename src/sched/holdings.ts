/** What jobs of a state hold, and until when at the latest. */

import { findPartition } from "../core/decide/submit.ts";
import { limitEnd } from "../core/decide/timer.ts";
import type { JobId } from "../core/ids.ts";
import type { Job } from "../core/job.ts";
import { heldShares } from "../core/reduce/reduce.ts";
import type { ClusterState } from "../core/state.ts";
import { type Holding, HoldingBook } from "./book.ts";

/** A job whose time is over, or that is being cleared away, is given so long before its nodes are free. */
const CLEARING_MS = 5000;

/** @param assumedS seconds after which jobs without a limit are taken to be over; Infinity for never */
export function* holdingsOf(state: ClusterState, now: number, assumedS: number): Generator<Holding> {
  for (const id of state.active) {
    const job = state.jobs.get(id);
    if (job) yield holdingOf(state, job, now, assumedS);
  }
}

interface Kept {
  readonly job: Job;
  /** Until when the same is true of the job. */
  readonly goodUntil: number;
}

/** Keeps a book of what a state's jobs hold. */
export class HoldingsKeeper {
  #book = new HoldingBook();
  #kept = new Map<JobId, Kept>();
  #key = "";

  /** The book of now; the same one each time. As of {@link holdingsOf}. */
  bookOf(state: ClusterState, now: number, assumedS: number): HoldingBook {
    const names = [...state.partitions.values()].map(({ name, isDefault }) => `${name}${isDefault ? "*" : ""}`);
    const key = `${assumedS} ${names.join()}`;
    if (key !== this.#key) {
      this.#book = new HoldingBook();
      this.#kept = new Map();
      this.#key = key;
    }
    let known = 0;
    for (const id of state.active) {
      const job = state.jobs.get(id);
      if (!job) continue;
      const kept = this.#kept.get(id);
      if (kept) known += 1;
      if (kept?.job === job && now <= kept.goodUntil) continue;
      this.#book.put(id, holdingOf(state, job, now, assumedS));
      if (!kept) known += 1;
      this.#kept.set(id, { job, goodUntil: goodUntil(job, assumedS) });
    }
    if (known < this.#kept.size) this.#forgetEnded(state);
    return this.#book;
  }

  #forgetEnded({ active, jobs }: ClusterState): void {
    for (const id of this.#kept.keys()) {
      if (active.has(id) && jobs.has(id)) continue;
      this.#kept.delete(id);
      this.#book.drop(id);
    }
  }
}

function holdingOf(state: ClusterState, job: Job, now: number, assumedS: number): Holding {
  return {
    jobId: job.id,
    allocation: heldShares(job),
    until: endOf(job, now, assumedS),
    licenses: job.spec.licenses,
    partition: findPartition(state, job.spec)?.name ?? "",
  };
}

/** Until when {@link endOf} says the same of a job. */
function goodUntil(job: Job, assumedS: number): number {
  if (job.state !== "RUNNING") return Number.NEGATIVE_INFINITY;
  const end = Math.min(limitEnd(job), job.preempt?.at ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(end) ? end - CLEARING_MS : job.startAt + (assumedS * 1000) / 2;
}

function endOf(job: Job, now: number, assumedS: number): number {
  if (job.state !== "RUNNING") return now + CLEARING_MS;
  const end = Math.min(limitEnd(job), job.preempt?.at ?? Number.POSITIVE_INFINITY);
  if (Number.isFinite(end)) return Math.max(now + CLEARING_MS, end);
  // Who ran for longer than anybody thought may well do so for as long again.
  return now + Math.max(job.startAt + assumedS * 1000 - now, now - job.startAt);
}
