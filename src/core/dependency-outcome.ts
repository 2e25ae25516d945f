/** How far a job has come, for those that depend on it. */

import type { DependencyState, DependencyTerm } from "./dependency.ts";
import { isEnded, type Job } from "./job.ts";

/** What has become of a dependency. */
export interface Outcome {
  readonly state: DependencyState;
  /** When time alone brings it further, in milliseconds since 1970; else `null`. */
  readonly wakeAt: number | null;
}

const MINUTE_MS = 60_000;

export const FULFILLED: Outcome = { state: "fulfilled", wakeAt: null };
export const FAILED: Outcome = { state: "failed", wakeAt: null };
export const UNFULFILLED: Outcome = { state: "unfulfilled", wakeAt: null };

/** Ends the sentence that a job waits by, or was cancelled for, whose dependency can't be fulfilled. */
export const NEVER_TRUE = "which can't come true any more";

/** Whether a job ended because of its dependency, told by its cause: its record keeps nothing else of that. */
export function isNeverTrue(cause: string): boolean {
  return cause.endsWith(NEVER_TRUE);
}

/** What matters of a job, or of all jobs of an array together. */
export interface Summary {
  readonly isOver: boolean;
  readonly isGood: boolean;
  /** A job that was started and put back has started. */
  readonly hasStarted: boolean;
  /** The last start (or end without a start) of those that are not waiting; `null` while one waits (again). */
  readonly startedAt: number | null;
}

/** Of jobs that are not known any more: nobody waits for them. */
export const UNKNOWN: Summary = { isOver: true, isGood: true, hasStarted: true, startedAt: 0 };

/** Of one record, {@link UNKNOWN} if there is none. */
export function summaryOf(job: Job | undefined): Summary {
  if (!job) return UNKNOWN;
  if (job.state === "PENDING") return { isOver: false, isGood: false, hasStarted: job.attempt > 0, startedAt: null };
  if (!isEnded(job)) return { isOver: false, isGood: false, hasStarted: true, startedAt: job.startAt };
  const startedAt = job.startAt ?? job.endAt;
  return { isOver: job.cleanup.length === 0, isGood: job.state === "COMPLETED", hasStarted: true, startedAt };
}

/** Whether two summaries say the same. */
export function isSameSummary(a: Summary, b: Summary): boolean {
  return a.isOver === b.isOver && a.isGood === b.isGood && a.hasStarted === b.hasStarted && a.startedAt === b.startedAt;
}

/** What a term about such a job has come to at `now`. */
export function outcomeOf({ type, delayMin }: DependencyTerm, summary: Summary, now: number): Outcome {
  if (type === "after") return afterStart(summary, delayMin * MINUTE_MS, now);
  if (!summary.isOver) return UNFULFILLED;
  if (type === "afterany" || summary === UNKNOWN) return FULFILLED;
  return summary.isGood === (type !== "afternotok") ? FULFILLED : FAILED;
}

/** Started, or ended without a start; that long ago. Only with a delay does a job that was put back count anew. */
function afterStart({ hasStarted, startedAt }: Summary, delayMs: number, now: number): Outcome {
  if (delayMs === 0) return hasStarted ? FULFILLED : UNFULFILLED;
  if (startedAt === null) return UNFULFILLED;
  const dueAt = startedAt + delayMs;
  return dueAt <= now ? FULFILLED : { state: "unfulfilled", wakeAt: dueAt };
}
