/**
 * Steps whose holder is gone. A batch script needs none: its end is found in its files. Any other step has lost its
 * pipes and the only process that could have learnt its exit status: what is left of it is cleared away, then it is
 * reported lost, in this order, because its job may be started again at once.
 */

import { formatStepKey } from "../core/ids.ts";
import { sleep } from "../platform/clock.ts";
import { type AgentContext, batchFolderOf, logFields, RETRY_MS } from "./agent-context.ts";
import { endStep, HOLDER_LOST } from "./agent-end.ts";
import { messageOf } from "./deferred.ts";
import type { BatchExit } from "./holder/batch-spool.ts";
import type { HolderPort } from "./holder-port.ts";
import { hasKernelKilled } from "./memory-limits.ts";
import { watchOrphan } from "./orphan-memory.ts";
import type { StepEntry } from "./step-table.ts";
import { endSurely, holdersTimeOver } from "./user-end.ts";

/** How often a batch script's files are looked at: its end is seen this late at worst. */
const FOLLOW_MS = 250;

/** How often its memory is added up, as by a holder. */
const MEMORY_MS = 1000;

const NODE_REBOOTED = "node rebooted";

/** Sees to the steps of a holder that is gone. */
export function onHolderGone(context: AgentContext, holder: HolderPort): void {
  for (const entry of context.steps.all()) {
    if (entry.holder === holder && entry.phase !== "ended") abandon(context, entry);
  }
}

/** Sees to a step that no holder looks after any more. */
export function abandon(context: AgentContext, entry: StepEntry): void {
  const { record } = entry;
  context.log.warn("the holder of a step is gone", { ...logFields(record.key), kind: record.kind });
  entry.phase = "orphaned";
  entry.holder = null;
  if (record.kind === "batch") void follow(context, entry);
  else void lose(context, entry, HOLDER_LOST.cause);
}

/** Ends a step of which only the machine's former boot could tell; nothing of it can be left. */
export function loseToReboot(context: AgentContext, entry: StepEntry): void {
  entry.phase = "orphaned";
  void endStep(context, entry, { type: "lost", cause: NODE_REBOOTED });
}

/** Clears away what is left of a step, then reports it lost. Tries until it succeeds or the daemon ends. */
export async function lose(context: AgentContext, entry: StepEntry, cause: string): Promise<void> {
  entry.phase = "orphaned";
  const { key, user } = entry.record;
  const asked = new Set<HolderPort>();
  const end = { user, name: formatStepKey(key), overAt: holdersTimeOver(context, user), holders: () => asked };
  for (;;) {
    try {
      await endSurely(context, end, async () => {
        const holder = await context.holders.sharedFor(entry.record);
        asked.add(holder);
        // Other steps of the same job must not go with a lost one.
        await holder.terminateStep(key, context.killWaitMs);
      });
      break;
    } catch (error) {
      context.log.warn("a lost step can't be cleared away", { ...logFields(key), error: messageOf(error) });
    }
    await sleep(context.clock, RETRY_MS);
    if (context.stopped) return;
  }
  await endStep(context, entry, { type: "lost", cause });
}

/** Takes in how an orphaned batch script ended; one that can't be found any more is lost. */
export async function endBatch(context: AgentContext, entry: StepEntry): Promise<void> {
  const state = await readBatch(context, entry);
  if (entry.phase === "ended" || state.phase === "running") return;
  if (state.phase === "lost") return lose(context, entry, state.cause);
  // Its own exit is known; whether it left other processes behind is not.
  const isOut = entry.record.outOfMemory || hasKernelKilled(context, entry.record.key);
  const memory = isOut ? { outOfMemory: true } : {};
  await endStep(context, entry, { type: "ended", exits: [state.exit], problem: "", clean: false, ...memory });
}

async function follow(context: AgentContext, entry: StepEntry): Promise<void> {
  let isTold = false;
  let isMissing = false;
  let lookedMs = 0;
  while (!context.stopped && entry.phase === "orphaned") {
    const state = await readBatch(context, entry);
    // Its holder may have died between starting it and the script's first sign of life: missing once may be early.
    if (state.phase === "ended" || (state.phase === "lost" && isMissing)) return endBatch(context, entry);
    isMissing = state.phase === "lost";
    if (state.phase === "running" && !isTold) {
      isTold = true;
      context.reports.add({ type: "started", key: entry.record.key });
    }
    if (context.clock.now() - lookedMs >= MEMORY_MS) {
      await watchOrphan(context, entry);
      lookedMs = context.clock.now();
    }
    await sleep(context.clock, FOLLOW_MS);
  }
}

async function readBatch(context: AgentContext, entry: StepEntry): Promise<BatchExit> {
  const { key } = entry.record;
  try {
    return await context.followBatch(batchFolderOf(context, entry.record));
  } catch (error) {
    context.log.warn("a batch script's files can't be read", { ...logFields(key), error: messageOf(error) });
    return { phase: "running" };
  }
}
