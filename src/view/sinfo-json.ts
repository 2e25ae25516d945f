/** A row of sinfo as `sinfo --json` prints it, in the shape of Slurm 23.11 (data_parser v0.0.40). */

import type { NodeRow, PartitionRow } from "../protocol/procedures.ts";
import { orNotSet, some } from "./entity-json.ts";
import { cpusByState, nodesByState } from "./node-columns.ts";
import { nodeGres, nodeGresUsed, nodeStateWords } from "./node-record.ts";
import { topologyOf } from "./node-topology.ts";
import { partitionJson } from "./partition-json.ts";

/** The record of nodes of a partition that are alike; of a partition without nodes too. */
export function sinfoJson(
  partition: PartitionRow,
  nodes: readonly NodeRow[],
  clusterName: string,
): Record<string, unknown> {
  const [first] = nodes;
  const [allocated, idle, other, total] = nodesByState(nodes);
  const cpus = cpusByState(nodes);
  return {
    port: 0,
    node: { state: first ? nodeStateWords(first) : [] },
    nodes: {
      ...{ allocated, idle, other, total },
      hostnames: nodes.map(({ inventory }) => inventory.hostname),
      addresses: nodes.map(({ inventory }) => inventory.address ?? inventory.hostname),
      nodes: nodes.map(({ name }) => name),
    },
    cpus: {
      ...{ allocated: cpus[0], idle: cpus[1], other: cpus[2], total: cpus[3] },
      ...extent(nodes, ({ inventory }) => inventory.cpus),
      load: measured(nodes, ({ vitals }) => vitals?.loadCenti),
    },
    sockets: extent(nodes, (node) => topologyOf(node).sockets),
    cores: extent(nodes, (node) => topologyOf(node).coresPerSocket),
    threads: extent(nodes, (node) => topologyOf(node).threadsPerCore),
    disk: extent(nodes, () => 0),
    memory: {
      ...extent(nodes, ({ inventory }) => inventory.memoryMiB),
      free: measured(nodes, ({ vitals }) => vitals?.freeMemoryMiB),
      allocated: nodes.reduce((sum, { usage }) => sum + usage.memoryMiB, 0),
    },
    weight: extent(nodes, ({ weight }) => weight),
    features: { total: first?.features.join(",") ?? "", active: first?.activeFeatures.join(",") ?? "" },
    gres: { total: first ? nodeGres(first) : "", used: first ? nodeGresUsed(first) : "" },
    partition: partitionJson(partition, clusterName),
    comment: first?.comment ?? "",
    extra: first?.extra ?? "",
    reason: {
      description: first?.reason ?? "",
      time: some(Math.floor((first?.reasonAt ?? 0) / 1000)),
      user: first?.reasonBy ?? "",
    },
    cluster: clusterName,
    reservation: "",
  };
}

function extent(nodes: readonly NodeRow[], value: (node: NodeRow) => number): Record<string, number> {
  const values = nodes.map(value);
  return values.length === 0
    ? { minimum: 0, maximum: 0 }
    : { minimum: Math.min(...values), maximum: Math.max(...values) };
}

function measured(nodes: readonly NodeRow[], value: (node: NodeRow) => number | undefined): Record<string, unknown> {
  const values = nodes.flatMap((node) => value(node) ?? []);
  if (values.length === 0) return { minimum: orNotSet(0), maximum: orNotSet(0) };
  return { minimum: some(Math.min(...values)), maximum: some(Math.max(...values)) };
}
