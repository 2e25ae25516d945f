/** Nodes as the controller knows them: what they have, and whether new work may go there. */

import type { NodeName } from "./ids.ts";
import type { Gpu, NodeUsage } from "./resources.ts";

/** What a node daemon says of its machine when it registers. */
export interface NodeInventory {
  readonly hostname: string;
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

export interface Node {
  readonly name: NodeName;
  readonly inventory: NodeInventory;
  readonly registeredAt: number;
  readonly usage: NodeUsage;
  /** Why no new work goes there, else `null`. */
  readonly drain: { readonly reason: string; readonly at: number } | null;
  /** Set when the node has not been heard of for too long, else `null`. */
  readonly down: { readonly reason: string; readonly at: number } | null;
}

/** Slurm's node states that mgpu uses, with sinfo's short forms. */
export const NODE_STATES = {
  IDLE: "idle",
  MIXED: "mix",
  ALLOCATED: "alloc",
  DOWN: "down",
  DRAINED: "drain",
  DRAINING: "drng",
} as const;

export type NodeState = keyof typeof NODE_STATES;

/** The state that sinfo shows. ALLOCATED when all CPUs are granted, as in Slurm. */
export function nodeState(node: Node): NodeState {
  if (node.down) return "DOWN";
  const busy = node.usage.cpus > 0 || Object.keys(node.usage.gpus).length > 0 || node.usage.memoryMiB > 0;
  if (node.drain) return busy ? "DRAINING" : "DRAINED";
  if (!busy) return "IDLE";
  return node.usage.cpus >= node.inventory.cpus ? "ALLOCATED" : "MIXED";
}
