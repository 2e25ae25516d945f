/** What must be done outside because state changed. Doing one twice is harmless: the receiver knows what it did. */

import type { Timer } from "./commands.ts";
import type { Attempt, JobId, NodeName, StepId } from "./ids.ts";

/** Start a node's part of a step. */
export interface LaunchStep {
  readonly type: "node.launch";
  readonly node: NodeName;
  readonly jobId: JobId;
  readonly attempt: Attempt;
  readonly stepId: StepId;
}

/** Send a signal to a job's processes on a node. */
export interface SignalStep {
  readonly type: "node.signal";
  readonly node: NodeName;
  readonly jobId: JobId;
  readonly attempt: Attempt;
  readonly target: SignalTarget;
  readonly signal: number;
}

/**
 * Which processes a signal is for.
 * - a step's id: all of that step; of a batch script, the script's shell only
 * - `steps`: all steps but the batch script, as scancel --signal
 * - `full`: every process of the job, the batch script and its children too
 */
export type SignalTarget = StepId | "steps" | "full";

/** End everything of a job on a node, or of one step: CONT and TERM, KILL after the kill wait; then report it. */
export interface TerminateJob {
  readonly type: "node.terminate";
  readonly node: NodeName;
  readonly jobId: JobId;
  readonly attempt: Attempt;
  /** `null` for the whole job. */
  readonly stepId: StepId | null;
}

/** Call back at a time (milliseconds since 1970) with `timer.fire`. */
export interface SetTimer {
  readonly type: "timer.set";
  readonly timer: Timer;
  readonly at: number;
}

/** Forget such a callback: its job is over or waits again. */
export interface ClearTimer {
  readonly type: "timer.clear";
  readonly timer: Timer;
}

/** Tell those who watch a job. */
export interface NotifyWatchers {
  readonly type: "watch.notify";
  readonly jobId: JobId;
}

/** Something that the scheduler looks at changed. */
export interface WakeScheduler {
  readonly type: "schedule";
}

/** Send a mail: the only effect that a repetition would not be harmless for, so none follows from a restart. */
export interface SendMail {
  readonly type: "mail.send";
  /** Empty for nobody. */
  readonly to: string;
  /** Web addresses that are told the same. */
  readonly notify?: readonly string[];
  readonly subject: string;
  /** The job that has ended: how it used what it had, and its last lines, belong into the mail. */
  readonly about?: JobId;
  /** What the mail program finds in its environment, as Slurm's does. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Send a mail if what a waiting job depends on can't come true any more. */
export interface MailDoomed {
  readonly type: "mail.doomed";
  readonly jobId: JobId;
}

export type Effect =
  | LaunchStep
  | SignalStep
  | TerminateJob
  | SetTimer
  | ClearTimer
  | NotifyWatchers
  | WakeScheduler
  | SendMail
  | MailDoomed;
