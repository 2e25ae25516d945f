/** Best fit: the node on which the least is left over, so that large holes stay whole. GPUs first, then CPUs. */

import { fitsNow, freeGpus, wholeGpus } from "../../core/fit.ts";
import type { Node } from "../../core/node.ts";
import { type Allocation, type NodeUsage, type ResourceRequest, totalCpus, WHOLE_GPU } from "../../core/resources.ts";

/** A node as a pass sees it: usage includes what this pass has granted already. */
export interface Candidate {
  readonly node: Node;
  usage: NodeUsage;
}

/** One node for the whole request, or `null` if none has room. The lowest free GPU indices are granted. */
export function placeBestFit(candidates: readonly Candidate[], request: ResourceRequest): Allocation | null {
  let best: Candidate | null = null;
  let bestLeft: readonly number[] = [];
  for (const candidate of candidates) {
    if (!fitsNow(candidate.node, request, candidate.usage)) continue;
    const left = leftOver(candidate, request);
    if (best && compareLeft(left, bestLeft) >= 0) continue;
    best = candidate;
    bestLeft = left;
  }
  return best && [shareOn(best, request)];
}

/** GPUs, CPUs and memory that would stay free; compared in that order. A job without GPUs avoids GPU nodes. */
function leftOver({ node, usage }: Candidate, request: ResourceRequest): readonly number[] {
  const { cpus, memoryMiB, gpus } = node.inventory;
  const freeGpuCount = gpus.filter((gpu) => (usage.gpus[gpu.index] ?? 0) === 0).length;
  return [
    freeGpuCount - wholeGpus(request),
    cpus - usage.cpus - totalCpus(request),
    memoryMiB - usage.memoryMiB - request.memoryMiBPerNode,
  ];
}

function compareLeft(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function shareOn({ node, usage }: Candidate, request: ResourceRequest): Allocation[number] {
  const gpus = freeGpus(node, request, usage).slice(0, wholeGpus(request));
  return {
    node: node.name,
    tasks: request.tasks,
    cpus: totalCpus(request),
    memoryMiB: request.memoryMiBPerNode,
    gpus: gpus.map(({ index, uuid }) => ({ index, uuid, thousandths: WHOLE_GPU })),
  };
}
