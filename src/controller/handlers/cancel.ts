/** jobs.cancel: ends or signals each selected job, or one step; what could not be done is told for each. */

import type { Command } from "../../core/commands.ts";
import { isFollower, leaderId } from "../../core/het.ts";
import type { StepId } from "../../core/ids.ts";
import { isEnded, type Job } from "../../core/job.ts";
import type { Params } from "../../protocol/procedures.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { forEachJob, type JobResult } from "../for-each-job.ts";
import { actingUid } from "../network/access.ts";
import type { Selected } from "../select.ts";

/** Carries the commands out side by side: they share one write. */
export function cancelHandler(context: ControllerContext): UnaryHandler<"jobs.cancel"> {
  return async (params, { hello }) => {
    // Selected by what they are and not by number: those that live are meant.
    const { ids, tasks = [], components = [] } = params.filter;
    const isNamed = ids.length + tasks.length + components.length > 0;
    const { stepId, signal } = params;
    const isAsked = ({ job }: Selected): boolean => {
      if (stepId === null || !isFollower(job) || !ids.includes(leaderId(job))) return true;
      // A step of the whole's number is the first component's, unless it is one over several.
      return takesPart(job, stepId, context.loop.state.jobs.get(leaderId(job)));
    };
    const jobs: JobResult[] = await forEachJob(
      context,
      params.filter,
      (selected) => (isNamed || !isEnded(selected.job)) && isAsked(selected),
      (selected) => commandOf(params, selected, actingUid(hello)),
      stepId === null && signal === null,
    );
    return { jobs };
  };
}

/** Whether a component has a part in a step that the first one has a part in too. */
function takesPart(job: Job, stepId: StepId, leader: Job | undefined): boolean {
  if (!leader || leader.state === "PENDING") return false;
  return leader.steps.find(({ id }) => id === stepId)?.het?.jobIds.includes(job.id) ?? false;
}

function commandOf(params: Params<"jobs.cancel">, { job, tasks }: Selected, byUid: number): Command {
  const { stepId, signal, cause, target = "steps" } = params;
  const jobId = job.id;
  if (signal !== null) return { type: "job.signal", jobId, target: stepId ?? target, signal, byUid };
  if (stepId !== null) return { type: "step.cancel", jobId, stepId, byUid, state: "CANCELLED", cause };
  return { type: "job.cancel", jobId, tasks, byUid, cause };
}
