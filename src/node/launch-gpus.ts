/**
 * Which GPUs a task sees, and the variables that tell it. A step's tasks share those of their node unless they were
 * asked for task by task, or bound (--gpu-bind). Pure.
 */

import type { GpuBind } from "../core/gpu-bind.ts";
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

/** A line that tells which GPUs a task sees, where that was asked for (--gpu-bind=verbose). */
export function gpuRemark(launch: NodeLaunch, part: NodePart, local: number): { readonly remark?: string } {
  if (isBatch(launch) || !launch.program.gpuBind?.verbose) return {};
  const own = indices(taskGpus(launch, part, local) ?? part.gpus);
  const task = part.tasks[local] ?? local;
  return { remark: `gpu-bind: task ${task} on ${part.node} uses GPUs ${own} of ${indices(part.gpus)}` };
}

/** The GPUs of a task, `null` for all of its node's. As in Slurm, a step of one task is never bound. */
function taskGpus(launch: NodeLaunch, part: NodePart, local: number): readonly GpuGrant[] | null {
  const { gpus } = part;
  if (isBatch(launch) || gpus.length === 0 || stepTasks(launch) < 2) return null;
  const { gpuBind } = launch.program;
  return gpuBind === null ? askedPerTask(launch, part, local) : boundGpus(gpuBind, gpus, local);
}

/** What each wish of a task comes to: in the order of the tasks, whichever GPUs they share. */
function askedPerTask({ request }: NodeLaunch, { gpus }: NodePart, local: number): readonly GpuGrant[] | null {
  if (request.gpus?.per !== "task") {
    return request.tasksPerGpu > 0 ? single(gpus, Math.floor(local / request.tasksPerGpu)) : null;
  }
  const own = new Set<GpuGrant>();
  for (const { type, thousandths } of request.gpus.wishes) {
    const fitting = type === null ? gpus : gpus.filter((grant) => grant.type === type.toLowerCase());
    for (const grant of portion(fitting, local * thousandths, thousandths)) own.add(grant);
  }
  return own.size > 0 ? gpus.filter((grant) => own.has(grant)) : null;
}

/** Numbers of a map or mask count the step's GPUs on the node from 0, as Slurm's do where devices are constrained. */
function boundGpus(bind: GpuBind, gpus: readonly GpuGrant[], local: number): readonly GpuGrant[] | null {
  switch (bind.kind) {
    case "none":
    case "closest":
      return null;
    case "single":
      return single(gpus, Math.floor(local / bind.tasksPerGpu));
    case "per_task": {
      const first = local * bind.gpusPerTask;
      const own = new Set(Array.from({ length: bind.gpusPerTask }, (_, more) => (first + more) % gpus.length));
      return gpus.filter((_, at) => own.has(at));
    }
    case "map_gpu":
      return chosen(gpus, [bind.indices[local % bind.indices.length] ?? -1]);
    case "mask_gpu":
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
