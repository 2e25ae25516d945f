/** Nodes as the controller knows them: what they have, and whether new work may go there. */

import type { NodeName } from "./ids.ts";
import { type Gpu, type NodeUsage, WHOLE_GPU } from "./resources.ts";

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
  /** How it keeps jobs within their memory, in words; absent of an older node daemon. */
  readonly memoryLimits?: string;
  /** Changes with each boot of the machine. */
  readonly bootId: string;
  readonly os: string;
  /** Words that jobs may ask for with -C, as the node's settings name them. */
  readonly features: readonly string[];
  /** As its settings say; absent for {@link WEIGHT_DEFAULT}, and of an older node daemon. */
  readonly weight?: number;
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
  /** In place of the weight that the node names. */
  readonly weight?: number;
  readonly comment?: string;
  readonly extra?: string;
  /** In place of the features that the node names. */
  readonly features?: readonly string[];
  /** Those of them that jobs may ask for now. */
  readonly activeFeatures?: readonly string[];
  /** GPUs that get no new jobs, by index, each with the reason, which may be empty; jobs that run there stay. */
  readonly pausedGpus?: Readonly<Record<string, string>>;
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
  /** Only of copies that a scheduler looks at ({@link withClosedGpus}): why GPUs get no new jobs, by index. */
  readonly closedGpus?: Readonly<Record<string, string>>;
  /** Only of such copies too ({@link withoutOthersMemory}): MiB of GPUs that others use, by index. */
  readonly othersMiB?: Readonly<Record<string, number>>;
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

/** Why GPUs of a node get no new jobs, in words, by index: paused ones, and those that others than jobs load. */
export function closedGpusOf(
  { settings }: Pick<Node, "settings">,
  loaded: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const paused = Object.entries(settings?.pausedGpus ?? {});
  return {
    ...loaded,
    ...Object.fromEntries(paused.map(([at, why]) => [at, why === "" ? "paused" : `paused: ${why}`])),
  };
}

/**
 * The node as placement sees it: of closed GPUs nothing is free, now or after the end of the jobs that hold them. The
 * node itself where none is closed.
 */
export function withClosedGpus(node: Node, loaded?: Readonly<Record<string, string>>): Node {
  if (!node.settings?.pausedGpus && !loaded) return node;
  const closedGpus = closedGpusOf(node, loaded);
  const gpus: Record<number, number> = { ...node.usage.gpus };
  for (const { index } of node.inventory.gpus) {
    if (closedGpus[index] !== undefined) gpus[index] = (gpus[index] ?? 0) + WHOLE_GPU;
  }
  return { ...node, usage: { ...node.usage, gpus }, closedGpus };
}

/**
 * The node as requests for memory of GPUs (--gpu-mem) see it: what processes of others use is not there.
 * @param othersMiB by GPU
 */
export function withoutOthersMemory(node: Node, othersMiB: Readonly<Record<string, number>> | undefined): Node {
  if (!othersMiB) return node;
  const gpus = node.inventory.gpus.map((gpu) => {
    return { ...gpu, memoryMiB: Math.max(0, gpu.memoryMiB - (othersMiB[gpu.index] ?? 0)) };
  });
  return { ...node, inventory: { ...node.inventory, gpus }, othersMiB };
}

/** The node with all that its GPUs have. */
export function withOthersMemory(node: Node): Node {
  const { othersMiB = {}, inventory } = node;
  const gpus = inventory.gpus.map((gpu) => ({ ...gpu, memoryMiB: gpu.memoryMiB + (othersMiB[gpu.index] ?? 0) }));
  return node.othersMiB ? { ...node, inventory: { ...inventory, gpus } } : node;
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
export function weightOf({ inventory, settings }: Node): number {
  return settings?.weight ?? inventory.weight ?? WEIGHT_DEFAULT;
}
