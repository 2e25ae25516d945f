/** Why a node is told to end a job, for the line in the job's own output. Pure. */

import type { Attempt } from "../core/ids.ts";
import { isEnded, type Job } from "../core/job.ts";
import type { TerminateCause } from "../protocol/holder.ts";

/**
 * From the job's record at the time of the order. What still runs of a job that ended well (a step in the background
 * of its script) is cancelled too.
 * @param job null if it has left the queue
 * @param attempt the one to end
 */
export function terminateCause(job: Job | null, attempt: Attempt): TerminateCause {
  if (job === null) return "cancelled";
  if (job.attempt !== attempt || !isEnded(job)) return "requeue";
  switch (job.state) {
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
