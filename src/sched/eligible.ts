/** May a waiting job start at all, whatever room there is: holds, times, dependencies, limits of arrays. */

import { firstTask, type TaskSet, taskCount, tasksOf, withTask } from "../core/array-spec.ts";
import { effectiveLimit, findPartition } from "../core/decide/submit.ts";
import type { DependencyTerm } from "../core/dependency.ts";
import type { JobId } from "../core/ids.ts";
import type { PendingJob } from "../core/job.ts";
import { jobLabel } from "../core/job-label.ts";
import { UNLIMITED } from "../core/jobspec.ts";
import type { ClusterState } from "../core/state.ts";
import { type DependencyJudge, describeTerm, isPerTask, judgeDependencies } from "./dependency.ts";
import type { End, Reason, ReasonWord } from "./plan.ts";

/** Why a job may not start. */
export interface Wait {
  readonly reason: Reason;
  /** When time alone lets it start, in milliseconds since 1970; else `null`. */
  readonly wakeAt: number | null;
  /** Set if it never will and must end now. */
  readonly end: Pick<End, "state" | "cause"> | null;
}

/** Answers for one moment of one state; it remembers what it looked up, so it must not outlive that moment. */
export interface Gate {
  /** Why none of the job may start; `null` if it may, or some of its tasks may. */
  waitReason(job: PendingJob): Wait | null;
  /** Tasks of an array's record that may start, ascending. */
  openTasks(job: PendingJob): Iterable<number>;
  /** Tasks of a record that must end now, though others of it go on. */
  lostTasks(job: PendingJob): End | null;
  /** How many tasks of an array's record may start now; for any other job 1. */
  slotsOf(job: PendingJob): number;
  /** The last moment at which it can start and be over before its deadline; `null` for no deadline. */
  startBy(job: PendingJob): number | null;
}

/** Most tasks of a record that are found open at a time where each is judged by itself: no pass starts more. */
const OPEN_MAX = 1000;

/** Terms of a dependency that a reason names. */
const TERMS_NAMED_MAX = 3;

/** Why a job may not start at `now`, whatever room there is; `null` if it may. */
export function waitReason(state: ClusterState, job: PendingJob, now: number): Wait | null {
  return gateOf(state, now).waitReason(job);
}

/** The same for many jobs at one moment: what several of them need is looked up once. */
export function gateOf(state: ClusterState, now: number): Gate {
  const judge = judgeDependencies(state, now);
  const sorted = new Map<JobId, SortedTasks>();
  let running: Map<JobId, number> | null = null;

  const sortedTasks = (job: PendingJob): SortedTasks => {
    const known = sorted.get(job.id);
    if (known) return known;
    const made = sortTasks(judge, job);
    sorted.set(job.id, made);
    return made;
  };

  const slotsOf = (job: PendingJob): number => {
    if (!job.array) return 1;
    if (job.spec.dependency?.terms.some((term) => term.type === "singleton")) return 1;
    const limit = job.spec.array?.limit ?? 0;
    if (limit === 0) return Number.POSITIVE_INFINITY;
    running ??= countRunning(state);
    return Math.max(0, limit - (running.get(job.array.jobId) ?? 0));
  };

  return {
    waitReason(job) {
      return (
        deadlineWait(state, job, now) ??
        holdWait(job) ??
        cleanupWait(job) ??
        (isPerTask(job) ? perTaskWait(job, sortedTasks(job)) : dependencyWait(judge, job)) ??
        beginWait(job, now) ??
        (slotsOf(job) === 0 ? limitWait(job) : null)
      );
    },
    openTasks: (job) => (isPerTask(job) ? sortedTasks(job).open : tasksOf(job.array?.tasks ?? [])),
    lostTasks(job) {
      if (!job.spec.killOnInvalidDep || !isPerTask(job)) return null;
      const { lost } = sortedTasks(job);
      if (lost.length === 0) return null;
      return {
        jobId: job.id,
        tasks: lost,
        state: "CANCELLED",
        cause: neverText(job, job.spec.dependency?.terms ?? []),
      };
    },
    slotsOf,
    startBy: (job) => startBy(state, job),
  };
}

/** Nothing keeps any job waiting: for questions about room alone. */
export const OPEN_GATE: Gate = {
  waitReason: () => null,
  openTasks: (job) => tasksOf(job.array?.tasks ?? []),
  lostTasks: () => null,
  slotsOf: () => Number.POSITIVE_INFINITY,
  startBy: () => null,
};

function wait(word: ReasonWord, text: string, more: Partial<Wait> = {}): Wait {
  return { reason: { word, text }, wakeAt: null, end: null, ...more };
}

function startBy(state: ClusterState, { spec }: PendingJob): number | null {
  if (spec.deadlineAt === 0) return null;
  const partition = findPartition(state, spec);
  const limitS = spec.timeMinS ?? (partition ? effectiveLimit(spec, partition) : (spec.timeLimitS ?? UNLIMITED));
  // Without a limit nobody knows how long it takes; it must at least have started.
  return limitS === UNLIMITED ? spec.deadlineAt - 1 : spec.deadlineAt - limitS * 1000;
}

