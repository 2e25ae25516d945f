/** Can a request ever run on a node, and can it now. Used by submission, by the scheduler and by the re-check. */

import { type Node, nodeState } from "./node.ts";
import { formatGpus, type Gpu, type NodeUsage, type ResourceRequest, totalCpus, WHOLE_GPU } from "./resources.ts";

/** GPUs of a node that a request may use, by type. */
function matchingGpus(node: Node, request: ResourceRequest): readonly Gpu[] {
  const type = request.gpus?.type;
  if (!type) return node.inventory.gpus;
  const wanted = type.toLowerCase();
  return node.inventory.gpus.filter((gpu) => gpu.type === wanted);
}

/** GPUs of a node that a request may use and that nobody holds. */
export function freeGpus(node: Node, request: ResourceRequest, usage: NodeUsage = node.usage): readonly Gpu[] {
  return matchingGpus(node, request).filter((gpu) => (usage.gpus[gpu.index] ?? 0) === 0);
}

/** Number of whole GPUs that a request needs. */
export function wholeGpus(request: ResourceRequest): number {
  return Math.ceil((request.gpus?.thousandths ?? 0) / WHOLE_GPU);
}

/** Whether the empty node could run the whole request. */
export function fitsEmptyNode(node: Node, request: ResourceRequest): boolean {
  const { inventory } = node;
  return (
    totalCpus(request) <= inventory.cpus &&
    request.memoryMiBPerNode <= inventory.memoryMiB &&
    wholeGpus(request) <= matchingGpus(node, request).length
  );
}

/** Whether the node takes new work and has room for the whole request at this usage. */
export function fitsNow(node: Node, request: ResourceRequest, usage: NodeUsage = node.usage): boolean {
  const { inventory } = node;
  return (
    node.down === null &&
    node.drain === null &&
    usage.cpus + totalCpus(request) <= inventory.cpus &&
    usage.memoryMiB + request.memoryMiBPerNode <= inventory.memoryMiB &&
    wholeGpus(request) <= freeGpus(node, request, usage).length
  );
}

/** `2 GPUs of type a100, 4 CPUs and 1024 MiB of memory`: a request in words. */
export function describeRequest(request: ResourceRequest): string {
  const parts: string[] = [];
  if (request.gpus) {
    const count = formatGpus(request.gpus.thousandths);
    const type = request.gpus.type ? ` of type ${request.gpus.type}` : "";
    parts.push(`${count} ${count === "1" ? "GPU" : "GPUs"}${type}`);
  }
  parts.push(countOf(totalCpus(request), "CPU"));
  if (request.memoryMiBPerNode > 0) parts.push(`${request.memoryMiBPerNode} MiB of memory`);
  return joinWords(parts);
}

/** `node1 has 4 GPUs (a100), 8 CPUs, 64000 MiB of memory (idle)`: a node in words. */
export function describeNode(node: Node): string {
  const { cpus, memoryMiB, gpus } = node.inventory;
  const types = [...new Set(gpus.map((gpu) => gpu.type))].join(", ");
  const gpuText = `${countOf(gpus.length, "GPU")}${types ? ` (${types})` : ""}`;
  return `${node.name} has ${gpuText}, ${countOf(cpus, "CPU")}, ${memoryMiB} MiB of memory (${nodeState(node).toLowerCase()})`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function joinWords(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
