/** What somebody wants: a user, a node daemon, a timer, or the scheduler. `decide` answers each. */

import type { TaskSet } from "./array-spec.ts";
import type { SignalTarget } from "./effects.ts";
import type { ElasticNode, ElasticQueue } from "./elastic/records.ts";
import type { Feed, FeedReading } from "./feed/feed.ts";
import type { Attempt, JobId, JobStart, NodeName, StepId, StepKey } from "./ids.ts";
import type { ExitStatus, Hold, TerminalState } from "./job.ts";
import type { JobLimits } from "./job-limits.ts";
import type { JobSpec, LicenseWish, StepSpec } from "./jobspec.ts";
import type { NodeInventory, NodeSettings, Operator } from "./node.ts";
import type { Partition } from "./partition.ts";
import type { PartitionEntry } from "./partition-config.ts";
import type { PolicyChange } from "./policy/records.ts";
import type { Reservation } from "./reservation.ts";
import type { Allocation, Gpu } from "./resources.ts";
import type { StepUsage } from "./usage.ts";

/** Accept a job. Repeating a request id answers with the first one's job. */
export interface SubmitJob {
  readonly type: "job.submit";
  readonly requestId: string;
  readonly spec: JobSpec;
  /** Refuse what exceeds its partition's limits; otherwise such a job waits until they are raised. */
  readonly isEnforced?: boolean;
  /** Jobs that may wait; any number if absent. */
  readonly queueLimits?: JobLimits;
  /** Of a heterogeneous job: the components behind the first. They are accepted together or not at all. */
  readonly followers?: readonly JobSpec[];
}

/** Who asks for something, for the checks and the record. */
interface Asked {
  readonly jobId: JobId;
  /** Of an array's record: these of its tasks only; `null` for all of the record. */
  readonly tasks: TaskSet | null;
  readonly byUid: number;
}

/** End a job, whatever it does. */
export interface CancelJob extends Asked {
  readonly type: "job.cancel";
  /** In words, for the record; empty for a plain scancel. */
  readonly cause: string;
}

/** The scheduler found that a waiting job can't start any more. */
export interface ExpireJob {
  readonly type: "job.expire";
  readonly jobId: JobId;
  /** Of an array's record: these of its tasks only; `null` for all of it. */
  readonly tasks: TaskSet | null;
  readonly state: "DEADLINE" | "CANCELLED";
  readonly cause: string;
}

/** The owner of an allocation gives it back (salloc's end), with the exit status of what ran in it. */
export interface CompleteJob {
  readonly type: "job.complete";
  readonly jobId: JobId;
  readonly byUid: number;
  readonly exit: ExitStatus;
}

/** Send a signal to a running job's processes. */
export interface SignalJob {
  readonly type: "job.signal";
  readonly jobId: JobId;
  readonly target: SignalTarget;
  readonly signal: number;
  readonly byUid: number;
}

/** Keep a waiting job waiting, or (`hold` null) let it go. */
export interface HoldJob extends Asked {
  readonly type: "job.hold";
  readonly hold: Hold | null;
}

/** End a running job's processes and put it back into the queue. */
export interface RequeueJob extends Asked {
  readonly type: "job.requeue";
  /** Wait for a release then. */
  readonly hold: boolean;
  /** Held as SPECIAL_EXIT. */
  readonly special?: boolean;
}

/** Stop a running job's processes, or let them go on. */
export interface SuspendJob extends Asked {
  readonly type: "job.suspend";
  readonly suspend: boolean;
}

/** The scheduler found a job that may have a running one's room. */
export interface PreemptJob {
  readonly type: "job.preempt";
  readonly jobId: JobId;
  readonly attempt: Attempt;
  readonly mode: "cancel" | "requeue" | "suspend";
  /** Seconds between the word to the job and its end; none for a suspension. */
  readonly graceS: number;
  /** Number of the job for which it is. */
  readonly by: JobId;
}

/** What may be changed of a job that was accepted. */
export type JobChanges = Partial<
  Omit<JobSpec, "user" | "kind" | "argv" | "het" | "scriptDigest" | "environmentDigest">
>;

/** Change a job's wishes. */
export interface UpdateJob extends Asked {
  readonly type: "job.update";
  readonly changes: JobChanges;
}

/** The scheduler's plan for one job. Capacity is checked again. */
export interface AllocateJob {
  readonly type: "job.allocate";
  readonly jobId: JobId;
  /** Of an array's record: the task that starts; else `null`. */
  readonly taskId: number | null;
  readonly allocation: Allocation;
  /** Of a job that may start in several: the partition that it starts in. */
  readonly partition?: string;
  /** Of a job with a least time (--time-min) that finds room only with less than its limit: the seconds it gets. */
  readonly limitS?: number;
  /** Of a heterogeneous job: what its other components that wait are given in the same moment. */
  readonly followers?: readonly ComponentAllocation[];
}

