/** A machine that outlives node daemons: holders and the steps in them, without any process. */

import { formatStepKey, type StepKey } from "../../../src/core/ids.ts";
import type { ExitStatus } from "../../../src/core/job.ts";
import type { BatchExit } from "../../../src/node/holder/batch-spool.ts";
import type { HolderFactory } from "../../../src/node/holder-factory.ts";
import type { HolderPort } from "../../../src/node/holder-port.ts";
import { sleep } from "../../../src/platform/clock.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { HolderStep, StepLaunch, TerminateDetails } from "../../../src/protocol/holder.ts";
import type { Fuse } from "./fuse.ts";
import type { HandClock } from "./hand-clock.ts";

const SHARED_SOCKET = "/run/holder.sock";

const OK: ExitStatus = { code: 0, signal: 0 };

interface VirtualHolder {
  readonly identity: HolderPort["identity"];
  readonly steps: Map<string, HolderStep>;
  readonly listeners: Set<(step: HolderStep) => void>;
  readonly mourners: Set<() => void>;
  alive: boolean;
}

export class VirtualMachine {
  bootId = "boot-1";
  /** Every start of a step's programs, in order. */
  readonly runs: string[] = [];
  /** Every job or step that a holder was asked to end. */
  readonly terminations: string[] = [];
  /** What holders were told with that, by their sockets. */
  readonly terminationDetails: [string, TerminateDetails | undefined][] = [];
  readonly signals: string[] = [];
  /** Steps whose tasks were told to go on. */
  readonly admitted: string[] = [];
  readonly launches: StepLaunch[] = [];
  /** Batch scripts by their spool folder. */
  readonly batches = new Map<string, BatchExit>();
  readonly holders: VirtualHolder[] = [];
  /** Why holders can't be started; empty if they can. */
  holderProblem = "";
  /** How the next launches end in the holder instead of running. */
  launchProblem = "";
  /** Milliseconds that programs run; Infinity to end them by hand. */
  runMs = Number.POSITIVE_INFINITY;
  /** Milliseconds until a launch reaches its holder; it does even if who sent it is dead by then. */
  launchDelayMs = 0;
  /** Whether a step of that job leaves processes behind. */
  leavesProcesses: (jobId: number) => boolean = () => false;
  private readonly clock: HandClock;
  private pids = 100;

  constructor(clock: HandClock) {
    this.clock = clock;
  }

  /** A daemon's view of it, which dies with the daemon. */
  factory(fuse: Fuse): HolderFactory {
    const ports = new Map<VirtualHolder, HolderPort>();
    const portOf = (holder: VirtualHolder): HolderPort => {
      const port = ports.get(holder) ?? this.portOf(holder, fuse);
      ports.set(holder, port);
      return port;
    };
    return fuse.guard<HolderFactory>({
      sharedSocket: SHARED_SOCKET,
      shared: async () => portOf(this.living(SHARED_SOCKET)),
      forPty: async (_key, socket) => portOf(this.living(socket)),
      adopt: async () => this.holders.filter((holder) => holder.alive).map(portOf),
      shutdownIdle: async () => {
        for (const holder of this.holders) if (!this.runsAnything(holder)) this.killHolder(holder);
      },
    });
  }

  async follow(folder: string): Promise<BatchExit> {
    return this.batches.get(folder) ?? { phase: "lost", cause: "the batch script was not started" };
  }

  /** Ends a step's programs. */
  finish(key: StepKey, exits: readonly ExitStatus[] = [OK], more: Partial<HolderStep> = {}): void {
    const name = formatStepKey(key);
    for (const [folder, batch] of this.batches) {
      if (folder.endsWith(`/${name}`) && batch.phase === "running") {
        this.batches.set(folder, { phase: "ended", exit: exits[0] ?? OK });
      }
    }
    for (const holder of this.holders) {
      const step = holder.steps.get(name);
      if (holder.alive && step?.phase === "running") {
        const clean = !this.leavesProcesses(key.jobId);
        this.tell(holder, { ...step, phase: "ended", exits: [...exits], clean, ...more });
      }
    }
  }

  killHolder(holder: VirtualHolder): void {
    holder.alive = false;
    for (const mourn of holder.mourners) mourn();
  }

  killHolders(): void {
    for (const holder of this.holders) if (holder.alive) this.killHolder(holder);
  }

