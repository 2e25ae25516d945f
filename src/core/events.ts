/**
 * What happened. The journal holds these, one JSON line each, and state follows from them alone.
 *
 * An event is never changed once released: a field may be added as optional; anything else is a new type. Each
 * has a sample in test/fixtures/journal/v1 that every later version must read.
 */

import type { TaskSet } from "./array-spec.ts";
import type { ElasticNode, ElasticQueue } from "./elastic/records.ts";
import type { Feed } from "./feed/feed.ts";
import type { Attempt, JobId, NodeName, StepId } from "./ids.ts";
import type { EarlierAttempt, ExitStatus, Hold, PendingJob, Step, StepHet, TerminalState } from "./job.ts";
import type { JobSpec, LicenseWish } from "./jobspec.ts";
import type { NodeInventory, NodeSettings, Operator } from "./node.ts";
import type { Partition } from "./partition.ts";
import type { PolicyChange } from "./policy/records.ts";
import type { Reservation } from "./reservation.ts";
import type { Allocation } from "./resources.ts";
import type { StepUsage } from "./usage.ts";

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
  /** The one that it starts in, of a job that may start in several; absent: the one that it names. */
  readonly partition?: string;
  /** Of a heterogeneous job of srun: where the tasks of this component stand in the whole. */
  readonly stepHet?: StepHet;
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
  /** What its tasks used; absent where that is not known, and in older journals. */
  readonly usage?: StepUsage;
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

/** A running job goes back to the queue. Nodes in `cleanup` still have to confirm that nothing of it runs. */
export interface JobRequeued {
  readonly type: "job.requeued";
  readonly jobId: JobId;
  readonly cause: string;
  readonly cleanup: readonly NodeName[];
  /** Not started again before, milliseconds since 1970. */
  readonly eligibleAt: number;
  readonly hold: Hold | null;
  /** Starts by itself after failures, this one included. */
  readonly retried: number;
  /** Starts in a row of which nothing came because a node could not start the program, this one included; 0 if absent. */
  readonly unlaunched?: number;
  /** How accounting shows the start that is over now; absent in older journals, which kept nothing of it. */
  readonly state?: EarlierAttempt["state"];
  readonly exit?: ExitStatus;
  /** It made room for this job, and does not start before that one has. */
  readonly after?: JobId;
  /** It shows as SPECIAL_EXIT until it is released. */
  readonly special?: boolean;
}

/** Waiting tasks of an array became a record with a number of its own. */
export interface ArraySplit {
  readonly type: "array.split";
  /** Of the record that held them, and keeps at least one other. */
  readonly jobId: JobId;
  readonly tasks: TaskSet;
  readonly newId: JobId;
}

/** A running job was sent the signal of --signal. */
export interface JobSignalled {
  readonly type: "job.signalled";
  readonly jobId: JobId;
  readonly attempt: Attempt;
}

/** A waiting job was put on hold (`null`: released), or may start from another time on. */
export interface JobHeld {
  readonly type: "job.held";
  readonly jobId: JobId;
  readonly hold: Hold | null;
}

/** Wishes of a job changed (scontrol update). Only those named. */
export interface JobUpdated {
  readonly type: "job.updated";
  readonly jobId: JobId;
  readonly changes: Partial<JobSpec>;
  /** What of it the job asked for before; absent in older journals. */
  readonly before?: Partial<JobSpec>;
  /** Of a running job, seconds; absent if unchanged. */
  readonly limitS?: number;
  /** Of a waiting job; absent if unchanged. */
  readonly eligibleAt?: number;
}

/** A running job's processes were stopped, or go on. */
export interface JobSuspended {
  readonly type: "job.suspended";
  readonly jobId: JobId;
  readonly attempt: Attempt;
  readonly suspended: boolean;
  /** It made room for this job, and holds nothing until it goes on. Absent for a plain suspension. */
  readonly yieldsTo?: JobId;
}

/** A running job was told that it makes room for another one, and has until a time to end by itself. */
export interface JobPreempting {
  readonly type: "job.preempting";
  readonly jobId: JobId;
  readonly attempt: Attempt;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly mode: "cancel" | "requeue";
  /** Number of the job for which it is. */
  readonly by: JobId;
}

/** A running job goes on without nodes that were lost (--no-kill). What it ran there is over for it. */
export interface JobShrunk {
  readonly type: "job.shrunk";
  readonly jobId: JobId;
  readonly attempt: Attempt;
  readonly nodes: readonly NodeName[];
}

/** A step was made within a running job's allocation. */
export interface StepCreated {
  readonly type: "step.created";
  readonly jobId: JobId;
  readonly attempt: Attempt;
  readonly step: Step;
}

/** A step is to end before its time: its nodes end its processes. */
export interface StepEnding {
  readonly type: "step.ending";
  readonly jobId: JobId;
  readonly attempt: Attempt;
  readonly stepId: StepId;
  readonly state: TerminalState;
  readonly by: number | null;
  readonly cause: string;
}

