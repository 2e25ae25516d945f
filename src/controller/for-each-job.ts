/** One command a selected job, and what became of each. Many take a while, in which others have their turn. */

import type { Command } from "../core/commands.ts";
import { isFollower, isLed, leaderId, livingOthers } from "../core/het.ts";
import { isEnded, type Job } from "../core/job.ts";
import { jobLabel } from "../core/job-label.ts";
import type { ClusterState } from "../core/state.ts";
import { sleep } from "../platform/clock.ts";
import type { JobFilter, Result } from "../protocol/procedures.ts";
import type { ControllerContext } from "./context.ts";
import { type Selected, selectParts, unknownIds } from "./select.ts";
import { SLICE_MS } from "./slices.ts";

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
  const meant = [...selectParts(state, filter)].filter(isMeant);
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
  let endMs = context.clock.monotonic() + SLICE_MS;
  for (const one of selected) {
    results.push(carryOut(one));
    if (context.clock.monotonic() < endMs) continue;
    await sleep(context.clock, 0);
    endMs = context.clock.monotonic() + SLICE_MS;
  }
  return [...(await Promise.all(results)), ...unknown];
}

/** Without components that the first one, also selected, takes along; and without first ones that are over before others. */
function withoutLed(state: ClusterState, meant: readonly Selected[]): readonly Selected[] {
  const ids = new Set(meant.map(({ job }) => job.id));
  const isDone = (job: Job): boolean => isEnded(job) && livingOthers(state, job).some(({ id }) => ids.has(id));
  const isTaken = (job: Job): boolean =>
    isFollower(job) && (isLed(state, job) || isEnded(job)) && ids.has(leaderId(job));
  return meant.filter(({ job }) => !isDone(job) && !isTaken(job));
}
