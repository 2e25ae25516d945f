/** node.usage: what the running steps of a job used so far, asked of their holders. */

import type { Params, Result } from "../protocol/procedures.ts";
import type { AgentContext } from "./agent-context.ts";
import { messageOf } from "./deferred.ts";

/** A holder that does not answer (an older one does not know the question) leaves its steps out. */
export async function tellUsage(context: AgentContext, order: Params<"node.usage">): Promise<Result<"node.usage">> {
  const { jobId, attempt } = order;
  const entries = context.steps.ofStart(jobId, attempt).filter(({ phase }) => phase !== "ended");
  const holders = new Set(entries.flatMap(({ holder }) => holder ?? []));
  const answers = await Promise.all(
    [...holders].map((holder) =>
      holder.usage(jobId, attempt).catch((error: unknown) => {
        context.log.warn("a holder does not say what its steps use", { jobId, attempt, error: messageOf(error) });
        return [];
      }),
    ),
  );
  return {
    steps: answers.flat().map(({ key, usage, pids }) => {
      return { stepId: key.stepId, pids, ...(usage ? { usage: context.gpuWatch.withGpus(key, usage) } : {}) };
    }),
  };
}
