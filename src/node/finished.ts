/**
 * The steps that are over on this node: `JOB.ATTEMPT.STEP STARTED_AT` (of the job), the newest FINISHED_MAX of them. An order to
 * launch one of these comes late, and is not followed. Earlier versions wrote `JOB.ATTEMPT STARTED_AT`, for all steps of a start.
 */

import { formatStepKey, type StepKey } from "../core/ids.ts";

/** A late order is at most some minutes old; this is a day of jobs on a very busy node. */
export const FINISHED_MAX = 10_000;

/** How a step is noted. */
export function finishedLine(key: StepKey, startAt: number): string {
  return `${formatStepKey(key)} ${startAt}`;
}

/** Whether a line is one of these, of this version or an earlier one. */
export function isFinishedLine(line: string): boolean {
  return /^\d+\.\d+(\.\w+)? \d+$/.test(line);
}

export class Finished {
  private readonly known = new Set<string>();

  has(key: StepKey, startAt: number): boolean {
    return this.known.has(finishedLine(key, startAt)) || this.known.has(`${key.jobId}.${key.attempt} ${startAt}`);
  }

  add(line: string): void {
    this.known.add(line);
    for (const oldest of this.known) {
      if (this.known.size <= FINISHED_MAX) return;
      this.known.delete(oldest);
    }
  }

  /** Oldest first. */
  lines(): string[] {
    return [...this.known];
  }
}