  private living(socket: string): VirtualHolder {
    const known = this.holders.find((holder) => holder.alive && holder.identity.socket === socket);
    if (known) return known;
    if (this.holderProblem) throw new Error(this.holderProblem);
    const identity = { socket, pid: this.pids++, version: "1", startedAt: this.clock.now() };
    const holder = { identity, steps: new Map(), listeners: new Set<never>(), mourners: new Set<never>(), alive: true };
    this.holders.push(holder);
    return holder;
  }

  private runsAnything(holder: VirtualHolder): boolean {
    return [...holder.steps.values()].some((step) => step.phase === "running");
  }

  private portOf(holder: VirtualHolder, fuse: Fuse): HolderPort {
    const listening = <T extends unknown[]>(callback: (...args: T) => void) => {
      return (...args: T): void => {
        if (!fuse.blown) void Promise.resolve().then(() => fuse.blown || callback(...args));
      };
    };
    const alive = <T>(act: () => T) => {
      return async (): Promise<T> => {
        if (!holder.alive) throw new RpcError("LOST_CONTACT", "the holder is gone");
        return act();
      };
    };
    return {
      identity: holder.identity,
      launch: (step) =>
        fuse.pass(async () => {
          if (this.launchDelayMs > 0) await sleep(this.clock, this.launchDelayMs);
          return alive(() => this.launch(holder, step))();
        }),
      go: (key) => fuse.pass(alive(() => void this.admitted.push(formatStepKey(key)))),
      signal: (key, signal, tree) =>
        fuse.pass(alive(() => void this.signals.push(`${formatStepKey(key)} ${signal} ${tree}`))),
      terminate: (jobId, attempt, _killWaitMs, details) =>
        fuse.pass(
          alive(() => {
            this.terminationDetails.push([holder.identity.socket, details]);
            this.terminate(jobId, attempt);
          }),
        ),
      terminateStep: (key, _killWaitMs, details) =>
        fuse.pass(
          alive(() => {
            this.terminationDetails.push([holder.identity.socket, details]);
            this.terminateStep(key);
          }),
        ),
      forget: (key) => fuse.pass(alive(() => void holder.steps.delete(formatStepKey(key)))),
      usage: async () => [],
      notify: async () => true,
      status: () => fuse.pass(alive(() => [...holder.steps.values()])),
      onChange: (callback) => void holder.listeners.add(listening(callback)),
      onGone: (callback) => void holder.mourners.add(listening(callback)),
    };
  }

  private launch(holder: VirtualHolder, step: StepLaunch): HolderStep {
    const name = formatStepKey(step.key);
    const known = holder.steps.get(name);
    if (known) return known;
    this.launches.push(step);
    if (this.launchProblem) {
      const exits = step.tasks.map(() => ({ code: 127, signal: 0 }));
      return this.tell(holder, { key: step.key, phase: "ended", exits, problem: this.launchProblem, clean: true });
    }
    this.runs.push(name);
    if (step.batch) this.batches.set(step.batch.spool, { phase: "running" });
    const exits = step.tasks.map(() => OK);
    if (this.runMs < Number.POSITIVE_INFINITY) this.clock.after(this.runMs, () => this.finish(step.key, exits));
    const waiting = step.memory?.group === undefined ? {} : { waiting: step.tasks.map(({ task }) => 100 + task) };
    return this.tell(holder, { key: step.key, phase: "running", exits: [], problem: "", clean: false, ...waiting });
  }

  private terminate(jobId: number, attempt: number): void {
    const start = `${jobId}.${attempt}.`;
    this.terminations.push(start.slice(0, -1));
    for (const holder of this.holders) {
      for (const step of holder.steps.values()) {
        if (formatStepKey(step.key).startsWith(start)) this.finish(step.key, [{ code: 0, signal: 15 }]);
      }
    }
    for (const [folder, batch] of this.batches) {
      if (folder.includes(`/${start}`) && batch.phase === "running") {
        this.batches.set(folder, { phase: "ended", exit: { code: 0, signal: 15 } });
      }
    }
  }

  private terminateStep(key: StepKey): void {
    const name = formatStepKey(key);
    this.terminations.push(name);
    for (const holder of this.holders) if (holder.steps.has(name)) this.finish(key, [{ code: 0, signal: 15 }]);
    for (const [folder, batch] of this.batches) {
      if (folder.endsWith(`/${name}`) && batch.phase === "running") {
        this.batches.set(folder, { phase: "ended", exit: { code: 0, signal: 15 } });
      }
    }
  }

  private tell(holder: VirtualHolder, step: HolderStep): HolderStep {
    holder.steps.set(formatStepKey(step.key), step);
    for (const listener of holder.listeners) listener(step);
    return step;
  }
}
