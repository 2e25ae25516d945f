/** Jobs of a trace as the scheduler knows jobs, and the nodes under them. */

import { couldRun } from "../core/fit.ts";
import type { PendingJob } from "../core/job.ts";
import type { JobSpec } from "../core/jobspec.ts";
import type { Node } from "../core/node.ts";
import { candidatesOf } from "../core/node-set.ts";
import {
  type Allocation,
  addShare,
  gpuThousandths,
  NO_USAGE,
  PLAIN_REQUEST,
  type ResourceRequest,
  WHOLE_GPU,
} from "../core/resources.ts";
import type { TraceJob, TraceWish } from "./trace.ts";

/** A job of a trace during a replay. */
export interface Task {
  readonly job: TraceJob;
  /** What the scheduler is shown. */
  readonly record: PendingJob;
  /** Thousandths of GPUs, or CPUs where the cluster has no GPU. */
  readonly size: number;
  /** Seconds; `null` before its first start, and before its end. */
  startS: number | null;
  endS: number | null;
  /** How often it was stopped and put back. */
  preemptions: number;
}

const MS = 1000;

const IO = { stdin: "none", stdout: null, stderr: null, openMode: "truncate", label: false } as const;

const SPEC: JobSpec = {
  ...{
    name: "",
    workDir: "/",
    io: IO,
    argv: [],
    programs: [],
    environmentDigest: "",
    pty: null,
    umask: 0,
    rlimits: {},
  },
  ...{ distribution: "block", gpuBind: null, kind: "batch", user: { uid: 0, gid: 0, name: "" }, partition: null },
  ...{ request: PLAIN_REQUEST, timeLimitS: null, timeMinS: null, beginAt: 0, deadlineAt: 0, scriptDigest: null },
  ...{ requeue: true, retries: 0, retryWaitS: 0, hold: false, priority: null, nice: 0, dependency: null },
  ...{ killOnInvalidDep: false, signal: null, array: null, het: null, account: null, comment: "", wckey: "" },
  ...{ qos: null, reservation: null, licenses: [], mail: null, noKill: false, submitHost: "", submitLine: "" },
};

/** How wishes of a trace are read. */
export interface TaskOptions {
  /** Seconds that a job may run: what others rely on. */
  readonly limitS: (job: TraceJob) => number;
}

/** Jobs of a trace for a cluster, in their order; those that it never could run are told apart. */
export function createTasks(
  jobs: readonly TraceJob[],
  nodes: readonly Node[],
  { limitS }: TaskOptions,
): { readonly tasks: Task[]; readonly impossible: TraceJob[] } {
  const requestOf = requestMaker(nodes);
  const hasGpus = nodes.some(({ inventory }) => inventory.gpus.length > 0);
  const candidates = candidatesOf(nodes.map((node) => ({ ...node, usage: NO_USAGE })));
  const possible = new Map<ResourceRequest, boolean>();
  const uids = new Map<string, number>();
  const [tasks, impossible]: [Task[], TraceJob[]] = [[], []];
  for (const job of jobs) {
    const request = requestOf(job.wish);
    const known = possible.get(request) ?? couldRun(candidates, request);
    possible.set(request, known);
    if (!known) {
      impossible.push(job);
      continue;
    }
    const uid = uids.get(job.user) ?? uids.size;
    uids.set(job.user, uid);
    const user = { uid, gid: 0, name: job.user };
    const spec = { ...SPEC, name: job.name, request, user, timeLimitS: limitS(job) };
    const submitAt = job.submitS * MS;
    const record: PendingJob = {
      ...{ id: tasks.length + 1, spec, submitAt, eligibleAt: submitAt, attempt: 0, requestId: "", array: null },
      ...{ state: "PENDING", hold: null, allocation: [], cleanup: [], retried: 0 },
    };
    const size = sizeOf(request, hasGpus);
    tasks.push({ job, record, size, startS: null, endS: null, preemptions: 0 });
  }
  return { tasks, impossible };
}

