/** Reductions of a waiting job's wishes, one at a time, each with the words of the command that makes it. Pure. */

import { formatGresWishes } from "../../core/gres.ts";
import type { PendingJob } from "../../core/job.ts";
import { jobLabel } from "../../core/job-label.ts";
import type { JobSpec } from "../../core/jobspec.ts";
import { namedPartitions } from "../../core/partition-list.ts";
import { type GpuRequest, type ResourceRequest, WHOLE_GPU } from "../../core/resources.ts";
import type { ClusterState } from "../../core/state.ts";

/** A job that asks for less, and how it comes to be. */
export interface Variant {
  readonly job: PendingJob;
  readonly words: string;
  readonly commands: readonly (readonly string[])[];
  /** How much is given up: the less the better. Shares of a wish lie between 0 and 1. */
  readonly cost: number;
}

/** A wish that is a number: any from `least` up to below `present` may be tried. */
export interface Scale {
  readonly least: number;
  readonly present: number;
  at(value: number): Variant;
}

const MIB_A_GIB = 1024;

/** Costs of wishes that are given up whole: who loses nothing but a preference first. */
const COST = { place: 0.02, features: 0.2, alone: 0.25, type: 0.3, limit: 0.35 } as const;

/** Fewer of something hurts more, the further behind it stands here. */
const WEIGHT = { memory: 0.6, cpus: 0.7, gpus: 1, tasks: 1.2, nodes: 1.3 } as const;

/** A job with other wishes. */
export function withSpec(job: PendingJob, changes: Partial<JobSpec>): PendingJob {
  return { ...job, spec: { ...job.spec, ...changes } };
}

/** `mgpu-scontrol update jobid=12 KEY=VALUE ...` */
export function updateCommand(job: PendingJob, ...pairs: readonly string[]): readonly string[] {
  return ["mgpu-scontrol", "update", `jobid=${targetOf(job)}`, ...pairs];
}

/** How a command names the tasks that this record holds: `12`, `12_3`, `12_[4-9]`. */
export function targetOf(job: PendingJob): string {
  const limit = job.spec.array?.limit ?? 0;
  return limit > 0 ? jobLabel(job).replace(`%${limit}]`, "]") : jobLabel(job);
}

/** Wishes that can be dropped, each by itself. */
export function droppable(job: PendingJob, state: ClusterState): Variant[] {
  const { request } = job.spec;
  const found: Variant[] = [];
  const drop = (cost: number, words: string, pair: string, changes: Partial<ResourceRequest>): void => {
    const changed = withSpec(job, { request: { ...request, ...changes } });
    found.push({ job: changed, words, commands: [updateCommand(job, pair)], cost });
  };
  if (request.nodeList.length > 0) drop(COST.place, "let it run on any node", "reqnodelist=", { nodeList: [] });
  if (request.excluded.length > 0) drop(COST.place, "exclude no node", "excnodelist=", { excluded: [] });
  if (request.contiguous) drop(COST.place, "let its nodes lie apart", "contiguous=no", { contiguous: false });
  if (request.constraint !== "") drop(COST.features, "ask for no features", "features=", { constraint: "" });
  if (request.exclusive) drop(COST.alone, "share its nodes with others", "oversubscribe=yes", { exclusive: false });
  if (request.cpusMin > 1) drop(COST.features, "take nodes with fewer CPUs", "mincpusnode=1", { cpusMin: 0 });
  const { gpus } = request;
  if (gpus?.wishes.some(({ type }) => type !== null)) {
    const any = ofAnyType(gpus);
    drop(COST.type, "take GPUs of any type", gpuPair(any), { gpus: any });
  }
  return [...found, ...otherPartitions(job, state)];
}

function otherPartitions(job: PendingJob, { partitions }: ClusterState): Variant[] {
  const named = namedPartitions(job.spec);
  const own = named.length > 0 ? named : [...partitions.values()].flatMap((one) => (one.isDefault ? one.name : []));
  return [...partitions.keys()]
    .filter((name) => !own.includes(name))
    .map((name) => ({
      job: withSpec(job, { partition: name, partitions: [name] }),
      words: `move it to partition ${name}`,
      commands: [updateCommand(job, `partition=${name}`)],
      cost: COST.place,
    }));
}