/** A step has another time limit than it began with. */
export interface StepLimited {
  readonly type: "step.limited";
  readonly jobId: JobId;
  readonly attempt: Attempt;
  readonly stepId: StepId;
  /** Seconds since its start, UNLIMITED for none. */
  readonly limitS: number;
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
  /** The highest number of a job that runs there, if no job here has it (any more): it is not given to another one. */
  readonly jobIdSeen?: JobId;
}

/** A node was not heard of for too long. */
export interface NodeDown {
  readonly type: "node.down";
  readonly node: NodeName;
  readonly reason: string;
}

/** Accounts, users, associations, QoS or weights were changed (sacctmgr): all of one command together. */
export interface PolicyChanged {
  readonly type: "policy.changed";
  readonly changes: readonly PolicyChange[];
}

/** An operator changed a node. Only what is named. */
export interface NodeUpdated {
  readonly type: "node.updated";
  readonly node: NodeName;
  /** Absent where the controller did it. */
  readonly by?: Operator;
  readonly settings?: NodeSettings;
  /** `null` takes the mark away. */
  readonly drain?: { readonly reason: string; readonly isFailing?: true } | null;
  readonly down?: { readonly reason: string } | null;
  /** Another reason for whatever mark it has. */
  readonly reason?: string;
}

/** A node that is gone was forgotten. */
export interface NodeDeleted {
  readonly type: "node.deleted";
  readonly node: NodeName;
}

/** An operator made or changed a partition: all of it, as it is now. */
export interface PartitionSet {
  readonly type: "partition.set";
  readonly partition: Partition;
}

/** A partition was removed. */
export interface PartitionDeleted {
  readonly type: "partition.deleted";
  readonly partition: string;
}

/** An operator made or changed a reservation, or it comes back: all of it, as it is now. */
export interface ReservationSet {
  readonly type: "reservation.set";
  readonly reservation: Reservation;
}

/** A reservation was removed, or its time is over. */
export interface ReservationDeleted {
  readonly type: "reservation.deleted";
  readonly reservation: string;
}

/** The settings name other licenses than before: all that there are now. */
export interface LicensesSet {
  readonly type: "licenses.set";
  readonly licenses: readonly LicenseWish[];
}

/** A file of jobs is watched, with other options than before, or was read: all of its record, as it is now. */
export interface FeedSet {
  readonly type: "feed.set";
  readonly feed: Feed;
}

/** A file of jobs is watched no more. */
export interface FeedDeleted {
  readonly type: "feed.deleted";
  readonly feedId: number;
}

/** A line of a feed became a job, in the same record as its `job.submitted`. */
export interface FeedLineQueued {
  readonly type: "feed.line";
  /** Of its file, see core/feed/feed.ts. */
  readonly guard: string;
  /** Of its meaning. */
  readonly digest: string;
  /** Lines of that file that are remembered from now on. */
  readonly kept: number;
}

/** A queue of allocations was made or changed: all of its record but the notes, as it is now. */
export interface ElasticQueueSet {
  readonly type: "elastic.queue.set";
  readonly queue: ElasticQueue;
}

/** A queue of allocations was removed, and none of them is left. */
export interface ElasticQueueDeleted {
  readonly type: "elastic.queue.deleted";
  readonly queueId: number;
}

/** An allocation is about to be asked for, or something was learned of it: all of its record, as it is now. */
export interface ElasticNodeSet {
  readonly type: "elastic.node.set";
  readonly elastic: ElasticNode;
}

/** An allocation is over. */
export interface ElasticNodeDeleted {
  readonly type: "elastic.node.deleted";
  readonly node: NodeName;
}

/** Something worth telling happened in a queue of allocations. */
export interface ElasticNoted {
  readonly type: "elastic.noted";
  readonly queueId: number;
  readonly text: string;
}

export type Event =
  | JobSubmitted
  | JobAllocated
  | StepStarted
  | StepEnded
  | JobEnded
  | JobCleaned
  | JobRequeued
  | JobHeld
  | JobUpdated
  | JobSuspended
  | JobPreempting
  | JobShrunk
  | JobSignalled
  | ArraySplit
  | StepCreated
  | StepEnding
  | StepLimited
  | JobPurged
  | NodeRegistered
  | NodeDown
  | NodeUpdated
  | NodeDeleted
  | PartitionSet
  | PartitionDeleted
  | ReservationSet
  | ReservationDeleted
  | LicensesSet
  | FeedSet
  | FeedDeleted
  | FeedLineQueued
  | ElasticQueueSet
  | ElasticQueueDeleted
  | ElasticNodeSet
  | ElasticNodeDeleted
  | ElasticNoted
  | PolicyChanged;

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
