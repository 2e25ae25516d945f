/** A node with its GPUs as a tree of lines. */

import type { NodeInventory } from "../core/node.ts";

/** `gpu1 at 10.0.0.2: 16 CPUs, 64000 MiB of memory`, and a line for each GPU. */
export function nodeTree(name: string, inventory: NodeInventory): string[] {
  const { cpus, memoryMiB, gpus, address, os, gpuProblem } = inventory;
  const leaves = gpus.map(
    ({ index, model, memoryMiB: memory, uuid }) => `GPU ${index}  ${model}  ${memory} MiB  ${uuid}`,
  );
  if (gpuProblem !== null) leaves.push(`GPUs: ${gpuProblem}`);
  if (leaves.length === 0) leaves.push("no GPUs");
  const at = address ? ` at ${address}` : "";
  return [
    `${name}${at}: ${cpus} CPUs, ${memoryMiB} MiB of memory, ${os}`,
    ...leaves.map((leaf, index) => `${index === leaves.length - 1 ? "└─" : "├─"} ${leaf}`),
  ];
}
