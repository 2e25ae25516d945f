/**
 * Keeps batch scripts whose holder is gone within the memory that they, or their job on this node, asked for: as the
 * holder's own watch does (holder/memory-watch.ts), for what no holder looks after any more.
 */

import type { StepProcess } from "../platform/proctable.ts";
import type { AgentContext } from "./agent-context.ts";
import { batchFolderOf, logFields } from "./agent-context.ts";
import { messageOf } from "./deferred.ts";
import { hasKernelKilled } from "./memory-limits.ts";
import type { StepEntry } from "./step-table.ts";

/** The processes of this node's steps. */
export interface StepProcesses {
  /** Of all steps whose names (JOB.ATTEMPT.STEP) start so. */
  find(prefix: string): readonly StepProcess[];
  /** KiB of a process, shared memory in full: never too little. */
  mostKiB(pid: number): number;
  /** KiB of a process, with its part of what it shares. */
  shareKiB(pid: number): Promise<number>;
  kill(one: StepProcess): void;
}

const KIB_PER_MIB = 1024;

/** Looks once; kills a script that uses too much, which is on record before. Never rejects. */
export async function watchOrphan(context: AgentContext, entry: StepEntry): Promise<void> {
  const { processes } = context;
  const { key, memory, outOfMemory } = entry.record;
  if (!processes || !memory) return;
  const job = `${key.jobId}.${key.attempt}.`;
  const name = `${job}${key.stepId}`;
  const all = processes.find(job);
  const own = all.filter(({ step }) => step === name);
  // Killed before, and not gone: it was forking.
  if (outOfMemory) {
    for (const one of own) processes.kill(one);
    return;
  }
  const isOver = hasKernelKilled(context, key) || (await isTooMuch(processes, all, name, memory));
  if (!isOver || entry.phase !== "orphaned") return;
  context.log.warn("a batch script without a holder is killed for its memory", { ...logFields(key), ...memory });
  entry.record = { ...entry.record, outOfMemory: true };
  try {
    await context.spool.writeLaunch(entry.record);
    const words = `Detected 1 oom_kill event in StepId=${key.jobId}.${key.stepId}. Some of the step tasks have been OOM Killed.`;
    const holder = await context.holders.sharedFor(entry.record);
    await holder.notify(key, words, batchFolderOf(context, entry.record));
  } catch (error) {
    context.log.warn("the end of a batch script could not be told", { ...logFields(key), error: messageOf(error) });
  }
  for (const one of processes.find(name)) if (one.step === name) processes.kill(one);
}

/** In a quick way that counts shared memory more than once; what seems too much is measured exactly. */
async function isTooMuch(
  processes: StepProcesses,
  all: readonly StepProcess[],
  name: string,
  memory: NonNullable<StepEntry["record"]["memory"]>,
): Promise<boolean> {
  if (
    !isGuilty(
      name,
      memory,
      usageOf(all, (at) => processes.mostKiB(all[at]?.pid ?? 0)),
    )
  )
    return false;
  const shares = await Promise.all(all.map(({ pid }) => processes.shareKiB(pid)));
  return isGuilty(
    name,
    memory,
    usageOf(all, (at) => shares[at] ?? 0),
  );
}

function usageOf(all: readonly StepProcess[], kiBOf: (at: number) => number): ReadonlyMap<string, number> {
  const usage = new Map<string, number>();
  for (const [at, { step }] of all.entries()) usage.set(step, (usage.get(step) ?? 0) + kiBOf(at));
  return usage;
}

/** Over its own limit, or the largest step of a job that is over its limit. */
function isGuilty(
  name: string,
  { stepMiB, jobMiB }: { readonly stepMiB: number; readonly jobMiB: number },
  usage: ReadonlyMap<string, number>,
): boolean {
  const own = usage.get(name) ?? 0;
  if (stepMiB > 0 && own > stepMiB * KIB_PER_MIB) return true;
  const sum = [...usage.values()].reduce((total, kib) => total + kib, 0);
  return jobMiB > 0 && sum > jobMiB * KIB_PER_MIB && [...usage.values()].every((other) => other <= own);
}
