/**
 * The steps of one holder: those being launched, running, and ended but still remembered; and who waits for one.
 *
 * Promise: a step is launched once, however often that is asked for.
 */

import { formatStepKey, type StepKey } from "../../core/ids.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { HolderStep, StepLaunch } from "../../protocol/holder.ts";
import { readBatchExit, readWrapper } from "./batch-spool.ts";
import { ATTACH_WAIT_MS, ATTACH_WAITING_MAX, END_LOOK_MS, LOGGED_CHARACTERS_MAX, SWEEP_MS } from "./limits.ts";
import type { HolderPorts } from "./ports.ts";
import { isSettled, isUncollected, reviewEnded } from "./retention.ts";
import { startStep } from "./start-step.ts";
import { Step } from "./step.ts";
import type { Watchers } from "./watchers.ts";

interface Launching {
  readonly step: Step;
  readonly done: Promise<Step>;
}

export class Registry {
  private readonly ports: HolderPorts;
  private readonly watchers: Watchers;
  /** In the order of their launches. */
  private readonly steps = new Map<string, Step>();
  private readonly launching = new Map<string, Launching>();
  private readonly waiting = new Map<string, Set<(step: Step) => void>>();
  private waitingCount = 0;
  /** Steps whose tasks are over, and which are about to be looked after. */
  private readonly ending: Step[] = [];
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private isSweeping = false;
  private isClosed = false;

  constructor(ports: HolderPorts, watchers: Watchers) {
    this.ports = ports;
    this.watchers = watchers;
  }

  all(): Step[] {
    return [...this.steps.values()];
  }

  /** What the node daemon still has an interest in. */
  describeAll(): HolderStep[] {
    return this.all().flatMap((step) => (isSettled(step) ? [] : [step.describe()]));
  }

  find(key: StepKey): Step | undefined {
    return this.steps.get(formatStepKey(key));
  }

  /** The step of a key and token. @throws RpcError UNKNOWN_STEP or BAD_TOKEN */
  open(key: StepKey, token: string): Step {
    const step = this.find(key);
    if (step === undefined) throw unknownStep(key);
    return checkToken(step, token);
  }

  /**
   * Starts a step, or returns the one that is known by its key.
   * @throws RpcError LAUNCH for a batch script that another holder started and that still runs
   */
  async launch(launch: StepLaunch): Promise<Step> {
    const name = formatStepKey(launch.key);
    const known = this.steps.get(name) ?? this.launching.get(name)?.done;
    if (known !== undefined) return known;
    const { processes, table } = this.ports;
    const { spool } = launch.batch ?? {};
    if (spool && readWrapper(spool, processes) && readBatchExit(spool, processes, table).phase === "running") {
      throw new RpcError("LAUNCH", `the script of step ${name} runs already, without a holder`);
    }
    const step = new Step(launch, this.ports);
    const done = this.start(step, launch);
    this.launching.set(name, { step, done });
    return done;
  }

  /** Keeps launches of a job that are under way from starting anything; resolves when they are through. */
  async cancelLaunches(jobPrefix: string): Promise<void> {
    const launches = [...this.launching.values()].filter(({ step }) => step.name.startsWith(jobPrefix));
    for (const { step } of launches) step.isCancelled = true;
    await Promise.all(launches.map(({ done }) => done));
  }

  /** The same for one step. */
  async cancelLaunch(name: string): Promise<void> {
    const launch = this.launching.get(name);
    if (!launch) return;
    launch.step.isCancelled = true;
    await launch.done;
  }

  /**
   * Waits for a step to be launched.
   * @throws RpcError UNKNOWN_STEP after ATTACH_WAIT_MS, BAD_TOKEN, CANCELLED, TOO_MANY_CALLS
   */
  async await(key: StepKey, token: string, signal: AbortSignal): Promise<Step> {
    const known = this.find(key);
    if (known) return checkToken(known, token);
    if (this.waitingCount >= ATTACH_WAITING_MAX) {
      throw new RpcError("TOO_MANY_CALLS", "too many clients wait for steps that are not launched yet");
    }
    return checkToken(await this.waitFor(key, signal), token);
  }

  /** Lets go of an ended step once its output is collected. @throws RpcError BAD_PARAMS while it runs */
  forget(key: StepKey): void {
    const step = this.find(key);
    if (step === undefined) return;
    if (step.phase !== "ended") throw new RpcError("BAD_PARAMS", `step ${step.name} still runs`);
    step.forgottenAtMs ??= this.ports.clock.monotonic();
    this.review();
  }

  /** Whether nothing runs and nobody is still to come for anything. */
  get isIdle(): boolean {
    const nowMs = this.ports.clock.monotonic();
    return (
      this.launching.size === 0 && this.all().every((step) => step.phase === "ended" && !isUncollected(step, nowMs))
    );
  }

  /** Whether anything runs or is about to. */
  get isBusy(): boolean {
    return this.launching.size > 0 || this.all().some((step) => step.phase !== "ended");
  }

  /** Whether a client is attached to anything. */
  get hasReaders(): boolean {
    return this.all().some((step) => step.output.hasClient);
  }

  /** Lets go of ended steps that are due. */
  review(): void {
    const ended = this.all()
      .filter((step) => step.phase === "ended")
      .sort((a, b) => a.endedAtMs - b.endedAtMs);
    const { remove, drop } = reviewEnded(ended, this.ports.clock.monotonic());
    for (const step of remove) this.letGo(step);
    for (const step of drop) step.dropOutput();
    this.sweepLater();
  }

