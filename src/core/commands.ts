/** What somebody wants: a user, a node daemon, a timer, or the scheduler. `decide` answers each. */

import type { Attempt, JobId, NodeName, StepId, StepKey } from "./ids.ts";
import type { ExitStatus } from "./job.ts";
import type { JobSpec } from "./jobspec.ts";
import type { NodeInventory } from "./node.ts";
import type { Allocation } from "./resources.ts";

/** Accept a job. Repeating a request id answers with the first one's job. */
export interface SubmitJob {
  readonly type: "job.submit";
  readonly requestId: string;
  readonly spec: JobSpec;
}

/** End a job, whatever it does. */
export interface CancelJob {
  readonly type: "job.cancel";
  readonly jobId: JobId;
  readonly byUid: number;
  /** In words, for the record; empty for a plain scancel. */
  readonly cause: string;
}

/** Send a signal to a running job's processes. */
export interface SignalJob {
  readonly type: "job.signal";
  readonly jobId: JobId;
  /** `null` for all steps but the batch script, as Slurm's `scancel --signal`. */
  readonly stepId: StepId | null;
  readonly signal: number;
  readonly byUid: number;
}

/** The scheduler's plan for one job. Capacity is checked again. */
export interface AllocateJob {
  readonly type: "job.allocate";
  readonly jobId: JobId;
  readonly allocation: Allocation;
}

/** A node's word that its part of a step runs. */
export interface ReportStepStarted {
  readonly type: "report.stepStarted";
  readonly node: NodeName;
  readonly key: StepKey;
}

/** A node's word that its part of a step is over. */
export interface ReportStepEnded {
  readonly type: "report.stepEnded";
  readonly node: NodeName;
  readonly key: StepKey;
  readonly exits: readonly ExitStatus[];
  /** Why it could not be started or followed, in words; empty otherwise. */
  readonly problem: string;
  /** True if nothing else of the job runs on that node. */
  readonly clean: boolean;
}

/** A node's word that a step it had started is gone without an exit status: a reboot, a lost holder. */
export interface ReportStepLost {
  readonly type: "report.stepLost";
  readonly node: NodeName;
  readonly key: StepKey;
  readonly cause: string;
}

/** A node's word that nothing of a job runs there any more. */
export interface ReportJobCleaned {
  readonly type: "report.jobCleaned";
  readonly node: NodeName;
  readonly jobId: JobId;
  readonly attempt: Attempt;
}

/** A node daemon introduces itself. */
export interface RegisterNode {
  readonly type: "node.register";
  readonly node: NodeName;
  readonly inventory: NodeInventory;
}

/** The node's connection has been gone for longer than the grace time. */
export interface MarkNodeDown {
  readonly type: "node.markDown";
  readonly node: NodeName;
  readonly reason: string;
}

/** A timer that `react` asked for is due. */
export interface FireTimer {
  readonly type: "timer.fire";
  readonly timer: Timer;
}

/** A finished job's accounting record is on disk: forget the job. */
export interface PurgeJob {
  readonly type: "job.purge";
  readonly jobId: JobId;
}

export type Command =
  | SubmitJob
  | CancelJob
  | SignalJob
  | AllocateJob
  | ReportStepStarted
  | ReportStepEnded
  | ReportStepLost
  | ReportJobCleaned
  | RegisterNode
  | MarkNodeDown
  | FireTimer
  | PurgeJob;

/** What a timer is for. The attempt keeps an old start's limit from ending a new one. */
export type Timer = { readonly kind: "limit"; readonly jobId: JobId; readonly attempt: Attempt };

/** One string a timer, for maps. */
export function timerKey(timer: Timer): string {
  return `${timer.kind}:${timer.jobId}:${timer.attempt}`;
}
