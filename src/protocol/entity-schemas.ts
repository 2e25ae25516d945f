/** Schemas of what operators change: nodes, partitions, reservations. */

import * as v from "valibot";
import { NODE_ORDERS } from "../core/commands.ts";
import { PARTITION_STATES } from "../core/partition.ts";
import { RESERVATION_FLAGS } from "../core/reservation.ts";
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
  pausedGpus: v.optional(v.record(text, text)),
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
  preemptMode: v.optional(v.picklist(["cluster", "cancel", "requeue", "suspend", "off"])),
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

const reservationFields = {
  startAt: count,
  endAt: count,
  nodes: names,
  users: names,
  accounts: names,
  partition: v.nullable(name),
  flags: v.array(v.picklist(RESERVATION_FLAGS)),
  utcOffsetMinutes: v.optional(v.pipe(v.number(), v.integer())),
};

const reservationChanges = v.partial(v.object(reservationFields));

/** A reservation, with what its nodes have. */
export const reservationRow = v.object({ ...reservationFields, name, isActive: v.boolean(), cpus: count });

/** What an operator wants to be different. */
export const clusterChange = v.variant("type", [
  v.object({ type: v.literal("nodes.update"), nodes: names, changes: nodeChanges }),
  v.object({ type: v.literal("nodes.delete"), nodes: names }),
  v.object({ type: v.literal("partition.create"), name: partitionName, changes: partitionChanges }),
  v.object({ type: v.literal("partition.update"), name, changes: partitionChanges }),
  v.object({ type: v.literal("partition.delete"), name }),
  v.object({
    type: v.literal("reservation.create"),
    /** Empty for a name of the controller's choice. */
    name: v.union([v.literal(""), partitionName]),
    reservation: v.object(reservationFields),
    nodeCount: count,
  }),
  v.object({ type: v.literal("reservation.update"), name, changes: reservationChanges, nodeCount: count }),
  v.object({ type: v.literal("reservation.delete"), name }),
]);

export type PartitionRow = v.InferOutput<typeof partitionRow>;
/** A license: how many there are, and how many of them jobs hold. */
export const licenseRow = v.object({ name, total: count, used: count });

export type LicenseRow = v.InferOutput<typeof licenseRow>;

export type ReservationRow = v.InferOutput<typeof reservationRow>;
