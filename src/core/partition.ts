/** Partitions: named sets of nodes with limits. What is configured nowhere is one called `main`, of all nodes. */

import type { NodeName } from "./ids.ts";
import type { Node } from "./node.ts";
import type { PreemptMode } from "./policy/records.ts";
import type { MemoryRequest } from "./resources.ts";

/**
 * What may be done in a partition.
 * - `UP`: jobs come in and start
 * - `DOWN`: jobs come in, none starts
 * - `DRAIN`: none comes in, those that wait start
 * - `INACTIVE`: neither
 */
export const PARTITION_STATES = ["UP", "DOWN", "DRAIN", "INACTIVE"] as const;

export interface Partition {
  readonly name: string;
  readonly isDefault: boolean;
  readonly state: (typeof PARTITION_STATES)[number];
  /** `null` for all nodes there are and will be. */
  readonly nodes: readonly NodeName[] | null;
  /** Seconds, 0 for no limit: what a job gets that names none. */
  readonly defaultTimeS: number;
  /** Seconds, 0 for no limit: the most a job may ask for. */
  readonly maxTimeS: number;
  readonly minNodes: number;
  /** 0 for no limit, here and below. */
  readonly maxNodes: number;
  /** CPUs of one node that the jobs of the partition may hold together. */
  readonly maxCpusPerNode: number;
  /** What a job gets that names no memory; `null` for Slurm's DefMemPerNode=UNLIMITED: it is not counted. */
  readonly defaultMemory: MemoryRequest | null;
  readonly maxMemory: MemoryRequest | null;
  /** For each GPU of a job that says nothing of it: CPUs, MiB. */
  readonly cpusPerGpu: number;
  readonly memoryPerGpuMiB: number;
  /** Jobs of a higher tier come first, whatever their priority. */
  readonly priorityTier: number;
  readonly priorityJobFactor: number;
  /** `null` for all. */
  readonly allowAccounts: readonly string[] | null;
  readonly denyAccounts: readonly string[];
  readonly allowQos: readonly string[] | null;
  readonly denyQos: readonly string[];
  /** Name of the QOS whose limits hold for the partition; `null` for none. */
  readonly qos: string | null;
  /** Not listed unless all are asked for. */
  readonly isHidden: boolean;
  readonly isRootOnly: boolean;
  readonly refusesRoot: boolean;
  /** Jobs get whole nodes. */
  readonly isExclusive: boolean;
  /** Only jobs that name a reservation come in. */
  readonly needsReservation: boolean;
  /** Seconds between the notice and the end of a job that is preempted. */
  readonly graceTimeS: number;
  /** What becomes of its jobs where those of a higher tier need room; absent for nothing. */
  readonly preemptMode?: PreemptMode | undefined;
  /** The configuration names it, or did so when it was last read. */
  readonly isConfigured?: true;
  /** It has left the configuration, and goes when no job is in it. */
  readonly isLeaving?: true;
}

/** A partition of all nodes without any limit. */
export const PARTITION_DEFAULTS: Omit<Partition, "name"> = {
  isDefault: false,
  state: "UP",
  nodes: null,
  defaultTimeS: 0,
  maxTimeS: 0,
  minNodes: 0,
  maxNodes: 0,
  maxCpusPerNode: 0,
  defaultMemory: null,
  maxMemory: null,
  cpusPerGpu: 0,
  memoryPerGpuMiB: 0,
  priorityTier: 1,
  priorityJobFactor: 1,
  allowAccounts: null,
  denyAccounts: [],
  allowQos: null,
  denyQos: [],
  qos: null,
  isHidden: false,
  isRootOnly: false,
  refusesRoot: false,
  isExclusive: false,
  needsReservation: false,
  graceTimeS: 0,
};

/** What a cluster has when nothing is configured. */
export const DEFAULT_PARTITION: Partition = { ...PARTITION_DEFAULTS, name: "main", isDefault: true };

/** A partition as it was stored: what the version that wrote it did not know has its default. */
export function storedPartition(stored: Partial<Partition> & Pick<Partition, "name">): Partition {
  return { ...PARTITION_DEFAULTS, ...stored };
}

/** Whether a node belongs to a partition. */
export function holdsNode({ nodes }: Pick<Partition, "nodes">, node: NodeName): boolean {
  return nodes === null || nodes.includes(node);
}

/** The nodes of a partition, of those that there are. */
export function nodesIn(partition: Partition, nodes: Iterable<Node>): Node[] {
  const wanted = partition.nodes && new Set(partition.nodes);
  return [...nodes].filter(({ name }) => wanted === null || wanted.has(name));
}
