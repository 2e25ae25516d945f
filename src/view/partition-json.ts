/** A partition as `scontrol show partition --json` prints it, in the shape of Slurm 23.11. */

import { fold } from "../core/hostlist.ts";
import type { PartitionRow } from "../protocol/procedures.ts";
import { orInfinite, orNotSet, some } from "./entity-json.ts";
import { jobDefaults, partitionTres } from "./partition-record.ts";

/** The record of one partition. Times are minutes, as Slurm has them. */
export function partitionJson(partition: PartitionRow, clusterName: string): Record<string, unknown> {
  const { defaultMemory, maxMemory } = partition;
  const members = fold(partition.members);
  return {
    name: partition.name,
    cluster: clusterName,
    accounts: {
      allowed: (partition.allowAccounts ?? []).join(","),
      deny: partition.denyAccounts.join(","),
    },
    qos: {
      allowed: (partition.allowQos ?? []).join(","),
      deny: partition.denyQos.join(","),
      assigned: partition.qos ?? "",
    },
    groups: { allowed: "" },
    alternate: "",
    cpus: { task_binding: 0, total: partition.cpus },
    defaults: {
      memory_per_cpu: defaultMemory?.per === "cpu" ? defaultMemory.mib : 0,
      partition_memory_per_cpu: orNotSet(defaultMemory?.per === "cpu" ? defaultMemory.mib : 0),
      partition_memory_per_node: orNotSet(defaultMemory?.per === "node" ? defaultMemory.mib : 0),
      time: orNotSet(Math.ceil(partition.defaultTimeS / 60)),
      job: jobDefaults(partition),
    },
    grace_time: partition.graceTimeS,
    maximums: {
      cpus_per_node: orInfinite(partition.maxCpusPerNode),
      memory_per_cpu: maxMemory?.per === "cpu" ? maxMemory.mib : 0,
      partition_memory_per_cpu: orNotSet(maxMemory?.per === "cpu" ? maxMemory.mib : 0),
      partition_memory_per_node: orNotSet(maxMemory?.per === "node" ? maxMemory.mib : 0),
      nodes: orInfinite(partition.maxNodes),
      time: orInfinite(Math.ceil(partition.maxTimeS / 60)),
      oversubscribe: { jobs: partition.isExclusive ? 0 : 1, flags: [] },
    },
    minimums: { nodes: partition.minNodes },
    nodes: { allowed_allocation: "", configured: members, total: partition.members.length },
    priority: { job_factor: partition.priorityJobFactor, tier: partition.priorityTier },
    partition: { state: [partition.state] },
    select_type: [],
    tres: { billing_weights: "", configured: partition.members.length > 0 ? partitionTres(partition) : "" },
    timeouts: { resume: some(0), suspend: some(0) },
    suspend_time: some(0),
  };
}
