/** What is said of a replay: times that jobs waited and took, and how full the cluster was. */

import type { Metered } from "./meter.ts";
import type { Task } from "./task.ts";

/** Of one quantity over all jobs. */
export interface Spread {
  readonly mean: number;
  readonly median: number;
  /** 95 of 100 jobs have no more. */
  readonly p95: number;
  readonly max: number;
}

export interface Summary {
  readonly jobs: number;
  /** Seconds from its submission to its first start. */
  readonly waitS: Spread;
  /** max(1, (wait + run) / max(run, 10 s)): how much longer a job took than it had to (Feitelson). */
  readonly slowdown: Spread;
  /** Seconds from its submission to its end: job completion time. */
  readonly completionS: Spread;
  /** Seconds from the first submission to the last end. */
  readonly makespanS: number;
  /** Shares of the cluster, 0 to 1; see {@link Metered}. */
  readonly utilisation: number;
  readonly idleWhileWaiting: number;
  readonly preemptions: number;
}

/** Run times below count as so many seconds: a job of a second that waits for a minute is no disaster. */
const BOUND_S = 10;

/** @param tasks all of them over */
export function summarize(tasks: readonly Task[], metered: Metered): Summary {
  const over = tasks.filter(({ endS }) => endS !== null);
  return {
    jobs: over.length,
    waitS: spreadOf(over.map(waitOf)),
    slowdown: spreadOf(over.map(slowdownOf)),
    completionS: spreadOf(over.map(completionOf)),
    makespanS: metered.endS - metered.beginS,
    utilisation: metered.utilisation,
    idleWhileWaiting: metered.idleWhileWaiting,
    preemptions: over.reduce((sum, { preemptions }) => sum + preemptions, 0),
  };
}

/** Seconds until its first start. */
export function waitOf({ job, startS }: Task): number {
  return (startS ?? job.submitS) - job.submitS;
}

/** Seconds from its submission to its end. */
export function completionOf({ job, endS }: Task): number {
  return (endS ?? job.submitS) - job.submitS;
}

/** Bounded slowdown; at least 1. */
export function slowdownOf(task: Task): number {
  return Math.max(1, completionOf(task) / Math.max(task.job.runS, BOUND_S));
}

/** Of no values all are 0. */
function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) return { mean: 0, median: 0, p95: 0, max: 0 };
  const sorted = Float64Array.from(values).sort();
  const at = (index: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, index))] ?? 0;
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, median, p95: at(Math.ceil(sorted.length * 0.95) - 1), max: at(sorted.length - 1) };
}
