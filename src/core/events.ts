/**
 * What happened. The journal holds these, one JSON line each, and state follows from them alone.
 *
 * An event is never changed once released: a field may be added as optional; anything else is a new type. Each
 * has a sample in test/fixtures/journal/v1 that every later version must read.
 */

import type { Attempt, JobId, NodeName, StepId } from "./ids.ts";
import type { ExitStatus, PendingJob, TerminalState } from "./job.ts";
import type { NodeInventory } from "./node.ts";
import type { Allocation } from "./resources.ts";

/** A job was accepted. */
export interface JobSubmitted {
  readonly type: "job.submitted";
  readonly job: PendingJob;
}

/** A waiting job was given resources and its first step is on its way to the nodes. */
export interface JobAllocated {
  readonly type: "job.allocated";
  readonly jobId: JobId;
  readonly attempt: Attempt;
  readonly allocation: Allocation;
  /** Seconds, 0 for no limit. */
  readonly limitS: number;
}

/** A node started its part of a step. */
export interface StepStarted {
  readonly type: "step.started";
  readonly jobId: JobId;
  readonly attempt: Attempt;
  readonly stepId: StepId;
  readonly node: NodeName;
}

/** A node's part of a step is over, one exit status a task. */
export interface StepEnded {
  readonly type: "step.ended";
  readonly jobId: JobId;
  readonly attempt: Attempt;
  readonly stepId: StepId;
  readonly node: NodeName;
  readonly exits: readonly ExitStatus[];
}

/** A job's final state was decided. Nodes in `cleanup` still have to confirm that nothing of it runs. */
export interface JobEnded {
  readonly type: "job.ended";
  readonly jobId: JobId;
  readonly state: TerminalState;
  readonly exit: ExitStatus;
  readonly cause: string;
  readonly cancelledBy: number | null;
  readonly cleanup: readonly NodeName[];
}

/** A node confirmed that nothing of an ended job runs there any more. */
export interface JobCleaned {
  readonly type: "job.cleaned";
  readonly jobId: JobId;
  readonly node: NodeName;
}

/** A job whose processes are gone waits for another start. */
export interface JobRequeued {
  readonly type: "job.requeued";
  readonly jobId: JobId;
  readonly cause: string;
}

/** A finished job left the hot state; its accounting record was written before. */
export interface JobPurged {
  readonly type: "job.purged";
  readonly jobId: JobId;
}

/** A node daemon introduced itself, for the first time or with other equipment than before. */
export interface NodeRegistered {
  readonly type: "node.registered";
  readonly node: NodeName;
  readonly inventory: NodeInventory;
}

/** A node was not heard of for too long. */
export interface NodeDown {
  readonly type: "node.down";
  readonly node: NodeName;
  readonly reason: string;
}

export type Event =
  | JobSubmitted
  | JobAllocated
  | StepStarted
  | StepEnded
  | JobEnded
  | JobCleaned
  | JobRequeued
  | JobPurged
  | NodeRegistered
  | NodeDown;

/** Major version of the journal's lines. A daemon refuses a journal of another one. */
export const JOURNAL_VERSION = 1;

/**
 * What the journal keeps: all events of one decision in one line, so that a torn write never keeps half of them.
 * (A step that ended without its job's end, say, would leave the job running for ever.)
 */
export interface JournalRecord {
  readonly v: number;
  /** 1 for the first record of a state folder, then without gaps. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly events: readonly Event[];
}