  /** A job's processes are gone: its ended steps are clean now. */
  noteClean(jobPrefix: string): void {
    for (const step of this.steps.values()) {
      if (step.phase !== "ended" || step.clean || !step.name.startsWith(jobPrefix)) continue;
      step.clean = true;
      this.watchers.tell(step.describe());
    }
  }

  /** Stops looking after anything, and closes what terminals hold open. */
  close(): void {
    this.isClosed = true;
    for (const step of this.steps.values()) {
      step.input.close();
      step.output.closeStreams();
      step.dispose();
    }
  }

  /** The node daemon has the end of it on disk, and looks into a script's folder no more. */
  private letGo(step: Step): void {
    this.steps.delete(step.name);
    const { spool, isSpoolFree, clean } = step;
    if (spool !== null) this.ports.processes.folders.letGo(spool, isSpoolFree && clean);
  }

  private async start(step: Step, launch: StepLaunch): Promise<Step> {
    const isStarted = await startStep(this.ports, step, launch, () => this.onEnd(step));
    this.launching.delete(step.name);
    this.steps.set(step.name, step);
    this.ports.log.debug("step launched", { step: step.name, isStarted });
    if (isStarted) this.watchers.tell(step.describe());
    else this.onEnd(step);
    for (const resolve of this.waiting.get(step.name) ?? []) resolve(step);
    return step;
  }

  /**
   * At once, unless nobody waits for it and all processes were looked at just before: then one look is for all that end until
   * the next.
   */
  private onEnd(step: Step): void {
    this.ending.push(step);
    if (!step.isStarted || step.expectsClient) return this.endAll();
    if (this.ending.length > 1) return;
    const waitMs = this.lookedAtMs + END_LOOK_MS - this.ports.clock.monotonic();
    if (waitMs <= 0) this.endAll();
    else this.ports.clock.after(waitMs, () => this.endAll());
  }

  private endAll(): void {
    const ending = this.ending.splice(0);
    if (ending.length === 0) return;
    const left = this.ports.table.find("");
    this.lookedAtMs = this.ports.clock.monotonic();
    for (const step of ending) {
      const prefix = jobPrefix(step.key);
      this.end(step, !left.some((one) => one.step.startsWith(prefix)));
    }
    this.review();
  }

  private end(step: Step, isAlone: boolean): void {
    step.endedAtMs = this.ports.clock.monotonic();
    step.phase = "ended";
    step.clean = isAlone && !this.hasOthers(step);
    step.input.close();
    step.output.finish();
    const exits = step.taskExits().map(({ exit }) => `${exit.code}:${exit.signal}`);
    const problem = step.problem === "" ? {} : { problem: step.problem.slice(0, LOGGED_CHARACTERS_MAX) };
    this.ports.log.info("step ended", { step: step.name, exits: exits.slice(0, 16), clean: step.clean, ...problem });
    this.watchers.tell(step.describe());
  }

  /** Whether another step of the same start of its job runs here, or is about to. */
  private hasOthers(step: Step): boolean {
    const prefix = jobPrefix(step.key);
    const isOther = (other: Step): boolean => other !== step && other.name.startsWith(prefix);
    return (
      this.all().some((other) => isOther(other) && other.phase === "running") ||
      [...this.launching.values()].some((launch) => isOther(launch.step))
    );
  }

  private waitFor(key: StepKey, signal: AbortSignal): Promise<Step> {
    const name = formatStepKey(key);
    return new Promise((resolve, reject) => {
      const waiters = this.waiting.get(name) ?? new Set();
      this.waiting.set(name, waiters);
      this.waitingCount++;
      const stop = (): void => {
        cancel();
        signal.removeEventListener("abort", leave);
        waiters.delete(arrive);
        if (waiters.size === 0) this.waiting.delete(name);
        this.waitingCount--;
      };
      const arrive = (step: Step): void => {
        stop();
        resolve(step);
      };
      const leave = (): void => {
        stop();
        reject(new RpcError("CANCELLED", "the client left"));
      };
      const cancel = this.ports.clock.after(ATTACH_WAIT_MS, () => {
        stop();
        reject(unknownStep(key));
      });
      waiters.add(arrive);
      if (signal.aborted) return leave();
      signal.addEventListener("abort", leave);
    });
  }

  private sweepLater(): void {
    if (this.isSweeping || this.isClosed || !this.all().some((step) => step.phase === "ended")) return;
    this.isSweeping = true;
    this.ports.clock.after(SWEEP_MS, () => {
      this.isSweeping = false;
      if (!this.isClosed) this.review();
    });
  }
}

/** What the names of all steps of a job's attempt start with. */
export function jobPrefix({ jobId, attempt }: { readonly jobId: number; readonly attempt: number }): string {
  return `${jobId}.${attempt}.`;
}

/** The error for a step that is not here, or not any more. */
export function unknownStep(key: StepKey): RpcError {
  return new RpcError("UNKNOWN_STEP", `this machine knows no step ${formatStepKey(key)}`);
}

function checkToken(step: Step, token: string): Step {
  if (step.token !== token) throw new RpcError("BAD_TOKEN", `not the token of step ${step.name}`);
  return step;
}
