/**
 * Orders to launch, each followed at most once however often it comes: the launch is on disk before the order is
 * answered, and a holder is asked only then. A holder takes the same launch twice without harm, so asking the same one
 * again after a lost answer is safe; asking another one is not, and never done.
 */

import { sleep } from "../platform/clock.ts";
import { RpcError } from "../protocol/errors.ts";
import type { StepLaunch } from "../protocol/holder.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";
import { type AgentContext, batchFolderOf, logFields, RETRY_MS } from "./agent-context.ts";
import { applyStatus, endStep, failStep, reportEnd } from "./agent-end.ts";
import { EXIT_ENDED } from "./agent-terminate.ts";
import { reportUnstarted } from "./agent-terminate-step.ts";
import { isOthers, settleUser } from "./agent-user.ts";
import { messageOf } from "./deferred.ts";
import { identityOf, isSameHolder } from "./holder-crew.ts";
import type { HolderPort } from "./holder-port.ts";
import { buildStepLaunch, memoryOf, taskCount } from "./launch.ts";
import { type BoundTasks, bindTasks } from "./launch-cpus.ts";
import { partOf } from "./launch-part.ts";
import { withGroup } from "./memory-limits.ts";
import type { LaunchRecord } from "./spool-records.ts";
import { newEntry, type StepEntry } from "./step-table.ts";

/** Holders that may die between their start and their first launch before the step is given up. */
const HOLDER_TRIES = 3;

/**
 * Takes an order; resolves when it is on disk, and goes on from there.
 * @throws RpcError STORAGE if it can't be recorded; then nothing was started
 */
export async function orderLaunch(context: AgentContext, launch: NodeLaunch): Promise<void> {
  const { steps, spool } = context;
  const known = steps.get(launch.key);
  if (!known && isOver(context, launch)) return refuse(context, launch, "this start of the job is over on this node");
  if (!known && context.closed.hasStep(launch.key, launch.startAt)) {
    return reportUnstarted(context, launch.key, taskCount(launch, context.name));
  }
  if (known && known.record.startAt !== launch.startAt) {
    return refuse(context, launch, "the node still has an earlier job of the same number");
  }
  const entry = known ?? newEntry(recordOf(context, launch), null, false);
  if (!known) {
    entry.recorded = spool.writeLaunch(entry.record);
    steps.add(entry);
  }
  try {
    await entry.recorded;
  } catch (error) {
    if (steps.get(launch.key) === entry) steps.delete(entry);
    throw new RpcError("STORAGE", `node ${context.name} can't record the launch: ${messageOf(error)}`);
  }
  proceed(context, entry, launch);
}

/** Goes on with a recorded launch, or says again how it stands. */
function proceed(context: AgentContext, entry: StepEntry, launch: NodeLaunch): void {
  const { key } = entry.record;
  switch (entry.phase) {
    case "idle":
      // One that is being cleared away is ended by that.
      if (!entry.cancelled) hand(context, entry, launch);
      return;
    case "running":
      return context.reports.add({ type: "started", key });
    case "ended":
      // Before its end is recorded, the report is still to come.
      void entry.over.promise.then(() => reportEnd(context, entry));
      return;
    case "handing":
    case "orphaned":
      return;
  }
}

function refuse(context: AgentContext, { key }: NodeLaunch, cause: string): void {
  context.log.warn("an order to launch comes too late", { ...logFields(key), cause });
  context.reports.add({ type: "lost", key, cause });
}

function isOver({ spool, closed }: AgentContext, { key, startAt }: NodeLaunch): boolean {
  return spool.isFinished(key, startAt) || closed.has(key, startAt);
}

function recordOf(context: AgentContext, launch: NodeLaunch): LaunchRecord {
  const { key, program, startAt } = launch;
  const kind = program.pty ? "pty" : key.stepId === "batch" ? "batch" : "run";
  // Mostly the holder that will be asked is known by now; that spares writing the record again.
  const shared = kind === "pty" || isOthers(context, launch) ? null : context.holders.livingShared;
  const receivedAt = context.clock.now();
  const holder = shared && identityOf(shared);
  const bound = bindHere(context, launch);
  const gpus = launch.layout.find(({ node }) => node === context.name)?.gpus.map(({ index }) => index) ?? [];
  return {
    ...{ key, kind, tasks: taskCount(launch, context.name), startAt, receivedAt, holder },
    ...(gpus.length > 0 ? { gpus } : {}),
    bootId: context.bootId,
    ...(kind === "batch" ? batchMemory(context, launch) : {}),
    ...(bound && "tasks" in bound ? { cpus: bound.tasks } : {}),
  };
}

