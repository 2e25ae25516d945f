/** Orders to end one step here: its processes on this node only; its end is reported as any other. */

import { formatStepKey, type StepKey } from "../core/ids.ts";
import { sleep } from "../platform/clock.ts";
import type { TerminateCause } from "../protocol/holder.ts";
import { type AgentContext, logFields, RETRY_MS } from "./agent-context.ts";
import { applyStatus, endStep, HOLDER_LOST, isQuietBut, reportEnd } from "./agent-end.ts";
import { endBatch } from "./agent-lost.ts";
import { detailsOf, ENDS_WAIT_MS, EXIT_ENDED, HANDED_WAIT_MS } from "./agent-terminate.ts";
import { messageOf, within } from "./deferred.ts";
import type { HolderPort } from "./holder-port.ts";
import type { StepEntry } from "./step-table.ts";
import { endSurely, holdersTimeOver } from "./user-end.ts";

/** An order to launch that was overtaken by the order to end is here by then; else there never was a step. */
const OVERTAKEN_MS = 10_000;

const UNSTARTED = "ended before it was started";

/** Takes the order and goes on from there. Repeating it while it is followed changes nothing. */
export function orderTerminateStep(context: AgentContext, key: StepKey, cause?: TerminateCause): void {
  const entry = context.steps.get(key);
  context.closed.closeStep(key, entry?.record.startAt ?? null);
  if (!entry) {
    context.clock.after(OVERTAKEN_MS, () => {
      if (!context.stopped && !context.steps.get(key)) reportUnstarted(context, key, 1);
    });
    return;
  }
  if (entry.phase === "ended") return void entry.over.promise.then(() => reportEnd(context, entry));
  // On its way, alone or with its job.
  if (entry.cancelled) return;
  entry.cancelled = true;
  void clearStep(context, entry, cause);
}

/** Answers an order to launch a step that was ended before the order came. */
export function reportUnstarted(context: AgentContext, key: StepKey, tasks: number): void {
  const exits = Array.from({ length: tasks }, () => EXIT_ENDED);
  const clean = isQuietBut(context, key);
  context.reports.add({ type: "ended", key, exits, problem: UNSTARTED, clean });
}

/** Never rejects. */
async function clearStep(context: AgentContext, entry: StepEntry, cause?: TerminateCause): Promise<void> {
  const { clock, log, steps } = context;
  const { key, user } = entry.record;
  // A launch on its way to a holder arrives there first.
  await entry.recorded.catch(() => {});
  await within(clock, entry.handed, HANDED_WAIT_MS);
  const overAt = holdersTimeOver(context, user);
  // One that could not be recorded is gone again.
  while (!context.stopped && steps.get(key) === entry && entry.phase !== "ended") {
    try {
      const asked = new Set<HolderPort>();
      const end = { user, overAt, name: formatStepKey(key), holders: () => asked };
      await endSurely(context, end, () => sweepStep(context, entry, cause, asked));
      await within(clock, entry.over.promise, ENDS_WAIT_MS);
      if (clock.monotonic() >= overAt) await endStep(context, entry, HOLDER_LOST);
    } catch (error) {
      log.warn("a step can't be ended", { ...logFields(key), error: messageOf(error) });
      await sleep(clock, RETRY_MS);
    }
  }
}

/** Ends a step's processes, then asks how it ended. Rejects if its holder is gone meanwhile. */
async function sweepStep(
  context: AgentContext,
  entry: StepEntry,
  cause: TerminateCause | undefined,
  asked: Set<HolderPort>,
): Promise<void> {
  const { record } = entry;
  const holder = await holderOf(context, entry);
  asked.add(holder);
  await holder.terminateStep(record.key, context.killWaitMs, detailsOf(context, { cause }, [entry], []));
  const name = formatStepKey(record.key);
  const status = (await holder.status()).find((one) => formatStepKey(one.key) === name);
  if (status) return applyStatus(context, holder, status);
  if (entry.phase === "orphaned") {
    // Others are being cleared away already, and reported lost.
    if (record.kind === "batch") await endBatch(context, entry);
    return;
  }
  if (entry.phase === "ended") return;
  const exits = Array.from({ length: record.tasks }, () => EXIT_ENDED);
  const clean = isQuietBut(context, record.key);
  await endStep(context, entry, { type: "ended", exits, problem: UNSTARTED, clean });
}

/** Its own, or any of its user's that lives: what it left is found by all of them. */
async function holderOf({ holders }: AgentContext, { holder, record }: StepEntry): Promise<HolderPort> {
  return holder && !holders.isGone(holder) ? holder : holders.sharedFor(record);
}
