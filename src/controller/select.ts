/** Which jobs a filter means. */

import { intersect, type TaskSet } from "../core/array-spec.ts";
import { findPartition } from "../core/decide/submit.ts";
import { componentAt } from "../core/het.ts";
import { displayState, type Job } from "../core/job.ts";
import { QOS_DEFAULT } from "../core/jobspec.ts";
import { presentPartitions } from "../core/partition-list.ts";
import { type ClusterState, recordsOf } from "../core/state.ts";
import type { JobFilter } from "../protocol/procedures.ts";

/** A record, and which of its tasks are meant: all, or (a waiting array's) some. */
export interface Selected {
  readonly job: Job;
  readonly tasks: TaskSet | null;
}

/** What the case of job names means: squeue doesn't care for it, scancel does. */
type NameCase = "exact" | "any";

/**
 * The records that meet every criterion, by ascending id; with numbers given, in their order, and nothing else is looked
 * at. The number of an array means all of its records.
 */
export function* selectJobs(state: ClusterState, filter: JobFilter, nameCase: NameCase = "exact"): Generator<Job> {
  for (const { job } of selectParts(state, filter, nameCase)) yield job;
}

/** The same, with the tasks of arrays that were asked for one by one. */
function* selectParts(state: ClusterState, filter: JobFilter, nameCase: NameCase = "exact"): Generator<Selected> {
  for (const one of selectInSteps(state, filter, nameCase)) if (one !== null) yield one;
}

/** Records that are looked at in vain before `null` says so. */
const LOOKS_A_STEP = 100;

/** The same, with `null` now and then where nothing is found; jobs that come in the meantime are none of it. */
export function* selectInSteps(
  state: ClusterState,
  filter: JobFilter,
  nameCase: NameCase = "exact",
): Generator<Selected | null> {
  const matches = matcher(state, filter, nameCase === "any" ? (name) => name.toLowerCase() : (name) => name);
  const { tasks = [], components = [] } = filter;
  if (filter.ids.length > 0 || tasks.length > 0 || components.length > 0) {
    return yield* selectNamed(state, filter, matches);
  }
  const end = state.nextJobId;
  let looks = 0;
  for (const job of state.jobs.values()) {
    if (job.id < end && matches(job)) yield { job, tasks: null };
    else if (++looks % LOOKS_A_STEP === 0) yield null;
  }
}

function* selectNamed(
  state: ClusterState,
  { ids, tasks = [], components = [] }: JobFilter,
  matches: (job: Job) => boolean,
): Generator<Selected> {
  const seen = new Set<number>();
  for (const id of new Set(ids)) {
    for (const job of recordsOf(state, id)) {
      if (seen.has(job.id) || !matches(job)) continue;
      seen.add(job.id);
      yield { job, tasks: null };
    }
  }
  for (const { jobId, offset } of components) {
    const job = componentAt(state, jobId, offset);
    if (!job || seen.has(job.id) || !matches(job)) continue;
    seen.add(job.id);
    yield { job, tasks: null };
  }
  for (const one of tasks) {
    for (const job of recordsOf(state, one.jobId)) {
      if (seen.has(job.id) || !job.array || intersect(job.array.tasks, one.tasks).length === 0) continue;
      if (matches(job)) yield { job, tasks: one.tasks };
    }
  }
}

/** Numbers of a filter that stand for nothing known. */
export function unknownIds(state: ClusterState, { ids, tasks = [], components = [] }: JobFilter): number[] {
  const unknown = ids.filter((id) => recordsOf(state, id).length === 0);
  const missing = tasks.filter(
    (one) => !recordsOf(state, one.jobId).some((job) => job.array && intersect(job.array.tasks, one.tasks).length > 0),
  );
  const gone = components.filter(({ jobId, offset }) => !componentAt(state, jobId, offset));
  return [...new Set([...unknown, ...[...missing, ...gone].map((one) => one.jobId)])];
}

/** The partition a job is in, by name; while it may start in several, all of them as listed: `a,b`. */
export function partitionName(state: ClusterState, job: Job): string {
  return partitionNames(state, job).join();
}

function partitionNames(state: ClusterState, job: Job): readonly string[] {
  const names = presentPartitions(job);
  return names.length > 0 ? names : [findPartition(state, job.spec)?.name ?? ""];
}

function matcher(state: ClusterState, filter: JobFilter, nameKey: (name: string) => string): (job: Job) => boolean {
  const tests: ((job: Job) => boolean)[] = [];
  const add = (wanted: readonly string[], test: (set: ReadonlySet<string>, job: Job) => boolean): void => {
    if (wanted.length === 0) return;
    const set = new Set(wanted);
    tests.push((job) => test(set, job));
  };
  // A job being cleared away is found under its final state too, as in Slurm.
  add(filter.states, (set, job) => set.has(displayState(job)) || set.has(job.state));
  add(filter.users, (set, { spec: { user } }) => set.has(user.name) || set.has(String(user.uid)));
  add(filter.names.map(nameKey), (set, { spec }) => set.has(nameKey(spec.name)));
  add(filter.partitions, (set, job) => partitionNames(state, job).some((name) => set.has(name)));
  addFurther(state, filter, tests);
  return (job) => {
    for (const test of tests) if (!test(job)) return false;
    return true;
  };
}

/** Criteria that few ask for. */
function addFurther(state: ClusterState, filter: JobFilter, tests: ((job: Job) => boolean)[]): void {
  const add = (wanted: readonly string[] | undefined, valuesOf: (job: Job) => readonly string[]): void => {
    if (wanted === undefined || wanted.length === 0) return;
    const set = new Set(wanted);
    tests.push((job) => valuesOf(job).some((value) => set.has(value)));
  };
  add(filter.accounts, ({ spec }) => [spec.account ?? ""]);
  add(filter.qos, ({ spec }) => [spec.qos ?? QOS_DEFAULT]);
  add(filter.reservations, ({ spec }) => [spec.reservation ?? ""]);
  add(filter.licenses, ({ spec }) => spec.licenses.map(({ name }) => name));
  add(filter.nodes, ({ allocation }) =>
    allocation.flatMap(({ node }) => [node, state.nodes.get(node)?.inventory.hostname ?? node]),
  );
}
