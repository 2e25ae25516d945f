/**
 * What the tasks of a step used: CPU time, memory, page faults, bytes read and written. A node tells it of its own
 * tasks when they have ended (or while they run); parts of several nodes are put together for a step.
 */

import type { NodeName } from "./ids.ts";

/** Over the tasks of a node: the most, which task it was, the least, which task it was, and the sum. */
export type Spread = readonly [max: number, maxTask: number, min: number, minTask: number, total: number];

/** Only what could be looked at: a step of some milliseconds has CPU time and page faults, and no memory. */
export interface StepUsage {
  readonly userMs: number;
  readonly systemMs: number;
  readonly cpuMs: Spread;
  /** Page faults that needed the disk. */
  readonly pages: Spread;
  /** The highest that a look found, summed over a task's processes. */
  readonly rssKiB?: Spread | undefined;
  readonly vmKiB?: Spread | undefined;
  /** Bytes. */
  readonly read?: Spread | undefined;
  readonly written?: Spread | undefined;
  /**
   * Percent and MiB of all GPUs of the step on a node together, where the driver tells: the highest look, and as the
   * least and the sum the average over time. They count as the first task's.
   */
  readonly gpuUtil?: Spread | undefined;
  readonly gpuMemMiB?: Spread | undefined;
}

/** What one task used. */
export interface TaskUsage {
  readonly task: number;
  readonly userMs: number;
  readonly systemMs: number;
  readonly pages: number;
  /** Absent where no look was taken while it ran. */
  readonly looked?: {
    readonly rssKiB: number;
    readonly vmKiB: number;
    readonly read: number;
    readonly written: number;
  };
}

export type UsageMetric = "cpuMs" | "pages" | "rssKiB" | "vmKiB" | "read" | "written" | "gpuUtil" | "gpuMemMiB";

/** One metric over all tasks of a step. */
export interface Total {
  readonly max: number;
  readonly maxNode: NodeName;
  readonly maxTask: number;
  readonly min: number;
  readonly minNode: NodeName;
  readonly minTask: number;
  readonly total: number;
  readonly average: number;
}

/** Puts the tasks of one node together; `undefined` without any. */
export function usageOfTasks(tasks: readonly TaskUsage[]): StepUsage | undefined {
  if (tasks.length === 0) return undefined;
  const sum = (of: (one: TaskUsage) => number): number => tasks.reduce((all, one) => all + of(one), 0);
  const looked = tasks.flatMap(({ task, looked: seen }) => (seen ? [{ task, ...seen }] : []));
  const found = {
    userMs: sum(({ userMs }) => userMs),
    systemMs: sum(({ systemMs }) => systemMs),
    cpuMs: spread(tasks, ({ userMs, systemMs }) => userMs + systemMs),
    pages: spread(tasks, ({ pages }) => pages),
  };
  if (looked.length === 0) return found;
  return {
    ...found,
    rssKiB: spread(looked, ({ rssKiB }) => rssKiB),
    vmKiB: spread(looked, ({ vmKiB }) => vmKiB),
    read: spread(looked, ({ read }) => read),
    written: spread(looked, ({ written }) => written),
  };
}

function spread<T extends { readonly task: number }>(tasks: readonly T[], of: (one: T) => number): Spread {
  let [max, maxTask, min, minTask, total] = [Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY, 0, 0];
  for (const one of tasks) {
    const value = of(one);
    if (value > max) [max, maxTask] = [value, one.task];
    if (value < min) [min, minTask] = [value, one.task];
    total += value;
  }
  return [max, maxTask, min, minTask, total];
}

/** One node's part of a step. */
export interface UsedPart {
  readonly node: NodeName;
  readonly tasks: readonly number[];
  readonly usage?: StepUsage | undefined;
}

/** One metric over the parts of a step; `undefined` where none of them knows it. */
export function totalOf(parts: readonly UsedPart[], metric: UsageMetric): Total | undefined {
  let found: Omit<Total, "average"> | undefined;
  let tasks = 0;
  for (const { node, tasks: numbers, usage } of parts) {
    const one = usage?.[metric];
    if (!one) continue;
    const [max, maxTask, min, minTask, total] = one;
    tasks += numbers.length;
    const isMax = !found || max > found.max;
    const isMin = !found || min < found.min;
    found = {
      max: isMax || !found ? max : found.max,
      maxNode: isMax || !found ? node : found.maxNode,
      maxTask: isMax || !found ? maxTask : found.maxTask,
      min: isMin || !found ? min : found.min,
      minNode: isMin || !found ? node : found.minNode,
      minTask: isMin || !found ? minTask : found.minTask,
      total: (found?.total ?? 0) + total,
    };
  }
  return found && { ...found, average: found.total / Math.max(1, tasks) };
}

/** CPU time of parts in milliseconds; zeros where nobody knows. */
export function cpuOf(parts: readonly UsedPart[]): { readonly userMs: number; readonly systemMs: number } {
  return {
    userMs: parts.reduce((sum, { usage }) => sum + (usage?.userMs ?? 0), 0),
    systemMs: parts.reduce((sum, { usage }) => sum + (usage?.systemMs ?? 0), 0),
  };
}
