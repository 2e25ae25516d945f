/** The termination of single steps: as that of a whole job, for the processes of one step only. */

import { formatStepKey, type StepKey } from "../../core/ids.ts";
import type { TerminateNotice } from "../../protocol/holder.ts";
import { announceEnd } from "./notices.ts";
import type { HolderPorts } from "./ports.ts";
import type { Registry } from "./registry.ts";
import { isWrapper } from "./signals.ts";
import { endProcesses } from "./termination.ts";

interface Termination {
  killAtMs: number;
  done: Promise<void>;
}

export class StepTerminations {
  private readonly ports: HolderPorts;
  private readonly registry: Registry;
  private readonly running = new Map<string, Termination>();

  constructor(ports: HolderPorts, registry: Registry) {
    this.ports = ports;
    this.registry = registry;
  }

  /**
   * Ends a step's processes, also those of a step that an earlier holder started; one that is being launched starts
   * nothing any more. Concurrent calls share one run, and the shortest of their waits.
   * @param killWaitMs milliseconds between TERM and KILL
   * @param notice what its output is told before
   */
  end(key: StepKey, killWaitMs: number, notice?: TerminateNotice): Promise<void> {
    const name = formatStepKey(key);
    const killAtMs = this.ports.clock.monotonic() + killWaitMs;
    const known = this.running.get(name);
    if (known) {
      known.killAtMs = Math.min(known.killAtMs, killAtMs);
      return known.done;
    }
    const termination: Termination = { killAtMs, done: Promise.resolve() };
    this.running.set(name, termination);
    termination.done = this.run(key, termination, notice).finally(() => this.running.delete(name));
    return termination.done;
  }

  private async run(key: StepKey, termination: Termination, notice?: TerminateNotice): Promise<void> {
    const { table } = this.ports;
    const name = formatStepKey(key);
    await this.registry.cancelLaunch(name);
    const step = this.registry.find(key);
    // Its whole job is being ended already.
    const areTold = step ? step.termination !== null : false;
    if (step) step.termination ??= termination;
    if (notice) await announceEnd(this.ports, key.jobId, notice, step ? [step] : []);
    await endProcesses(this.ports, {
      find: () => table.find(name).filter((one) => one.step === name),
      // Its exits are told before it is said to be gone; a batch script's wrapper has yet to write its own.
      isHeld: () => step?.phase === "running",
      areTold: () => areTold,
      isLate: (one) => step !== undefined && isWrapper(step, one.parent),
      killAtMs: () => termination.killAtMs,
      giveUpAtMs: () => Number.POSITIVE_INFINITY,
      hasTerminal: () => step?.kind === "pty",
    });
  }
}
