/** A node as `scontrol show node --json` prints it, in the shape of Slurm 23.11. Keys whose value mgpu knows. */

import type { NodeRow } from "../protocol/procedures.ts";
import { orNotSet, secondsOf } from "./entity-json.ts";
import { grantedThousandths, nodeGres, nodeGresUsed, nodeStateWords, nodeTres } from "./node-record.ts";
import { topologyOf } from "./node-topology.ts";

/** The record of one node. */
export function nodeJson(node: NodeRow, clusterName: string): Record<string, unknown> {
  const { inventory, usage } = node;
  const topology = topologyOf(node);
  return {
    architecture: inventory.arch,
    boards: 1,
    cluster_name: clusterName,
    cores: topology.coresPerSocket,
    cpus: inventory.cpus,
    effective_cpus: inventory.cpus,
    alloc_cpus: usage.cpus,
    alloc_idle_cpus: inventory.cpus - usage.cpus,
    alloc_memory: usage.memoryMiB,
    real_memory: inventory.memoryMiB,
    cpu_load: node.vitals?.loadCenti ?? 0,
    free_mem: orNotSet(node.vitals?.freeMemoryMiB ?? 0),
    boot_time: secondsOf(node.vitals?.bootAt ?? 0),
    sockets: topology.sockets,
    threads: topology.threadsPerCore,
    temporary_disk: 0,
    features: node.features,
    active_features: node.activeFeatures,
    gres: nodeGres(node),
    gres_drained: "N/A",
    gres_used: nodeGresUsed(node),
    name: node.name,
    address: inventory.hostname,
    hostname: inventory.hostname,
    port: 0,
    state: nodeStateWords(node),
    operating_system: inventory.os,
    partitions: node.partitions,
    comment: node.comment,
    extra: node.extra,
    reason: node.reason,
    reason_changed_at: secondsOf(node.reasonAt),
    reason_set_by_user: node.reason === "" ? null : node.reasonBy || "slurm",
    slurmd_start_time: secondsOf(node.startedAt),
    last_busy: secondsOf(node.lastBusyAt),
    tres: nodeTres(inventory.cpus, inventory.memoryMiB, inventory.gpus.length * 1000),
    tres_used: usage.cpus === 0 ? "" : nodeTres(usage.cpus, usage.memoryMiB, grantedThousandths(node)),
    weight: node.weight,
    version: inventory.version,
  };
}
