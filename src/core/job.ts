/**
 * Jobs and steps.
 *
 *   submitted ──> PENDING ──allocated──> RUNNING ──ended──> COMPLETED FAILED CANCELLED TIMEOUT NODE_FAIL ...
 *                    │                      │                    │
 *                    ├──ended (CANCELLED)───┼───────────────────>│  `cleanup` not empty: Slurm shows COMPLETING
 *                    │<──────requeued───────┘                    └──purged──> accounting only
 *
 * A job's state is decided once: a terminal state changes only by an explicit requeue of a batch job. While nodes still clear away processes of an
 * ended or requeued job it keeps its allocation there, and `cleanup` names those nodes.
 *
 * A job array is one record that holds all tasks that still wait; a task that starts (or is held, or cancelled, by
 * itself) becomes a record of its own with a number of its own. The last one keeps the array's.
 */

import type { TaskSet } from "./array-spec.ts";
import type { Attempt, JobId, NodeName, StepId } from "./ids.ts";
import { type JobSpec, type StepSpec, UNLIMITED } from "./jobspec.ts";
import type { Allocation, GpuGrant } from "./resources.ts";
import type { StepUsage } from "./usage.ts";

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

/** A start of a job that was given up for a later one: what accounting shows of it (sacct -D). */
export interface EarlierAttempt {
  readonly attempt: Attempt;
  readonly startAt: number;
  readonly endAt: number;
  /** Seconds, 0 for none. */
  readonly limitS: number;
  readonly allocation: Allocation;
  readonly steps: readonly Step[];
  /** What ended it: REQUEUED by request, else Slurm's state of its failure. */
  readonly state: "REQUEUED" | TerminalState;
  readonly exit: ExitStatus;
  readonly cause: string;
  readonly suspendedMs: number;
}

/** Earlier attempts that a record keeps, the newest of them: a job that starts over for ever must not fill memory. */
export const EARLIER_ATTEMPTS_MAX = 50;

/** What a job asked for until it was changed: for listings of the past. */
export interface EarlierWishes {
  /** When it was changed, milliseconds since 1970. */
  readonly at: number;
  /** What its spec said before, of that which was changed. */
  readonly before: Partial<JobSpec>;
}

/** Changes that a record remembers, the newest of them. */
export const EARLIER_WISHES_MAX = 20;

/** Which tasks of which array a record is. */
export interface ArrayPart {
  /** The array's number: that of its first record. */
  readonly jobId: JobId;
  /** One task once it started; waiting ones share a record. */
  readonly tasks: TaskSet;
}

interface JobCommon {
  readonly id: JobId;
  readonly spec: JobSpec;
  /** Milliseconds since 1970, as all times in state. */
  readonly submitAt: number;
  /** 0 until first started. */
  readonly attempt: Attempt;
  /** The client's name for its submission, by which a repeated one is recognised; empty for tasks of an array. */
  readonly requestId: string;
  readonly array: ArrayPart | null;
  /** It was suspended so that this job has its room, and holds nothing of its allocation until it goes on. */
  readonly yieldsTo?: JobId;
  /** Starts before the present or last one, oldest first; absent if there was none. */
  readonly earlier?: readonly EarlierAttempt[];
  /** Changes of its wishes, oldest first; absent if there was none. */
  readonly changed?: readonly EarlierWishes[];
}

/** Who keeps a job waiting: its user (hold, --hold) or the operator. */
export type Hold = "user" | "admin";

export interface PendingJob extends JobCommon {
  readonly state: "PENDING";
  /** Earliest start. */
  readonly eligibleAt: number;
  readonly hold: Hold | null;
  /** Requeued and held with State=SpecialExit: for somebody to look at. */
  readonly special?: true;
  /** It made room for this job, and does not start before that one has. */
  readonly after?: JobId;
  /** What it held before it was requeued, until the nodes in `cleanup` have confirmed that nothing runs there. */
  readonly allocation: Allocation;
  readonly cleanup: readonly NodeName[];
  /** Starts by itself after failures, so far. */
  readonly retried: number;
  /** Starts in a row of which nothing came because a node could not start the program; 0 if absent. */
  readonly unlaunched?: number;
}

export interface RunningJob extends JobCommon {
  readonly state: "RUNNING";
  readonly startAt: number;
  readonly eligibleAt: number;
  /** Seconds, {@link UNLIMITED} for none: the job's own or its partition's. */
  readonly limitS: number;
  readonly allocation: Allocation;
  readonly steps: readonly Step[];
  /** Number of the next step that srun makes. */
  readonly nextStepId: number;
  /** Since when it is suspended, else `null`. */
  readonly suspendedAt: number | null;
  /** Milliseconds of earlier suspensions: they don't count towards the time limit. */
  readonly suspendedMs: number;
  /** It was told to end, at the latest then (milliseconds since 1970), for another job. */
  readonly preempt?: { readonly at: number; readonly mode: "cancel" | "requeue"; readonly by: JobId };
  /** The signal of --signal was sent. */
  readonly signalled: boolean;
  readonly retried: number;
  readonly unlaunched?: number;
}

