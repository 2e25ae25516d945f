/**
 * What jobs ask for and what nodes have: tasks, CPUs, memory, GPUs.
 *
 * GPUs are counted in thousandths, so that shares of one GPU need no second kind of grant. An allocation names
 * the GPUs it holds by index and UUID; two allocations never hold more than 1,000 thousandths of one GPU together.
 */

import type { NodeName } from "./ids.ts";

/** One whole GPU, in the unit in which grants are kept. */
export const WHOLE_GPU = 1000;

/** A wish for GPUs. */
export interface GpuRequest {
  /** Thousandths of a GPU over the whole job; 2000 is `--gpus 2`. */
  readonly thousandths: number;
  /** GPU type as the inventory names it, compared without regard to case; `null` for any. */
  readonly type: string | null;
}

/** The geometry of a job. */
export interface ResourceRequest {
  /** Number of tasks, at least 1. */
  readonly tasks: number;
  readonly cpusPerTask: number;
  /** Fewest and most nodes; `null` when the user did not say. */
  readonly nodes: { readonly min: number; readonly max: number } | null;
  /** Memory on each node in MiB; 0 when the user did not say (then it is not counted). */
  readonly memoryMiBPerNode: number;
  readonly gpus: GpuRequest | null;
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
}

/** The part of one GPU that an allocation holds. */
export interface GpuGrant {
  readonly index: number;
  readonly uuid: string;
  readonly thousandths: number;
}

/** What an allocation holds on one node. */
export interface NodeShare {
  readonly node: NodeName;
  /** Number of the job's tasks that run here; the tasks of a job are numbered node by node. */
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
export function gpuThousandths(shares: readonly NodeShare[]): number {
  let sum = 0;
  for (const share of shares) for (const grant of share.gpus) sum += grant.thousandths;
  return sum;
}

/** CPUs that a request needs in all. */
export function totalCpus(request: ResourceRequest): number {
  return request.tasks * request.cpusPerTask;
}

/** `2`, `0.5`, `2.5`: thousandths as people write GPUs. */
export function formatGpus(thousandths: number): string {
  return String(thousandths / WHOLE_GPU);
}
