/** How a job is called in listings and messages. */

import { firstTask, formatTaskSet, taskCount } from "./array-spec.ts";
import type { Job } from "./job.ts";

/** `12`, `12_3` for a task of an array, `12_[4-9%2]` for several that wait together, `12+1` for a component. */
export function jobLabel(job: Job): string {
  if (job.array) return `${job.array.jobId}_${arrayTasksLabel(job)}`;
  return job.spec.het ? `${job.id - job.spec.het.offset}+${job.spec.het.offset}` : String(job.id);
}

/** The tasks of an array's record: `3`, and `[4-9%2]` for several that wait together; empty for a job that is none. */
export function arrayTasksLabel({ array, spec, state }: Job): string {
  if (!array) return "";
  if (taskCount(array.tasks) === 1) return String(firstTask(array.tasks));
  const limit = state === "PENDING" ? (spec.array?.limit ?? 0) : 0;
  return `[${formatTaskSet(array.tasks)}${limit > 0 ? `%${limit}` : ""}]`;
}
