/**
 * The end of a step whose tasks have all ended: processes left behind are ended (they hold the pipes), what the
 * pipes still hold is read, and then nothing more comes.
 */

import { LEFTOVER_KILL_MS, LEFTOVER_WAIT_MS_MAX, PIPE_END_WAIT_MS } from "./limits.ts";
import { type HolderPorts, within } from "./ports.ts";
import type { Step } from "./step.ts";
import { endProcesses } from "./termination.ts";

/**
 * Ends what a step left behind. While its job is being terminated, that has told the step's processes and kills them
 * in the end: here they are only waited for.
 * @param killAfterMs milliseconds between TERM and KILL
 */
export async function endLeftovers(ports: HolderPorts, step: Step, killAfterMs = LEFTOVER_KILL_MS): Promise<void> {
  const { clock, table, log } = ports;
  const startMs = clock.monotonic();
  const killAtMs = (): number => step.termination?.killAtMs ?? startMs + killAfterMs;
  const isGone = await endProcesses(ports, {
    find: () => table.find(step.name).filter((one) => one.step === step.name),
    isHeld: () => false,
    areTold: () => step.termination !== null,
    isLate: () => false,
    killAtMs,
    giveUpAtMs: () => killAtMs() + LEFTOVER_WAIT_MS_MAX,
    hasTerminal: () => step.kind === "pty",
  });
  if (!isGone) log.warn("processes of an ended step can't be killed", { step: step.name });
}

/** Reads what is left in the pipes of a step without processes. */
export async function drainPipes(ports: HolderPorts, step: Step): Promise<void> {
  const { clock, log } = ports;
  step.output.release();
  const ending = step.output.streamsEnded().then(() => true);
  if (await within(clock, PIPE_END_WAIT_MS, ending, false, () => {})) return;
  log.warn("the output of an ended step is held open by a process that is not the step's", { step: step.name });
  step.output.closeStreams();
}

/** Does the work of a step's end; whatever happens there, the step does end. */
export function concludeStep(ports: HolderPorts, step: Step, work: () => Promise<void>, onEnd: () => void): void {
  work()
    .catch((error: unknown) => {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      ports.log.error("clearing away after a step failed", { step: step.name, stack });
    })
    .finally(onEnd);
}
