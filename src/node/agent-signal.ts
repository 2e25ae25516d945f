/** Orders to signal. One that comes too early or too late for its step is no error: signals race with ends. */

import type { StepId } from "../core/ids.ts";
import type { Params } from "../protocol/procedures.ts";
import { type AgentContext, logFields } from "./agent-context.ts";
import { messageOf } from "./deferred.ts";
import type { StepEntry } from "./step-table.ts";

const SIGKILL = 9;

/** Passes a signal on. Without a step: to all but the batch script, and for SIGKILL to that too, as Slurm's scancel. */
export function orderSignal(context: AgentContext, order: Params<"node.signal">): void {
  const { jobId, attempt, stepId, signal } = order;
  const entries = context.steps.ofStart(jobId, attempt).filter((entry) => isMeant(entry.record.key.stepId));
  if (entries.length === 0) context.log.info("a signal finds no step", { jobId, attempt, step: stepId, signal });
  for (const entry of entries) void pass(context, entry, signal);

  function isMeant(id: StepId): boolean {
    return stepId === null ? id !== "batch" || signal === SIGKILL : id === stepId;
  }
}

async function pass(context: AgentContext, entry: StepEntry, signal: number): Promise<void> {
  const { key } = entry.record;
  // A step on its way to its holder gets it once it is there.
  await entry.handed;
  if (entry.phase === "ended") return;
  try {
    if (!entry.holder) throw new Error("its holder is gone; the job can only be ended");
    // A script gets it alone, for its own trap; a step's processes all get it.
    await entry.holder.signal(key, signal, key.stepId !== "batch");
  } catch (error) {
    context.log.warn("a signal could not be passed on", { ...logFields(key), signal, error: messageOf(error) });
  }
}
