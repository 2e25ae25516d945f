/** job.notify: what somebody has to say in a job's output, passed on to the job's nodes. */

import { mayTouch } from "../../core/decide/steer.ts";
import { isEnded } from "../../core/job.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { actingUid } from "../network/access.ts";

/** A node that does not answer in this time is left out: people wait for the answer. */
const NODE_DEADLINE_MS = 6_000;

/** Changes no state, so nothing is written down. */
export function notifyHandler({ loop, sessions, log }: ControllerContext): UnaryHandler<"job.notify"> {
  return async ({ jobId, message }, { hello }) => {
    const job = loop.state.jobs.get(jobId);
    if (!job) throw new RpcError("INVALID_JOB", "Invalid job id specified");
    if (!mayTouch(job, actingUid(hello))) throw new RpcError("PERMISSION", "Access/permission denied");
    if (isEnded(job)) throw new RpcError("JOB_FINISHED", "Job/step already completing or completed");
    if (job.state === "PENDING") throw new RpcError("NOT_RUNNING", "Job is pending execution");
    const { attempt } = job;
    const answers = job.allocation.map(async ({ node }) => {
      const peer = sessions.get(node)?.peer;
      return (
        (await peer?.call("node.notify", { jobId, attempt, message }, { deadlineMs: NODE_DEADLINE_MS }))?.said ?? 0
      );
    });
    const settled = await Promise.allSettled(answers);
    for (const one of settled) {
      if (one.status === "rejected") log.warn("a node did not pass a message on", { jobId, error: String(one.reason) });
    }
    return { said: settled.reduce((sum, one) => sum + (one.status === "fulfilled" ? one.value : 0), 0) };
  };
}
