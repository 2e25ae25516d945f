/** What jobs of a state hold, and until when at the latest. */

import { findPartition } from "../core/decide/submit.ts";
import { limitEnd } from "../core/decide/timer.ts";
import type { JobId } from "../core/ids.ts";
import type { Job } from "../core/job.ts";
import { heldShares } from "../core/reduce/reduce.ts";
import type { ClusterState } from "../core/state.ts";
import { type ChangeLog, newCursor } from "../util/change-log.ts";
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

/** Jobs that are looked at before others have their turn. */
const JOBS_A_STEP = 256;

/** Keeps a book of what a state's jobs hold. */
export class HoldingsKeeper {
  #book = new HoldingBook();
  #known = new Map<JobId, Job>();
  /** Jobs whose end is another one with each look. */
  #floating = new Set<JobId>();
  /** Until when the ends of all others stay what they are, in milliseconds since 1970. */
  #goodUntil = Number.POSITIVE_INFINITY;
  #source: ChangeLog | null = null;
  #cursor = newCursor();
  #key = "";

  /** The book of now; the same one as long as it is the same state. As of {@link holdingsOf}. */
  bookOf(state: ClusterState, now: number, assumedS: number): HoldingBook {
    const steps = this.catchUp(state, now, assumedS);
    while (!steps.next().done);
    return this.#book;
  }

  /** Looks at what has changed for {@link bookOf}, which has less to do then. Yields after some jobs. */
  *catchUp(state: ClusterState, now: number, assumedS: number): Generator<void, void> {
    const names = [...state.partitions.values()].map(({ name, isDefault }) => `${name}${isDefault ? "*" : ""}`);
    const key = `${assumedS} ${names.join()}`;
    if (state.activeChanges !== this.#source || key !== this.#key) {
      this.#source = state.activeChanges;
      this.#cursor = newCursor();
      this.#key = key;
      this.#book = new HoldingBook();
      this.#known = new Map();
    }
    const news = this.#source.news(this.#cursor);
    const isWhole = news === null || now > this.#goodUntil;
    if (isWhole) this.#goodUntil = Number.POSITIVE_INFINITY;
    const ids = isWhole ? [...state.active, ...this.#known.keys()] : new Set([...news, ...this.#floating]);
    let looked = 0;
    for (const id of ids) {
      this.#look(state, id, now, assumedS);
      looked += 1;
      if (looked % JOBS_A_STEP === 0) yield;
    }
  }

  #look(state: ClusterState, id: JobId, now: number, assumedS: number): void {
    const job = state.active.has(id) ? state.jobs.get(id) : undefined;
    if (!job) {
      this.#drop(id);
      return;
    }
    const good = goodUntil(job, assumedS);
    if (now > good) this.#floating.add(id);
    else {
      this.#floating.delete(id);
      this.#goodUntil = Math.min(this.#goodUntil, good);
      if (this.#known.get(id) === job) return;
    }
    this.#known.set(id, job);
    this.#book.put(id, holdingOf(state, job, now, assumedS));
  }

  #drop(id: JobId): void {
    this.#known.delete(id);
    this.#floating.delete(id);
    this.#book.drop(id);
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