export interface EndedJob extends JobCommon {
  readonly state: TerminalState;
  /** `null` if the job never started. */
  readonly startAt: number | null;
  readonly eligibleAt: number;
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
  readonly suspendedMs: number;
}

export type Job = PendingJob | RunningJob | EndedJob;

/** Where the part of a step on one node stands. */
export interface StepPart {
  readonly node: NodeName;
  /** Numbers of its tasks within the step (the whole one, see {@link StepHet}), ascending; a batch script is task 0. */
  readonly tasks: readonly number[];
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: readonly GpuGrant[];
  /** `launching` until the node reports; never goes back. */
  readonly phase: "launching" | "running" | "ended";
  /** One status a task once ended, in the order of `tasks`; empty before. */
  readonly exits: readonly ExitStatus[];
  /** What its tasks used, once it ended; absent where that is not known. */
  readonly usage?: StepUsage;
}

/** A step over several components of a heterogeneous job: each of these has a record of it, under the same number. */
export interface StepHet {
  /** The components that take part, in the order of their tasks. */
  readonly jobIds: readonly JobId[];
  /** Number of this component's first task within the whole. */
  readonly firstTask: number;
  /** Tasks of the whole. */
  readonly tasks: number;
}

export interface Step {
  readonly id: StepId;
  readonly name: string;
  /** Its own program, or `null` for the job's. */
  readonly spec: StepSpec | null;
  /** The client's name for its request; empty for the job's own step. */
  readonly requestId: string;
  readonly startAt: number;
  /** Milliseconds that its job had been suspended when it started: they are none of its time. Absent for 0. */
  readonly suspendedBeforeMs?: number;
  /** Seconds: a limit given later than its own; absent while that holds. */
  readonly limitS?: number;
  readonly endAt: number | null;
  readonly parts: readonly StepPart[];
  /** RUNNING, or how it ended. */
  readonly state: "RUNNING" | TerminalState;
  /** Where it stands in a step over several components of a heterogeneous job; absent otherwise. */
  readonly het?: StepHet;
  /** Set once it is to be ended before its time: by whom (uid), and why in words. */
  readonly ending: { readonly state: TerminalState; readonly by: number | null; readonly cause: string } | null;
}

/** Whether a job's state is decided. */
export function isEnded(job: Job): job is EndedJob {
  return job.state !== "PENDING" && job.state !== "RUNNING";
}

/** Whether a job holds resources: it runs, or is still being cleared away. */
export function holdsResources(job: Job): boolean {
  return job.state === "RUNNING" || job.cleanup.length > 0;
}

/** Slurm's long state name, with COMPLETING, SUSPENDED and SPECIAL_EXIT where they apply. */
export function displayState(job: Job): JobState | "COMPLETING" | "SUSPENDED" | "SPECIAL_EXIT" {
  if (job.state === "PENDING" && job.special) return "SPECIAL_EXIT";
  if (job.state === "RUNNING") return job.suspendedAt === null ? "RUNNING" : "SUSPENDED";
  return isEnded(job) && job.cleanup.length > 0 ? "COMPLETING" : job.state;
}

/** The seconds that a step may take, suspensions of its job aside; UNLIMITED for none but the job's. */
export function stepLimit({ limitS, spec }: Step): number {
  return limitS ?? spec?.timeLimitS ?? UNLIMITED;
}

/** Whether a step still runs somewhere, or is about to. */
export function isOpenStep(step: Step): boolean {
  return step.endAt === null;
}

/** The step whose end is the end of the job: the batch script, or srun's only step. None for an allocation. */
export function mainStepId(job: Job): StepId | null {
  // The script runs in the first component only; it is what the others are there for.
  if (job.spec.kind === "batch") return (job.spec.het?.offset ?? 0) > 0 ? null : "batch";
  return job.spec.kind === "run" ? 0 : null;
}

/** The worst of several exits: a signal before a code, then the highest; Slurm's rule for a step. */
export function worstExit(exits: readonly ExitStatus[]): ExitStatus {
  let worst = EXIT_OK;
  for (const exit of exits) if (exitRank(exit) > exitRank(worst)) worst = exit;
  return worst;
}

/** The worst exit of the steps that srun made; a plain end without any. */
export function derivedExit(job: Job): ExitStatus {
  if (job.state === "PENDING") return EXIT_OK;
  const steps = job.steps.filter(({ id }) => id !== "batch");
  return worstExit(steps.flatMap((step) => step.parts.flatMap((part) => part.exits)));
}

/** What a shell reports: the code, or 128 + signal. */
export function shellCode(exit: ExitStatus): number {
  return exit.signal === 0 ? exit.code : 128 + exit.signal;
}

function exitRank(exit: ExitStatus): number {
  return exit.signal === 0 ? exit.code : 256 + exit.signal;
}
