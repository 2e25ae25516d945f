/** Jobs as they stood at a moment of the past, from their records of now. */

import { taskSetOf, tasksOf } from "./array-spec.ts";
import type { JobId } from "./ids.ts";
import { isEnded, type Job, type PendingJob, type RunningJob } from "./job.ts";
import type { JobSpec } from "./jobspec.ts";

/**
 * The job as it was at `at` (milliseconds since 1970): waiting or running; `null` if it was not there yet or any more.
 * What records do not keep is left out: holds, suspensions.
 */
export function jobAt(job: Job, at: number): PendingJob | RunningJob | null {
  if (job.submitAt > at || (isEnded(job) && job.endAt <= at)) return null;
  const startAt = job.state === "PENDING" ? null : job.startAt;
  return startAt !== null && startAt <= at ? runningAt(job, startAt, at) : pendingAt(job, at);
}

/**
 * Everything that waited or ran at `at`. `jobs` may name one job several times, once for each of its starts: where one
 * of them ran, the job did not wait. Tasks of an array that waited together share a record, as in the queue.
 */
export function queueAt(jobs: Iterable<Job>, at: number): (PendingJob | RunningJob)[] {
  const found = new Map<JobId, PendingJob | RunningJob>();
  for (const job of jobs) {
    const then = jobAt(job, at);
    if (then && found.get(job.id)?.state !== "RUNNING") found.set(job.id, then);
  }
  const arrays = new Map<JobId, PendingJob[]>();
  for (const job of found.values()) {
    if (job.state !== "PENDING" || !job.array) continue;
    const known = arrays.get(job.array.jobId);
    if (known) known.push(job);
    else arrays.set(job.array.jobId, [job]);
    found.delete(job.id);
  }
  for (const records of arrays.values()) for (const job of together(records)) found.set(job.id, job);
  return [...found.values()].sort((a, b) => a.id - b.id);
}

/** One record with the tasks of all; none for none. */
function together(records: readonly PendingJob[]): PendingJob[] {
  const [first] = records.toSorted((a, b) => a.id - b.id);
  if (!first?.array) return [];
  const numbers = new Set(records.flatMap(({ array }) => (array ? [...tasksOf(array.tasks)] : [])));
  const tasks = taskSetOf([...numbers].sort((a, b) => a - b));
  return [{ ...first, array: { ...first.array, tasks } }];
}

function runningAt(job: Job, startAt: number, at: number): RunningJob {
  const { id, submitAt, attempt, requestId, array, eligibleAt, allocation } = job;
  const spec = specAt(job, at);
  const limitS = job.state === "PENDING" ? 0 : (job.limitS ?? 0);
  return {
    ...{ id, spec, submitAt, attempt, requestId, array, eligibleAt, allocation, limitS, startAt },
    ...{ state: "RUNNING", steps: job.state === "PENDING" ? [] : job.steps, nextStepId: 0, suspendedAt: null },
    ...{ suspendedMs: 0, signalled: false, retried: 0 },
  };
}

/** What it asked for then: changes since are taken back, the newest first. */
function specAt({ spec, changed = [] }: Job, at: number): JobSpec {
  const later = changed.filter((one) => one.at > at);
  return Object.assign({}, spec, ...later.toReversed().map(({ before }) => before)) as JobSpec;
}

function pendingAt(job: Job, at: number): PendingJob {
  const { id, submitAt, requestId, array, eligibleAt } = job;
  const spec = specAt(job, at);
  return {
    ...{ state: "PENDING", id, spec, submitAt, requestId, array, eligibleAt, attempt: 0 },
    ...{ hold: null, allocation: [], cleanup: [], retried: 0 },
  };
}
