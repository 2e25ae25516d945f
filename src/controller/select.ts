/** Which jobs a filter means. */

import { displayState, type Job } from "../core/job.ts";
import type { ClusterState } from "../core/state.ts";
import type { JobFilter } from "../protocol/procedures.ts";

/**
 * The jobs that meet every criterion, by ascending id; with ids given, in their order, and nothing else is looked at.
 * @param nameCase what the case of job names means: squeue doesn't care for it, scancel does
 */
export function* selectJobs(
  state: ClusterState,
  filter: JobFilter,
  nameCase: "exact" | "any" = "exact",
): Generator<Job> {
  const matches = matcher(state, filter, nameCase === "any" ? (name) => name.toLowerCase() : (name) => name);
  if (filter.ids.length === 0) {
    for (const job of state.jobs.values()) if (matches(job)) yield job;
    return;
  }
  for (const id of new Set(filter.ids)) {
    const job = state.jobs.get(id);
    if (job && matches(job)) yield job;
  }
}

/** The partition a job is in, by name. */
export function partitionName(state: ClusterState, job: Job): string {
  if (job.spec.partition !== null) return job.spec.partition;
  for (const partition of state.partitions.values()) if (partition.isDefault) return partition.name;
  return "";
}

function matcher(state: ClusterState, filter: JobFilter, nameKey: (name: string) => string): (job: Job) => boolean {
  const users = new Set(filter.users);
  const states = new Set(filter.states);
  const names = new Set(filter.names.map(nameKey));
  const partitions = new Set(filter.partitions);
  const allows = (set: ReadonlySet<string>, ...values: string[]): boolean =>
    set.size === 0 || values.some((value) => set.has(value));
  return (job) =>
    allows(users, job.spec.user.name, String(job.spec.user.uid)) &&
    // A job being cleared away is found under its final state too, as in Slurm.
    allows(states, displayState(job), job.state) &&
    allows(names, nameKey(job.spec.name)) &&
    allows(partitions, partitionName(state, job));
}
