/**
 * What jobs ask for and what nodes have: tasks, CPUs, memory, GPUs.
 *
 * GPUs are counted in thousandths, so that shares of one GPU need no second kind of grant. An allocation names
 * the GPUs it holds by index and UUID; two allocations never hold more than 1,000 thousandths of one GPU together.
 */

import type { NodeName } from "./ids.ts";

/** One whole GPU, in the unit in which grants are kept. */
export const WHOLE_GPU = 1000;

/** A number of GPUs of one type. */
export interface GpuWish {
  /** GPU type as the inventory names it, compared without regard to case; `null` for any. */
  readonly type: string | null;
  /** 2000 is two whole GPUs. */
  readonly thousandths: number;
}

/** A wish for GPUs: so many for the whole job (`--gpus`), on each node (`--gres`), or for each task. */
export interface GpuRequest {
  readonly per: "job" | "node" | "task";
  /** With several types each is met by itself; none is a wish for no GPU. */
  readonly wishes: readonly GpuWish[];
  /** Of one GPU just the part that has the memory asked for (--gpu-mem without a number of GPUs). */
  readonly byMemory?: true | undefined;
}

/** Memory of a node, or of each CPU or GPU granted on it, in MiB. */
export interface MemoryRequest {
  readonly per: "node" | "cpu" | "gpu";
  readonly mib: number;
}

/** GPUs of one node, by index (--node-gpu-ids). */
export interface NodeGpuIds {
  readonly node: NodeName;
  readonly indices: readonly number[];
}

/** The geometry of a job or a step. Absent wishes are `null`, 0, false or empty. */
export interface ResourceRequest {
  /** Number of tasks; `null` for `tasksPerNode` (else one) on each node. */
  readonly tasks: number | null;
  /** Most tasks on a node, 0 where the user did not say. */
  readonly tasksPerNode: number;
  /** Tasks of each node where they were listed one by one (`--distribution=arbitrary`); on other nodes none. */
  readonly tasksOn?: Readonly<Record<NodeName, number>> | undefined;
  /** `null` when the user did not say: 1, or what `cpusPerGpu` gives. */
  readonly cpusPerTask: number | null;
  /** 0 when the user did not say. */
  readonly cpusPerGpu: number;
  /** Tasks for each GPU, 0 when the user did not say. */
  readonly tasksPerGpu: number;
  /** Fewest CPUs of a node that may be used (--mincpus), 0 for any. */
  readonly cpusMin: number;
  /** Fewest and most nodes; `null` when the user did not say. */
  readonly nodes: { readonly min: number; readonly max: number } | null;
  /** `null` when the user did not say (then it is not counted). */
  readonly memory: MemoryRequest | null;
  readonly gpus: GpuRequest | null;
  /** Exactly these GPUs, instead of `gpus`. */
  readonly gpuIds: readonly NodeGpuIds[];
  /** Least memory of a GPU that may be granted, in MiB (--gpu-mem); 0 for any. */
  readonly gpuMemoryMiB: number;
  /** Only GPUs with these indices, on whatever node (--allowed-gpus); absent for any. */
  readonly gpuAllowed?: readonly number[] | undefined;
  /** Whole nodes: all their CPUs and GPUs. */
  readonly exclusive: boolean;
  /** No node that a job of another user runs on, then or later (--exclusive=user); absent for no. */
  readonly onlyUser?: boolean | undefined;
  /** One CPU for all tasks of a node. */
  readonly overcommit: boolean;
  /** Nodes that must be among the job's (-w). */
  readonly nodeList: readonly NodeName[];
  /** Nodes that must not be (-x). */
  readonly excluded: readonly NodeName[];
  /** Features that the nodes must have (-C), as core/constraint prints it; empty for none. */
  readonly constraint: string;
  /** Nodes next to each other in the order of their names. */
  readonly contiguous: boolean;
  /** As many nodes as allowed rather than as few as possible. */
  readonly spread: boolean;
}

/** What a job gets whose user asked for nothing: one task with one CPU. */
export const PLAIN_REQUEST: ResourceRequest = {
  tasks: 1,
  tasksPerNode: 0,
  cpusPerTask: null,
  cpusPerGpu: 0,
  tasksPerGpu: 0,
  cpusMin: 0,
  nodes: null,
  memory: null,
  gpus: null,
  gpuIds: [],
  gpuMemoryMiB: 0,
  exclusive: false,
  overcommit: false,
  nodeList: [],
  excluded: [],
  constraint: "",
  contiguous: false,
  spread: false,
};

/** What a step asks for within its job's allocation. */
export interface StepRequest extends ResourceRequest {
  /** Uses what it gets together with other steps (--overlap). */
  readonly overlap: boolean;
  /** No CPUs beyond those of its tasks (--exact). */
  readonly exact: boolean;
  /** Position in the allocation of the first node that may be used (--relative). */
  readonly firstNode: number;
}

/** One GPU of a node's inventory. */
export interface Gpu {
  /** Position on its node in PCI bus order: what CUDA_VISIBLE_DEVICES takes. */
  readonly index: number;
  readonly uuid: string;
  /** Model in full, for people: `NVIDIA A100-SXM4-80GB`. */
  readonly model: string;
  /** Short lower-case name for requests: `a100`. */
  readonly type: string;
  readonly memoryMiB: number;
  /** What is between it and each GPU of its node, by index, as `nvidia-smi topo -m` says; absent where nobody knows. */
  readonly links?: readonly string[] | undefined;
  /** CPUs of its node that are near it, such as `0-15,32-47`; absent where nobody knows. */
  readonly cpuAffinity?: string | undefined;
}

/** The part of one GPU that an allocation holds. */
export interface GpuGrant {
  readonly index: number;
  readonly uuid: string;
  /** As in {@link Gpu}. */
  readonly type: string;
  readonly thousandths: number;
}

/** What an allocation holds on one node. */
export interface NodeShare {
  readonly node: NodeName;
  /** Number of the job's tasks that run here; which ones says its distribution. */
  readonly tasks: number;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: readonly GpuGrant[];
}

/** Where a job runs: one share a node, in the order of its tasks. */
export type Allocation = readonly NodeShare[];

/** What is in use on a node, summed over the allocations that hold a share of it. */
export interface NodeUsage {
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Thousandths in use by GPU index; absent means free. */
  readonly gpus: Readonly<Record<number, number>>;
}

export const NO_USAGE: NodeUsage = { cpus: 0, memoryMiB: 0, gpus: {} };

/** Usage after a share was granted (`sign` 1) or given back (`sign` -1). */
export function addShare(usage: NodeUsage, share: NodeShare, sign: 1 | -1): NodeUsage {
  const gpus: Record<number, number> = { ...usage.gpus };
  for (const grant of share.gpus) {
    const left = (gpus[grant.index] ?? 0) + sign * grant.thousandths;
    if (left === 0) delete gpus[grant.index];
    else gpus[grant.index] = left;
  }
  return {
    cpus: usage.cpus + sign * share.cpus,
    memoryMiB: usage.memoryMiB + sign * share.memoryMiB,
    gpus,
  };
}

/** GPUs of a share or an allocation, in thousandths. */
export function gpuThousandths(shares: readonly Pick<NodeShare, "gpus">[]): number {
  let sum = 0;
  for (const share of shares) for (const grant of share.gpus) sum += grant.thousandths;
  return sum;
}

/** `2`, `0.5`, `2.5`: thousandths as people write GPUs. */
export function formatGpus(thousandths: number): string {
  return String(thousandths / WHOLE_GPU);
}
