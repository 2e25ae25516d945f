/**
 * Heterogeneous jobs: several jobs with numbers in a row that start together. Each component is a record of its own; the
 * first one, the leader, gives its number to all of them, runs the batch script, and takes the others with it when it ends.
 */

import type { JobId } from "./ids.ts";
import { isEnded, type Job, type PendingJob, type RunningJob } from "./job.ts";
import type { ClusterState } from "./state.ts";

/** Most components of one job: Slurm's own limit. */
export const COMPONENTS_MAX = 128;

type Jobs = Pick<ClusterState, "jobs">;

/** The number of the whole: its first component's. That of any other job is its own. */
export function leaderId({ id, spec }: Pick<Job, "id" | "spec">): JobId {
  return id - (spec.het?.offset ?? 0);
}

/** Whether a job is a component of a heterogeneous one, but not its first. */
export function isFollower({ spec }: Pick<Job, "spec">): boolean {
  return (spec.het?.offset ?? 0) > 0;
}

/**
 * Whether a job is a component that starts, waits and is steered with the first one. Once that one is over (of srun each
 * component ends for itself), those that are left are steered one by one.
 */
export function isLed(state: Jobs, job: Job): boolean {
  const leader = isFollower(job) ? state.jobs.get(leaderId(job)) : undefined;
  return leader !== undefined && !isEnded(leader);
}

/** All known records of the heterogeneous job that a job belongs to, itself included, in order; of any other job itself. */
export function componentsOf(state: Jobs, job: Job): readonly Job[] {
  const { het } = job.spec;
  if (!het) return [job];
  const first = leaderId(job);
  // A record may say anything of its place: only one that says the same of the whole, of the same user, belongs to it.
  return Array.from({ length: Math.min(het.size, COMPONENTS_MAX) }, (_, offset) => first + offset).flatMap(
    (id, offset) => {
      const one = state.jobs.get(id);
      return one?.spec.het?.offset === offset && one.spec.user.uid === job.spec.user.uid ? [one] : [];
    },
  );
}

/** Those of them that wait: what a pass of the scheduler starts together. */
export function waitingComponents(state: ClusterState, job: PendingJob): readonly PendingJob[] {
  if (!job.spec.het) return [job];
  return componentsOf(state, job).filter((one) => one.state === "PENDING");
}

/** The other components of the same job that are not over. */
export function livingOthers(state: ClusterState, job: Job): readonly (PendingJob | RunningJob)[] {
  if (!job.spec.het) return [];
  return componentsOf(state, job).flatMap((one) => (one.id === job.id || isEnded(one) ? [] : [one]));
}

/** The component at a position; `undefined` if there is none, or it is known no longer. */
export function componentAt(state: ClusterState, jobId: JobId, offset: number): Job | undefined {
  const job = state.jobs.get(jobId + offset);
  return job?.spec.het?.offset === offset ? job : undefined;
}
