/**
 * How far the jobs that a job depends on have come.
 *
 * As Slurm 22.05 does: a job that is not known (any more) keeps nobody waiting; an array counts as a whole, and is
 * judged when all of its tasks are over; a job is over when nothing of it runs any more.
 */

import { hasTask } from "../core/array-spec.ts";
import type { Dependency, DependencyTerm } from "../core/dependency.ts";
import {
  FAILED,
  FULFILLED,
  type Outcome,
  outcomeOf,
  type Summary,
  summaryOf,
  UNFULFILLED,
  UNKNOWN,
} from "../core/dependency-outcome.ts";
import { leaderId } from "../core/het.ts";
import type { JobId } from "../core/ids.ts";
import type { Job, PendingJob } from "../core/job.ts";
import type { ClusterState } from "../core/state.ts";

/** Answers for one moment of one state; it remembers what it looked up, so it must not outlive that moment. */
export interface DependencyJudge {
  /** @param task the job's own task, for `aftercorr`; `null` if it has none, or several */
  ofTerm(job: PendingJob, term: DependencyTerm, task: number | null): Outcome;
  ofJob(job: PendingJob, task: number | null): Outcome;
}

/** A judge of `state` at `now`. */
export function judgeDependencies(state: ClusterState, now: number): DependencyJudge {
  const arrays = new Map<JobId, ArrayRecords>();
  let names: NameIndex | null = null;

  const arrayOf = (jobId: JobId): ArrayRecords | null => {
    const ids = state.arrays.get(jobId);
    if (!ids) return null;
    let records = arrays.get(jobId);
    if (!records) {
      records = indexArray([...ids].flatMap((id) => state.jobs.get(id) ?? []));
      arrays.set(jobId, records);
    }
    return records;
  };

  const ofTerm = (job: PendingJob, term: DependencyTerm, task: number | null): Outcome => {
    if (term.type === "singleton") {
      names ??= indexNames(state);
      return isAlone(names, job) ? FULFILLED : UNFULFILLED;
    }
    const array = arrayOf(term.jobId);
    if (!array) return outcomeOf(term, summaryOf(state.jobs.get(term.jobId)), now);
    const counterpart = term.type === "aftercorr" && task !== null ? recordOf(array, task) : undefined;
    if (counterpart) return outcomeOf(term, summaryOf(counterpart), now);
    if (typeof term.taskId !== "number") return outcomeOf(term, array.summary, now);
    return outcomeOf(term, summaryOf(recordOf(array, term.taskId)), now);
  };

  return {
    ofTerm,
    ofJob(job, task) {
      const { dependency } = job.spec;
      return dependency ? combine(dependency, (term) => ofTerm(job, term, task)) : FULFILLED;
    },
  };
}

/** Whether the tasks of a job wait for different things. */
export function isPerTask(job: PendingJob): boolean {
  return job.array !== null && (job.spec.dependency?.terms.some((term) => term.type === "aftercorr") ?? false);
}

/** `job 12 to complete without error`: what a term waits for, in words. */
export function describeTerm({ type, jobId, taskId, delayMin }: DependencyTerm): string {
  const job = `job ${jobId}${typeof taskId === "number" ? `_${taskId}` : ""}`;
  switch (type) {
    case "after":
      if (delayMin === 0) return `${job} to start`;
      return `${delayMin} ${delayMin === 1 ? "minute" : "minutes"} to pass after the start of ${job}`;
    case "afterany":
      return `${job} to end`;
    case "afterok":
      return `${job} to complete without error`;
    case "afternotok":
      return `${job} to fail`;
    case "aftercorr":
      return `the same task of ${job} to complete without error`;
    case "singleton":
      return "earlier jobs of the same name to end";
  }
}

function combine({ any, terms }: Dependency, ofTerm: (term: DependencyTerm) => Outcome): Outcome {
  let unfulfilled: Outcome | null = null;
  let isFailed = false;
  for (const term of terms) {
    const outcome = ofTerm(term);
    if (outcome.state === "fulfilled") {
      if (any) return FULFILLED;
    } else if (outcome.state === "failed") {
      if (!any) return FAILED;
      isFailed = true;
    } else {
      unfulfilled = sooner(unfulfilled, outcome);
    }
  }
  return unfulfilled ?? (isFailed ? FAILED : FULFILLED);
}

function sooner(one: Outcome | null, other: Outcome): Outcome {
  if (one === null || one.wakeAt === null) return other;
  return other.wakeAt === null || one.wakeAt <= other.wakeAt ? one : other;
}

function summarize(jobs: readonly Job[]): Summary {
  let { isOver, isGood, hasStarted, startedAt } = UNKNOWN;
  for (const job of jobs) {
    const one = summaryOf(job);
    isOver &&= one.isOver;
    isGood &&= one.isGood;
    hasStarted &&= one.hasStarted;
    startedAt = startedAt === null || one.startedAt === null ? null : Math.max(startedAt, one.startedAt);
  }
  return { isOver, isGood, hasStarted, startedAt };
}

/** The records of an array, found by task. */
interface ArrayRecords {
  readonly summary: Summary;
  readonly byTask: ReadonlyMap<number, Job>;
  /** Those of several tasks: as a rule one, with the tasks that wait. */
  readonly wide: readonly Job[];
}

function indexArray(records: readonly Job[]): ArrayRecords {
  const byTask = new Map<number, Job>();
  const wide: Job[] = [];
  for (const job of records) {
    const [range, ...more] = job.array?.tasks ?? [];
    if (range && more.length === 0 && range.first === range.last) byTask.set(range.first, job);
    else wide.push(job);
  }
  return { summary: records.length === 0 ? UNKNOWN : summarize(records), byTask, wide };
}

function recordOf({ byTask, wide }: ArrayRecords, task: number): Job | undefined {
  return byTask.get(task) ?? wide.find((job) => job.array && hasTask(job.array.tasks, task));
}

/** The jobs of one user and one name. */
interface Namesakes {
  /** Whether one of them holds resources. */
  isBusy: boolean;
  /** The lowest number of those that wait. */
  firstWaiting: JobId;
}

/** By user, then by job name: no text is made for each of 100,000 jobs. */
type NameIndex = ReadonlyMap<number, ReadonlyMap<string, Namesakes>>;

function indexNames(state: ClusterState): NameIndex {
  const index = new Map<number, Map<string, Namesakes>>();
  const namesakes = ({ spec: { user, name } }: Job): Namesakes => {
    let names = index.get(user.uid);
    if (!names) {
      names = new Map();
      index.set(user.uid, names);
    }
    let found = names.get(name);
    if (!found) {
      found = { isBusy: false, firstWaiting: Number.POSITIVE_INFINITY };
      names.set(name, found);
    }
    return found;
  };
  for (const id of state.active) {
    const job = state.jobs.get(id);
    // What is left of a waiting job's own last start is no other job.
    if (job && job.state !== "PENDING") namesakes(job).isBusy = true;
  }
  for (const id of state.pending) {
    const job = state.jobs.get(id);
    if (!job) continue;
    const found = namesakes(job);
    found.firstWaiting = Math.min(id, found.firstWaiting);
  }
  return index;
}

function isAlone(index: NameIndex, job: PendingJob): boolean {
  const namesakes = index.get(job.spec.user.uid)?.get(job.spec.name);
  // The components of one heterogeneous job have one name, and don't wait for one another.
  return !namesakes || (!namesakes.isBusy && Math.min(namesakes.firstWaiting, job.id) >= leaderId(job));
}
