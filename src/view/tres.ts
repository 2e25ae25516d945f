/** Trackable resources (TRES) as Slurm lists them: `cpu=4,mem=8G,node=1,billing=4,gres/gpu=2`. */

import { type Allocation, formatGpus, type GpuGrant, gpuThousandths, type ResourceRequest } from "../core/resources.ts";
import type { JobRow } from "../protocol/procedures.ts";
import { formatMemory } from "./amounts.ts";

interface Amounts {
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly nodes: number;
  /** Thousandths. */
  readonly gpus: number;
  readonly gpuType: string | null;
}

/** What an allocation holds. The type of its GPUs is named if it was asked for. */
export function allocatedTres(allocation: Allocation, request: Pick<ResourceRequest, "gpus">): string {
  const wishes = request.gpus?.wishes ?? [];
  return tresText({
    cpus: allocation.reduce((sum, share) => sum + share.cpus, 0),
    memoryMiB: allocation.reduce((sum, share) => sum + share.memoryMiB, 0),
    nodes: allocation.length,
    gpus: gpuThousandths(allocation),
    gpuType: wishes.length === 1 ? (wishes[0]?.type ?? null) : null,
  });
}

/** What a waiting job asks for, as far as it is known before it has nodes. */
export function requestedTres(row: JobRow): string {
  const { cpus, nodes, gpus, gpuType } = row;
  const memoryFactor = { node: nodes, cpu: cpus, gpu: gpus / 1000 }[row.memoryPer] ?? 1;
  return tresText({ cpus, nodes, gpuType, gpus, memoryMiB: row.memoryMiB * memoryFactor });
}

/** MiB that a job asks for altogether, whatever the request is per; 0 where it did not say. */
export function requestedMemoryMiB({ memoryMiB, memoryPer, cpus, nodes, gpus }: JobRow): number {
  const factor = { node: nodes, cpu: cpus, gpu: gpus / 1000 }[memoryPer] ?? 1;
  return memoryMiB * factor;
}

/** What the parts of a step hold. */
export function partsTres(parts: readonly { cpus: number; memoryMiB: number; gpus: readonly GpuGrant[] }[]): string {
  return tresText({
    cpus: parts.reduce((sum, part) => sum + part.cpus, 0),
    memoryMiB: parts.reduce((sum, part) => sum + part.memoryMiB, 0),
    nodes: parts.length,
    gpus: parts.reduce((sum, part) => sum + part.gpus.reduce((all, { thousandths }) => all + thousandths, 0), 0),
    gpuType: null,
  });
}

function tresText({ cpus, memoryMiB, nodes, gpus, gpuType }: Amounts): string {
  const words = [`cpu=${cpus}`];
  if (memoryMiB > 0) words.push(`mem=${formatMemory(Math.floor(memoryMiB))}`);
  words.push(`node=${nodes}`, `billing=${cpus}`);
  if (gpus > 0) words.push(`gres/gpu=${formatGpus(gpus)}`);
  if (gpus > 0 && gpuType !== null) words.push(`gres/gpu:${gpuType}=${formatGpus(gpus)}`);
  return words.join(",");
}