/** What keeps a batch script within its memory when its holder is gone. */
function batchMemory({ name, gpuProvider }: AgentContext, launch: NodeLaunch): Pick<LaunchRecord, "memory"> {
  const part = partOf(launch, name, { gpuProvider });
  const { memory } = part ? memoryOf(launch, part) : {};
  return memory ? { memory } : {};
}

/** CPUs for a new step, beside those that the node's other steps are bound to. */
function bindHere({ name, gpuProvider, steps, cpus }: AgentContext, launch: NodeLaunch): BoundTasks | null {
  const part = launch.program.cpuBind && partOf(launch, name, { gpuProvider });
  if (!part) return null;
  const claims = new Map<number, number>();
  for (const { phase, record } of steps.all()) {
    if (phase === "ended") continue;
    for (const id of (record.cpus ?? []).flat()) claims.set(id, (claims.get(id) ?? 0) + 1);
  }
  return bindTasks(launch, part, cpus(), claims);
}

function hand(context: AgentContext, entry: StepEntry, launch: NodeLaunch): void {
  entry.phase = "handing";
  entry.handed = handOver(context, entry, launch).catch((error: unknown) =>
    failStep(context, entry, `the step can't be started: ${messageOf(error)}`, {
      unasked: entry.holder === null,
      nodeFault: true,
    }),
  );
}

async function handOver(context: AgentContext, entry: StepEntry, ordered: NodeLaunch): Promise<void> {
  const { name, gpuProvider, gpuMemory, gpuCpus, exists } = context;
  const settled = await settleUser(context, ordered);
  if ("problem" in settled) {
    return failStep(context, entry, settled.problem, { unasked: true, ...settled.fault });
  }
  const { launch, user } = settled;
  if (user) entry.record = { ...entry.record, user };
  const { cpus: tasks } = entry.record;
  const bound = tasks ? { tasks } : bindHere(context, launch);
  const spoolFolder = batchFolderOf(context, entry.record);
  const place = { name, gpuProvider, gpuMemory, gpuCpus, spoolFolder, cpus: cpusFor(context, launch), bound, exists };
  const built = buildStepLaunch(launch, place);
  if ("problem" in built) return failStep(context, entry, built.problem, { unasked: true, nodeFault: false });
  const limited = withGroup(context, built.step);
  if ("problem" in limited) return failStep(context, entry, limited.problem, { unasked: true, nodeFault: true });
  const holder = entry.holder ?? (await chooseHolder(context, entry));
  if (entry.cancelled) {
    const exits = Array.from({ length: entry.record.tasks }, () => EXIT_ENDED);
    return endStep(context, entry, { type: "ended", exits, problem: "ended before it could start", clean: false });
  }
  await launchAt(context, entry, holder, limited.step);
}

/** They are read from files: not for a step that says nothing of them. */
function cpusFor({ cpus }: AgentContext, { program }: NodeLaunch): ReturnType<AgentContext["cpus"]> {
  return program.cpuBind ? cpus() : [];
}

/** Gives a step a living holder, recorded as the one that is asked. Rejects if there is none to be had. */
async function chooseHolder(context: AgentContext, entry: StepEntry): Promise<HolderPort> {
  for (let tries = 1; tries <= HOLDER_TRIES; tries++) {
    const holder = await context.holders.forStep(entry.record);
    if (!entry.record.holder || !isSameHolder(entry.record.holder, holder.identity)) {
      entry.record = { ...entry.record, holder: identityOf(holder) };
      await context.spool.writeLaunch(entry.record);
    }
    // Gone meanwhile, and never asked: another one may be. From here on, its end is the step's.
    if (context.holders.isGone(holder)) continue;
    entry.holder = holder;
    return holder;
  }
  throw new Error("one holder after the other died at once; see the log of mgpu-stepd");
}

/** Asks until there is an answer. A holder that is gone is no longer asked: its steps are seen to elsewhere. */
async function launchAt(context: AgentContext, entry: StepEntry, holder: HolderPort, step: StepLaunch): Promise<void> {
  while (!context.stopped && entry.phase === "handing" && !context.holders.isGone(holder)) {
    try {
      return applyStatus(context, holder, await holder.launch(step));
    } catch (error) {
      const problem = messageOf(error);
      if (isRefusal(error)) {
        const nodeFault = !/^(BAD_PARAMS|TOO_LARGE)$/.test((error as RpcError).code);
        return failStep(context, entry, `the holder refused the step: ${problem}`, { unasked: false, nodeFault });
      }
      context.log.warn("a holder did not answer a launch", { ...logFields(entry.record.key), error: problem });
      if (entry.cancelled) return;
      await sleep(context.clock, RETRY_MS);
    }
  }
}

/** An answer that says no. Without an answer, the step may have started. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof RpcError)) return false;
  return !["LOST_CONTACT", "DEADLINE", "CANCELLED", "TOO_MANY_CALLS"].includes(error.code);
}
