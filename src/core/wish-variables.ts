/**
 * Variables that repeat what a user asked for (SLURM_GPUS, SLURM_CPUS_PER_TASK, SLURM_MEM_PER_NODE). Each is set only
 * when it was asked for: programs take its presence for that, and srun inside the job reads it as its own option. Pure.
 */

import type { TaskDistribution } from "./layout.ts";
import { formatGpus, type GpuWish, type ResourceRequest } from "./resources.ts";

type Variables = Record<string, string>;

const GPU_NAMES = { job: "SLURM_GPUS", node: "SLURM_GPUS_PER_NODE", task: "SLURM_GPUS_PER_TASK" } as const;

const MEMORY_NAMES = { node: "SLURM_MEM_PER_NODE", cpu: "SLURM_MEM_PER_CPU", gpu: "SLURM_MEM_PER_GPU" } as const;

/** What exclude one another: a step that asks for one of them must not show its job's wish for another. */
export const MEMORY_WISHES: readonly string[] = Object.values(MEMORY_NAMES);
export const GPU_WISHES: readonly string[] = Object.values(GPU_NAMES);

/** The geometry that was asked for. */
export function wishVariables(request: ResourceRequest): Variables {
  const { tasksPerNode, cpusPerTask, cpusPerGpu, tasksPerGpu, memory, gpus, overcommit } = request;
  return {
    ...(tasksPerNode > 0 ? { SLURM_NTASKS_PER_NODE: String(tasksPerNode) } : {}),
    ...(cpusPerTask === null ? {} : { SLURM_CPUS_PER_TASK: String(cpusPerTask) }),
    ...(cpusPerGpu > 0 ? { SLURM_CPUS_PER_GPU: String(cpusPerGpu) } : {}),
    ...(tasksPerGpu > 0 ? { SLURM_NTASKS_PER_GPU: String(tasksPerGpu) } : {}),
    ...(memory ? { [MEMORY_NAMES[memory.per]]: String(memory.mib) } : {}),
    // A part by memory has no count that could be repeated: steps see what the job has.
    ...(gpus && gpus.wishes.length > 0 && !gpus.byMemory
      ? { [GPU_NAMES[gpus.per]]: gpus.wishes.map(formatWish).join(",") }
      : {}),
    ...(overcommit ? { SLURM_OVERCOMMIT: "1" } : {}),
  };
}

/** How tasks are to be laid out. */
export function distributionVariables(distribution: TaskDistribution): Variables {
  if (typeof distribution === "string") return { SLURM_DISTRIBUTION: distribution };
  if ("arbitrary" in distribution) return { SLURM_DISTRIBUTION: "arbitrary" };
  return { SLURM_DISTRIBUTION: "plane", SLURM_DIST_PLANESIZE: String(distribution.plane) };
}

function formatWish({ type, thousandths }: GpuWish): string {
  return `${type ? `${type}:` : ""}${formatGpus(thousandths)}`;
}
