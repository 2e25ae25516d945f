/**
 * How options for GPUs speak of tasks and nodes: `--gpus=8 --gpus-per-node=4` means two nodes, `--gpus=4
 * --gpus-per-task=1` four tasks. The rules are those of Slurm's gres validation (measured with 22.05), and so are the
 * words of its refusals. Pure.
 */

import { formatGpus, type GpuRequest, type GpuWish, WHOLE_GPU } from "../core/resources.ts";
import type { Wishes } from "./options/reading.ts";
import type { SubmitValues } from "./options/submit.ts";

/** Fewest and most nodes. */
export interface NodeRange {
  readonly min: number;
  readonly max: number;
}

/** Tasks and nodes as far as they are known; `null` where nobody said. */
export interface Shape {
  readonly tasks: number | null;
  readonly nodes: NodeRange | null;
  /** 0 where nobody said. */
  readonly tasksPerNode: number;
}

/** What the GPU options come to. */
export interface GpuShape extends Shape {
  /** `null` if none of the options was given. */
  readonly gpus: GpuRequest | null;
}

type GpuList = readonly GpuWish[];

/** The options, told apart by what they count for. `null` where not given. */
interface GpuLists {
  readonly job: GpuList | null;
  readonly node: GpuList | null;
  readonly task: GpuList | null;
}

/** Something that can't be; the rest is not looked at then. */
type Outcome = GpuShape | { readonly problem: string };

/** Whether any option asks for GPUs, or for none. */
export function asksForGpus(values: SubmitValues): boolean {
  const { gpus, gres } = values;
  const others = [values["gpus-per-node"], values["gpus-per-task"], values["gpus-per-socket"], values["tres-per-task"]];
  return [gpus, gres, ...others].some((value) => value !== undefined);
}

/** Whether memory of a GPU is asked for, but no number of GPUs: then the part of one that has it is meant. */
export function asksForMemoryAlone(values: SubmitValues): boolean {
  return (values["gpu-mem"] ?? 0) > 0 && !asksForGpus(values) && values["ntasks-per-gpu"] === undefined;
}

/** One such part, of several nodes on each. */
export function byMemory(shape: Shape): GpuShape {
  const wishes = [{ type: null, thousandths: WHOLE_GPU }];
  return { ...shape, gpus: { per: (shape.nodes?.min ?? 1) > 1 ? "node" : "job", wishes, byMemory: true } };
}

/** Puts the options for GPUs together with what is known of tasks and nodes. */
export function gpuShape({ values, place }: Wishes, shape: Shape): Outcome {
  const lists = gpuLists({ values, place });
  if ("problem" in lists) return lists;
  const perGpu = values["ntasks-per-gpu"];
  if (perGpu !== undefined) return byTasksPerGpu(perGpu, lists, shape, values);
  const { job, node, task } = lists;
  if (job !== null && countOf(job) > 0 && shape.nodes !== null && piecesOf(job) < shape.nodes.min) {
    const hint = `${formatGpus(countOf(job))} GPUs for ${shape.nodes.min} nodes`;
    return { problem: `Failed to validate job spec, --gpus < -N: ${hint}` };
  }
  if (job !== null && task !== null) return byJobAndTask(job, task, shape);
  if (job !== null && node !== null) return byJobAndNode(job, node, shape);
  if (node !== null && task !== null) return byNodeAndTask(node, task, shape);
  if (job !== null) return { ...shape, gpus: { per: "job", wishes: job } };
  if (node !== null) return { ...shape, gpus: { per: "node", wishes: node } };
  return { ...shape, gpus: task === null ? null : { per: "task", wishes: task } };
}

/** GPUs of a list, in thousandths. */
function countOf(list: GpuList): number {
  return list.reduce((sum, { thousandths }) => sum + thousandths, 0);
}

/** GPUs that a list comes to, each part of one by itself. */
function piecesOf(list: GpuList): number {
  return list.reduce((sum, { thousandths }) => sum + Math.ceil(thousandths / WHOLE_GPU), 0);
}

function gpuLists({ values, place }: Pick<Wishes, "values" | "place">): GpuLists | { readonly problem: string } {
  const { gres } = values;
  const perNode = values["gpus-per-node"];
  const perSocket = values["gpus-per-socket"];
  const sockets = values["sockets-per-node"];
  if (perSocket !== undefined && sockets === undefined) {
    return { problem: `${place("gpus-per-socket")} option requires --sockets-per-node specification` };
  }
  const bySocket = perSocket?.map(({ type, thousandths }) => ({ type, thousandths: thousandths * (sockets ?? 1) }));
  const node = perNode ?? gres ?? bySocket ?? null;
  if (perNode !== undefined && gres !== undefined && !isSame(perNode, gres)) {
    return { problem: `${place("gpus-per-node")} and ${place("gres")} ask for different GPUs` };
  }
  return { job: values.gpus ?? null, node, task: values["gpus-per-task"] ?? gpusOfTres(values) };
}

/** The GPUs of --tres-per-task, which may be about CPUs alone. */
function gpusOfTres(values: SubmitValues): GpuList | null {
  const tres = values["tres-per-task"];
  return tres === undefined || tres.gpus.length === 0 ? null : tres.gpus;
}

