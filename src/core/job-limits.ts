/**
 * Limits of the configuration on how many jobs may wait and run, in all and of each user; 0 for none. Tasks of an array
 * count as jobs. Pure.
 */

import { countOf } from "../util/plural.ts";
import { taskCount } from "./array-spec.ts";
import { deny, type Refusal } from "./decide/decision.ts";
import type { JobSpec } from "./jobspec.ts";
import type { ClusterState } from "./state.ts";

/** Counts of jobs, 0 for no limit. */
export interface JobLimits {
  readonly all: number;
  readonly perUser: number;
}

/** How many jobs run, in all and of each user by uid. */
export function countRunning({ active, jobs }: ClusterState): {
  readonly all: number;
  readonly byUser: Map<number, number>;
} {
  const byUser = new Map<number, number>();
  let all = 0;
  for (const id of active) {
    const job = jobs.get(id);
    if (job?.state !== "RUNNING") continue;
    all += 1;
    byUser.set(job.spec.user.uid, (byUser.get(job.spec.user.uid) ?? 0) + 1);
  }
  return { all, byUser };
}

/** Why jobs may not enter a queue that holds at most so many; `null` if they may. */
export function fullQueue(state: ClusterState, limits: JobLimits, specs: readonly JobSpec[]): Refusal | null {
  const uid = specs[0]?.user.uid;
  if (limits.all === 0 && limits.perUser === 0) return null;
  let [all, own] = [0, 0];
  for (const id of state.pending) {
    const job = state.jobs.get(id);
    if (!job) continue;
    const tasks = taskCount(job.array?.tasks ?? []) || 1;
    all += tasks;
    if (job.spec.user.uid === uid) own += tasks;
  }
  const added = specs.reduce((sum, { array }) => sum + (taskCount(array?.tasks ?? []) || 1), 0);
  const isOver = (waiting: number, most: number): boolean => most > 0 && waiting + added > most;
  const more = added === 1 ? "" : `, and this would be ${added} more`;
  const then = "submit it again when some of them have started";
  if (isOver(own, limits.perUser)) {
    const hint = `${countOf(own, "job")} of yours ${own === 1 ? "waits" : "wait"}${more}, limits.max_queued_per_user is ${limits.perUser}: ${then}`;
    return deny("QUEUE_FULL", "The queue is full for this user", hint);
  }
  if (!isOver(all, limits.all)) return null;
  return deny(
    "QUEUE_FULL",
    "The queue is full",
    `${countOf(all, "job")} ${all === 1 ? "waits" : "wait"}${more}, limits.max_queued is ${limits.all}: ${then}`,
  );
}
