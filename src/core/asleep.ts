/**
 * Jobs that are put aside: held, or waiting for other jobs that are not over. No passing of time lets them start, only a
 * change of their own record or of one that they depend on, so no pass of the scheduler looks at them. It follows from
 * the records alone; in doubt (dependencies of single tasks, on single tasks, on names) a job is not put aside.
 */

import type { DependencyTerm } from "./dependency.ts";
import { isSameSummary, outcomeOf, summaryOf } from "./dependency-outcome.ts";
import type { JobId } from "./ids.ts";
import type { Job, PendingJob } from "./job.ts";
import type { ClusterState } from "./state.ts";

type Known = Pick<ClusterState, "jobs" | "arrays" | "dependents">;

/** Whether a job is put aside. */
export function isAsleep(state: Known, { spec, array, hold }: PendingJob): boolean {
  if (hold !== null) return true;
  if (!spec.dependency) return false;
  const { any, terms } = spec.dependency;
  if (terms.length === 0 || (array !== null && terms.some(({ type }) => type === "aftercorr"))) return false;
  const blocks = (term: DependencyTerm): boolean => isBlocking(state, term);
  return any ? terms.every(blocks) : terms.some(blocks);
}

function isBlocking(state: Known, term: DependencyTerm): boolean {
  if (term.type === "singleton") return false;
  if (!state.arrays.has(term.jobId)) {
    const summary = summaryOf(state.jobs.get(term.jobId));
    return outcomeOf(term, summary, Number.POSITIVE_INFINITY).state !== "fulfilled";
  }
  return term.type !== "after" && typeof term.taskId !== "number" && !isArrayOver(state, term.jobId);
}

/** Whether all records of an array are over, one aside. */
function isArrayOver(state: Known, arrayId: JobId, aside: JobId | null = null): boolean {
  for (const id of state.arrays.get(arrayId) ?? []) {
    if (id !== aside && !summaryOf(state.jobs.get(id)).isOver) return false;
  }
  return true;
}

/** Waiting jobs that a change of a record may put aside or wake; none where it is no news to them. */
export function* touchedBy(state: Known, before: Job | undefined, after: Job | undefined): Generator<PendingJob> {
  const one = after ?? before;
  if (!one) return;
  const [was, is] = [summaryOf(before), summaryOf(after)];
  if (before && after && isSameSummary(was, is)) return;
  yield* waitingFor(state, one.id);
  const arrayId = one.array?.jobId;
  if (arrayId === undefined || arrayId === one.id) return;
  if (was.isOver !== is.isOver && isArrayOver(state, arrayId, one.id)) yield* waitingFor(state, arrayId);
}

function* waitingFor(state: Known, jobId: JobId): Generator<PendingJob> {
  for (const id of state.dependents.get(jobId) ?? []) {
    const job = state.jobs.get(id);
    if (job?.state === "PENDING") yield job;
  }
}
