/**
 * Steps in control groups, where this daemon may make any: each waits at its holder until its tasks are in its group, and
 * the group goes with the last that the daemon has to do with the step. Where it may not, or that fails, holders' watch
 * (holder/memory-watch.ts) keeps steps within their memory alone; it looks in any case.
 */

import { formatStepKey, type StepKey } from "../core/ids.ts";
import { sleep } from "../platform/clock.ts";
import type { MemoryGroups } from "../platform/memory-groups.ts";
import type { HolderStep, StepLaunch } from "../protocol/holder.ts";
import { type AgentContext, logFields } from "./agent-context.ts";
import { messageOf } from "./deferred.ts";
import type { HolderPort } from "./holder-port.ts";
import type { StepEntry } from "./step-table.ts";

/** How a node keeps steps within their memory. */
export interface MemoryLimits {
  /** `null` where there can be none; why, is in `problem`. */
  readonly groups: MemoryGroups | null;
  readonly problem: string;
  /** Nothing with a limit may run without one. */
  readonly isRequired: boolean;
}

/** Of a daemon that was told nothing of groups. */
export const NO_GROUPS: MemoryLimits = { groups: null, problem: "", isRequired: false };

/** First and longest wait before a group that is not empty yet is tried again, and how often. */
const REMOVE_MS_MIN = 20;
const REMOVE_MS_MAX = 5000;
const REMOVE_TRIES = 100;

/** How a node tells it: to its log, `mgpu doctor` and `scontrol show node`. */
export function memoryLimitsText({ groups, problem, isRequired }: MemoryLimits): string {
  if (groups) return `cgroup v${groups.version}, ${groups.folder}`;
  return isRequired ? `no job with a limit can start: ${problem}` : `looked at once a second: ${problem}`;
}

/** A launch with the group that its tasks are to be put in; or why it may not start. */
export function withGroup(
  { memory, log }: AgentContext,
  step: StepLaunch,
): { readonly step: StepLaunch } | { readonly problem: string } {
  if (!step.memory) return { step };
  const problem = `its memory can't be limited by a cgroup, as node.memory_enforcement demands`;
  if (!memory.groups) return memory.isRequired ? { problem: `${problem}: ${memory.problem}` } : { step };
  try {
    const { stepMiB, jobMiB } = step.memory;
    return { step: { ...step, memory: { stepMiB, jobMiB, group: memory.groups.make(step.key, step.memory) } } };
  } catch (error) {
    const why = messageOf(error);
    if (memory.isRequired) return { problem: `${problem}: ${why}` };
    log.warn("a step has no cgroup; its memory is only looked at", { ...logFields(step.key), error: why });
    return { step };
  }
}

/** Puts the waiting tasks of a step into its group, and lets them go on. Its holder tells of them more than once. */
export function admit({ memory, log }: AgentContext, entry: StepEntry, holder: HolderPort, status: HolderStep): void {
  const { key, waiting = [] } = status;
  const { user } = entry.record;
  if (waiting.length === 0 || entry.admitted) return;
  entry.admitted = true;
  for (const pid of waiting) {
    try {
      memory.groups?.enter(key, pid, user?.uid ?? null);
    } catch (error) {
      log.warn("a task can't be put into its cgroup", { ...logFields(key), pid, error: messageOf(error) });
    }
  }
  holder.go(key).catch((error: unknown) => {
    // Its holder says again that it waits, once it can be reached.
    entry.admitted = false;
    log.warn("a step was not told to go on", { ...logFields(key), error: messageOf(error) });
  });
}

/** Whether the kernel ended anything of a step for its memory. */
export function hasKernelKilled({ memory }: Pick<AgentContext, "memory">, key: StepKey): boolean {
  return (memory.groups?.read(key)?.kills ?? 0) > 0;
}

/** Removes the group of a step of which nothing is left, with whatever hid from us in there. Never rejects. */
export async function leaveGroup({ memory, clock, log, steps, ...context }: AgentContext, key: StepKey): Promise<void> {
  const { groups } = memory;
  if (!groups?.read(key)) return;
  let waitMs = REMOVE_MS_MIN;
  for (let tries = 1; !groups.remove(key); tries++) {
    if (tries === REMOVE_TRIES) return log.error("a cgroup can't be removed", { step: formatStepKey(key) });
    await sleep(clock, waitMs);
    waitMs = Math.min(waitMs * 2, REMOVE_MS_MAX);
    if (context.stopped || steps.get(key)) return;
  }
}

/** Removes what earlier daemons left of steps that nobody speaks of. */
export function clearGroups(context: AgentContext): void {
  const { groups } = context.memory;
  const left = (groups?.all() ?? []).filter(({ jobId, attempt }) => context.steps.ofStart(jobId, attempt).length === 0);
  for (const key of left) {
    // What runs there is ended as a stray first, with the time that it is given.
    const isBusy = context.survivors().some((name) => name.startsWith(`${key.jobId}.${key.attempt}.`));
    if (!isBusy) groups?.remove(key);
  }
}
