/** Signals to steps, and the termination of jobs. */

import type { StepKey } from "../../core/ids.ts";
import { formatStepKey } from "../../core/ids.ts";
import type { StepProcess } from "../../platform/proctable.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { TerminateDetails } from "../../protocol/holder.ts";
import { noteBatchSignal } from "./batch-step.ts";
import { announceEnd } from "./notices.ts";
import { type HolderPorts, SIGNAL } from "./ports.ts";
import { jobPrefix, type Registry, unknownStep } from "./registry.ts";
import type { Step } from "./step.ts";
import { endProcesses } from "./termination.ts";

interface Termination {
  killAtMs: number;
  /** Steps that other holders end. */
  elsewhere: ReadonlySet<string>;
  done: Promise<void>;
}

export interface TerminateRequest extends TerminateDetails {
  readonly jobId: number;
  readonly attempt: number;
  /** Milliseconds between TERM and KILL. */
  readonly killWaitMs: number;
}

export class Signals {
  private readonly ports: HolderPorts;
  private readonly registry: Registry;
  private readonly terminations = new Map<string, Termination>();

  constructor(ports: HolderPorts, registry: Registry) {
    this.ports = ports;
    this.registry = registry;
  }

  /**
   * Signals a step's processes; also those of a step that an earlier holder started.
   * @param tree all of them, not only the first of each task
   * @returns how many were signalled
   * @throws RpcError UNKNOWN_STEP, or BAD_PARAMS for a number that is no signal
   */
  send(key: StepKey, signal: number, tree: boolean): number {
    if (signal > SIGNAL.MAX) throw new RpcError("BAD_PARAMS", `${signal} is no signal`);
    const { table } = this.ports;
    const step = this.registry.find(key);
    const name = formatStepKey(key);
    const processes = table.find(name).filter((one) => one.step === name);
    if (step === undefined && processes.length === 0) throw unknownStep(key);
    if (step?.spool) noteBatchSignal(this.ports, step.spool, signal);
    const chosen = tree ? processes : firstProcesses(step, processes);
    return chosen.filter((one) => table.signal(one, signal)).length;
  }

  /**
   * Ends a job's processes, after telling its outputs why. Concurrent calls share one run, the shortest of their
   * waits, and what any of them wants ended.
   */
  terminate({ jobId, attempt, killWaitMs, notice, elsewhere = [] }: TerminateRequest): Promise<void> {
    const prefix = jobPrefix({ jobId, attempt });
    const killAtMs = this.ports.clock.monotonic() + killWaitMs;
    const running = this.terminations.get(prefix);
    if (running) {
      running.killAtMs = Math.min(running.killAtMs, killAtMs);
      running.elsewhere = new Set(elsewhere.filter((step) => running.elsewhere.has(step)));
      return running.done;
    }
    const termination: Termination = { killAtMs, elsewhere: new Set(elsewhere), done: Promise.resolve() };
    this.terminations.set(prefix, termination);
    termination.done = this.run(jobId, prefix, termination, notice).finally(() => this.terminations.delete(prefix));
    return termination.done;
  }

  private async run(
    jobId: number,
    prefix: string,
    termination: Termination,
    notice: TerminateDetails["notice"],
  ): Promise<void> {
    const { table } = this.ports;
    await this.registry.cancelLaunches(prefix);
    const stepsOf = (): Step[] => this.registry.all().filter((step) => step.name.startsWith(prefix));
    for (const step of stepsOf()) step.termination = termination;
    if (notice) await announceEnd(this.ports, jobId, notice, stepsOf());
    await endProcesses(this.ports, {
      find: () => table.find(prefix).filter(({ step }) => !termination.elsewhere.has(step)),
      // Their exits are told before the job is said to be gone; a batch script's wrapper has yet to write its own.
      isHeld: () => stepsOf().some((step) => step.phase === "running"),
      areTold: () => false,
      isLate: (one) => stepsOf().some((step) => isWrapper(step, one.parent)),
      killAtMs: () => termination.killAtMs,
      giveUpAtMs: () => Number.POSITIVE_INFINITY,
      hasTerminal: (one) => stepsOf().some((step) => step.kind === "pty" && step.name === one.step),
    });
    if (table.find(prefix).length === 0) this.registry.noteClean(prefix);
  }
}

/** Whether a process is the wrapper of a batch step: what it starts is the script, however late that is. */
export function isWrapper({ kind, phase, leaders }: Step, pid: number): boolean {
  return kind === "batch" && phase === "running" && [...leaders.values()].some((leader) => leader.pid === pid);
}

/** The first process of each task; of a batch script, the script and not its wrapper. */
function firstProcesses(step: Step | undefined, processes: readonly StepProcess[]): StepProcess[] {
  if (step === undefined) {
    // Of an earlier holder's: the oldest that leads a session is what it started.
    const leaders = processes.filter((one) => one.pid === one.session);
    return leaders.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid).slice(0, 1);
  }
  const first = new Set([...step.leaders.values()].map(({ pid }) => pid));
  return processes.filter((one) => first.has(step.kind === "batch" ? one.parent : one.pid));
}
