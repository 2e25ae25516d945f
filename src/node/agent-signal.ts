/** Orders to signal. One that comes too early or too late for its step is no error: signals race with ends. */

import { SIGKILL } from "../core/signals.ts";
import type { Params } from "../protocol/procedures.ts";
import { type AgentContext, logFields } from "./agent-context.ts";
import { messageOf } from "./deferred.ts";
import type { StepEntry } from "./step-table.ts";

/**
 * Passes a signal on: to one step, to all but the batch script (`steps`; for SIGKILL to that too, as Slurm's scancel), or
 * to everything (`full`).
 */
export function orderSignal(context: AgentContext, order: Params<"node.signal">): void {
  const { jobId, attempt, target, signal } = order;
  const entries = context.steps.ofStart(jobId, attempt).filter(isMeant);
  if (entries.length === 0) context.log.info("a signal finds no step", { jobId, attempt, target, signal });
  // A script named by itself gets it alone, for its own trap; otherwise all of a step's processes do.
  for (const entry of entries) void pass(context, entry, signal, entry.record.kind !== "batch" || target === "full");

  function isMeant({ record }: StepEntry): boolean {
    if (target === "full") return true;
    if (target === "steps") return record.kind !== "batch" || signal === SIGKILL;
    return record.key.stepId === target;
  }
}

async function pass(context: AgentContext, entry: StepEntry, signal: number, tree: boolean): Promise<void> {
  const { key } = entry.record;
  // A step on its way to its holder gets it once it is there.
  await entry.recorded.catch(() => {});
  await entry.handed;
  if (entry.phase === "ended") return;
  try {
    // A script outlives its holder; any other finds its processes.
    const holder = entry.holder ?? (await context.holders.sharedFor(entry.record));
    await holder.signal(key, signal, tree);
  } catch (error) {
    context.log.warn("a signal could not be passed on", { ...logFields(key), signal, error: messageOf(error) });
  }
}