/** Requests of the same wishes are one object: the scheduler works out once what they mean. */
function requestMaker(nodes: readonly Node[]): (wish: TraceWish) => ResourceRequest {
  const made = new Map<string, ResourceRequest>();
  const most = nodes.reduce((max, { inventory }) => Math.max(max, inventory.gpus.length), 0);
  const cpusMost = nodes.reduce((max, { inventory }) => Math.max(max, inventory.cpus), 0);
  return (wish) => {
    const key = JSON.stringify(wish);
    const known = made.get(key);
    if (known) return known;
    const request = wish.kind === "request" ? wish.request : plainRequest(wish, most * WHOLE_GPU, cpusMost);
    made.set(key, request);
    return request;
  };
}

/** As few nodes as can hold it, and whole ones where it needs more than one. */
function plainRequest(
  wish: Exclude<TraceWish, { kind: "request" }>,
  gpusMost: number,
  cpusMost: number,
): ResourceRequest {
  if (wish.kind === "cpus") {
    const one = wish.cpus <= cpusMost;
    return one
      ? { ...PLAIN_REQUEST, tasks: 1, cpusPerTask: wish.cpus, nodes: { min: 1, max: 1 } }
      : { ...PLAIN_REQUEST, tasks: wish.cpus };
  }
  const count = Math.max(1, Math.ceil(wish.thousandths / Math.max(1, gpusMost)));
  return {
    ...PLAIN_REQUEST,
    tasks: count,
    cpusPerTask: Math.max(1, Math.ceil(wish.cpus / count)),
    nodes: { min: count, max: count },
    memory: wish.memoryMiB > 0 ? { per: "node", mib: Math.ceil(wish.memoryMiB / count) } : null,
    gpus: { per: "job", wishes: [{ type: null, thousandths: wish.thousandths }] },
    constraint: wish.models.join("|"),
  };
}

/** GPUs in thousandths, or CPUs: what a job takes at least. */
function sizeOf({ gpus, tasks, tasksPerNode, nodes, cpusPerTask }: ResourceRequest, hasGpus: boolean): number {
  const nodeCount = nodes?.min ?? 1;
  const taskCount = tasks ?? Math.max(1, tasksPerNode) * nodeCount;
  if (!hasGpus) return taskCount * (cpusPerTask ?? 1);
  const wished = gpus?.wishes.reduce((sum, { thousandths }) => sum + thousandths, 0) ?? 0;
  if (gpus === null || gpus.per === "job") return wished;
  return wished * (gpus.per === "node" ? nodeCount : taskCount);
}

/** The nodes of a replay, with what is granted on them. */
export class Machine {
  readonly nodes: Node[];
  /** Thousandths of GPUs, or CPUs where there is no GPU. */
  readonly capacity: number;
  readonly hasGpus: boolean;
  free: number;
  readonly #places: ReadonlyMap<string, number>;

  constructor(nodes: readonly Node[]) {
    this.nodes = nodes.map((node) => ({ ...node, usage: NO_USAGE }));
    const gpus = nodes.reduce((sum, { inventory }) => sum + inventory.gpus.length, 0);
    this.hasGpus = gpus > 0;
    this.capacity = gpus > 0 ? gpus * WHOLE_GPU : nodes.reduce((sum, { inventory }) => sum + inventory.cpus, 0);
    this.free = this.capacity;
    this.#places = new Map(nodes.map(({ name }, at) => [name, at]));
  }

  take(allocation: Allocation): void {
    this.#change(allocation, 1);
  }

  give(allocation: Allocation): void {
    this.#change(allocation, -1);
  }

  /** What an allocation holds, in the unit of {@link capacity}. */
  amountOf(allocation: Allocation): number {
    return this.hasGpus ? gpuThousandths(allocation) : allocation.reduce((sum, { cpus }) => sum + cpus, 0);
  }

  #change(allocation: Allocation, sign: 1 | -1): void {
    for (const share of allocation) {
      const at = this.#places.get(share.node) ?? -1;
      const node = this.nodes[at];
      if (node) this.nodes[at] = { ...node, usage: addShare(node.usage, share, sign) };
    }
    this.free -= sign * this.amountOf(allocation);
  }
}