/** What one component of a heterogeneous job is given. */
export interface ComponentAllocation {
  readonly jobId: JobId;
  readonly allocation: Allocation;
  readonly partition?: string;
}

/** Make a step within a running job. Repeating a request id answers with the first one's step. */
export interface CreateStep {
  readonly type: "step.create";
  readonly jobId: JobId;
  readonly requestId: string;
  readonly byUid: number;
  readonly spec: StepSpec;
  /** Its parts in other components of the heterogeneous job, behind the first; made together or not at all. */
  readonly others?: readonly { readonly jobId: JobId; readonly spec: StepSpec }[];
}

/** End one step of a job. */
export interface CancelStep {
  readonly type: "step.cancel";
  readonly jobId: JobId;
  readonly stepId: StepId;
  readonly byUid: number;
  /** CANCELLED unless something else ended it. */
  readonly state: TerminalState;
  readonly cause: string;
}

/** Give a step another time limit; of all steps that are not over where none is named. */
export interface LimitStep {
  readonly type: "step.limit";
  readonly jobId: JobId;
  readonly stepId: StepId | null;
  /** Seconds since its start, UNLIMITED for none. */
  readonly limitS: number;
  readonly byUid: number;
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
  /** The node ended it because it used more memory than it was granted. */
  readonly outOfMemory: boolean;
  /** True if nothing else of the job runs on that node. */
  readonly clean: boolean;
  /** What its tasks used, where that is known. */
  readonly usage?: StepUsage | undefined;
  /** Its program never started, through no fault of its own. */
  readonly unlaunched?: boolean;
  /** Its program never started: the node does not run jobs of its user. */
  readonly unwelcome?: boolean;
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
  /** What runs there, or may have left something behind. */
  readonly starts?: readonly JobStart[];
}

/** The node's connection has been gone for longer than the grace time. */
export interface MarkNodeDown {
  readonly type: "node.markDown";
  readonly node: NodeName;
  readonly reason: string;
}

/** States that an operator may put a node into: Slurm's words of scontrol. */
export const NODE_ORDERS = ["DRAIN", "UNDRAIN", "RESUME", "IDLE", "DOWN", "FAIL"] as const;

/** What an operator may change of nodes. */
export interface NodeChanges extends NodeSettings {
  readonly state?: (typeof NODE_ORDERS)[number];
  readonly reason?: string;
}

/** An operator changes nodes: all of them, or none if something is wrong with one. */
export interface UpdateNodes {
  readonly type: "nodes.update";
  /** `ALL` as the only name stands for every node. */
  readonly nodes: readonly NodeName[];
  readonly changes: NodeChanges;
  /** Absent where the controller does it. */
  readonly by?: Operator;
  /** Those of them whose daemons can't be told anything now. */
  readonly away: readonly NodeName[];
}

/** An operator forgets nodes that are gone. */
export interface DeleteNodes {
  readonly type: "nodes.delete";
  readonly nodes: readonly NodeName[];
  /** Those of them whose daemons can't be told anything now: only these can be gone. */
  readonly away: readonly NodeName[];
}

/** What may be changed of a partition. */
export type PartitionChanges = Partial<Omit<Partition, "name">>;

/** An operator makes a partition. */
export interface CreatePartition {
  readonly type: "partition.create";
  readonly name: string;
  readonly changes: PartitionChanges;
}

/** An operator changes a partition. */
export interface UpdatePartition {
  readonly type: "partition.update";
  readonly name: string;
  readonly changes: PartitionChanges;
}

/** An operator removes a partition that no job is in. */
export interface DeletePartition {
  readonly type: "partition.delete";
  readonly name: string;
}

/** The partitions that the configuration names, all of them. */
export interface ConfigurePartitions {
  readonly type: "partitions.configure";
  readonly entries: readonly PartitionEntry[];
}

/** An operator makes a reservation. */
export interface CreateReservation {
  readonly type: "reservation.create";
  readonly reservation: Reservation;
  /** So many nodes, whichever are free, in place of its own; 0 for its own. */
  readonly nodeCount: number;
}

/** An operator changes a reservation. */
export interface UpdateReservation {
  readonly type: "reservation.update";
  readonly name: string;
  readonly changes: Partial<Omit<Reservation, "name" | "by">>;
  readonly nodeCount: number;
}

/** An operator removes a reservation. */
export interface DeleteReservation {
  readonly type: "reservation.delete";
  readonly name: string;
}

