/** What operators do to partitions. Whether somebody is an operator is asked before. */

import type { CreatePartition, DeletePartition, PartitionChanges, UpdatePartition } from "../commands.ts";
import { isEnded, type Job } from "../job.ts";
import { PARTITION_DEFAULTS, type Partition } from "../partition.ts";
import { presentPartitions } from "../partition-list.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, deny, type Refusal } from "./decision.ts";
import { findNodes } from "./operate.ts";
import { findPartition } from "./submit.ts";

const BAD_NAME = "Invalid partition name specified";

/** Makes a partition; without Nodes it has none, as in Slurm. */
export function decideCreatePartition(state: ClusterState, { name, changes }: CreatePartition): Decision {
  if (state.partitions.has(name)) return deny("INVALID_PARTITION", BAD_NAME, `there is a partition ${name} already`);
  return put(state, { ...PARTITION_DEFAULTS, nodes: [], ...changes, name }, changes);
}

/** Changes a partition. Jobs that run in it go on. */
export function decideUpdatePartition(state: ClusterState, { name, changes }: UpdatePartition): Decision {
  const known = state.partitions.get(name);
  return known ? put(state, { ...known, ...changes }, changes) : unknown(state, name);
}

/** Removes a partition that no job waits or runs in. */
export function decideDeletePartition(state: ClusterState, { name }: DeletePartition): Decision {
  if (!state.partitions.has(name)) return unknown(state, name);
  const ids = jobsIn(state, name);
  if (ids.length === 0) return accept({ type: "partition.deleted", partition: name });
  const named = ids.slice(0, IDS_NAMED_MAX).join(", ") + (ids.length > IDS_NAMED_MAX ? " and more" : "");
  return deny("PARTITION_IN_USE", "Partition is in use", `jobs in it: ${named}`);
}

/** Jobs that wait or run in a partition, or may come to run there. */
export function jobsIn(state: ClusterState, name: string): number[] {
  return [...new Set([...state.pending, ...state.active])].filter((id) => {
    const job = state.jobs.get(id);
    return job !== undefined && !isEnded(job) && isIn(state, job, name);
  });
}

function isIn(state: ClusterState, job: Job, name: string): boolean {
  return presentPartitions(job).includes(name) || findPartition(state, job.spec)?.name === name;
}

const IDS_NAMED_MAX = 10;

function put(state: ClusterState, partition: Partition, changes: PartitionChanges): Decision {
  if (changes.nodes) {
    const nodes = findNodes(state, changes.nodes);
    if ("kind" in nodes) return nodes;
  }
  const { minNodes, maxNodes, defaultTimeS, maxTimeS, name } = partition;
  if (maxNodes > 0 && minNodes > maxNodes) {
    return deny(
      "INVALID_UPDATE",
      "Node count specification invalid",
      `MinNodes ${minNodes} is above MaxNodes ${maxNodes}`,
    );
  }
  if (maxTimeS > 0 && defaultTimeS > maxTimeS) {
    const hint = `DefaultTime of ${name} is above its MaxTime`;
    return deny("INVALID_UPDATE", "Requested time limit is invalid (missing or exceeds some limit)", hint);
  }
  return accept({ type: "partition.set", partition });
}

function unknown(state: ClusterState, name: string): Refusal {
  const names = [...state.partitions.keys()].join(", ");
  return deny("INVALID_PARTITION", BAD_NAME, `there is no partition ${name}; partitions here: ${names || "none"}`);
}
