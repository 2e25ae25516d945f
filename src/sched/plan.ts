/** What the scheduler answers with: a value. Somebody else carries it out, after a second look. */

import type { TaskSet } from "../core/array-spec.ts";
import type { ComponentAllocation } from "../core/commands.ts";
import type { JobId } from "../core/ids.ts";
import type { JobSpec } from "../core/jobspec.ts";
import type { LimitReason } from "../core/policy/limits.ts";
import type { Allocation } from "../core/resources.ts";
import type { Kept } from "./kept.ts";

/** Slurm's words for why a job waits, as squeue shows them. */
export type ReasonWord =
  | "None"
  | "Priority"
  | "Resources"
  | "ReqNodeNotAvail"
  | "BadConstraints"
  | "PartitionConfig"
  | "PartitionDown"
  | "Reservation"
  | "ReservationDeleted"
  | "PartitionInactive"
  | "PartitionNodeLimit"
  | "PartitionTimeLimit"
  | "MaxMemPerLimit"
  | "BeginTime"
  | "Dependency"
  | "DependencyNeverSatisfied"
  | "JobHeldUser"
  | "JobHeldAdmin"
  | "JobArrayTaskLimit"
  | "Cleaning"
  | "Licenses"
  | LimitReason
  | "DeadLine";

/** Why a job waits: Slurm's word, and a sentence with what would change it. */
export interface Reason {
  readonly word: ReasonWord;
  readonly text: string;
}

export interface Start {
  readonly jobId: JobId;
  /** The task that starts, where the record is an array's, even if it is the record's last; else `null`. */
  readonly taskId: number | null;
  readonly allocation: Allocation;
  /** Of a job that may start in several: the partition that it starts in. */
  readonly partition?: string;
  /** Of a job with a least time (--time-min) that finds room only with less than its limit: the seconds it gets. */
  readonly limitS?: number;
  /** Of a heterogeneous job: its other components that wait, which start in the same moment. */
  readonly followers?: readonly ComponentAllocation[];
}

/** A time and a place that no job behind may delay. Of an array's record, those of its next task. */
export interface Reservation {
  /** The latest time at which it starts, as far as time limits hold: milliseconds since 1970. */
  readonly at: number;
  readonly allocation: Allocation;
}

/** A running job that makes room for a waiting one. */
export interface Preemption {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly mode: "cancel" | "requeue" | "suspend";
  /** Seconds until its end, once it was told. */
  readonly graceS: number;
  /** The job for which it is. */
  readonly by: JobId;
}

/** A waiting job, or some tasks of an array's record, that can't start any more. */
export interface End {
  readonly jobId: JobId;
  /** `null` for all of the record. */
  readonly tasks: TaskSet | null;
  readonly state: "DEADLINE" | "CANCELLED";
  /** In words, for the record. */
  readonly cause: string;
}

export interface Plan {
  /** In the order in which they should be carried out. */
  readonly starts: readonly Start[];
  /** What the jobs that start had asked for when they were looked at. */
  readonly planned: ReadonlyMap<JobId, JobSpec>;
  readonly ends: readonly End[];
  readonly preemptions: readonly Preemption[];
  /** Jobs that made room for others and find it free again. */
  readonly resumes: readonly JobId[];
  /**
   * Why jobs wait that may start (`Gate.waitReason` tells of the others), as far as the pass came; of an array's
   * record, why the tasks left in it do.
   */
  readonly reasons: ReadonlyMap<JobId, Reason>;
  /** Why all other jobs of a `chargeGroup` wait that no pass needs to look at. */
  readonly groupReasons: ReadonlyMap<string, Reason>;
  /** The same of a `wishGroup`. */
  readonly wishReasons: ReadonlyMap<string, Reason>;
  /** What is promised to the first jobs that wait for room. */
  readonly reservations: ReadonlyMap<JobId, Reservation>;
  /** The same for the next pass, which keeps them. */
  readonly kept: readonly Kept[];
  /** The reason of every other job that may start. */
  readonly otherwise: Reason;
  /** When, at the earliest, time alone changes something (milliseconds since 1970); `null` for never. */
  readonly wakeAt: number | null;
}