function byJobAndTask(job: GpuList, task: GpuList, shape: Shape): Outcome {
  const each = countOf(task);
  const total = countOf(sameTypes(job, task));
  if (each === 0 || total % each !== 0) {
    return { problem: "Failed to validate job spec, --gpus not multiple of --gpus-per-task" };
  }
  const tasks = total / each;
  if (shape.tasks !== null && shape.tasks !== tasks) {
    const what = "Based on --gpus and --gpus-per-task number of requested tasks differ from -n/--ntasks";
    return { problem: `Failed to validate job spec. ${what}: ${tasks} and ${shape.tasks}` };
  }
  return { ...shape, tasks, gpus: { per: "task", wishes: typed(task, job) } };
}

function byJobAndNode(job: GpuList, node: GpuList, shape: Shape): Outcome {
  const each = countOf(node);
  const total = countOf(job);
  if (each === 0 || total < each) {
    return { problem: "Failed to ensure --gpus >= --gres=gpu/--gpus-per-node" };
  }
  if (total % each !== 0) return { problem: "Failed to validate job spec, --gpus not multiple of --gpus-per-node" };
  const count = total / each;
  const { nodes } = shape;
  if (nodes !== null && (count < nodes.min || count > nodes.max)) {
    const bounds = `min_nodes (${nodes.min}) and max_nodes (${nodes.max}) boundaries`;
    const what = `Based on --gpus and --gpus-per-node required nodes (${count}) doesn't fall between ${bounds}`;
    return { problem: `Failed to validate job spec. ${what}` };
  }
  // Slurm would take nodes without a task; here each node of a job has one.
  if (shape.tasks !== null && shape.tasks < count) {
    return { problem: `--gpus and --gpus-per-node take ${count} nodes, for ${shape.tasks} tasks: ask for more tasks` };
  }
  return { ...shape, nodes: { min: count, max: count }, gpus: { per: "node", wishes: typed(node, job) } };
}

function byNodeAndTask(node: GpuList, task: GpuList, shape: Shape): Outcome {
  const each = countOf(task);
  const total = countOf(node);
  if (each === 0 || total % each !== 0) {
    return { problem: "Failed to validate job spec, --gres=gpu/--gpus-per-node not multiple of --gpus-per-task" };
  }
  const tasksPerNode = shape.tasksPerNode === 0 ? total / each : Math.min(shape.tasksPerNode, total / each);
  return { ...shape, tasksPerNode, gpus: { per: "task", wishes: typed(task, node) } };
}

function byTasksPerGpu(perGpu: number, lists: GpuLists, shape: Shape, values: SubmitValues): Outcome {
  const { job, node, task } = lists;
  const clash = task !== null ? "--gpus-per-task" : values["ntasks-per-node"] !== undefined ? "--ntasks-per-node" : "";
  if (clash !== "") return { problem: `${clash} is mutually exclusive with --ntasks-per-gpu` };
  if (node !== null) {
    const tasksPerNode = wholes(node) * perGpu;
    const each = byJob(job, node, shape);
    return "problem" in each ? each : { ...each, tasksPerNode, gpus: { per: "node", wishes: node } };
  }
  if (job !== null) return { ...shape, tasks: wholes(job) * perGpu, gpus: { per: "job", wishes: job } };
  if (shape.tasks === null) return { problem: "--ntasks-per-gpu needs --gpus, --gpus-per-node or --ntasks" };
  if (shape.tasks % perGpu !== 0) {
    return { problem: "Failed to validate job spec, -n/--ntasks has to be a multiple of --ntasks-per-gpu" };
  }
  const wishes = [{ type: null, thousandths: (shape.tasks / perGpu) * WHOLE_GPU }];
  return { ...shape, gpus: { per: "job", wishes } };
}

/** Nodes from GPUs of the job and of each node, where both are given. */
function byJob(job: GpuList | null, node: GpuList, shape: Shape): Outcome {
  return job === null ? { ...shape, gpus: null } : byJobAndNode(job, node, shape);
}

/** Those of a list that another one may be about: all, unless both name types. */
function sameTypes(list: GpuList, like: GpuList): GpuList {
  const types = new Set(like.map(({ type }) => type?.toLowerCase() ?? null));
  if (types.has(null) || list.some(({ type }) => type === null)) return list;
  return list.filter(({ type }) => types.has(type?.toLowerCase() ?? null));
}

/** A wish for any type is for the only type that another list names. */
function typed(list: GpuList, other: GpuList): GpuList {
  const type = other.length === 1 ? (other[0]?.type ?? null) : null;
  return list.map((wish) => (wish.type === null ? { ...wish, type } : wish));
}

function isSame(a: GpuList, b: GpuList): boolean {
  const keys = (list: GpuList): string =>
    list
      .map((one) => `${one.type?.toLowerCase()}:${one.thousandths}`)
      .sort()
      .join();
  return keys(a) === keys(b);
}

function wholes(list: GpuList): number {
  return Math.ceil(countOf(list) / WHOLE_GPU);
}
