/** One command a selected job, all in one write, and what became of each. */

import type { Command } from "../core/commands.ts";
import { jobLabel } from "../core/job-label.ts";
import type { JobFilter, Result } from "../protocol/procedures.ts";
import type { ControllerContext } from "./context.ts";
import { type Selected, selectParts, unknownIds } from "./select.ts";

export type JobResult = Result<"jobs.cancel">["jobs"][number];

/**
 * Executes a command for each job of the filter that `isMeant`; numbers that stand for no job are answered too. The
 * selection is settled before the first command runs: what they make is not selected.
 */
export async function forEachJob(
  context: ControllerContext,
  filter: JobFilter,
  isMeant: (selected: Selected) => boolean,
  commandOf: (selected: Selected) => Command,
): Promise<JobResult[]> {
  const { state } = context.loop;
  const selected = [...selectParts(state, filter)].filter(isMeant);
  const unknown = unknownIds(state, filter).map(
    (jobId): JobResult => ({
      jobId,
      label: String(jobId),
      error: { code: "INVALID_JOB", message: "Invalid job id specified" },
    }),
  );
  const results = selected.map(async (one): Promise<JobResult> => {
    const label = jobLabel(one.job);
    const decision = await context.loop.execute(commandOf(one));
    if (decision.kind !== "deny") return { jobId: one.job.id, label, error: null };
    const { code, message, hint } = decision.denial;
    const error = hint === undefined ? { code, message } : { code, message, hint };
    return { jobId: one.job.id, label, error };
  });
  return [...(await Promise.all(results)), ...unknown];
}
