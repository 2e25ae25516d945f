/** Nodes as the controller knows them: what they have, and whether new work may go there. */

import type { NodeName } from "./ids.ts";
import type { Gpu, NodeUsage } from "./resources.ts";

/** What a node daemon says of its machine when it registers. */
export interface NodeInventory {
  readonly hostname: string;
  /** Where other nodes reach it, a name or number; absent where it is not known, and of an older node daemon. */
  readonly address?: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: readonly Gpu[];
  /** What found the GPUs: `nvidia`, `fake` or `none`; with the provider's complaint, if it had one. */
  readonly gpuProvider: string;
  readonly gpuProblem: string | null;
  /** Changes with each boot of the machine. */
  readonly bootId: string;
  readonly os: string;
  /** Words that jobs may ask for with -C, as the node's settings name them. */
  readonly features: readonly string[];
  readonly arch: string;
  /** Program version of the node daemon. */
  readonly version: string;
}

/** Somebody, as the record of what they did names them. */
export interface Operator {
  readonly uid: number;
  readonly name: string;
}

/** Why a node is out of service. */
export interface NodeMark {
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Absent where the controller did it. */
  readonly by?: Operator;
  /** Of a drain: Slurm's FAIL, the node is expected to break. */
  readonly isFailing?: true;
}

/** What an operator set, beside what the node says of itself. */
export interface NodeSettings {
  /** Nodes of lower weight are filled first; {@link WEIGHT_DEFAULT} if absent. */
  readonly weight?: number;
  readonly comment?: string;
  readonly extra?: string;
  /** In place of the features that the node names. */
  readonly features?: readonly string[];
  /** Those of them that jobs may ask for now. */
  readonly activeFeatures?: readonly string[];
}

export interface Node {
  readonly name: NodeName;
  readonly inventory: NodeInventory;
  readonly registeredAt: number;
  readonly usage: NodeUsage;
  /** Why no new work goes there, else `null`. */
  readonly drain: NodeMark | null;
  /** Set when the node has not been heard of for too long, or was set down by an operator; else `null`. */
  readonly down: NodeMark | null;
  readonly settings?: NodeSettings;
}

/** Slurm's. */
const WEIGHT_DEFAULT = 1;

/** Slurm's node states that mgpu uses, with sinfo's short forms. */
export const NODE_STATES = {
  IDLE: "idle",
  MIXED: "mix",
  ALLOCATED: "alloc",
  DOWN: "down",
  DRAINED: "drain",
  DRAINING: "drng",
  FAIL: "fail",
  FAILING: "failg",
  RESERVED: "resv",
  MAINT: "maint",
} as const;

export type NodeState = keyof typeof NODE_STATES;

/** The state that sinfo shows. ALLOCATED when all CPUs are granted, as in Slurm. */
export function nodeState(node: Node): NodeState {
  if (node.down) return "DOWN";
  const busy = node.usage.cpus > 0 || Object.keys(node.usage.gpus).length > 0 || node.usage.memoryMiB > 0;
  if (node.drain?.isFailing) return busy ? "FAILING" : "FAIL";
  if (node.drain) return busy ? "DRAINING" : "DRAINED";
  if (!busy) return "IDLE";
  return node.usage.cpus >= node.inventory.cpus ? "ALLOCATED" : "MIXED";
}

/** Whether new work may go to a node, if its daemon is there. */
export function isOpen(node: Node): boolean {
  return node.down === null && node.drain === null;
}

/** Words that jobs may ask for with -C right now. */
export function activeFeatures({ inventory, settings }: Node): readonly string[] {
  return settings?.activeFeatures ?? settings?.features ?? inventory.features;
}

/** All words that the node may offer. */
export function availableFeatures({ inventory, settings }: Node): readonly string[] {
  return settings?.features ?? inventory.features;
}

/** Nodes of lower weight are filled first. */
export function weightOf({ settings }: Node): number {
  return settings?.weight ?? WEIGHT_DEFAULT;
}
