/**
 * How steps end: the end is on disk before the holder may forget it and before the controller hears of it, and a step
 * is forgotten here only when the controller has the end on disk. What it may have left behind is not: the last step of
 * a start stays until nothing of the job is left, so that an order to end the job finds it.
 */

import type { StepKey } from "../core/ids.ts";
import type { ExitStatus } from "../core/job.ts";
import type { HolderStep } from "../protocol/holder.ts";
import type { NodeReport } from "../protocol/procedures.ts";
import { type AgentContext, logFields } from "./agent-context.ts";
import { messageOf } from "./deferred.ts";
import type { HolderPort } from "./holder-port.ts";
import { admit, leaveGroup } from "./memory-limits.ts";
import type { StepEnd } from "./spool-records.ts";
import type { StepEntry } from "./step-table.ts";
import { isGoneIndeed } from "./user-end.ts";

/** How a step ends whose holder can tell nothing of it any more. */
export const HOLDER_LOST = { type: "lost", cause: "holder lost" } as const;

/** Exit of a task that could not be started. */
const EXIT_FAILED: ExitStatus = { code: 1, signal: 0 };

/** Takes in what a holder says of a step. What is known already changes nothing. */
export function applyStatus(context: AgentContext, holder: HolderPort, status: HolderStep): void {
  const entry = context.steps.get(status.key);
  // A user's holder is in that user's hands.
  if (entry && holder.owner !== entry.record.user?.uid) {
    const facts = { ...logFields(status.key), socket: holder.identity.socket };
    return context.log.warn("a holder speaks of a step that is not its user's", facts);
  }
  if (!entry || entry.phase === "ended") return applyLate(context, holder, status, entry);
  entry.holder = holder;
  admit(context, entry, holder, status);
  if (status.phase === "ended") return void endStep(context, entry, endOf(context, status, entry));
  if (entry.phase === "running") return;
  entry.phase = "running";
  context.gpuWatch.review();
  context.reports.add({ type: "started", key: status.key });
}

/** Ends a step, once; resolves when the end is recorded and on its way. Never rejects. */
export async function endStep(context: AgentContext, entry: StepEntry, end: StepEnd): Promise<void> {
  if (entry.phase === "ended") return entry.over.promise;
  const { key } = entry.record;
  entry.phase = "ended";
  const known = { ...end, ...(end.type === "ended" ? { clean: end.clean && isLast(context, entry) } : {}) };
  entry.end = known;
  context.reports.dropStarted(key);
  try {
    await context.spool.writeEnd(key, known, context.clock.now());
    if (leftNothing(entry)) await noteAllClean(context, entry);
    letGo(context, entry);
  } catch (error) {
    // The holder remembers the end until the controller has it.
    context.log.error("a step's end can't be recorded", { ...logFields(key), error: messageOf(error) });
  }
  reportEnd(context, entry);
}

/** Whose trouble it is that a step could not be started. */
export interface LaunchFault {
  /** Another step would have fared no better here. */
  readonly nodeFault: boolean;
  /** Only those of this user fare no better here. */
  readonly unwelcome?: true;
}

/**
 * Ends a step that could not be started, with a problem in words.
 * @param unasked no holder was ever asked to start it
 */
export function failStep(
  context: AgentContext,
  entry: StepEntry,
  problem: string,
  { unasked, nodeFault, unwelcome }: LaunchFault & { readonly unasked: boolean },
): Promise<void> {
  context.log.warn("a step can't be started", { ...logFields(entry.record.key), problem });
  const exits = Array.from({ length: entry.record.tasks }, () => EXIT_FAILED);
  return endStep(context, entry, {
    type: "ended",
    exits,
    problem,
    clean: unasked && isQuietBut(context, entry.record.key),
    ...(nodeFault ? { nodeFault } : {}),
    ...(unwelcome ? { unwelcome } : {}),
  });
}

/** Notes that nothing is left of an ended step; the next daemon must not wait to be told so again. Never rejects. */
export async function noteClean(context: AgentContext, entry: StepEntry): Promise<void> {
  const { end, record } = entry;
  if (end?.type !== "ended" || end.clean) return;
  entry.end = { ...end, clean: true };
  try {
    await context.spool.writeEnd(record.key, entry.end, context.clock.now());
  } catch (error) {
    context.log.error("a step's end can't be recorded", { ...logFields(record.key), error: messageOf(error) });
  }
}

/** Queues the report of an ended step. */
export function reportEnd(context: AgentContext, entry: StepEntry): void {
  const { key } = entry.record;
  const { end } = entry;
  if (end?.type === "ended") {
    const { exits, problem, clean, outOfMemory = false, nodeFault, unwelcome, usage } = end;
    context.reports.add({
      type: "ended",
      key,
      exits: [...exits],
      problem,
      clean,
      outOfMemory,
      ...(nodeFault ? { nodeFault } : {}),
      ...(unwelcome ? { unwelcome } : {}),
      ...(usage ? { usage } : {}),
    });
  } else if (end) {
    context.reports.add({ type: "lost", key, cause: end.cause });
  }
  entry.over.resolve();
}

/** The controller has these reports on disk. */
export function confirmReports(context: AgentContext, reports: readonly NodeReport[]): void {
  for (const report of reports) {
    if (report.type === "started" || report.type === "cleaned") continue;
    const { jobId, attempt } = report.key;
    const entry = context.steps.get(report.key);
    if (entry?.phase === "ended") entry.confirmed = true;
    retire(context, jobId, attempt);
  }
}

