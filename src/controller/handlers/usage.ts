/** step.usage: what the running steps of a job used so far, asked of all its nodes at once. */

import { mayTouch } from "../../core/decide/steer.ts";
import { isOpenStep, type Job } from "../../core/job.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Result } from "../../protocol/procedures.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { actingUid } from "../network/access.ts";

/** A node that does not answer in this time is left out: people wait for the answer. */
const NODE_DEADLINE_MS = 6_000;

type NodeSteps = Result<"node.usage">["steps"];

/** Puts the nodes' answers together, step by step. */
export function usageHandler(context: ControllerContext): UnaryHandler<"step.usage"> {
  return async ({ jobId }, { hello }) => {
    const job = context.loop.state.jobs.get(jobId);
    if (job && !mayTouch(job, actingUid(hello))) throw new RpcError("PERMISSION", "Access/permission denied");
    if (job?.state !== "RUNNING") throw new RpcError("INVALID_JOB", `couldn't get steps for job ${jobId}`);
    const answers = new Map<string, NodeSteps | null>();
    await Promise.all(job.allocation.map(async ({ node }) => answers.set(node, await ask(context, node, job))));
    const steps = job.steps.filter(isOpenStep).map(({ id, parts }) => ({
      stepId: id,
      parts: parts.map(({ node, tasks }) => {
        const found = answers.get(node)?.find(({ stepId }) => stepId === id);
        return { node, tasks: [...tasks], pids: found?.pids ?? [], ...(found?.usage ? { usage: found.usage } : {}) };
      }),
    }));
    return { steps, silent: [...answers].flatMap(([node, answer]) => (answer === null ? [node] : [])) };
  };
}

async function ask(context: ControllerContext, node: string, { id, attempt }: Job): Promise<NodeSteps | null> {
  const session = context.sessions.get(node);
  if (!session) return null;
  try {
    const order = { jobId: id, attempt };
    return (await session.peer.call("node.usage", order, { deadlineMs: NODE_DEADLINE_MS })).steps;
  } catch (error) {
    context.log.warn("a node does not say what its steps use", { node, error: String(error) });
    return null;
  }
}
