/** What the scheduler answers with: a value. Somebody else carries it out, after a second look. */

import type { JobId } from "../core/ids.ts";
import type { Allocation } from "../core/resources.ts";

/** Why a job waits: Slurm's word, and a sentence with what would change it. */
export interface Reason {
  readonly word: "Resources" | "Priority" | "ReqNodeNotAvail" | "BeginTime" | "PartitionConfig" | "None";
  readonly text: string;
}

export interface Start {
  readonly jobId: JobId;
  readonly allocation: Allocation;
}

export interface Plan {
  /** In the order in which they should be carried out. */
  readonly starts: readonly Start[];
  /** Reasons of the jobs that were tried and left waiting. */
  readonly reasons: ReadonlyMap<JobId, Reason>;
  /** The reason of every other waiting job. */
  readonly otherwise: Reason;
}
