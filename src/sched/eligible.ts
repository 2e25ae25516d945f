/** May a waiting job start at all, whatever room there is: holds, times, dependencies, limits of arrays. */

import { firstTask, type TaskSet, taskCount, taskSetOf, tasksOf } from "../core/array-spec.ts";
import { partitionLimit } from "../core/decide/admission.ts";
import { effectiveLimit, findPartition } from "../core/decide/submit.ts";
import { type DependencyState, type DependencyTerm, formatDependencyState } from "../core/dependency.ts";
import { NEVER_TRUE, type Outcome } from "../core/dependency-outcome.ts";
import { waitingComponents } from "../core/het.ts";
import type { JobId } from "../core/ids.ts";
import type { PendingJob } from "../core/job.ts";
import { jobLabel } from "../core/job-label.ts";
import type { JobLimits } from "../core/job-limits.ts";
import { UNLIMITED } from "../core/jobspec.ts";
import type { Partition } from "../core/partition.ts";
import { isListed, namedPartitions, partitionsInOrder } from "../core/partition-list.ts";
import { isActive } from "../core/reservation.ts";
import type { ClusterState } from "../core/state.ts";
import { type DependencyJudge, describeTerm, isPerTask, judgeDependencies } from "./dependency.ts";
import { type LimitBook, limitBook, NO_LIMITS } from "./limits.ts";
import type { End, Reason, ReasonWord } from "./plan.ts";

/** What keeps a job from starting. */
export interface Hindrance {
  readonly word: ReasonWord;
  /** When time alone lets it start, in milliseconds since 1970; else `null`. */
  readonly wakeAt: number | null;
  /** In words, where they don't follow from the word and the job alone. */
  readonly text?: string;
}

/** The same told to people; and how it ends now if it never will start. */
export interface Wait {
  readonly reason: Reason;
  readonly wakeAt: number | null;
  readonly end: Pick<End, "state" | "cause"> | null;
}

/** Answers for one moment of one state; it remembers what it looked up, so it must not outlive that moment. */
export interface Gate {
  /** Whether something keeps all of the job from starting; `null` if it may, or some of its tasks may. Cheap. */
  hindrance(job: PendingJob): Hindrance | null;
  /** The same in words. */
  waitReason(job: PendingJob): Wait | null;
  /** What is left of its dependency, as squeue shows it: `afterok:12(failed)`; empty for none. */
  dependencyText(job: PendingJob): string;
  /** The job, or tasks of an array's record, if they can't start any more and must end now. */
  endOf(job: PendingJob): End | null;
  /** Seconds that it may run once it starts, 0 for no limit: its own, or its partition's. */
  limitS(job: PendingJob): number;
  /** The last moment at which it can start and be over before its deadline; `null` for no deadline. */
  startBy(job: PendingJob): number | null;
  /** Tasks of an array's record that may start, ascending. */
  openTasks(job: PendingJob): Iterable<number>;
  /** The job as of each partition that lets it start, in the order in which they are tried. */
  variantsOf(job: PendingJob): readonly PendingJob[];
  /** How many tasks of an array's record may start now; for any other job 1. */
  slotsOf(job: PendingJob): number;
  /** The components of a heterogeneous job that wait, this one included, in order: they start together. */
  componentsOf(job: PendingJob): readonly PendingJob[];
  /** Limits of accounts and QoS. */
  readonly limits: LimitBook;
}

/** Most tasks of a record that are found open at a time where each is judged by itself: no pass starts more. */
const OPEN_MAX = 1000;

/** Terms of a dependency that a reason names. */
const TERMS_NAMED_MAX = 3;

/** Why a job may not start at `now`, whatever room there is; `null` if it may. */
export function waitReason(state: ClusterState, job: PendingJob, now: number): Wait | null {
  return gateOf(state, now).waitReason(job);
}

/**
 * The same for many jobs at one moment: what several of them need is looked up once.
 * @param running how many jobs may run at a time
 */
