/** What a score is: how well a node suits a request, told from what the node has now and what the request would take. */

import type { Picked } from "../../../core/gpu-pick.ts";
import type { Node } from "../../../core/node.ts";
import type { Candidate } from "../../../core/node-set.ts";
import { type NodeUsage, WHOLE_GPU } from "../../../core/resources.ts";

/** A node, what is in use there, and what a request would take of it: of several nodes as much as this one can give. */
export interface Spot {
  readonly node: Node;
  readonly usage: NodeUsage;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: readonly Picked[];
  /** The request says of which type its GPUs, or with which features its nodes must be. */
  readonly isChoosy: boolean;
}

/** Costs in the order in which they are compared, each below 2^31: the lowest node is taken, of equals the first by name. */
export type Rate = (spot: Spot) => readonly number[];

/** A way to choose among nodes that all could run a request. */
export interface Scoring {
  readonly name: string;
  /** Nodes that have the same, and of which the same is in use, cost the same. */
  readonly isAlike: boolean;
  /** What it takes from the nodes at hand; done once for many spots. */
  prepare(candidates: readonly Candidate[]): Rate;
}

/** Thousandths of GPUs that are free on a node, taken or not by the request. */
function freeThousandths({ node, usage }: Pick<Spot, "node" | "usage">): number {
  let free = node.inventory.gpus.length * WHOLE_GPU;
  for (const index in usage.gpus) free -= usage.gpus[index] ?? 0;
  return free;
}

/** Thousandths of GPUs that the request takes there. */
export function takenThousandths({ gpus }: Spot): number {
  return gpus.reduce((sum, { thousandths }) => sum + thousandths, 0);
}

/** GPUs in thousandths, CPUs and memory in MiB that the request leaves free. */
export function leftOver(spot: Spot): readonly [number, number, number] {
  const { node, usage, cpus, memoryMiB } = spot;
  return [
    freeThousandths(spot) - takenThousandths(spot),
    node.inventory.cpus - usage.cpus - cpus,
    node.inventory.memoryMiB - usage.memoryMiB - memoryMiB,
  ];
}
