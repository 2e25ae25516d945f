/** What a new daemon does about the steps of an earlier one: finds out how each stands, and goes on from there. */

import { sleep } from "../platform/clock.ts";
import { type AgentContext, logFields, RETRY_MS } from "./agent-context.ts";
import { applyStatus, reportEnd } from "./agent-end.ts";
import { abandon, lose, loseToReboot } from "./agent-lost.ts";
import { messageOf } from "./deferred.ts";
import type { HolderPort } from "./holder-port.ts";
import { newEntry, type StepEntry } from "./step-table.ts";

/** A holder that does not answer in so many tries stops holding up the start; its steps are asked for later. */
const STATUS_TRIES = 3;

/** After registering, the controller orders again what it takes for unconfirmed; this much later it has. */
const IDLE_WAIT_MS = 60_000;

/** Takes over what the spool and the living holders tell. Resolves when each step's state is known. */
export async function adopt(context: AgentContext): Promise<void> {
  for (const { record, end } of context.spool.steps) {
    const entry = newEntry(record, end, true);
    context.steps.add(entry);
    if (end) reportEnd(context, entry);
  }
  const holders = await context.holders.adopt();
  for (const holder of holders) await askStatus(context, holder);
  for (const entry of context.steps.all()) {
    if (entry.phase === "idle") settle(context, entry);
  }
}

/**
 * After a registration: steps that an earlier daemon recorded, that no holder knows and that nobody ordered again are
 * unknown to everybody, and are given up.
 */
export function reviewIdle(context: AgentContext): void {
  context.clock.after(IDLE_WAIT_MS, () => {
    if (context.stopped) return;
    for (const entry of context.steps.all()) {
      if (entry.adopted && entry.phase === "idle" && !entry.cancelled) void giveUp(context, entry);
    }
  });
}

/** A step that no living holder spoke of. */
function settle(context: AgentContext, entry: StepEntry): void {
  const { record } = entry;
  if (record.bootId !== context.bootId) return loseToReboot(context, entry);
  // Never handed to a holder: it waits for the controller to order it again.
  if (!record.holder) return;
  const holder = context.holders.find(record.holder);
  // The order may still be on its way from the earlier daemon; asking that same holder again is safe.
  if (holder) entry.holder = holder;
  else abandon(context, entry);
}

async function giveUp(context: AgentContext, entry: StepEntry): Promise<void> {
  if (entry.holder && !(await askStatus(context, entry.holder))) return reviewIdle(context);
  if (entry.phase !== "idle") return;
  context.log.warn("a recorded step is known to nobody", logFields(entry.record.key));
  await lose(context, entry, "the node's daemon was restarted before the step began");
}

/** Takes in what a holder knows; false if it does not answer. */
async function askStatus(context: AgentContext, holder: HolderPort): Promise<boolean> {
  for (let tries = 1; tries <= STATUS_TRIES; tries++) {
    try {
      for (const status of await holder.status()) applyStatus(context, holder, status);
      return true;
    } catch (error) {
      const { socket, pid } = holder.identity;
      context.log.warn("a holder does not tell its state", { socket, holderPid: pid, error: messageOf(error) });
      if (context.holders.isGone(holder)) return false;
      await sleep(context.clock, RETRY_MS);
    }
  }
  return false;
}
