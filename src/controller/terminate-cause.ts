/** Why a node is told to end a job, for the line in the job's own output. Pure. */

import type { Attempt, StepId } from "../core/ids.ts";
import { isEnded, type Job, type JobState } from "../core/job.ts";
import type { TerminateCause } from "../protocol/holder.ts";

/**
 * From the job's record at the time of the order. What still runs of a job that ended well (a step in the background
 * of its script) is cancelled too.
 * @param job null if it has left the queue
 * @param attempt the one to end
 * @param stepId the step to end, `null` for the whole job
 */
export function terminateCause(job: Job | null, attempt: Attempt, stepId: StepId | null = null): TerminateCause {
  if (job === null) return "cancelled";
  if (job.attempt !== attempt || job.state === "PENDING") return "requeue";
  const step = job.steps.find(({ id }) => id === stepId);
  return causeOf(isEnded(job) ? job.state : (step?.ending?.state ?? "CANCELLED"));
}

function causeOf(state: JobState): TerminateCause {
  switch (state) {
    case "TIMEOUT":
      return "time limit";
    case "NODE_FAIL":
      return "node failure";
    case "PREEMPTED":
      return "preempted";
    default:
      return "cancelled";
  }
}