/** Forgets the steps of a start that are over and confirmed, all but one for what they may have left behind. */
export function retire(context: AgentContext, jobId: number, attempt: number): void {
  const { steps, closed, spool, log } = context;
  if (closed.isClearing(jobId, attempt)) return;
  const isClear = closed.isClear(jobId, attempt);
  const entries = steps.ofStart(jobId, attempt);
  const isOver = (entry: StepEntry): boolean => entry.confirmed && (isClear || leftNothing(entry));
  const messy = entries.filter((entry) => !isOver(entry));
  const reminder = messy.find((entry) => !entry.confirmed) ?? messy[0];
  const over = entries.filter((entry) => entry.confirmed && entry !== reminder);
  for (const entry of over) {
    steps.delete(entry);
    letGo(context, entry);
    if (hasGroup(entry)) void leaveGroup(context, entry.record.key);
  }
  if (!reminder) closed.dropClear(jobId, attempt);
  if (over.length === 0) return;
  for (const { record } of over) {
    if (record.user && record.kind === "batch") void context.holders.others?.removeBatch(record.user, record.key);
  }
  spool.finish(over.map((entry) => entry.record)).catch((error: unknown) => {
    // The next daemon reports these ends once more, and then removes them.
    log.error("a finished step's record can't be removed", { jobId, attempt, error: messageOf(error) });
  });
}

/** Whether it may have a control group: of a batch script it is on record what it may use. */
function hasGroup({ record: { kind, memory } }: StepEntry): boolean {
  return kind !== "batch" || memory !== undefined;
}

/** Whether all other steps of its start on this node are over: none runs, and none is about to. */
function isLast({ steps }: AgentContext, entry: StepEntry): boolean {
  const { jobId, attempt } = entry.record.key;
  return steps.ofStart(jobId, attempt).every((other) => other === entry || other.phase === "ended");
}

/** Nothing of the job is left: what its earlier steps may have left is gone too. */
async function noteAllClean(context: AgentContext, entry: StepEntry): Promise<void> {
  const { jobId, attempt } = entry.record.key;
  if (entry.end?.type !== "ended") return;
  for (const other of context.steps.ofStart(jobId, attempt)) {
    if (other.phase !== "ended") continue;
    await noteClean(context, other);
  }
}

/** Whether nothing of a start runs on this node, is about to, or may have been left behind; one step aside. */
export function isQuietBut({ steps }: AgentContext, { jobId, attempt, stepId }: StepKey): boolean {
  const isQuiet = (entry: StepEntry): boolean => entry.phase === "ended" && leftNothing(entry);
  return steps.ofStart(jobId, attempt).every((entry) => entry.record.key.stepId === stepId || isQuiet(entry));
}

/** Whether nothing of an ended step is left. Leftovers of a lost one are cleared away before it is reported. */
export function leftNothing({ end }: StepEntry): boolean {
  return end?.type === "lost" || (end?.type === "ended" && end.clean);
}

/** A holder speaks of a step that is over here, or was never heard of. */
function applyLate(context: AgentContext, holder: HolderPort, status: HolderStep, entry: StepEntry | undefined): void {
  const { key } = status;
  if (status.phase === "ended") {
    if (entry) entry.holder = holder;
    return forget(context, holder, status);
  }
  // Old news: the answer to a question, overtaken by the step's end. Or a step that nobody recorded.
  const isClosed = context.closed.includes(key) || context.closed.includesStep(key);
  if (!isClosed) return context.log.debug("a holder runs a step that is over here", logFields(key));
  // An order of an earlier daemon reached the holder after the job, or the step, was cleared away.
  holder.terminateStep(key, context.killWaitMs).catch((error: unknown) => {
    context.log.error("a late step can't be ended", { ...logFields(key), error: messageOf(error) });
  });
}

function letGo(context: AgentContext, entry: StepEntry): void {
  if (entry.forgotten || !entry.holder || context.holders.isGone(entry.holder)) return;
  entry.forgotten = true;
  forget(context, entry.holder, entry.record);
}

function forget(context: AgentContext, holder: HolderPort, { key }: Pick<HolderStep, "key">): void {
  holder.forget(key).catch((error: unknown) => {
    // It is told again when a later daemon adopts the holder.
    context.log.debug("a holder was not told to forget a step", { ...logFields(key), error: messageOf(error) });
  });
}

/** A problem with exits that all look well would count as success. */
function endOf(context: AgentContext, status: HolderStep, entry: StepEntry): StepEnd {
  const { gpuWatch } = context;
  const { exits, problem, outOfMemory } = status;
  const clean = status.clean && isGoneIndeed(context, entry.record);
  const usage = status.usage && gpuWatch.withGpus(status.key, status.usage);
  gpuWatch.forget(status.key);
  const isFine = exits.length > 0 && (problem === "" || exits.some((exit) => exit.code !== 0 || exit.signal !== 0));
  const failed = Array.from({ length: entry.record.tasks }, () => EXIT_FAILED);
  const more = { ...(outOfMemory ? { outOfMemory } : {}), ...(usage ? { usage } : {}) };
  return { type: "ended", exits: isFine ? [...exits] : failed, problem, clean, ...more };
}
