/** A job's place in the queue: the higher the earlier; equals go by their number. */

import type { Job } from "./job.ts";

/** What a job has whose user asked for nothing. */
const PRIORITY_DEFAULT = 100_000;

/** The job's own wish, or the default, less its nice value; never below 1, which is the lowest that is no hold. */
export function priorityOf({ spec }: Job): number {
  return Math.max(1, (spec.priority ?? PRIORITY_DEFAULT) - spec.nice);
}