export function gateOf(state: ClusterState, now: number, running?: JobLimits): Gate {
  const judge = judgeDependencies(state, now);
  const sortedTasks = taskSorter(judge);
  const slotsOf = slotCounter(state);

  const dependency = (job: PendingJob): Hindrance | null => {
    if (!job.spec.dependency) return null;
    if (!isPerTask(job)) return dependencyHindrance(judge.ofJob(job, null));
    const { open, isAllLost, wakeAt } = sortedTasks(job);
    if (open.length > 0) return null;
    return dependencyHindrance({ state: isAllLost ? "failed" : "unfulfilled", wakeAt });
  };

  const deadline = (job: PendingJob): Hindrance | null => {
    const latest = startBy(state, job);
    return latest !== null && Math.max(now, job.eligibleAt) > latest ? TOO_LATE : null;
  };

  const { partition, variantsOf } = partitionGate(state);

  // What is on the record itself comes first: most jobs of a long queue need no look at their wishes then.
  const ownHindrance = (job: PendingJob): Hindrance | null =>
    holdHindrance(job) ??
    (job.eligibleAt > now ? { word: "BeginTime", wakeAt: job.eligibleAt } : null) ??
    partition(job) ??
    reservationHindrance(state, job, now) ??
    dependency(job) ??
    preemptorHindrance(state, job) ??
    (slotsOf(job) === 0 ? ARRAY_LIMIT : null) ??
    deadline(job);

  const endOf = (job: PendingJob): End | null => {
    if (deadline(job)) return { jobId: job.id, tasks: null, state: "DEADLINE", cause: TOO_LATE_TEXT };
    if (!job.spec.killOnInvalidDep) return null;
    const cancel = (tasks: TaskSet | null): End => {
      return { jobId: job.id, tasks, state: "CANCELLED", cause: neverText(termWords(judge, job, "failed")) };
    };
    if (dependency(job) === NEVER) return cancel(null);
    const lost = isPerTask(job) ? sortedTasks(job).lost : [];
    return lost.length > 0 ? cancel(lost) : null;
  };

  return {
    limits: limitBook(state, now, running),
    hindrance: (job) => firstHindered(state, job, ownHindrance)?.found ?? null,
    waitReason(asked) {
      const hindered = firstHindered(state, asked, ownHindrance);
      if (!hindered) return null;
      const { job, found } = hindered;
      const end = endOf(job);
      if (end && end.tasks === null) {
        const word = end.state === "DEADLINE" ? "DeadLine" : "DependencyNeverSatisfied";
        return { reason: { word, text: end.cause }, wakeAt: null, end: { state: end.state, cause: end.cause } };
      }
      // Slurm's order of words: what other jobs must do, before the time.
      const told = found.word === "BeginTime" ? (dependency(job) ?? found) : found;
      const text = found.text ?? describe(judge, job, told.word);
      return { reason: { word: told.word, text }, wakeAt: told.wakeAt, end: null };
    },
    dependencyText: (job) => dependencyText(judge, job),
    endOf,
    limitS: (job) => limitOf(state, job),
    startBy: (job) => startBy(state, job),
    openTasks: (job) => (isPerTask(job) ? sortedTasks(job).open : tasksOf(job.array?.tasks ?? [])),
    slotsOf,
    variantsOf,
    componentsOf: (job) => waitingComponents(state, job),
  };
}

function dependencyText(judge: DependencyJudge, job: PendingJob): string {
  const { dependency } = job.spec;
  if (!dependency) return "";
  const task = singleTask(job);
  return formatDependencyState(dependency, (term) => {
    const { state } = judge.ofTerm(job, term, task);
    // As Slurm, which looks at what a held job waits for once it is released.
    return state === "fulfilled" && job.hold !== null ? "unfulfilled" : state;
  });
}

/** What keeps a job waiting, or (no component of a heterogeneous job starts without the others) one of its components. */
function firstHindered(
  state: ClusterState,
  job: PendingJob,
  hindranceOf: (job: PendingJob) => Hindrance | null,
): { readonly job: PendingJob; readonly found: Hindrance } | null {
  for (const one of job.spec.het ? [job, ...waitingComponents(state, job)] : [job]) {
    const found = hindranceOf(one);
    if (found) return { job: one, found };
  }
  return null;
}

/** Nothing keeps any job waiting: for questions about room alone. */
export const OPEN_GATE: Gate = {
  limits: NO_LIMITS,
  hindrance: () => null,
  waitReason: () => null,
  dependencyText: () => "",
  endOf: () => null,
  limitS: ({ spec }) => spec.timeLimitS ?? UNLIMITED,
  startBy: () => null,
  openTasks: (job) => tasksOf(job.array?.tasks ?? []),
  slotsOf: () => Number.POSITIVE_INFINITY,
  variantsOf: (job) => [job],
  componentsOf: (job) => [job],
};

const HELD_BY_USER: Hindrance = { word: "JobHeldUser", wakeAt: null };
const HELD_BY_ADMIN: Hindrance = { word: "JobHeldAdmin", wakeAt: null };
const CLEANING: Hindrance = { word: "Cleaning", wakeAt: null };
const ARRAY_LIMIT: Hindrance = { word: "JobArrayTaskLimit", wakeAt: null };
const DEPENDENCY: Hindrance = { word: "Dependency", wakeAt: null };
const NEVER: Hindrance = { word: "DependencyNeverSatisfied", wakeAt: null };
const TOO_LATE: Hindrance = { word: "DeadLine", wakeAt: null };

