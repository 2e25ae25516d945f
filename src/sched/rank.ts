/**
 * The queue by the slowdown to expect: among jobs of the same tier and priority, the one that would have waited longest
 * for what it takes comes first. The same rule orders replays and the controller's queue.
 */

import type { PendingJob } from "../core/job.ts";
import type { Queue } from "../core/lanes.ts";
import type { Prioritizer } from "../core/priority.ts";

/** Shorter jobs are no more in a hurry than jobs of so many seconds: the bound of the bounded slowdown. */
const SHORT_S = 10;

/** Jobs that are read and sorted in a pass; those behind keep their order. */
const RANKED_MAX = 1000;

/**
 * The smallest comes first: the slowdown that it would have if it started now, below zero.
 * @param waitedS seconds since it was submitted
 * @param likelyS how long it is likely to run
 */
export function slowdownRank(waitedS: number, likelyS: number): number {
  return -(waitedS + likelyS) / Math.max(likelyS, SHORT_S);
}

/** What the order of a queue depends on. */
export interface Ranking extends Pick<Prioritizer, "tierOf" | "priorityOf"> {
  /** The smallest of equals comes first. */
  rankOf(job: PendingJob): number;
}

/** The first jobs of a queue, equals in order of their ranks; then the others as they stand. To be read once. */
export function byRank(queue: Queue, ranking: Ranking): Queue {
  let isRanked = true;
  function* read(): Generator<PendingJob> {
    const rest = queue[Symbol.iterator]();
    const first: PendingJob[] = [];
    while (first.length < RANKED_MAX) {
      const step = rest.next();
      if (step.done) break;
      first.push(step.value);
    }
    for (const group of equals(first, ranking)) yield* sorted(group, ranking);
    isRanked = false;
    for (let step = rest.next(); !step.done; step = rest.next()) yield step.value;
  }
  // Of those in order of their ranks, the ones that ask for the same don't follow each other.
  return {
    [Symbol.iterator]: read,
    leaveLane: () => (isRanked ? undefined : queue.leaveLane()),
    leaveUniform: () => (isRanked ? undefined : queue.leaveUniform()),
    get nextAt() {
      return queue.nextAt;
    },
  };
}

/** Jobs that follow each other with the same tier and priority. */
function equals(jobs: readonly PendingJob[], { tierOf, priorityOf }: Ranking): readonly (readonly PendingJob[])[] {
  const groups: PendingJob[][] = [];
  let last = "";
  for (const job of jobs) {
    const key = `${tierOf(job)} ${priorityOf(job)}`;
    if (key !== last) groups.push([]);
    last = key;
    groups.at(-1)?.push(job);
  }
  return groups;
}

function sorted(jobs: readonly PendingJob[], { rankOf }: Ranking): readonly PendingJob[] {
  if (jobs.length < 2) return jobs;
  const ranks = new Map(jobs.map((job) => [job, rankOf(job)]));
  return [...jobs].sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0) || a.id - b.id);
}
