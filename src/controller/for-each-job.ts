/** One command a selected job, and what became of each. Many take a while, in which others have their turn. */

import type { Command } from "../core/commands.ts";
import { isFollower, isLed, leaderId, livingOthers } from "../core/het.ts";
import { isEnded, type Job } from "../core/job.ts";
import { jobLabel } from "../core/job-label.ts";
import type { ClusterState } from "../core/state.ts";
import type { JobFilter, Result } from "../protocol/procedures.ts";
import type { ControllerContext } from "./context.ts";
import { type Selected, selectInSteps, unknownIds } from "./select.ts";
import { Slice } from "./slices.ts";

export type JobResult = Result<"jobs.cancel">["jobs"][number];

/**
 * Executes a command for each job of the filter that `isMeant`; numbers that stand for no job are answered too. The
 * selection is settled before the first command runs: what they make is not selected.
 * @param isForWhole what is done to the first component of a heterogeneous job is done to all: these are left out then
 */
export async function forEachJob(
  context: ControllerContext,
  filter: JobFilter,
  isMeant: (selected: Selected) => boolean,
  commandOf: (selected: Selected) => Command,
  isForWhole = false,
): Promise<JobResult[]> {
  const { state } = context.loop;
  const slice = new Slice(context.clock);
  const meant: Selected[] = [];
  for (const one of selectInSteps(state, filter)) {
    if (one !== null && isMeant(one)) meant.push(one);
    if (slice.isOver) await slice.next();
  }
  const selected = isForWhole ? withoutLed(state, meant) : meant;
  const unknown = unknownIds(state, filter).map(
    (jobId): JobResult => ({
      jobId,
      label: String(jobId),
      error: { code: "INVALID_JOB", message: "Invalid job id specified" },
    }),
  );
  const carryOut = async (one: Selected): Promise<JobResult> => {
    const label = jobLabel(one.job);
    const decision = await context.loop.execute(commandOf(one));
    if (decision.kind !== "deny") return { jobId: one.job.id, label, error: null };
    const { code, message, hint } = decision.denial;
    const error = hint === undefined ? { code, message } : { code, message, hint };
    return { jobId: one.job.id, label, error };
  };
  const results: Promise<JobResult>[] = [];
  for (const one of selected) {
    results.push(carryOut(one));
    if (slice.isOver) await slice.next();
  }
  return [...(await Promise.all(results)), ...unknown];
}

/** Without components that the first one, also selected, takes along; and without first ones that are over before others. */
function withoutLed(state: ClusterState, meant: readonly Selected[]): readonly Selected[] {
  const ids = new Set(meant.flatMap(({ job }) => (job.spec.het ? [job.id] : [])));
  if (ids.size === 0) return meant;
  const isDone = (job: Job): boolean => isEnded(job) && livingOthers(state, job).some(({ id }) => ids.has(id));
  const isTaken = (job: Job): boolean =>
    isFollower(job) && (isLed(state, job) || isEnded(job)) && ids.has(leaderId(job));
  return meant.filter(({ job }) => !isDone(job) && !isTaken(job));
}