/** A reservation's time is over. */
export interface ExpireReservation {
  readonly type: "reservation.expire";
  readonly name: string;
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

/** Change accounts, users, associations, QoS or weights, as they were reckoned from `version`. */
export interface ChangePolicy {
  readonly type: "policy.change";
  readonly version: number;
  readonly changes: readonly PolicyChange[];
  readonly byName: string;
  /** Root, or whoever the controller belongs to. */
  readonly isOwner: boolean;
}

/** The controller starts with these licenses; jobs that hold others go on. */
export interface ConfigureLicenses {
  readonly type: "licenses.configure";
  readonly licenses: readonly LicenseWish[];
}

/** Queue the job of a line of a feed, unless one of the same meaning was queued before. */
export interface SubmitLine {
  readonly type: "feed.submit";
  /** Of its file, see core/feed/feed.ts. */
  readonly guard: string;
  /** Of its meaning. */
  readonly digest: string;
  /** Lines of the file to remember. */
  readonly kept: number;
  /** Whatever was queued before. */
  readonly isAgain: boolean;
  readonly job: SubmitJob;
}

/** Watch a file. */
export interface PutFeed {
  readonly type: "feed.put";
  readonly feed: Pick<Feed, "user" | "path" | "template" | "environmentDigest">;
}

/** A watched file was read, or can't be. */
export interface ReadFeed {
  readonly type: "feed.read";
  readonly feedId: number;
  /** Absent where it was not read. */
  readonly reading?: FeedReading;
  /** Jobs that came of it. */
  readonly queued?: number;
  /** Why it can't be read; empty if it can. */
  readonly trouble: string;
}

/** Watch a file no more. */
export interface DropFeed {
  readonly type: "feed.drop";
  readonly feedId: number;
  readonly byUid: number;
}

/** Make a queue of allocations. */
export interface AddElasticQueue {
  readonly type: "elastic.add";
  readonly queue: Pick<ElasticQueue, "manager" | "by" | "shape" | "limits" | "args" | "place">;
  /** What the queue's log says of it, here and below. */
  readonly note: string;
}

/** Change a queue of allocations: by somebody's order, or because of how it went. */
export interface ChangeElasticQueue {
  readonly type: "elastic.change";
  readonly queueId: number;
  readonly change:
    | { readonly type: "pause"; readonly reason: string; readonly by: Operator }
    | { readonly type: "resume" }
    | { readonly type: "leave" }
    /** A node of it came, with these. */
    | { readonly type: "seen"; readonly gpus: readonly Gpu[] };
  readonly note: string;
}

/** Ask for an allocation: the answer's event names its node. */
export interface OrderElasticNode {
  readonly type: "elastic.order";
  readonly queueId: number;
}

/** Something was learned of an allocation. */
export interface ChangeElasticNode {
  readonly type: "elastic.node";
  readonly node: NodeName;
  readonly changes: Partial<Omit<ElasticNode, "node" | "queueId" | "orderedAt">>;
  readonly note?: string;
}

/** An allocation is over. */
export interface EndElasticNode {
  readonly type: "elastic.over";
  readonly node: NodeName;
  readonly note: string;
  /** It came to nothing, and so may the next one. */
  readonly problem?: string;
}

export type Command =
  | SubmitJob
  | CancelJob
  | ExpireJob
  | CompleteJob
  | SignalJob
  | HoldJob
  | RequeueJob
  | SuspendJob
  | PreemptJob
  | UpdateJob
  | AllocateJob
  | CreateStep
  | CancelStep
  | LimitStep
  | ReportStepStarted
  | ReportStepEnded
  | ReportStepLost
  | ReportJobCleaned
  | RegisterNode
  | MarkNodeDown
  | UpdateNodes
  | DeleteNodes
  | CreatePartition
  | UpdatePartition
  | DeletePartition
  | ConfigurePartitions
  | CreateReservation
  | UpdateReservation
  | DeleteReservation
  | ExpireReservation
  | FireTimer
  | PurgeJob
  | ChangePolicy
  | ConfigureLicenses
  | SubmitLine
  | PutFeed
  | ReadFeed
  | DropFeed
  | AddElasticQueue
  | ChangeElasticQueue
  | OrderElasticNode
  | ChangeElasticNode
  | EndElasticNode;

/**
 * What a timer is for. The attempt keeps an old start's limit from ending a new one.
 * - `limit`: the job's time is over
 * - `signal`: time for --signal
 * - `step`: a step's own time is over
 * - `preempt`: the grace time of a job that is preempted is over
 * - `mail50` ...: so many percent of the job's time are over, for --mail-type
 */
export type Timer =
  | {
      readonly kind: "limit" | "signal" | "preempt" | "mail50" | "mail80" | "mail90";
      readonly jobId: JobId;
      readonly attempt: Attempt;
    }
  | { readonly kind: "step"; readonly jobId: JobId; readonly attempt: Attempt; readonly stepId: StepId };

/** One string a timer, for maps. */
export function timerKey(timer: Timer): string {
  const step = timer.kind === "step" ? `:${timer.stepId}` : "";
  return `${timer.kind}:${timer.jobId}:${timer.attempt}${step}`;
}
