/** What the user's signals do to a session: Ctrl-C step by step, the others passed on to the tasks. */

import { SIGKILL } from "../../core/signals.ts";
import { type Clock, sleep } from "../../platform/clock.ts";
import type { SignalName } from "../context.ts";
import { type InterruptMode, type Interrupts, interrupted, NO_INTERRUPTS } from "./interrupt.ts";
import type { Speaker } from "./speaker.ts";

/** Signals that a session answers, with their numbers on Linux. */
export const SESSION_SIGNALS = {
  SIGINT: 2,
  SIGHUP: 1,
  SIGQUIT: 3,
  SIGTERM: 15,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGCONT: 18,
} as const satisfies Partial<Record<SignalName, number>>;

export type SessionSignal = keyof typeof SESSION_SIGNALS;

/** What is steered. */
export interface SteeredJob {
  readonly jobId: number;
  /** Its step: `7.0`. */
  readonly stepName: string;
  /** What Ctrl-C does first. */
  readonly mode: InterruptMode;
  /** It has no tasks yet. */
  isWaiting(): boolean;
  /** Its task has our terminal, and with it the keys: a signal comes from elsewhere and is meant for the task. */
  hasTerminal(): boolean;
  /** What each of its tasks does: `tasks 0-1: running`. */
  stateLines(): readonly string[];
  /** Sends a signal to its tasks; resolves when they have it, or can't be reached any more. */
  forward(signal: number): Promise<void>;
  /** Asks the controller to end it. */
  cancel(): Promise<void>;
  /** Ends the session, not the job. */
  leave(exitCode: number): void;
}

/** Who sends one of these wants us to end. */
const ENDING: readonly SessionSignal[] = ["SIGTERM", "SIGHUP", "SIGQUIT"];

/** How long a signal that should end us may be on its way to the tasks. */
const FORWARD_MS = 5000;

/** How long the controller is asked for the job's end before we leave without it. */
const CANCEL_MS = 2000;

/** Signals that have no meaning for a job that still waits; the others end it. */
const HARMLESS_WHILE_WAITING: readonly SessionSignal[] = ["SIGUSR1", "SIGUSR2", "SIGCONT"];

/** Slurm's, for a job that the user took out of the queue. */
const EXIT_REVOKED = 1;

/** Of a session that the user left by force: what a shell reports after Ctrl-C. */
const EXIT_INTERRUPTED = 130;

/** timeout(1) signals its program, and then the group that the program is in: within this time it is one wish. */
const TWICE_MS = 1000;

export class Steering {
  private readonly job: SteeredJob;
  private readonly speaker: Speaker;
  private readonly clock: Clock;
  private interrupts: Interrupts = NO_INTERRUPTS;

  constructor(job: SteeredJob, speaker: Speaker, clock: Clock) {
    this.job = job;
    this.speaker = speaker;
    this.clock = clock;
  }

  /** The job is on its way out of the queue at the user's wish. */
  get isRevoking(): boolean {
    return this.interrupts.last === "cancel";
  }

  /** Answers a signal; resolves when all that it asks for is done. */
  async onSignal(name: SessionSignal): Promise<void> {
    const { job } = this;
    const isWaiting = job.isWaiting();
    if (isWaiting && HARMLESS_WHILE_WAITING.includes(name)) return;
    if (!isWaiting && (name !== "SIGINT" || job.hasTerminal())) return this.forward(name);
    if (name !== "SIGINT" && this.isRevoking && this.clock.monotonic() - this.interrupts.atMs < TWICE_MS) return;
    this.interrupts = interrupted(this.interrupts, isWaiting, this.clock.monotonic(), job.mode);
    await this.act();
  }

  /** Passes a signal on. Tasks that can't be reached must not keep us from ending. */
  private async forward(name: SessionSignal): Promise<void> {
    const { job, clock, speaker } = this;
    const arrived = job.forward(SESSION_SIGNALS[name]).then(() => true);
    if (!ENDING.includes(name) || (await Promise.race([arrived, sleep(clock, FORWARD_MS)])))
      return void (await arrived);
    speaker.error(`${name} can't be passed on to the tasks; cancelling job ${job.jobId}`);
    await Promise.race([job.cancel(), sleep(clock, CANCEL_MS)]);
    job.leave(128 + SESSION_SIGNALS[name]);
  }

  private async act(): Promise<void> {
    const { job, speaker } = this;
    const { jobId, stepName } = job;
    switch (this.interrupts.last) {
      case "cancel":
        speaker.info(`Job allocation ${jobId} has been revoked`);
        await job.cancel();
        speaker.info(`Force Terminated JobId=${jobId}`);
        return job.leave(EXIT_REVOKED);
      case "show":
        speaker.info("interrupt (one more within 1 sec to abort)");
        for (const line of job.stateLines()) speaker.info(`StepId=${stepName} ${line}`);
        return;
      case "pass":
        return job.forward(SESSION_SIGNALS.SIGINT);
      case "stop":
        speaker.info(`sending Ctrl-C to StepId=${stepName}`);
        speaker.info("forcing job termination");
        // Said first: a task that ends by the signal must not make a failed job of a cancelled one.
        await Promise.all([job.cancel(), job.forward(SESSION_SIGNALS.SIGINT)]);
        return;
      case "kill":
        speaker.info(`killing StepId=${stepName}`);
        return job.forward(SIGKILL);
      case "leave":
        speaker.error(`left job ${jobId} as it is`);
        return job.leave(EXIT_INTERRUPTED);
      case null:
        return;
    }
  }
}
