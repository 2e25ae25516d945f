/** Jobs, nodes and states for tests of the scheduler. */

import type { TaskSet } from "../../../src/core/array-spec.ts";
import { parseDependency } from "../../../src/core/dependency.ts";
import {
  type EndedJob,
  EXIT_OK,
  type Job,
  type PendingJob,
  type RunningJob,
  type TerminalState,
} from "../../../src/core/job.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import type { Node } from "../../../src/core/node.ts";
import { type Allocation, type Gpu, NO_USAGE, type ResourceRequest, WHOLE_GPU } from "../../../src/core/resources.ts";
import { type ClusterState, emptyState, fromStored, toStored } from "../../../src/core/state.ts";
import { inventory, spec, T0 } from "../support/samples.ts";

/** One letter a GPU: `aab` is two of type a100 and one b200. */
export function node(name: string, gpus: number | string = 4, cpus = 8, over: Partial<Node> = {}): Node {
  const letters = typeof gpus === "string" ? gpus : "a".repeat(gpus);
  const made = [...letters].map((letter, index): Gpu => {
    const type = letter === "a" ? "a100" : "b200";
    return { index, uuid: `${name}-${index}`, model: type, type, memoryMiB: letter === "a" ? 40_960 : 196_608 };
  });
  return {
    name,
    inventory: { ...inventory(0, cpus), gpus: made },
    registeredAt: T0,
    usage: NO_USAGE,
    drain: null,
    down: null,
    ...over,
  };
}

/** A node with features. */
export function nodeWith(name: string, ...features: string[]): Node {
  const made = node(name);
  return { ...made, inventory: { ...made.inventory, features } };
}

/** Each share as `node: tasks/cpus/memory/GPU indices`. */
export function shown(allocation: Allocation | null): string[] | null {
  if (!allocation) return null;
  return allocation.map(({ node: name, tasks, cpus, memoryMiB, gpus }) => {
    return `${name}: ${tasks}/${cpus}/${memoryMiB}/${gpus.map((gpu) => gpu.index).join("")}`;
  });
}

export function pending(id: number, over: Partial<JobSpec> = {}, more: Partial<PendingJob> = {}): PendingJob {
  return {
    ...{ state: "PENDING", id, spec: spec(over), submitAt: T0, attempt: 0, requestId: `r${id}`, array: null },
    ...{ eligibleAt: T0, hold: null, allocation: [], cleanup: [], retried: 0 },
    ...more,
  };
}

/** The record of an array with tasks that wait. */
export function arrayRecord(id: number, tasks: TaskSet, limit = 0, over: Partial<JobSpec> = {}): PendingJob {
  return pending(id, { array: { tasks, limit }, ...over }, { array: { jobId: id, tasks } });
}

export function tasks(first: number, last = first): TaskSet {
  return [{ first, last, step: 1 }];
}

/** A waiting job as it is once it runs. */
export function running(job: PendingJob, startAt = T0): RunningJob {
  const { id, array, submitAt, requestId, eligibleAt } = job;
  const share = { node: "n1", tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] };
  return {
    ...{ state: "RUNNING", id, spec: job.spec, array, submitAt, requestId, eligibleAt, attempt: 1, startAt, limitS: 0 },
    ...{ allocation: [share], steps: [], nextStepId: 0, suspendedAt: null, suspendedMs: 0, retried: 0 },
    signalled: false,
  };
}

/** A waiting job as it is once it is over. */
export function ended(job: PendingJob, state: TerminalState, over: Partial<EndedJob> = {}): EndedJob {
  const { id, array, submitAt, requestId, eligibleAt } = job;
  return {
    ...{ state, id, spec: job.spec, array, submitAt, requestId, eligibleAt, attempt: 1, startAt: T0, endAt: T0 + 1000 },
    ...{ limitS: 0, allocation: [], steps: [], exit: EXIT_OK, cause: "", cancelledBy: null, cleanup: [] },
    suspendedMs: 0,
    ...over,
  };
}

/** `-d` as users write it. */
export function dependsOn(text: string, over: Partial<JobSpec> = {}): Partial<JobSpec> {
  const parsed = parseDependency(text);
  if (!("value" in parsed)) throw new Error(parsed.problem);
  return { dependency: parsed.value, ...over };
}

/** A state with these records and its indexes. */
export function stateOf(jobs: readonly Job[], nodes: readonly Node[] = []): ClusterState {
  const nextJobId = Math.max(0, ...jobs.map((job) => job.id)) + 1;
  return fromStored({ ...toStored(emptyState()), jobs, nodes, nextJobId });
}

/** Whole GPUs for the job, each node or each task; with a type if one is named. */
export function gpus(
  per: "job" | "node" | "task",
  ...wishes: (number | [string, number])[]
): Pick<ResourceRequest, "gpus"> {
  const made = wishes.map((wish) => (typeof wish === "number" ? ([null, wish] as const) : wish));
  return { gpus: { per, wishes: made.map(([type, count]) => ({ type, thousandths: count * WHOLE_GPU })) } };
}
