/**
 * A simulated machine: what runs on it outlives its node daemon, and ends with a reboot.
 *
 * A job says in its arguments what it does: `["sim", DURATION_MS, EXIT_CODE]`. The machine keeps a record of every
 * program that ever started on it, so that the world can check what no daemon may get wrong: nothing runs twice, no GPU
 * is used by two at once.
 */

import { formatStepKey, type StepKey } from "../core/ids.ts";
import type { ExitStatus } from "../core/job.ts";
import type { BatchExit } from "../node/holder/batch-spool.ts";
import type { HolderFactory } from "../node/holder-factory.ts";
import type { HolderPort } from "../node/holder-port.ts";
import type { HolderStep, StepLaunch } from "../protocol/holder.ts";
import type { SimRandom } from "./random.ts";
import type { SimTime } from "./time.ts";

/** One start of one step's programs. */
export interface Execution {
  readonly machine: string;
  readonly key: StepKey;
  readonly tasks: number;
  readonly gpus: readonly string[];
  readonly startedAt: number;
  endedAt: number | null;
  exit: ExitStatus | null;
}

export interface SimMachine {
  readonly name: string;
  readonly bootId: string;
  readonly executions: readonly Execution[];
  /** Ends every program and holder. */
  reboot(): void;
  /** Ends the shared holder: its plain steps lose their pipes and die, batch scripts go on. */
  killHolder(): void;
  /** For one life of a node daemon: what it asked for is not answered after its death. */
  factoryFor(isAlive: () => boolean): HolderFactory;
  followBatch(isAlive: () => boolean): (spoolFolder: string) => Promise<BatchExit>;
}

interface VirtualStep {
  readonly launch: StepLaunch;
  readonly execution: Execution;
  state: HolderStep;
}

interface VirtualHolder {
  readonly identity: HolderPort["identity"];
  readonly steps: Map<string, VirtualStep>;
  readonly change: Set<(step: HolderStep) => void>;
  readonly gone: Set<() => void>;
  alive: boolean;
}

export interface MachinePorts {
  readonly time: SimTime;
  readonly random: SimRandom;
  /** Longest delay of a holder's answer, in milliseconds. */
  readonly delayMsMax: number;
}

/** Switches a machine on. */
export function createSimMachine(name: string, ports: MachinePorts): SimMachine {
  return new Machine(name, ports);
}

class Machine implements SimMachine {
  readonly name: string;
  readonly executions: Execution[] = [];
  #boots = 1;
  #holders = 0;
  #shared: VirtualHolder | null = null;
  readonly #batch = new Map<string, VirtualStep>();
  readonly #ports: MachinePorts;

  constructor(name: string, ports: MachinePorts) {
    this.name = name;
    this.#ports = ports;
  }

  get bootId(): string {
    return `${this.name}-boot-${this.#boots}`;
  }

  reboot(): void {
    this.#boots += 1;
    for (const execution of this.executions)
      if (execution.endedAt === null) this.#end(execution, { code: 0, signal: 9 });
    this.#batch.clear();
    this.#dropHolder();
  }

  killHolder(): void {
    for (const { launch, execution } of this.#shared?.steps.values() ?? []) {
      if (!launch.batch && execution.endedAt === null) this.#end(execution, { code: 0, signal: 13 });
    }
    this.#dropHolder();
  }

  factoryFor(isAlive: () => boolean): HolderFactory {
    return {
      sharedSocket: `/sim/${this.name}/holder.sock`,
      shared: () => this.#answer(isAlive, () => this.#port(this.#sharedHolder(), isAlive)),
      forPty: () => Promise.reject(new Error("simulated machines have no terminals")),
      adopt: () => this.#answer(isAlive, () => (this.#shared ? [this.#port(this.#shared, isAlive)] : [])),
      shutdownIdle: () => this.#answer(isAlive, () => {}),
    };
  }

