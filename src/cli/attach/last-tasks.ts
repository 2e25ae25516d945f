/** When tasks end and others go on: --kill-on-bad-exit, --wait, and a word about those that are left. */

import { type ExitStatus, shellCode } from "../../core/job.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Speaker } from "./speaker.ts";
import type { Tasks } from "./tasks.ts";

export interface LastTasksPlan {
  /** End the step as soon as a task ends with another code than 0. */
  readonly killOnBadExit: boolean;
  /** End the step so many seconds after its first task ended; 0 for never. */
  readonly waitS: number;
}

export interface LastTasksPorts {
  readonly clock: Clock;
  readonly speaker: Speaker;
  /** `7.0` */
  readonly stepName: string;
  /** Tells of the tasks that ended before. */
  readonly sayExits: () => void;
  /** Ends the step. */
  readonly end: () => void;
}

/** Where nothing ends a step, Slurm tells after this long which tasks still run. */
const NOTICE_S = 60;

export class LastTasks {
  private readonly plan: LastTasksPlan;
  private readonly tasks: Tasks;
  private readonly ports: LastTasksPorts;
  private stopWaiting: (() => void) | null = null;
  private isEnding = false;

  constructor(plan: LastTasksPlan, tasks: Tasks, ports: LastTasksPorts) {
    this.plan = plan;
    this.tasks = tasks;
    this.ports = ports;
  }

  /** A task is over. */
  onExit(exit: ExitStatus): void {
    if (this.tasks.areAllOver) return this.stop();
    if (this.plan.killOnBadExit && shellCode(exit) !== 0) return this.end();
    const { waitS } = this.plan;
    this.stopWaiting ??= this.ports.clock.after((waitS || NOTICE_S) * 1000, () => this.onWaited());
  }

  /** Does nothing more. */
  stop(): void {
    this.stopWaiting?.();
  }

  private onWaited(): void {
    if (this.isEnding || this.tasks.areAllOver) return;
    const { speaker, stepName } = this.ports;
    const { waitS } = this.plan;
    if (!speaker.overlay) {
      speaker.info(`First task exited ${waitS || NOTICE_S}s ago`);
      for (const line of this.tasks.stateLines()) speaker.info(`StepId=${stepName} ${line}`);
    }
    if (waitS > 0) this.end();
  }

  private end(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    this.stop();
    if (!this.ports.speaker.overlay) this.ports.sayExits();
    this.ports.speaker.info(`Terminating StepId=${this.ports.stepName}`);
    this.ports.end();
  }
}