function limitOf(state: ClusterState, { spec }: PendingJob): number {
  const partition = findPartition(state, spec);
  return partition ? effectiveLimit(spec, partition) : (spec.timeLimitS ?? UNLIMITED);
}

const TOO_LATE_TEXT = "it can't be over before its deadline any more";

function startBy(state: ClusterState, { spec }: PendingJob): number | null {
  const { deadlineAt, timeMinS } = spec;
  if (deadlineAt === 0) return null;
  const names = isListed(spec) ? namedPartitions(spec) : [spec.partition];
  const latest = names.map((name) => {
    const partition = findPartition(state, { partition: name });
    const limitS = timeMinS ?? (partition ? effectiveLimit(spec, partition) : (spec.timeLimitS ?? UNLIMITED));
    // Without a limit nobody knows how long it takes; it must at least have started.
    return limitS === UNLIMITED ? deadlineAt - 1 : deadlineAt - limitS * 1000;
  });
  return Math.max(...latest);
}

/** What the partitions of a job say to its start. */
interface PartitionGate {
  /** What keeps it from starting in every one of them. */
  partition(job: PendingJob): Hindrance | null;
  variantsOf: Gate["variantsOf"];
}

/** What partitions keep from starting. Each wish is looked at once. */
function partitionGate(state: ClusterState): PartitionGate {
  const limits = new WeakMap<PendingJob["spec"], Hindrance | null>();
  const openIn = new Map<JobId, readonly PendingJob[]>();
  const variantsOf = (job: PendingJob): readonly PendingJob[] => {
    if (!isListed(job.spec)) return [job];
    const known = openIn.get(job.id);
    if (known) return known;
    const all = partitionsInOrder(state.partitions, job.spec).map((partition) => ({ ...job.spec, partition }));
    const found = all.flatMap((spec) => (hindranceIn(state, spec) === null ? [{ ...job, spec }] : []));
    openIn.set(job.id, found);
    return found;
  };
  return {
    variantsOf,
    partition(job) {
      const { spec } = job;
      const known = limits.get(spec);
      if (known !== undefined) return known;
      const isOpenSomewhere = isListed(spec) && variantsOf(job).length > 0;
      const found = isOpenSomewhere ? null : hindranceIn(state, spec);
      limits.set(spec, found);
      return found;
    },
  };
}

function hindranceIn(state: ClusterState, spec: PendingJob["spec"]): Hindrance | null {
  return partitionHindrance(findPartition(state, spec), spec);
}

function partitionHindrance(partition: Partition | undefined, spec: PendingJob["spec"]): Hindrance | null {
  if (!partition) {
    const text = `partition ${spec.partition ?? "(the default one)"} is gone; scontrol update job Partition= names another`;
    return { word: "PartitionConfig", wakeAt: null, text };
  }
  const { name, state } = partition;
  if (state === "DOWN") return { word: "PartitionDown", wakeAt: null, text: `partition ${name} is down` };
  if (state === "INACTIVE") return { word: "PartitionInactive", wakeAt: null, text: `partition ${name} is inactive` };
  const limit = partitionLimit(spec, partition);
  return limit && { ...limit, wakeAt: null };
}

/** A job of a reservation waits for its time; one whose reservation is gone waits for another wish. */
function reservationHindrance({ reservations }: ClusterState, { spec }: PendingJob, now: number): Hindrance | null {
  if (spec.reservation === null) return null;
  const reservation = reservations.get(spec.reservation);
  if (!reservation) {
    const text = `reservation ${spec.reservation} is gone; scontrol update job ReservationName= names another, or none`;
    return { word: "ReservationDeleted", wakeAt: null, text };
  }
  if (isActive(reservation, now)) return null;
  const text = `reservation ${reservation.name} has not begun`;
  return { word: "Reservation", wakeAt: reservation.startAt > now ? reservation.startAt : null, text };
}

function holdHindrance({ hold, cleanup }: PendingJob): Hindrance | null {
  if (hold !== null) return hold === "user" ? HELD_BY_USER : HELD_BY_ADMIN;
  return cleanup.length > 0 ? CLEANING : null;
}

/** A job that made room does not take it back while the other one waits for the rest of what it needs. */
function preemptorHindrance({ jobs }: ClusterState, { after }: PendingJob): Hindrance | null {
  const other = after === undefined ? undefined : jobs.get(after);
  if (other?.state !== "PENDING" || other.hold !== null) return null;
  return { word: "Priority", wakeAt: null, text: `it made room for job ${other.id}, which starts first` };
}