/** Wishes that can be smaller, each by itself. */
export function scales(job: PendingJob, limitS: number): Scale[] {
  const { request } = job.spec;
  const scale = (
    present: number,
    weight: number,
    change: (value: number) => { words: string; pair: string; changes: Partial<JobSpec> },
  ): Scale => ({
    least: 1,
    present,
    at(value) {
      const { words, pair, changes } = change(value);
      const cost = weight * (1 - value / present);
      return { job: withSpec(job, changes), words, commands: [updateCommand(job, pair)], cost };
    },
  });
  const resources = (changes: Partial<ResourceRequest>): Partial<JobSpec> => ({ request: { ...request, ...changes } });
  const found: Scale[] = [];
  const { memory, gpus, cpusPerTask, tasks, nodes } = request;
  if (memory && memory.per !== "gpu" && memory.mib > 0) found.push(memoryScale(job, memory.per, memory.mib, scale));
  if (cpusPerTask !== null && cpusPerTask > 1) {
    found.push(
      scale(cpusPerTask, WEIGHT.cpus, (value) => ({
        words: `ask for ${count(value, "CPU")} for each task rather than ${cpusPerTask}`,
        pair: `cpuspertask=${value}`,
        changes: resources({ cpusPerTask: value }),
      })),
    );
  }
  found.push(...gpuScales(gpus, (present, change) => scale(present, WEIGHT.gpus, change), resources));
  if (tasks !== null && tasks > 1) {
    found.push(
      scale(tasks, WEIGHT.tasks, (value) => ({
        words: `run ${count(value, "task")} rather than ${tasks}`,
        pair: `numtasks=${value}`,
        changes: resources({ tasks: value }),
      })),
    );
  }
  if (nodes && nodes.min > 1) {
    found.push(
      scale(nodes.min, WEIGHT.nodes, (value) => ({
        words: `take ${count(value, "node")} rather than ${nodes.min}`,
        pair: `numnodes=${value}`,
        changes: resources({ nodes: { min: value, max: Math.max(value, nodes.max) } }),
      })),
    );
  }
  if (limitS > 60 || limitS === 0) found.push(limitScale(job, limitS));
  return found;
}

type MakeScale = (
  present: number,
  weight: number,
  change: (value: number) => { words: string; pair: string; changes: Partial<JobSpec> },
) => Scale;

/** In whole GiB where the wish is large, so that what is found is a number that people would write. */
function memoryScale(job: PendingJob, per: "node" | "cpu", mib: number, scale: MakeScale): Scale {
  const unit = mib >= 4 * MIB_A_GIB ? MIB_A_GIB : 1;
  const text = (units: number): string => (unit === 1 ? `${units}M` : `${units}G`);
  const made = scale(Math.ceil(mib / unit), WEIGHT.memory, (value) => ({
    words: `ask for ${text(value)} of memory${per === "cpu" ? " for each CPU" : ""} rather than ${mib}M`,
    pair: `${per === "cpu" ? "minmemorycpu" : "minmemorynode"}=${text(value)}`,
    changes: { request: { ...job.spec.request, memory: { per, mib: value * unit } } },
  }));
  return made;
}

function gpuScales(
  gpus: GpuRequest | null,
  scale: (present: number, change: Parameters<MakeScale>[2]) => Scale,
  resources: (changes: Partial<ResourceRequest>) => Partial<JobSpec>,
): Scale[] {
  if (!gpus) return [];
  return gpus.wishes.flatMap((wish, at) => {
    const present = wish.thousandths / WHOLE_GPU;
    if (present <= 1 || !Number.isInteger(present)) return [];
    return scale(present, (value) => {
      const wishes = gpus.wishes.map((one, index) => (index === at ? { ...one, thousandths: value * WHOLE_GPU } : one));
      const fewer = { ...gpus, wishes };
      const type = wish.type === null ? "GPU" : `${wish.type} GPU`;
      const per = { job: "", node: " on each node", task: " for each task" }[gpus.per];
      return {
        words: `ask for ${count(value, type)}${per} rather than ${present}`,
        pair: gpuPair(fewer),
        changes: resources({ gpus: fewer }),
      };
    });
  });
}

/** Minutes: a shorter job may fit in before one that comes first. */
function limitScale(job: PendingJob, limitS: number): Scale {
  const present = limitS === 0 ? 24 * 60 : Math.ceil(limitS / 60);
  return {
    least: 1,
    present,
    at: (value) => ({
      job: withSpec(job, { timeLimitS: value * 60 }),
      words: `limit its time to ${count(value, "minute")}`,
      commands: [updateCommand(job, `timelimit=${value}`)],
      cost: COST.limit + (1 - value / present) / 2,
    }),
  };
}

/** The same number of GPUs, of whatever type. */
function ofAnyType(gpus: GpuRequest): GpuRequest {
  const thousandths = gpus.wishes.reduce((sum, wish) => sum + wish.thousandths, 0);
  return { ...gpus, wishes: [{ type: null, thousandths }] };
}

/** The key of scontrol that says for what the GPUs are counted. */
function gpuPair({ per, wishes }: GpuRequest): string {
  const key = { job: "tresperjob", node: "trespernode", task: "trespertask" }[per];
  return `${key}=${formatGresWishes(wishes)}`;
}

function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? "" : "s"}`;
}
