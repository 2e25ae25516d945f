/** Orders to end a job here: everything of it, with nothing of it started afterwards; then the node says it is clear. */

import { formatStart, formatStepKey } from "../core/ids.ts";
import type { ExitStatus } from "../core/job.ts";
import { sleep } from "../platform/clock.ts";
import type { TerminateCause, TerminateDetails } from "../protocol/holder.ts";
import { type AgentContext, batchFolderOf, RETRY_MS } from "./agent-context.ts";
import { applyStatus, endStep, HOLDER_LOST, noteClean, retire } from "./agent-end.ts";
import { endBatch } from "./agent-lost.ts";
import { messageOf, within } from "./deferred.ts";
import type { HolderPort } from "./holder-port.ts";
import { clearGroups } from "./memory-limits.ts";
import type { StepEntry } from "./step-table.ts";
import { endSurely, holdersTimeOver } from "./user-end.ts";

/** Once no process is left, a holder tells the ends of its steps this soon; the job is clear in any case. */
export const ENDS_WAIT_MS = 5000;

/** Longer than a holder's answer to a launch can take: then it is dead, and its end is the launch's. */
export const HANDED_WAIT_MS = 60_000;

/** SIGTERM: what ended a step that did not come to run. */
export const EXIT_ENDED: ExitStatus = { code: 0, signal: 15 };

/** What is to be ended, and why if what still runs is to say so. */
interface TerminateOrder {
  readonly jobId: number;
  readonly attempt: number;
  readonly cause?: TerminateCause | undefined;
}

/** Takes the order and goes on from there. Repeating it while it is followed changes nothing. */
export function orderTerminate(context: AgentContext, order: TerminateOrder): void {
  const { jobId, attempt } = order;
  const { closed, steps, reports } = context;
  if (closed.isClearing(jobId, attempt)) return;
  const entries = steps.ofStart(jobId, attempt);
  // Of what no record speaks of, no launch can be on its way; a later job may get the number.
  if (!isStray(context, order)) closed.close(jobId, attempt, entries[0]?.record.startAt ?? null);
  if (entries.length === 0 && !isStray(context, order)) return reports.add({ type: "cleaned", jobId, attempt });
  closed.beginClearing(jobId, attempt);
  for (const entry of entries) entry.cancelled = true;
  void clearJob(context, order, entries).then((isClear) => {
    closed.endClearing(jobId, attempt, isClear && entries.some((entry) => steps.get(entry.record.key) === entry));
    if (isClear) {
      if (context.strays.delete(formatStart(order))) clearGroups(context);
      reports.add({ type: "cleaned", jobId, attempt });
    }
    retire(context, jobId, attempt);
  });
}

/** False if the daemon ended before the job was cleared away. Never rejects. */
async function clearJob(context: AgentContext, order: TerminateOrder, ordered: readonly StepEntry[]): Promise<boolean> {
  const { jobId, attempt } = order;
  // A launch on its way to a holder arrives there first.
  for (const entry of ordered) {
    await entry.recorded.catch(() => {});
    await within(context.clock, entry.handed, HANDED_WAIT_MS);
  }
  const { user } = ordered[0]?.record ?? {};
  const overAt = holdersTimeOver(context, user);
  // Those that could not be recorded are gone again.
  const entries = ordered.filter((entry) => context.steps.get(entry.record.key) === entry);
  while (!context.stopped && (entries.length > 0 || isStray(context, order))) {
    try {
      const asked = new Set<HolderPort>();
      const end = { user, overAt, name: formatStart(order), holders: () => asked };
      await endSurely(context, end, () => sweep(context, order, entries, asked));
      const ends = entries.map((entry) => entry.over.promise);
      await within(context.clock, Promise.all(ends), ENDS_WAIT_MS);
      if (context.clock.monotonic() >= overAt) for (const entry of entries) await endStep(context, entry, HOLDER_LOST);
      for (const entry of entries) await noteClean(context, entry);
      return true;
    } catch (error) {
      context.log.warn("a job can't be cleared away", { jobId, attempt, error: messageOf(error) });
      await sleep(context.clock, RETRY_MS);
    }
  }
  return !context.stopped;
}

/** Whether the order is for processes that no record speaks of. */
function isStray({ strays }: AgentContext, order: TerminateOrder): boolean {
  return strays.has(formatStart(order));
}

/** Ends a job's processes, then asks how its steps ended. Rejects if a holder is gone meanwhile. */
async function sweep(
  context: AgentContext,
  order: TerminateOrder,
  entries: readonly StepEntry[],
  asked: Set<HolderPort>,
): Promise<void> {
  const { jobId, attempt } = order;
  const seekers = new Map<HolderPort, StepEntry[]>();
  const orphans: StepEntry[] = [];
  for (const entry of entries) {
    const { holder } = entry;
    if (!holder || context.holders.isGone(holder)) orphans.push(entry);
    else seekers.set(holder, [...(seekers.get(holder) ?? []), entry]);
  }
  const [first] = seekers.keys();
  // All steps of a job are its user's.
  const heir = first ?? (await context.holders.sharedFor(entries[0]?.record ?? {}));
  seekers.set(heir, [...(seekers.get(heir) ?? []), ...orphans]);
  const holders = [...seekers.keys()];
  for (const holder of holders) asked.add(holder);
  await Promise.all(
    [...seekers].map(([holder, own]) => {
      const others = entries.filter((entry) => !own.includes(entry));
      return holder.terminate(jobId, attempt, context.killWaitMs, detailsOf(context, order, own, others));
    }),
  );
  const known = new Set<string>();
  for (const holder of holders) {
    for (const status of await holder.status()) {
      if (status.key.jobId !== jobId || status.key.attempt !== attempt) continue;
      known.add(formatStepKey(status.key));
      applyStatus(context, holder, status);
    }
  }
  for (const entry of entries) {
    if (entry.phase === "ended") continue;
    if (entry.phase === "orphaned") await endOrphan(context, entry);
    // One that a holder knows is about to end there.
    else if (!known.has(formatStepKey(entry.record.key))) await endUnstarted(context, entry);
  }
}

/**
 * What a holder is told beyond signals.
 * @param own steps that a holder ends, those of dead holders included
 * @param others steps that other holders end
 */
export function detailsOf(
  context: AgentContext,
  { cause }: Pick<TerminateOrder, "cause">,
  own: readonly StepEntry[],
  others: readonly StepEntry[],
): TerminateDetails {
  const elsewhere = others.map((entry) => formatStepKey(entry.record.key));
  const scripts = own.filter(({ phase, record }) => record.kind === "batch" && phase !== "ended");
  return {
    ...(elsewhere.length > 0 ? { elsewhere } : {}),
    ...(cause
      ? { notice: { cause, node: context.name, scripts: scripts.map(({ record }) => batchFolderOf(context, record)) } }
      : {}),
  };
}

async function endOrphan(context: AgentContext, entry: StepEntry): Promise<void> {
  // Others are being cleared away already, and reported lost.
  if (entry.record.kind === "batch") await endBatch(context, entry);
}

function endUnstarted(context: AgentContext, entry: StepEntry): Promise<void> {
  const exits = Array.from({ length: entry.record.tasks }, () => EXIT_ENDED);
  return endStep(context, entry, { type: "ended", exits, problem: "ended before it was started", clean: true });
}
