/** jobs.cancel: ends or signals each selected job, or one step; what could not be done is told for each. */

import type { Command } from "../../core/commands.ts";
import { isEnded } from "../../core/job.ts";
import type { Params } from "../../protocol/procedures.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { forEachJob, type JobResult } from "../for-each-job.ts";
import type { Selected } from "../select.ts";

/** Carries the commands out side by side: they share one write. */
export function cancelHandler(context: ControllerContext): UnaryHandler<"jobs.cancel"> {
  return async (params, { hello }) => {
    // Selected by what they are and not by number: those that live are meant.
    const isNamed = params.filter.ids.length > 0 || (params.filter.tasks ?? []).length > 0;
    const jobs: JobResult[] = await forEachJob(
      context,
      params.filter,
      (selected) => isNamed || !isEnded(selected.job),
      (selected) => commandOf(params, selected, hello.user.uid),
    );
    return { jobs };
  };
}

function commandOf(params: Params<"jobs.cancel">, { job, tasks }: Selected, byUid: number): Command {
  const { stepId, signal, cause, target = "steps" } = params;
  const jobId = job.id;
  if (signal !== null) return { type: "job.signal", jobId, target: stepId ?? target, signal, byUid };
  if (stepId !== null) return { type: "step.cancel", jobId, stepId, byUid, state: "CANCELLED", cause };
  return { type: "job.cancel", jobId, tasks, byUid, cause };
}
