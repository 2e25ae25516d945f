/**
 * Which GPUs a task sees, and the variables that tell it. A step's tasks share those of their node unless they were
 * asked for task by task, or bound (--gpu-bind). Pure.
 */

import type { GpuBind } from "../core/gpu-bind.ts";
import { formatGpus, type GpuGrant, WHOLE_GPU } from "../core/resources.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";
import { isBatch, type NodePart, stepTasks } from "./launch-part.ts";

type Variables = Record<string, string>;

/**
 * The GPUs of the job, of the step, and those that may be used here, for all tasks of this node alike. Without any,
 * CUDA gets an empty list: unset would mean all of them.
 */
export function gpuVariables(launch: NodeLaunch, part: NodePart): Variables {
  const { gpus, jobGpus } = part;
  return {
    ...(jobGpus.length > 0 ? { SLURM_JOB_GPUS: indices(jobGpus) } : {}),
    ...(gpus.length > 0 ? { SLURM_GPUS_ON_NODE: String(gpus.length) } : {}),
    ...(gpus.length > 0 && !isBatch(launch) ? { SLURM_STEP_GPUS: indices(gpus) } : {}),
    ...visibleGpus(gpus, part),
  };
}

/** What one task sees if that is less than its node's tasks see together; else nothing. */
export function taskGpuVariables(launch: NodeLaunch, part: NodePart, local: number): Variables {
  const bound = taskGpus(launch, part, local);
  return bound === null ? {} : visibleGpus(bound, part);
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
  return gpuBind === null ? askedPerTask(launch, part, local) : boundGpus(gpuBind, part, local);
}

/** What each wish of a task comes to: in the order of the tasks, whichever GPUs they share. */
function askedPerTask({ request }: NodeLaunch, { gpus, tasks }: NodePart, local: number): readonly GpuGrant[] | null {
  if (request.gpus?.per !== "task") {
    return request.tasksPerGpu > 0 ? single(gpus, Math.floor(local / request.tasksPerGpu)) : null;
  }
  const own = new Map<number, number>();
  for (const { type, thousandths } of request.gpus.wishes) {
    const fitting = type === null ? gpus : gpus.filter((grant) => grant.type === type.toLowerCase());
    // Whole GPUs first, so that no task gets its share in more pieces than it asked for.
    const rest = thousandths % WHOLE_GPU;
    const whole = thousandths - rest;
    const full = fitting
      .filter((grant) => grant.thousandths === WHOLE_GPU)
      .slice(0, (tasks.length * whole) / WHOLE_GPU);
    const others = fitting.filter((grant) => !full.includes(grant));
    for (const [index, part] of [...portion(full, local * whole, whole), ...portion(others, local * rest, rest)]) {
      own.set(index, (own.get(index) ?? 0) + part);
    }
  }
  return own.size > 0 ? gpus.flatMap((grant) => partOfGrant(grant, own.get(grant.index))) : null;
}

function partOfGrant(grant: GpuGrant, thousandths: number | undefined): GpuGrant[] {
  return thousandths === undefined ? [] : [{ ...grant, thousandths }];
}

/** Numbers of a map or mask count the step's GPUs on the node from 0, as Slurm's do where devices are constrained. */
function boundGpus(bind: GpuBind, part: NodePart, local: number): readonly GpuGrant[] | null {
  const { gpus } = part;
  switch (bind.kind) {
    case "none":
      return null;
    case "closest":
      return closest(part, local);
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

/** Those near the CPUs that a task is bound to; all where it is bound to none, or nobody knows what is near. */
function closest({ gpus, gpuCpus, taskCpus }: NodePart, local: number): readonly GpuGrant[] | null {
  const own = new Set(taskCpus?.[local] ?? []);
  const near = gpus.filter(({ uuid }) => gpuCpus?.get(uuid)?.some((cpu) => own.has(cpu)));
  return near.length > 0 ? near : null;
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

/** The GPUs (by index) that hold a range of thousandths when the grants are laid end to end, with how much of it. */
function portion(gpus: readonly GpuGrant[], from: number, length: number): readonly (readonly [number, number])[] {
  let start = 0;
  return gpus.flatMap((grant) => {
    const end = start + grant.thousandths;
    const within = Math.min(end, from + length) - Math.max(start, from);
    start = end;
    return within > 0 ? [[grant.index, within] as const] : [];
  });
}

function visibleGpus(gpus: readonly GpuGrant[], part: NodePart): Variables {
  if (part.gpuProvider !== "amd") {
    const names = gpus.map(cudaName).join(",");
    const seen = { CUDA_VISIBLE_DEVICES: names, CUDA_DEVICE_ORDER: "PCI_BUS_ID", GPU_DEVICE_ORDINAL: names };
    return { ...seen, ...shareVariables(gpus, part), ...mpsVariables(gpus, part) };
  }
  // ROCr hides the other GPUs first; HIP, which reads CUDA's variable too, counts what is left from 0.
  const left = gpus.map((_, position) => position).join(",");
  return {
    ROCR_VISIBLE_DEVICES: indices(gpus),
    HIP_VISIBLE_DEVICES: left,
    CUDA_VISIBLE_DEVICES: left,
    GPU_DEVICE_ORDINAL: left,
    ...shareVariables(gpus, part),
  };
}

/** How much of each visible GPU is the job's, in the order in which CUDA counts them: of the GPU, and of its memory. */
function shareVariables(gpus: readonly GpuGrant[], { gpuMemory }: NodePart): Variables {
  if (gpus.length === 0) return {};
  const memory = gpus.map((grant) => memoryOf(grant, gpuMemory));
  return {
    MGPU_GPU_SHARE: gpus.map(({ thousandths }) => formatGpus(thousandths)).join(","),
    ...(memory.every((mib) => mib > 0) ? { MGPU_GPU_MEM_MIB: memory.join(",") } : {}),
  };
}

/** MiB of a GPU that go with what is granted of it; 0 if nobody knows. */
function memoryOf({ uuid, thousandths }: GpuGrant, gpuMemory: ReadonlyMap<string, number>): number {
  return Math.floor(((gpuMemory.get(uuid) ?? 0) * thousandths) / WHOLE_GPU);
}

/**
 * Bounds for those who share a GPU; they hold where NVIDIA's Multi-Process Service runs, and nowhere else do harm.
 * Source: the manual of MPS, CUDA_MPS_ACTIVE_THREAD_PERCENTAGE and CUDA_MPS_PINNED_DEVICE_MEM_LIMIT.
 */
function mpsVariables(gpus: readonly GpuGrant[], { gpuMemory }: NodePart): Variables {
  const [first] = gpus;
  const limits = gpus.flatMap((grant, position) => {
    const mib = memoryOf(grant, gpuMemory);
    return grant.thousandths < WHOLE_GPU && mib > 0 ? [`${position}=${mib}M`] : [];
  });
  const isOnePiece = first !== undefined && gpus.length === 1 && first.thousandths < WHOLE_GPU;
  return {
    ...(isOnePiece ? { CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: String(first.thousandths / 10) } : {}),
    ...(limits.length > 0 ? { CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: limits.join(",") } : {}),
  };
}

function indices(gpus: readonly GpuGrant[]): string {
  return gpus.map((grant) => grant.index).join(",");
}

/** A MIG instance has no index of its own that CUDA would take. */
function cudaName(grant: GpuGrant): string {
  return grant.uuid.startsWith("MIG-") ? grant.uuid : String(grant.index);
}
