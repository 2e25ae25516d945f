/** What one node must have free at least to run all of a request: sums that are quickly looked at before all else. */

import { activeFeatures, type Node } from "../../core/node.ts";
import { type NodeUsage, WHOLE_GPU } from "../../core/resources.ts";
import { cpusOn, type Demand, memoryOn, thousandthsOf } from "../../core/room.ts";

export interface Needs {
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Thousandths. */
  readonly gpus: number;
}

/** Never more than the request takes in the end. */
export function needsOf(demand: Demand): Needs {
  const { request, per, tasksPerWish, wishes } = demand;
  const tasks = request.tasks ?? 1;
  const times = per === "task" ? Math.ceil(tasks / tasksPerWish) : 1;
  const counts = wishes.map(({ count }) => count * times);
  const gpus = request.gpus?.byMemory ? 0 : thousandthsOf(demand, counts);
  const cpus = cpusOn(request, tasks, gpus);
  return { cpus, gpus, memoryMiB: memoryOn(request, cpus, gpus, 0) };
}

/** Whether a node has that much in sum. */
export function hasAmounts({ inventory }: Node, usage: NodeUsage, { cpus, memoryMiB, gpus }: Needs): boolean {
  if (inventory.cpus - usage.cpus < cpus || inventory.memoryMiB - usage.memoryMiB < memoryMiB) return false;
  if (gpus === 0) return true;
  let free = inventory.gpus.length * WHOLE_GPU;
  for (const index in usage.gpus) free -= usage.gpus[index] ?? 0;
  return free >= gpus;
}

/** Whether nothing of a node is in use. */
export function isIdle({ cpus, memoryMiB, gpus }: NodeUsage): boolean {
  if (cpus > 0 || memoryMiB > 0) return false;
  for (const index in gpus) if ((gpus[index] ?? 0) > 0) return false;
  return true;
}

/** The same text for nodes that a request can't tell from each other while they are idle, but for their names. */
export function nodeKind(node: Node): string {
  let kind = kinds.get(node);
  if (kind === undefined) {
    const { cpus, memoryMiB, gpus } = node.inventory;
    const sizes = gpus.map(({ index, type, memoryMiB: mib }) => [index, type, mib]);
    kind = JSON.stringify([cpus, memoryMiB, sizes, activeFeatures(node)]);
    kinds.set(node, kind);
  }
  return kind;
}

const kinds = new WeakMap<Node, string>();