function deadlineWait(state: ClusterState, job: PendingJob, now: number): Wait | null {
  const latest = startBy(state, job);
  if (latest === null || Math.max(now, job.eligibleAt) <= latest) return null;
  const cause = "it can't be over before its deadline any more";
  return wait("DeadLine", cause, { end: { state: "DEADLINE", cause } });
}

function holdWait(job: PendingJob): Wait | null {
  if (job.hold === null) return null;
  if (job.hold === "admin") return wait("JobHeldAdmin", "held by an administrator, who alone can release it");
  const name = job.array && singleTask(job) === null ? job.array.jobId : jobLabel(job);
  return wait("JobHeldUser", `held: "mgpu-scontrol release ${name}" lets it go`);
}

function cleanupWait({ cleanup }: PendingJob): Wait | null {
  if (cleanup.length === 0) return null;
  return wait("Cleaning", `processes of its last start are still being ended on ${cleanup.join(", ")}`);
}

function beginWait(job: PendingJob, now: number): Wait | null {
  if (job.eligibleAt <= now) return null;
  const text = job.attempt > 0 ? "it is started again after a pause" : "its begin time is not reached";
  return wait("BeginTime", text, { wakeAt: job.eligibleAt });
}

function limitWait({ spec }: PendingJob): Wait {
  const limit = spec.array?.limit ?? 0;
  const tasks = limit === 1 ? "only one task of the array runs" : `at most ${limit} tasks of the array run`;
  return wait("JobArrayTaskLimit", `${tasks} at the same time`);
}

function dependencyWait(judge: DependencyJudge, job: PendingJob): Wait | null {
  const { dependency } = job.spec;
  if (!dependency) return null;
  const task = singleTask(job);
  const { state, wakeAt } = judge.ofJob(job, task);
  if (state === "fulfilled") return null;
  const terms = dependency.terms.filter((term) => judge.ofTerm(job, term, task).state === state);
  return state === "failed"
    ? neverWait(job, terms)
    : wait("Dependency", `waits for ${wordsOf(job, terms)}`, { wakeAt });
}

function perTaskWait(job: PendingJob, { open, isAllLost, wakeAt }: SortedTasks): Wait | null {
  const terms = job.spec.dependency?.terms ?? [];
  if (open.length > 0) return null;
  return isAllLost ? neverWait(job, terms) : wait("Dependency", `waits for ${wordsOf(job, terms)}`, { wakeAt });
}

function neverWait(job: PendingJob, failed: readonly DependencyTerm[]): Wait {
  const cause = neverText(job, failed);
  const end = job.spec.killOnInvalidDep ? { state: "CANCELLED" as const, cause } : null;
  return wait("DependencyNeverSatisfied", cause, { end });
}

function neverText(job: PendingJob, failed: readonly DependencyTerm[]): string {
  return `waits for ${wordsOf(job, failed)}, which can't come true any more`;
}

function wordsOf({ spec }: PendingJob, terms: readonly DependencyTerm[]): string {
  const named = terms.slice(0, TERMS_NAMED_MAX).map(describeTerm);
  if (terms.length > named.length) named.push(`${terms.length - named.length} more`);
  return named.join(spec.dependency?.any ? " or " : " and ");
}

/** The tasks of a record where each is judged by itself. */
interface SortedTasks {
  /** May start: the first {@link OPEN_MAX}. */
  readonly open: readonly number[];
  /** Never will; looked for only where such tasks are to end. */
  readonly lost: TaskSet;
  readonly isAllLost: boolean;
  readonly wakeAt: number | null;
}

function sortTasks(judge: DependencyJudge, job: PendingJob): SortedTasks {
  const open: number[] = [];
  let lost: TaskSet = [];
  let isAllLost = true;
  let earliest = Number.POSITIVE_INFINITY;
  for (const task of tasksOf(job.array?.tasks ?? [])) {
    if (open.length === OPEN_MAX && !job.spec.killOnInvalidDep) break;
    const { state, wakeAt } = judge.ofJob(job, task);
    if (state !== "failed") isAllLost = false;
    else if (job.spec.killOnInvalidDep) lost = withTask(lost, task);
    if (state === "fulfilled" && open.length < OPEN_MAX) open.push(task);
    earliest = Math.min(earliest, wakeAt ?? earliest);
  }
  return { open, lost, isAllLost, wakeAt: Number.isFinite(earliest) ? earliest : null };
}

/** The only task of a record, if it has no other. */
function singleTask({ array }: PendingJob): number | null {
  return array && taskCount(array.tasks) === 1 ? (firstTask(array.tasks) ?? null) : null;
}

/** Tasks of each array that run, or are still being cleared away. */
function countRunning(state: ClusterState): Map<JobId, number> {
  const counts = new Map<JobId, number>();
  for (const id of state.active) {
    const array = state.jobs.get(id)?.array;
    if (array) counts.set(array.jobId, (counts.get(array.jobId) ?? 0) + 1);
  }
  return counts;
}
