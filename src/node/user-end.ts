/**
 * Ends of users' steps. A user's holder is in that user's hands: a stopped one (kill -STOP) never answers, and a false one
 * says that all is gone while it runs on. So it has its time, and root's daemon looks for itself, by the mark of the
 * processes, and kills what it finds.
 */

import { formatStepKey } from "../core/ids.ts";
import { sleep } from "../platform/clock.ts";
import type { StepProcess } from "../platform/proctable.ts";
import type { AgentContext } from "./agent-context.ts";
import { messageOf, within } from "./deferred.ts";
import type { HolderPort } from "./holder-port.ts";
import type { LaunchRecord } from "./spool-records.ts";

/** What a holder has beyond the time between TERM and KILL. */
const HOLDER_MS = 30_000;

/** Killed processes are gone by then, unless they are in the middle of a disk's write. */
const KILL_MS = 5000;
const KILL_POLL_MS = 50;

/** Something of a job that is to be ended. */
export interface SureEnd {
  /** Whose it is; absent for the daemon's own user. */
  readonly user: LaunchRecord["user"];
  /** JOB.ATTEMPT, or JOB.ATTEMPT.STEP. */
  readonly name: string;
  /** When the holders' time is over, on the monotonic clock. */
  readonly overAt: number;
  /** Who was asked. */
  holders(): Iterable<HolderPort>;
}

/** When the time of a user's holder is over that is asked now, on the monotonic clock; never, for the daemon's own. */
export function holdersTimeOver({ clock, killWaitMs }: AgentContext, user: LaunchRecord["user"]): number {
  return user ? clock.monotonic() + killWaitMs + HOLDER_MS : Number.POSITIVE_INFINITY;
}

/**
 * Has holders end something. Where they are a user's, resolves when nothing of it is found any more, whatever they say;
 * holders whose time is over are killed. Rejects as `order` does before that, and if something can't be killed.
 */
export async function endSurely(context: AgentContext, end: SureEnd, order: () => Promise<void>): Promise<void> {
  if (!end.user) return order();
  const { clock, log } = context;
  const ordered = order();
  try {
    if (await isDoneBy(context, ordered, end.overAt)) return await killLeft(context, end.name);
  } catch (error) {
    if (clock.monotonic() < end.overAt) throw error;
  }
  await killLeft(context, end.name);
  // One that waited for just that answers now.
  if (await isDoneBy(context, ordered, clock.monotonic() + KILL_MS).catch(() => false)) return;
  for (const holder of end.holders()) {
    const { socket, pid } = holder.identity;
    log.error("a user's holder does not do what it is told; it is killed", { socket, holderPid: pid, what: end.name });
    holder.kill?.();
  }
}

/** Whether nothing of a user's step is found, whatever its holder says. */
export function isGoneIndeed({ processes, log }: AgentContext, { user, key }: LaunchRecord): boolean {
  if (!user || !processes) return true;
  try {
    return leftOf(processes, formatStepKey(key)).length === 0;
  } catch (error) {
    log.warn("the processes can't be looked at", { error: messageOf(error) });
    return false;
  }
}

async function killLeft({ clock, processes }: AgentContext, name: string): Promise<void> {
  if (!processes) return;
  const end = clock.monotonic() + KILL_MS;
  for (;;) {
    const left = leftOf(processes, name);
    if (left.length === 0) return;
    if (clock.monotonic() >= end) throw new Error(`process ${left[0]?.pid} of ${name} can't be killed`);
    for (const one of left) processes.kill(one);
    await sleep(clock, KILL_POLL_MS);
  }
}

/** Of one step, or of all steps of a start; 7.1 does not mean 7.10. */
function leftOf(processes: NonNullable<AgentContext["processes"]>, name: string): readonly StepProcess[] {
  return processes.find(name).filter(({ step }) => step === name || step.startsWith(`${name}.`));
}

/** Whether a promise settles by then. Rejects as it does. */
async function isDoneBy({ clock }: AgentContext, promise: Promise<void>, atMs: number): Promise<boolean> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  await within(clock, promise, Math.max(0, atMs - clock.monotonic()));
  if (isSettled) await promise;
  return isSettled;
}
