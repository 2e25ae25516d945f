/** This node's part of a step, and where the step's and the job's other parts are. Pure. */

import type { GpuGrant } from "../core/resources.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";

/** One node's part of a launch. */
export interface NodePart {
  readonly node: string;
  /** Position among the step's nodes, of a step over several components among those of the whole. */
  readonly nodeId: number;
  /** Numbers of its tasks within the step, ascending. */
  readonly tasks: readonly number[];
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: readonly GpuGrant[];
  /** All GPUs that the job holds on this node. */
  readonly jobGpus: readonly GpuGrant[];
  /** Who found the GPUs: decides which variables name them. */
  readonly gpuProvider: string;
  /** MiB of each GPU of the node, by UUID; those that are not known are absent. */
  readonly gpuMemory: ReadonlyMap<string, number>;
  /** CPUs near each GPU of the node, by UUID; those that are not known are absent. */
  readonly gpuCpus?: ReadonlyMap<string, readonly number[]> | undefined;
  /** CPUs that each of its tasks is bound to; absent where they are bound to none. */
  readonly taskCpus?: readonly (readonly number[])[] | undefined;
}

/** What a node knows of its GPUs beside what it is told. */
export type NodeGpus = Pick<NodePart, "gpuProvider"> & Partial<Pick<NodePart, "gpuMemory" | "gpuCpus">>;

const NOTHING_KNOWN: NodePart["gpuMemory"] = new Map();

/** A batch script is one process, whatever its job's tasks are. */
const BATCH_TASKS: readonly number[] = [0];

/** The part of a node; `undefined` if the step has none there. */
export function partOf(launch: NodeLaunch, node: string, known: NodeGpus): NodePart | undefined {
  const isHere = (part: { readonly node: string }): boolean => part.node === node;
  const part = launch.layout.find(isHere);
  if (!part) return undefined;
  const nodeId = (launch.het?.whole?.nodes ?? launch.layout).findIndex(isHere);
  const { cpus, memoryMiB, gpus } = part;
  const tasks = isBatch(launch) ? BATCH_TASKS : part.tasks;
  const jobGpus = launch.allocation.find((share) => share.node === node)?.gpus ?? [];
  return {
    node,
    nodeId,
    tasks,
    cpus,
    memoryMiB,
    gpus,
    jobGpus,
    gpuProvider: known.gpuProvider,
    gpuMemory: known.gpuMemory ?? NOTHING_KNOWN,
    gpuCpus: known.gpuCpus,
  };
}

/** Whether the launch is a batch script's. */
export function isBatch({ key }: NodeLaunch): boolean {
  return key.stepId === "batch";
}

/** Whether the launch is of a step that srun made within a job, rather than the job's own. */
export function isInnerStep({ key, job }: NodeLaunch): boolean {
  return key.stepId !== "batch" && (job.kind !== "run" || key.stepId > 0);
}

/** The nodes of a step with the number of its tasks on each, through all components of a heterogeneous job that take part. */
export function stepNodes({ layout, het }: NodeLaunch): readonly { readonly node: string; readonly tasks: number }[] {
  return het?.whole?.nodes ?? layout.map(({ node, tasks }) => ({ node, tasks: tasks.length }));
}

/** Tasks of the step on all nodes. */
export function stepTasks(launch: NodeLaunch): number {
  return stepNodes(launch).reduce((sum, { tasks }) => sum + tasks, 0);
}

/** The number by which the processes know their job: of a component that of the whole. */
export function jobNumber({ key, job }: NodeLaunch): number {
  return key.jobId - (job.het?.offset ?? 0);
}
