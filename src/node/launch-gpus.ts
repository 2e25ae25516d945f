/**
 * Which GPUs a task sees, and the variables that tell it. A step's tasks share those of their node unless they were
 * asked for task by task, or bound (--gpu-bind). Pure.
 */

import type { GpuBind } from "../core/gres.ts";
import type { GpuGrant } from "../core/resources.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";
import { isBatch, type NodePart, stepTasks } from "./launch-part.ts";

type Variables = Record<string, string>;

/**
 * The GPUs of the job, of the step, and those that may be used here, for all tasks of this node alike. Without any,
 * CUDA gets an empty list: unset would mean all of them.
 */
export function gpuVariables(launch: NodeLaunch, { gpus, jobGpus, gpuProvider }: NodePart): Variables {
  return {
    ...(jobGpus.length > 0 ? { SLURM_JOB_GPUS: indices(jobGpus) } : {}),
    ...(gpus.length > 0 ? { SLURM_GPUS_ON_NODE: String(gpus.length) } : {}),
    ...(gpus.length > 0 && !isBatch(launch) ? { SLURM_STEP_GPUS: indices(gpus) } : {}),
    ...visibleGpus(gpus, gpuProvider),
  };
}

/** What one task sees if that is less than its node's tasks see together; else nothing. */
export function taskGpuVariables(launch: NodeLaunch, part: NodePart, local: number): Variables {
  const bound = taskGpus(launch, part, local);
  return bound === null ? {} : visibleGpus(bound, part.gpuProvider);
}

/** The GPUs of a task, `null` for all of its node's. As in Slurm, a step of one task is never bound. */
function taskGpus(launch: NodeLaunch, part: NodePart, local: number): readonly GpuGrant[] | null {
  const { gpus } = part;
  if (isBatch(launch) || gpus.length === 0 || stepTasks(launch) < 2) return null;
  const { gpuBind } = launch.program;
  return gpuBind === null ? askedPerTask(launch, part, local) : boundGpus(gpuBind, gpus, local);
}

function askedPerTask({ request }: NodeLaunch, { gpus }: NodePart, local: number): readonly GpuGrant[] | null {
  if (request.gpus?.per === "task") {
    const thousandths = request.gpus.wishes.reduce((sum, wish) => sum + wish.thousandths, 0);
    return portion(gpus, local * thousandths, thousandths);
  }
  return request.tasksPerGpu > 0 ? single(gpus, Math.floor(local / request.tasksPerGpu)) : null;
}

/** Numbers of a map or mask count the step's GPUs on the node from 0, as Slurm's do where devices are constrained. */
function boundGpus(bind: GpuBind, gpus: readonly GpuGrant[], local: number): readonly GpuGrant[] | null {
  switch (bind.kind) {
    case "none":
    case "closest":
      return null;
    case "single":
      return single(gpus, Math.floor(local / bind.tasks));
    case "per_task":
      return Array.from({ length: Math.min(bind.gpus, gpus.length) }, (_, at) => at + local * bind.gpus).flatMap((at) =>
        single(gpus, at),
      );
    case "map":
      return chosen(gpus, [bind.indices[local % bind.indices.length] ?? -1]);
    case "mask":
      return chosen(gpus, bind.masks[local % bind.masks.length] ?? []);
  }
}

/** One GPU; counting starts over behind the last. */
function single(gpus: readonly GpuGrant[], at: number): readonly GpuGrant[] {
  return gpus.slice(at % gpus.length, (at % gpus.length) + 1);
}

/** Those of the numbers that there are; all where none of them is. */
function chosen(gpus: readonly GpuGrant[], numbers: readonly number[]): readonly GpuGrant[] | null {
  const found = gpus.filter((_, at) => numbers.includes(at));
  return found.length > 0 ? found : null;
}

/** The GPUs that hold a range of thousandths, when the grants are laid end to end. */
function portion(gpus: readonly GpuGrant[], from: number, length: number): readonly GpuGrant[] {
  let start = 0;
  return gpus.filter((grant) => {
    const end = start + grant.thousandths;
    const isTouched = start < from + length && end > from;
    start = end;
    return isTouched;
  });
}

function visibleGpus(gpus: readonly GpuGrant[], gpuProvider: string): Variables {
  if (gpuProvider !== "amd") {
    const names = gpus.map(cudaName).join(",");
    return { CUDA_VISIBLE_DEVICES: names, CUDA_DEVICE_ORDER: "PCI_BUS_ID", GPU_DEVICE_ORDINAL: names };
  }
  // ROCr hides the other GPUs first; HIP, which reads CUDA's variable too, counts what is left from 0.
  const left = gpus.map((_, position) => position).join(",");
  return {
    ROCR_VISIBLE_DEVICES: indices(gpus),
    HIP_VISIBLE_DEVICES: left,
    CUDA_VISIBLE_DEVICES: left,
    GPU_DEVICE_ORDINAL: left,
  };
}

function indices(gpus: readonly GpuGrant[]): string {
  return gpus.map((grant) => grant.index).join(",");
}

/** A MIG instance has no index of its own that CUDA would take. */
function cudaName(grant: GpuGrant): string {
  return grant.uuid.startsWith("MIG-") ? grant.uuid : String(grant.index);
}
