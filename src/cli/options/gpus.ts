/** Options that ask for GPUs. */

import { parseGpuBind, parseNodeGpuIds } from "../../core/gpu-bind.ts";
import { gpuIndices } from "../../core/gpu-pick.ts";
import { parseGpuWishes, parseGresWishes, parseTresWish, type TresWish } from "../../core/gres.ts";
import { expected, type Parsed, parseMemory } from "../../core/parse.ts";
import type { GpuWish } from "../../core/resources.ts";
import { atLeastOne, shaped } from "./readers.ts";
import { ALL, ignored, named, SRUN, type SubmitOption } from "./record.ts";

const GPUS = {
  argument: "required",
  metavar: "[type:]count",
  directive: true,
  of: ALL,
  read: (text: string): Parsed<readonly GpuWish[]> => parseGpuWishes(text),
} as const;

export const GPU_OPTIONS = [
  { ...GPUS, long: "gpus", short: "G", help: "GPUs for the whole job: 2, a100:2, 0.5, 2.5", variables: named("GPUS") },
  { ...GPUS, long: "gpus-per-node", help: "GPUs on each node", variables: named("GPUS_PER_NODE") },
  { ...GPUS, long: "gpus-per-task", help: "GPUs for each task, seen by it alone", variables: named("GPUS_PER_TASK") },
  { ...GPUS, long: "gpus-per-socket", help: "GPUs for each of --sockets-per-node, on each node" },
  {
    long: "sockets-per-node",
    argument: "required",
    metavar: "count",
    help: "multiplies --gpus-per-socket; has no other effect",
    directive: true,
    of: ALL,
    read: atLeastOne,
  },
  {
    long: "gres",
    argument: "required",
    metavar: "gpu[:type][:n]",
    help: "GPUs on each node: gpu, gpu:2, gpu:a100:2, gpu:0.5, none",
    variables: named("GRES"),
    otherVariables: { srun: ["SLURM_STEP_GRES"] },
    directive: true,
    of: ALL,
    read: readGres,
  },
  {
    long: "tres-per-task",
    argument: "required",
    metavar: "list",
    help: "for each task: gres/gpu=1,cpu=4",
    variables: named("TRES_PER_TASK"),
    directive: true,
    of: ALL,
    read: readTresPerTask,
  },
  {
    long: "gpu-bind",
    argument: "required",
    metavar: "kind",
    help: "which of its node's GPUs each task sees: none, single:tasks, per_task:n, map_gpu:list, mask_gpu:list",
    variables: named("GPU_BIND"),
    directive: true,
    of: ALL,
    read: parseGpuBind,
  },
  {
    long: "tres-bind",
    argument: "required",
    metavar: "gres/gpu:kind",
    help: "as --gpu-bind",
    variables: named("TRES_BIND"),
    directive: true,
    of: ALL,
    read: (text: string) => parseGpuBind(text.replace(/^(gres[/:])?gpu:/i, "")),
  },
  {
    long: "gpu-mem",
    argument: "required",
    metavar: "size[KMGT]",
    help: "so much memory of each GPU; alone, the part of a GPU that has it",
    directive: true,
    of: ALL,
    read: parseMemory,
  },
  {
    long: "node-gpu-ids",
    argument: "required",
    metavar: "node:ids[;node:ids]",
    help: "exactly these GPUs, by their indices on their nodes: node1:0,1;node2:3",
    directive: true,
    of: ALL,
    read: parseNodeGpuIds,
  },
  {
    long: "allowed-gpus",
    argument: "required",
    metavar: "ids",
    help: "only GPUs with these indices, on whatever node: 0,2-3; how many of them other options say",
    directive: true,
    of: ALL,
    read: readIndices,
  },
  {
    long: "model",
    argument: "required",
    metavar: "name",
    help: "as many GPUs as the configuration says that this model needs",
    directive: true,
    of: ALL,
    read: (text: string): Parsed<string> =>
      text === "" ? { problem: "expected the name of a model" } : { value: text },
  },
  ignored("gpu-freq", ALL, "clocks of GPUs are left as they are", {
    variables: named("GPU_FREQ"),
    check: shaped(
      /^(?:(?:memory=)?(?:low|medium|high|highm1|\d+)|verbose)(?:,(?:(?:memory=)?(?:low|medium|high|highm1|\d+)|verbose))*$/i,
      "low, medium, high, highm1 or a frequency, memory= and the like, verbose",
    ),
  }),
  ignored("gres-flags", ALL, "CPUs and GPUs are chosen without regard to each other's place", {
    variables: named("GRES_FLAGS"),
    check: shaped(/^(?:disable-binding|enforce-binding)$/i, "disable-binding or enforce-binding"),
  }),
  ignored("accel-bind", SRUN, "tasks are bound to GPUs by --gpu-bind alone", {
    check: shaped(/^[gnv]+$/i, "some of the letters g, n, v"),
  }),
] as const satisfies readonly SubmitOption[];

function readGres(text: string): Parsed<readonly GpuWish[]> {
  if (text.toLowerCase() === "help") return { problem: "the generic resource here is gpu: gpu:2, gpu:a100:2" };
  return parseGresWishes(text);
}

function readTresPerTask(text: string): Parsed<TresWish> {
  const parsed = parseTresWish(text);
  if ("problem" in parsed || parsed.value.memoryMiB === null) return parsed;
  return { problem: "memory can't be asked for task by task; use --mem-per-cpu or --mem-per-gpu" };
}

function readIndices(text: string): Parsed<readonly number[]> {
  const indices = gpuIndices(text);
  return indices ? { value: indices } : expected("indices of GPUs such as 0,2-3", text);
}