  followBatch(isAlive: () => boolean): (spoolFolder: string) => Promise<BatchExit> {
    return (spool) =>
      this.#answer(isAlive, (): BatchExit => {
        const step = this.#batch.get(spool);
        if (!step) return { phase: "lost", cause: "no trace of the batch script" };
        const { exit } = step.execution;
        return exit ? { phase: "ended", exit } : { phase: "running" };
      });
  }

  #dropHolder(): void {
    const holder = this.#shared;
    this.#shared = null;
    if (!holder) return;
    holder.alive = false;
    for (const tell of holder.gone) this.#soon(tell);
  }

  #sharedHolder(): VirtualHolder {
    this.#shared ??= {
      identity: {
        socket: `/sim/${this.name}/holder.sock`,
        pid: 1000 + this.#holders++,
        version: "sim",
        startedAt: Math.round(this.#ports.time.now),
      },
      steps: new Map(),
      change: new Set(),
      gone: new Set(),
      alive: true,
    };
    return this.#shared;
  }

  #port(holder: VirtualHolder, isAlive: () => boolean): HolderPort {
    const mustLive = (): void => {
      if (!holder.alive) throw new Error("the holder is gone");
    };
    // An answer that the holder did not send before its death never comes; its connection fails instead.
    const ask = async <T>(act: () => T): Promise<T> => {
      const answer = await this.#answer(isAlive, () => {
        mustLive();
        return act();
      });
      mustLive();
      return answer;
    };
    const find = (key: StepKey): VirtualStep | undefined => holder.steps.get(formatStepKey(key));
    return {
      identity: holder.identity,
      launch: (launch) => ask(() => this.#launch(holder, launch)),
      go: () => ask(() => {}),
      signal: (key, signal) => ask(() => this.#kill(holder, find(key), signal)),
      terminate: (jobId, attempt) => ask(() => this.#terminate(holder, jobId, attempt)),
      terminateStep: (key) => ask(() => this.#terminateStep(holder, key)),
      forget: (key) => ask(() => void holder.steps.delete(formatStepKey(key))),
      usage: async () => [],
      notify: async () => true,
      status: () => ask(() => [...holder.steps.values()].map((step) => step.state)),
      onChange: (callback) => void holder.change.add((step) => isAlive() && callback(step)),
      onGone: (callback) => {
        const tell = (): void => void (isAlive() && callback());
        if (holder.alive) holder.gone.add(tell);
        else this.#soon(tell);
      },
    };
  }

  #launch(holder: VirtualHolder, launch: StepLaunch): HolderStep {
    const name = formatStepKey(launch.key);
    const known = holder.steps.get(name);
    if (known) return known.state;
    const [, duration = "0", code = "0"] = launch.tasks[0]?.argv ?? [];
    const environment = { ...launch.environment, ...launch.tasks[0]?.environment };
    const execution: Execution = {
      machine: this.name,
      key: launch.key,
      tasks: launch.tasks.length,
      gpus: (environment.CUDA_VISIBLE_DEVICES ?? "").split(",").filter((one) => one !== ""),
      startedAt: this.#ports.time.now,
      endedAt: null,
      exit: null,
    };
    this.executions.push(execution);
    const state: HolderStep = { key: launch.key, phase: "running", exits: [], problem: "", clean: false };
    const step: VirtualStep = { launch, execution, state };
    holder.steps.set(name, step);
    if (launch.batch) this.#batch.set(launch.batch.spool, step);
    this.#ports.time.after(Number(duration), () => this.#finish(execution, { code: Number(code), signal: 0 }));
    return state;
  }

  #kill(_holder: VirtualHolder, step: VirtualStep | undefined, signal: number): void {
    if (step) this.#finish(step.execution, { code: 0, signal });
  }

  #terminate(holder: VirtualHolder, jobId: number, attempt: number): void {
    const mine = (one: VirtualStep): boolean => one.launch.key.jobId === jobId && one.launch.key.attempt === attempt;
    for (const step of [...holder.steps.values(), ...this.#batch.values()]) {
      if (mine(step)) this.#finish(step.execution, { code: 0, signal: 15 });
    }
  }

  #terminateStep(holder: VirtualHolder, key: StepKey): void {
    const name = formatStepKey(key);
    for (const step of [...holder.steps.values(), ...this.#batch.values()]) {
      if (formatStepKey(step.launch.key) === name) this.#finish(step.execution, { code: 0, signal: 15 });
    }
  }

  /** A program's end, as its holder sees it. */
  #finish(execution: Execution, exit: ExitStatus): void {
    if (execution.endedAt !== null) return;
    this.#end(execution, exit);
    const holder = this.#shared;
    const step = holder?.steps.get(formatStepKey(execution.key));
    if (!holder || step?.execution !== execution) return;
    const exits = step.launch.tasks.map(() => exit);
    step.state = { ...step.state, phase: "ended", exits, clean: true };
    for (const tell of holder.change) this.#soon(() => tell(step.state));
  }

  #end(execution: Execution, exit: ExitStatus): void {
    execution.endedAt = this.#ports.time.now;
    execution.exit = exit;
  }

  #soon(run: () => void): void {
    const { time, random, delayMsMax } = this.#ports;
    time.after(random.below(delayMsMax), run);
  }

  /** Acts after a while, even if whoever asked is dead by then; answers it later if it lives. */
  #answer<T>(isAlive: () => boolean, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const reply = (tell: () => void): void => this.#soon(() => isAlive() && tell());
      this.#soon(() => {
        try {
          const value = act();
          reply(() => resolve(value));
        } catch (error) {
          reply(() => reject(error));
        }
      });
    });
  }
}
