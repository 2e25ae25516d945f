/** node.notify: what somebody has to say in a job's output, passed on to the holders of its steps. */

import type { Params, Result } from "../protocol/procedures.ts";
import { type AgentContext, batchFolderOf } from "./agent-context.ts";
import { messageOf } from "./deferred.ts";
import type { StepEntry } from "./step-table.ts";

/** To a batch job's script alone; to each step of any other job. */
export async function passNotice(context: AgentContext, order: Params<"node.notify">): Promise<Result<"node.notify">> {
  const { jobId, attempt, message } = order;
  const entries = context.steps.ofStart(jobId, attempt).filter(({ phase }) => phase !== "ended");
  const scripts = entries.filter(({ record }) => record.kind === "batch");
  const answers = await Promise.all(
    (scripts.length > 0 ? scripts : entries).map((entry) => say(context, entry, message)),
  );
  return { said: answers.filter(Boolean).length };
}

async function say(context: AgentContext, entry: StepEntry, message: string): Promise<boolean> {
  const { key, kind } = entry.record;
  await entry.handed;
  try {
    const holder = entry.holder ?? (await context.holders.sharedFor(entry.record));
    return await holder.notify(key, message, kind === "batch" ? batchFolderOf(context, entry.record) : null);
  } catch (error) {
    context.log.warn("a message could not be passed on", { jobId: key.jobId, error: messageOf(error) });
    return false;
  }
}
