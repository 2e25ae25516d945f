/**
 * Jobs and steps.
 *
 *   submitted ──> PENDING ──allocated──> RUNNING ──ended──> COMPLETED FAILED CANCELLED TIMEOUT NODE_FAIL ...
 *                    │                      │                    │
 *                    ├──ended (CANCELLED)───┼───────────────────>│  `cleanup` not empty: Slurm shows COMPLETING
 *                    │<──────requeued───────┘                    └──purged──> accounting only
 *
 * A job's state is decided once: the terminal states never change. While nodes still clear away processes of an
 * ended job it keeps its allocation, `cleanup` names those nodes, and Slurm's flag COMPLETING is shown.
 */

import type { Attempt, JobId, NodeName, StepId } from "./ids.ts";
import type { JobSpec } from "./jobspec.ts";
import type { Allocation } from "./resources.ts";

/** Slurm's names, in Slurm's order, with the short codes of squeue's `%t`. */
export const TERMINAL_STATES = {
  COMPLETED: "CD",
  CANCELLED: "CA",
  FAILED: "F",
  TIMEOUT: "TO",
  NODE_FAIL: "NF",
  PREEMPTED: "PR",
  BOOT_FAIL: "BF",
  DEADLINE: "DL",
  OUT_OF_MEMORY: "OOM",
} as const;

export type TerminalState = keyof typeof TERMINAL_STATES;
export type JobState = "PENDING" | "RUNNING" | TerminalState;

/** How a program ended: Slurm's `code:signal`. One of the two is 0. */
export interface ExitStatus {
  readonly code: number;
  readonly signal: number;
}

export const EXIT_OK: ExitStatus = { code: 0, signal: 0 };

interface JobCommon {
  readonly id: JobId;
  readonly spec: JobSpec;
  /** Milliseconds since 1970, as all times in state. */
  readonly submitAt: number;
  /** 0 until first started. */
  readonly attempt: Attempt;
  /** The client's name for its submission, by which a repeated one is recognised. */
  readonly requestId: string;
}

export interface PendingJob extends JobCommon {
  readonly state: "PENDING";
  /** Earliest start. */
  readonly eligibleAt: number;
}

export interface RunningJob extends JobCommon {
  readonly state: "RUNNING";
  readonly startAt: number;
  /** Seconds, {@link UNLIMITED} for none: the job's own or its partition's. */
  readonly limitS: number;
  readonly allocation: Allocation;
  readonly steps: readonly Step[];
}

export interface EndedJob extends JobCommon {
  readonly state: TerminalState;
  /** `null` if the job never started. */
  readonly startAt: number | null;
  readonly endAt: number;
  readonly limitS: number | null;
  readonly allocation: Allocation;
  readonly steps: readonly Step[];
  readonly exit: ExitStatus;
  /** Who or what ended it, in words; empty for an ordinary end. */
  readonly cause: string;
  /** The uid that cancelled it, else `null`. */
  readonly cancelledBy: number | null;
  /** Nodes that have not yet confirmed that nothing of the job runs any more. */
  readonly cleanup: readonly NodeName[];
}

export type Job = PendingJob | RunningJob | EndedJob;

/** Where the part of a step on one node stands. */
export interface StepPart {
  readonly node: NodeName;
  /** Number of its first task within the step. */
  readonly firstTask: number;
  readonly tasks: number;
  /** `launching` until the node reports; never goes back. */
  readonly phase: "launching" | "running" | "ended";
  /** One status a task once ended; empty before. */
  readonly exits: readonly ExitStatus[];
}

export interface Step {
  readonly id: StepId;
  readonly name: string;
  readonly startAt: number;
  readonly endAt: number | null;
  readonly parts: readonly StepPart[];
}

/** Whether a job's state is decided. */
export function isEnded(job: Job): job is EndedJob {
  return job.state !== "PENDING" && job.state !== "RUNNING";
}

/** Whether a job holds resources: it runs, or ended and is still being cleared away. */
export function holdsResources(job: Job): job is RunningJob | EndedJob {
  return job.state === "RUNNING" || (isEnded(job) && job.cleanup.length > 0);
}

/** Slurm's long state name, with COMPLETING where it applies. */
export function displayState(job: Job): JobState | "COMPLETING" {
  return isEnded(job) && job.cleanup.length > 0 ? "COMPLETING" : job.state;
}

/** The worst of several exits: a signal before a code, then the highest; Slurm's rule for a step. */
export function worstExit(exits: readonly ExitStatus[]): ExitStatus {
  let worst = EXIT_OK;
  for (const exit of exits) if (exitRank(exit) > exitRank(worst)) worst = exit;
  return worst;
}

/** What a shell reports: the code, or 128 + signal. */
export function shellCode(exit: ExitStatus): number {
  return exit.signal === 0 ? exit.code : 128 + exit.signal;
}

function exitRank(exit: ExitStatus): number {
  return exit.signal === 0 ? exit.code : 256 + exit.signal;
}