function dependencyHindrance({ state, wakeAt }: Outcome): Hindrance | null {
  if (state === "fulfilled") return null;
  if (state === "failed") return NEVER;
  return wakeAt === null ? DEPENDENCY : { ...DEPENDENCY, wakeAt };
}

/** Why nobody but the cluster itself held it: what came of its last start, as core/decide/report says it. */
function heldSince({ earlier, attempt }: PendingJob): string {
  const last = earlier?.at(-1);
  const [, why] = last?.attempt === attempt ? (/^(.*); held: no other node/s.exec(last.cause) ?? []) : [];
  return why === undefined ? "" : `, ${why}, and no other node can run it`;
}

/** A sentence with what would change it. */
function describe(judge: DependencyJudge, job: PendingJob, word: ReasonWord): string {
  switch (word) {
    case "DeadLine":
      return TOO_LATE_TEXT;
    case "JobHeldUser":
      return `held${heldSince(job)}: "mgpu-scontrol release ${nameOf(job)}" lets it go`;
    case "JobHeldAdmin":
      return "held by an administrator, who alone can release it";
    case "Cleaning":
      return `processes of its last start are still being ended on ${job.cleanup.join(", ")}`;
    case "BeginTime":
      return job.attempt > 0 ? pauseText(job) : "its begin time is not reached";
    case "JobArrayTaskLimit":
      return limitText(job);
    case "Dependency":
      return `waits for ${termWords(judge, job, "unfulfilled")}`;
    case "DependencyNeverSatisfied":
      return neverText(termWords(judge, job, "failed"));
    default:
      return "";
  }
}

function pauseText({ earlier }: PendingJob): string {
  const cause = earlier?.at(-1)?.cause ?? "";
  return `it is started again after a pause${cause === "" ? "" : `: ${cause}`}`;
}

function nameOf(job: PendingJob): string {
  return job.array && singleTask(job) === null ? String(job.array.jobId) : jobLabel(job);
}

function limitText({ spec }: PendingJob): string {
  const limit = spec.array?.limit ?? 0;
  const runs = limit === 1 ? "only one task of the array runs" : `at most ${limit} tasks of the array run`;
  return `${runs} at the same time`;
}

/** The terms that are to blame; of an array's record with tasks of different fates, all of them. */
function termWords(judge: DependencyJudge, job: PendingJob, state: DependencyState): string {
  const terms = job.spec.dependency?.terms ?? [];
  const task = singleTask(job);
  const blamed = terms.filter((term) => judge.ofTerm(job, term, task).state === state);
  return wordsOf(job, isPerTask(job) && task === null ? terms : blamed);
}

function neverText(words: string): string {
  return `waits for ${words}, ${NEVER_TRUE}`;
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

/** {@link sortTasks}, once for each record. */
function taskSorter(judge: DependencyJudge): (job: PendingJob) => SortedTasks {
  const sorted = new Map<JobId, SortedTasks>();
  return (job) => {
    const known = sorted.get(job.id) ?? sortTasks(judge, job);
    sorted.set(job.id, known);
    return known;
  };
}

function sortTasks(judge: DependencyJudge, job: PendingJob): SortedTasks {
  const open: number[] = [];
  const lost: number[] = [];
  let isAllLost = true;
  let earliest = Number.POSITIVE_INFINITY;
  for (const task of tasksOf(job.array?.tasks ?? [])) {
    if (open.length === OPEN_MAX && !job.spec.killOnInvalidDep) break;
    const { state, wakeAt } = judge.ofJob(job, task);
    if (state !== "failed") isAllLost = false;
    else if (job.spec.killOnInvalidDep) lost.push(task);
    if (state === "fulfilled" && open.length < OPEN_MAX) open.push(task);
    earliest = Math.min(earliest, wakeAt ?? earliest);
  }
  return { open, lost: taskSetOf(lost), isAllLost, wakeAt: Number.isFinite(earliest) ? earliest : null };
}

/** The only task of a record, if it has no other. */
function singleTask({ array }: PendingJob): number | null {
  return array && taskCount(array.tasks) === 1 ? (firstTask(array.tasks) ?? null) : null;
}

/** How many tasks of an array's record may start beside those that run. */
function slotCounter(state: ClusterState): (job: PendingJob) => number {
  let running: Map<JobId, number> | null = null;
  return (job) => {
    if (!job.array) return 1;
    if (job.spec.dependency?.terms.some((term) => term.type === "singleton")) return 1;
    const limit = job.spec.array?.limit ?? 0;
    if (limit === 0) return Number.POSITIVE_INFINITY;
    running ??= countRunning(state);
    return Math.max(0, limit - (running.get(job.array.jobId) ?? 0));
  };
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
