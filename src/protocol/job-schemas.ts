/** Schemas of what users ask for: geometry, programs, jobs, steps. Types come from `core`; a mismatch is a compile error. */

import * as v from "valibot";
import type { TaskSet } from "../core/array-spec.ts";
import { CPU_BIND_KINDS, type CpuBind } from "../core/cpu-bind.ts";
import type { Dependency } from "../core/dependency.ts";
import type { GpuBind } from "../core/gpu-bind.ts";
import { COMPONENTS_MAX } from "../core/het.ts";
import type { JobRequest, StepOrder } from "../core/jobspec.ts";
import type { TaskDistribution } from "../core/layout.ts";
import type { GpuRequest, MemoryRequest, ResourceRequest, StepRequest } from "../core/resources.ts";
import { checkedOnce, count, integer, name, positive, text } from "./schemas.ts";

/** More of anything than any cluster has. */
const many = v.pipe(count, v.maxValue(10_000_000));
const nodeNames = v.array(name);

export const taskSet: v.GenericSchema<TaskSet> = v.array(v.object({ first: count, last: count, step: positive }));

const gpuRequest: v.GenericSchema<GpuRequest> = v.object({
  per: v.picklist(["job", "node", "task"]),
  wishes: v.array(v.object({ type: v.nullable(name), thousandths: positive })),
  byMemory: v.optional(v.literal(true)),
});

const memoryRequest: v.GenericSchema<MemoryRequest> = v.object({
  per: v.picklist(["node", "cpu", "gpu"]),
  mib: positive,
});

const geometry = {
  tasks: v.nullable(v.pipe(positive, v.maxValue(1_000_000))),
  tasksPerNode: many,
  tasksOn: v.optional(v.record(name, positive)),
  cpusPerTask: v.nullable(v.pipe(positive, v.maxValue(1_000_000))),
  cpusPerGpu: many,
  tasksPerGpu: many,
  cpusMin: many,
  nodes: v.nullable(v.object({ min: positive, max: positive })),
  memory: v.nullable(memoryRequest),
  gpus: v.nullable(gpuRequest),
  gpuIds: v.array(v.object({ node: name, indices: v.array(count) })),
  gpuMemoryMiB: count,
  gpuAllowed: v.optional(v.array(count)),
  exclusive: v.boolean(),
  onlyUser: v.optional(v.boolean()),
  overcommit: v.boolean(),
  nodeList: nodeNames,
  excluded: nodeNames,
  constraint: text,
  contiguous: v.boolean(),
  spread: v.boolean(),
};

export const resourceRequest: v.GenericSchema<ResourceRequest> = v.object(geometry);

const stepRequest: v.GenericSchema<StepRequest> = v.object({
  ...geometry,
  overlap: v.boolean(),
  exact: v.boolean(),
  firstNode: count,
});

const io = v.object({
  stdin: text,
  stdout: v.nullable(text),
  stderr: v.nullable(text),
  openMode: v.picklist(["truncate", "append"]),
  label: v.boolean(),
});

const distribution: v.GenericSchema<TaskDistribution> = v.union([
  v.picklist(["block", "cyclic"]),
  v.object({ plane: positive }),
  v.object({ arbitrary: v.array(count) }),
]);

const gpuBind: v.GenericSchema<GpuBind> = v.variant("kind", [
  v.object({ verbose: v.boolean(), kind: v.picklist(["none", "closest"]) }),
  v.object({ verbose: v.boolean(), kind: v.literal("single"), tasksPerGpu: positive }),
  v.object({ verbose: v.boolean(), kind: v.literal("per_task"), gpusPerTask: positive }),
  v.object({ verbose: v.boolean(), kind: v.literal("map_gpu"), indices: v.array(count) }),
  v.object({ verbose: v.boolean(), kind: v.literal("mask_gpu"), masks: v.array(v.array(count)) }),
]);

const cpuBind: v.GenericSchema<CpuBind> = v.object({
  verbose: v.nullable(v.boolean()),
  kind: v.nullable(v.picklist(CPU_BIND_KINDS)),
  list: v.pipe(v.array(v.pipe(name, v.regex(/^(?:0x[0-9a-f]+|\d+)$/))), v.maxLength(65_536)),
});

const program = {
  name: text,
  workDir: text,
  io,
  argv: v.array(text),
  programs: v.array(v.object({ task: count, argv: v.array(text) })),
  pty: v.nullable(v.object({ columns: positive, rows: positive, inactivityS: v.exactOptional(positive) })),
  onDisconnect: v.exactOptional(v.picklist(["detach", "kill"])),
  umask: v.pipe(count, v.maxValue(0o777)),
  rlimits: v.record(v.string(), integer),
  distribution,
  gpuBind: v.nullable(gpuBind),
  cpuBind: v.exactOptional(cpuBind),
  taskProlog: v.exactOptional(text),
  taskEpilog: v.exactOptional(text),
  activation: v.exactOptional(v.object({ kind: v.picklist(["conda", "venv"]), name: text })),
};

/** What a step runs, without its environment, which travels beside it. */
export const programOrder = v.object(program);

export const stepOrder: v.GenericSchema<StepOrder> = v.object({
  ...program,
  request: stepRequest,
  timeLimitS: count,
  submitHost: text,
});

const dependency: v.GenericSchema<Dependency> = v.object({
  any: v.boolean(),
  terms: v.array(
    v.object({
      type: v.picklist(["after", "afterany", "afterok", "afternotok", "aftercorr", "singleton"]),
      jobId: count,
      taskId: v.nullable(v.union([count, v.literal("all")])),
      delayMin: count,
    }),
  ),
});

const identity = {
  partition: v.nullable(name),
  partitions: v.optional(v.array(name)),
  account: v.nullable(name),
  comment: text,
  wckey: text,
  qos: v.nullable(name),
  reservation: v.nullable(name),
  licenses: v.array(v.object({ name, count: positive })),
  mail: v.nullable(v.object({ types: v.array(name), user: text, notify: v.exactOptional(v.array(text)) })),
  submitHost: text,
  submitLine: text,
};

const queueing = {
  timeLimitS: v.nullable(count),
  timeMinS: v.nullable(count),
  beginAt: count,
  deadlineAt: count,
  requeue: v.boolean(),
  retries: many,
  retryWaitS: count,
  hold: v.boolean(),
  priority: v.nullable(count),
  nice: integer,
  dependency: v.nullable(dependency),
  killOnInvalidDep: v.boolean(),
  signal: v.nullable(v.object({ signal: positive, leadS: count, batchOnly: v.boolean(), reservation: v.boolean() })),
  array: v.nullable(v.object({ tasks: taskSet, limit: count })),
  noKill: v.boolean(),
};

const het = v.object({
  offset: v.pipe(count, v.maxValue(COMPONENTS_MAX - 1)),
  size: v.pipe(positive, v.maxValue(COMPONENTS_MAX)),
});

const jobFields = {
  ...program,
  kind: v.picklist(["batch", "run", "alloc"]),
  request: resourceRequest,
  ...identity,
  ...queueing,
  het: v.nullable(het),
};

export const jobRequest: v.GenericSchema<JobRequest> = checkedOnce(v.object(jobFields));

/** Some of a job's wishes, to be changed. Its place in a heterogeneous job is none: the controller alone gives it. */
export const jobChanges = v.partial(
  v.object({ name: text, workDir: text, io, request: resourceRequest, ...identity, ...queueing }),
);
