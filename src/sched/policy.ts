/** How the scheduler deals with the queue: what is set once for all passes. */

import type { PendingJob } from "../core/job.ts";
import type { Scoring } from "./place/scores/score.ts";

export interface SchedulerPolicy {
  /**
   * How many of the first blocked jobs of each partition are promised a time and a place: no job behind them may
   * delay that. 1 is EASY backfill, more is conservative, 0 keeps everything for the first blocked one: nobody overtakes.
   */
  readonly reservations: number;
  /** In which order those behind them are tried: as they stand in the queue, or the shortest first. */
  readonly backfillOrder: "arrival" | "shortest";
  /** Most jobs of a partition that are tried in a pass once one of it is blocked. */
  readonly backfillDepth: number;
  /** Seconds after which running jobs without a time limit are taken to be over. Waiting ones get no such favour. */
  readonly assumedTimeS: number;
  /** Whose room jobs may have; nobody's if absent. */
  readonly preemption?: PreemptionPolicy;
  /**
   * How long a job is likely to run, in seconds; `null` where nobody can tell: then its limit counts. Only for the
   * order of those that overtake: what is promised rests on limits (`limitS`, seconds, 0 for none).
   */
  readonly predictS?: (job: PendingJob, limitS: number) => number | null;
  /** Among jobs of the same tier and priority: the earliest first, or the one with the worst slowdown to expect. */
  readonly queueOrder?: "arrival" | "slowdown";
  /** By which score nodes are chosen for jobs of a partition; packed where nothing is said. */
  readonly scoringOf?: (partition: string) => Scoring;
}

/** Slurm's PreemptType, PreemptMode and PreemptExemptTime. */
export interface PreemptionPolicy {
  /** Jobs of the QoS that their own QoS lists, or of partitions of a lower tier. */
  readonly by: "qos" | "partition";
  /** What is done to jobs whose QoS or partition says nothing of it. */
  readonly mode: "cancel" | "requeue" | "suspend" | "off";
  /** Seconds that a job runs before it may be preempted. */
  readonly exemptS: number;
}

const DAY_S = 86_400;

/** One reservation a partition, the rest in the order of the queue. */
export const EASY: SchedulerPolicy = {
  reservations: 1,
  backfillOrder: "arrival",
  backfillDepth: 1000,
  assumedTimeS: DAY_S,
};
