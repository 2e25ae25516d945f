/** Schemas of what operators change: nodes, partitions, reservations. */

import * as v from "valibot";
import { NODE_ORDERS } from "../core/commands.ts";
import { PARTITION_STATES } from "../core/partition.ts";
import type { MemoryRequest } from "../core/resources.ts";
import { count, name, positive, text } from "./schemas.ts";

const names = v.array(name);

const nodeChanges = v.object({
  state: v.optional(v.picklist(NODE_ORDERS)),
  reason: v.optional(text),
  weight: v.optional(v.pipe(count, v.maxValue(2 ** 32 - 2))),
  comment: v.optional(text),
  extra: v.optional(text),
  features: v.optional(names),
  activeFeatures: v.optional(names),
});

const memory: v.GenericSchema<MemoryRequest> = v.object({ per: v.picklist(["node", "cpu", "gpu"]), mib: positive });

const partitionFields = {
  isDefault: v.boolean(),
  state: v.picklist(PARTITION_STATES),
  nodes: v.nullable(names),
  defaultTimeS: count,
  maxTimeS: count,
  minNodes: count,
  maxNodes: count,
  maxCpusPerNode: count,
  defaultMemory: v.nullable(memory),
  maxMemory: v.nullable(memory),
  cpusPerGpu: count,
  memoryPerGpuMiB: count,
  priorityTier: count,
  priorityJobFactor: count,
  allowAccounts: v.nullable(names),
  denyAccounts: names,
  allowQos: v.nullable(names),
  denyQos: names,
  qos: v.nullable(name),
  isHidden: v.boolean(),
  isRootOnly: v.boolean(),
  refusesRoot: v.boolean(),
  isExclusive: v.boolean(),
  needsReservation: v.boolean(),
  graceTimeS: count,
};

const partitionChanges = v.partial(v.object(partitionFields));

/** A partition, with the nodes that it has now. */
export const partitionRow = v.object({
  ...partitionFields,
  name,
  /** Of {@link partitionFields.nodes} those that there are, in the order of their names. */
  members: names,
  cpus: count,
  memoryMiB: count,
  gpus: count,
});

/** What a partition may be called. */
const partitionName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/));

/** What an operator wants to be different. */
export const clusterChange = v.variant("type", [
  v.object({ type: v.literal("nodes.update"), nodes: names, changes: nodeChanges }),
  v.object({ type: v.literal("nodes.delete"), nodes: names }),
  v.object({ type: v.literal("partition.create"), name: partitionName, changes: partitionChanges }),
  v.object({ type: v.literal("partition.update"), name, changes: partitionChanges }),
  v.object({ type: v.literal("partition.delete"), name }),
]);

export type PartitionRow = v.InferOutput<typeof partitionRow>;
