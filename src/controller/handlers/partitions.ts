/** partitions.list */

import { compareNodeNames } from "../../core/node-set.ts";
import { nodesIn, type Partition } from "../../core/partition.ts";
import type { ClusterState } from "../../core/state.ts";
import type { PartitionRow } from "../../protocol/procedures.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import { partitionPreemptMode } from "../../sched/victims.ts";
import type { ControllerContext } from "../context.ts";
import { preemptionOf } from "../policy.ts";

/** Every partition in the order in which they were made, with the nodes that it has now. */
export function partitionsHandler({ loop, clock, settings }: ControllerContext): UnaryHandler<"partitions.list"> {
  return () => ({
    partitions: [...loop.state.partitions.values()].map((partition) => rowOf(loop.state, partition, settings)),
    now: clock.now(),
  });
}

function rowOf(state: ClusterState, partition: Partition, settings: ControllerContext["settings"]): PartitionRow {
  const nodes = nodesIn(partition, state.nodes.values());
  const sum = (of: (inventory: (typeof nodes)[number]["inventory"]) => number): number =>
    nodes.reduce((total, { inventory }) => total + of(inventory), 0);
  const { nodes: named, allowAccounts, denyAccounts, allowQos, denyQos } = partition;
  return {
    ...partition,
    nodes: named && [...named],
    preemptMode: partitionPreemptMode(state, preemptionOf(settings).preemption, partition),
    allowAccounts: allowAccounts && [...allowAccounts],
    denyAccounts: [...denyAccounts],
    allowQos: allowQos && [...allowQos],
    denyQos: [...denyQos],
    members: nodes.map(({ name }) => name).sort(compareNodeNames),
    cpus: sum(({ cpus }) => cpus),
    memoryMiB: sum(({ memoryMiB }) => memoryMiB),
    gpus: sum(({ gpus }) => gpus.length),
  };
}
