/**
 * Jobs that may start in one of several partitions (`-p a,b`). While such a job waits it is in all of them; from its start on
 * `spec.partition` names the one that it started in.
 */

import type { Job } from "./job.ts";
import type { JobSpec } from "./jobspec.ts";
import type { Partition } from "./partition.ts";

type Named = Pick<JobSpec, "partition" | "partitions">;

/** Whether a job may start in more than one partition. */
export function isListed({ partitions }: Pick<JobSpec, "partitions">): boolean {
  return partitions !== undefined && partitions.length > 1;
}

/** Names of the partitions that a job may start in, as listed; empty where it names none (the default one). */
export function namedPartitions(spec: Named): readonly string[] {
  if (isListed(spec)) return spec.partitions ?? [];
  return spec.partition === null ? [] : [spec.partition];
}

/** The same in the order in which they are tried: of a higher PriorityTier first, then as listed. */
export function partitionsInOrder(partitions: ReadonlyMap<string, Partition>, spec: Named): readonly string[] {
  const tierOf = (name: string): number => partitions.get(name)?.priorityTier ?? 0;
  return [...namedPartitions(spec)].sort((a, b) => tierOf(b) - tierOf(a));
}

/** Names of the partitions that a job is in now: all of its list while it waits; empty for the default one. */
export function presentPartitions({ state, spec }: Pick<Job, "state" | "spec">): readonly string[] {
  if (state === "PENDING") return namedPartitions(spec);
  return spec.partition === null ? [] : [spec.partition];
}
