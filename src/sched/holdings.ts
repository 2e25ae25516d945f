/** What jobs of a state hold, and until when at the latest. */

import { findPartition } from "../core/decide/submit.ts";
import { limitEnd } from "../core/decide/timer.ts";
import type { JobId } from "../core/ids.ts";
import type { Job } from "../core/job.ts";
import type { JobSpec } from "../core/jobspec.ts";
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
    if (job) yield holdingOf(job, endOf(job, foreseenEnd(job), now, assumedS), partitionOf(state, job.spec));
  }
}

/** Jobs that are looked at before others have their turn. */
const JOBS_A_STEP = 64;

/** Keeps a book of what a state's jobs hold. */
export class HoldingsKeeper {
  #book = new HoldingBook();
  /** Jobs of the book as they were when they were looked at. */
  #known = new Map<JobId, Job>();
  /** By the name that jobs give it: their partition's name. */
  readonly #partitions = new Map<string | null, string>();
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
      this.#partitions.clear();
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
    const end = foreseenEnd(job);
    const good = goodUntil(job, end, assumedS);
    if (now > good) this.#floating.add(id);
    else {
      if (this.#floating.size > 0) this.#floating.delete(id);
      if (good < this.#goodUntil) this.#goodUntil = good;
      if (this.#known.get(id) === job) return;
    }
    this.#known.set(id, job);
    this.#book.put(id, holdingOf(job, endOf(job, end, now, assumedS), this.#partitionOf(state, job)));
  }

  #partitionOf(state: ClusterState, { spec }: Job): string {
    let name = this.#partitions.get(spec.partition);
    if (name === undefined) {
      name = partitionOf(state, spec);
      this.#partitions.set(spec.partition, name);
    }
    return name;
  }

  #drop(id: JobId): void {
    this.#known.delete(id);
    this.#floating.delete(id);
    this.#book.drop(id);
  }
}

function holdingOf(job: Job, until: number, partition: string): Holding {
  return { jobId: job.id, allocation: heldShares(job), until, licenses: job.spec.licenses, partition };
}

function partitionOf(state: ClusterState, spec: JobSpec): string {
  return findPartition(state, spec)?.name ?? "";
}

/** When a running job ends at the latest, in milliseconds since 1970; Infinity where nobody can tell. */
function foreseenEnd(job: Job): number {
  if (job.state !== "RUNNING") return Number.POSITIVE_INFINITY;
  return Math.min(limitEnd(job), job.preempt?.at ?? Number.POSITIVE_INFINITY);
}

/** Until when {@link endOf} says the same of a job. */
function goodUntil(job: Job, end: number, assumedS: number): number {
  if (job.state !== "RUNNING") return Number.NEGATIVE_INFINITY;
  return Number.isFinite(end) ? end - CLEARING_MS : job.startAt + (assumedS * 1000) / 2;
}

function endOf(job: Job, end: number, now: number, assumedS: number): number {
  if (job.state !== "RUNNING") return now + CLEARING_MS;
  if (Number.isFinite(end)) return Math.max(now + CLEARING_MS, end);
  // Who ran for longer than anybody thought may well do so for as long again.
  return now + Math.max(job.startAt + assumedS * 1000 - now, now - job.startAt);
}
