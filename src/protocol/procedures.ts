/**
 * THE TABLE: every procedure, with the schema of what goes in, what comes back and what streams.
 *
 * Typed clients, handlers (a missing one is a compile error) and validation at both ends follow from it.
 * `on` says which side answers: the controller, a node daemon, or a holder.
 */

import * as v from "valibot";
import type { Job } from "../core/job.ts";
import { holderStep, stepLaunch, terminateCause, terminateDetails } from "./holder.ts";
import * as j from "./job-schemas.ts";
import * as s from "./schemas.ts";

const nothing = v.object({});

export const hello = v.object({
  role: v.picklist(["client", "node", "operator"]),
  protocol: v.object({ major: s.count, minor: s.count }),
  /** Program version, for messages. */
  version: s.text,
  user: v.object({ uid: s.count, gid: s.count, name: s.text }),
});

export const helloAnswer = v.object({
  daemon: v.picklist(["mgpuctld", "mgpud", "mgpu-stepd"]),
  protocol: v.object({ major: s.count, minor: s.count }),
  version: s.text,
  pid: s.positive,
  startedAt: s.count,
});

/** One row of squeue and sacct: flat, so that a listing sends only the fields that it prints. */
export const jobRow = v.object({
  id: s.positive,
  name: s.text,
  user: s.text,
  uid: s.count,
  partition: s.text,
  /** Long state name, COMPLETING included. */
  state: s.text,
  /** Slurm's reason word, `None` where nothing is waited for. */
  reason: s.text,
  /** The reason in words; empty where there is none. */
  reasonText: s.text,
  submitAt: s.count,
  eligibleAt: s.count,
  startAt: v.nullable(s.count),
  endAt: v.nullable(s.count),
  /** Seconds, 0 for no limit. */
  limitS: s.count,
  nodeList: s.text,
  nodes: s.count,
  tasks: s.positive,
  cpus: s.count,
  cpusPerTask: s.positive,
  memoryMiB: s.count,
  /** Thousandths of a GPU, with the type asked for. */
  gpus: s.count,
  gpuType: v.nullable(s.text),
  /** `node1:0,1` where it runs; empty while it waits. */
  gpuIds: s.text,
  /** Number of the array the job belongs to, 0 for none, and its tasks: `3`, `4-9%2`. */
  arrayJobId: s.count,
  arrayTasks: s.text,
  /** Number of a heterogeneous job's first component, 0 for none, and this one's position. */
  hetJobId: s.count,
  hetOffset: s.count,
  account: s.text,
  comment: s.text,
  qos: s.text,
  wckey: s.text,
  reservation: s.text,
  licenses: s.text,
  dependency: s.text,
  features: s.text,
  requestedNodes: s.text,
  excludedNodes: s.text,
  nice: s.integer,
  /** `node`, `cpu` or `gpu`: what `memoryMiB` is meant for. */
  memoryPer: s.text,
  /** What `gpus` is meant for: `job`, `node` or `task`. */
  gpusPer: s.text,
  exclusive: v.boolean(),
  requeue: v.boolean(),
  timeMinS: s.count,
  priority: s.count,
  attempt: s.count,
  exitCode: s.count,
  exitSignal: s.count,
  kind: s.text,
  command: s.text,
  workDir: s.text,
  stdout: s.text,
  cause: s.text,
});

/** Who to contact for a running step's streams. */
export const attachPoint = v.object({
  key: s.stepKey,
  node: s.name,
  /** Unix socket of the holder on that node. */
  socket: s.text,
  token: s.name,
  /** Numbers of its tasks within the step. */
  tasks: v.array(s.count),
});

/** Where a step stands, for whoever follows it. */
export const stepUpdate = v.object({
  stepId: s.stepId,
  /** RUNNING, or how it ended. */
  state: s.text,
  endAt: v.nullable(s.count),
  nodeList: s.text,
  /** Who or what ended it before its time, in words; empty otherwise. */
  cause: s.text,
});

export const jobUpdate = v.object({
  row: jobRow,
  /** Of the step that is followed, if one is. */
  step: v.nullable(stepUpdate),
  attach: v.array(attachPoint),
  /** True once: the job left the queue's memory or reached its final state and is cleared; or the followed step did. */
  final: v.boolean(),
});

export const nodeRow = v.object({
  name: s.name,
  state: s.text,
  /** Why it is down or drained; empty otherwise. */
  reason: s.text,
  /** False when no connection to its daemon exists right now. */
  connected: v.boolean(),
  partitions: v.array(s.name),
  inventory: s.nodeInventory,
  usage: s.nodeUsage,
});

/** Selects jobs. Empty lists select all; several criteria must all hold. */
export const jobFilter = v.object({
  /** Numbers of jobs; an array's means all of its tasks. */
  ids: v.array(s.positive),
  /** Tasks of arrays, in addition to `ids`. */
  tasks: v.optional(v.array(v.object({ jobId: s.positive, tasks: j.taskSet }))),
  users: v.array(s.text),
  states: v.array(s.text),
  names: v.array(s.text),
  partitions: v.array(s.text),
});

/** What a node daemon reports; kept by the node until answered. */
export const nodeReport = v.variant("type", [
  v.object({ type: v.literal("started"), key: s.stepKey }),
  v.object({
    type: v.literal("ended"),
    key: s.stepKey,
    exits: v.array(s.exitStatus),
    problem: s.text,
    clean: v.boolean(),
    /** It was ended because it used more memory than it was granted. */
    outOfMemory: v.optional(v.boolean()),
  }),
  v.object({ type: v.literal("lost"), key: s.stepKey, cause: s.text }),
  v.object({ type: v.literal("cleaned"), jobId: s.positive, attempt: s.positive }),
]);

/** All a node daemon needs to start its part of a step. */
export const nodeLaunch = v.object({
  key: s.stepKey,
  token: s.name,
  job: j.jobRequest,
  /** What this step runs: the job's own program, or that of a step made within the job. */
  program: j.programOrder,
  /** What this step asked for. */
  request: j.resourceRequest,
  /** All parts of the step, in the order of the allocation's nodes; this node's is among them. */
  layout: v.array(
    v.object({
      node: s.name,
      tasks: v.array(s.count),
      cpus: s.count,
      memoryMiB: s.count,
      gpus: v.array(v.object({ index: s.count, uuid: s.name, type: s.name, thousandths: s.positive })),
    }),
  ),
  /** Which task of which array the job is, with the array's bounds. */
  array: v.nullable(
    v.object({
      jobId: s.positive,
      taskId: s.count,
      count: s.positive,
      min: s.count,
      max: s.count,
      step: s.positive,
    }),
  ),
  user: v.object({ uid: s.count, gid: s.count, name: s.text }),
  partition: s.text,
  submitAt: s.count,
  allocation: s.allocation,
  /** Names of the machines that the allocation's nodes are, in its order: several nodes may be one machine. */
  hostnames: v.optional(v.array(s.text)),
  limitS: s.count,
  startAt: s.count,
  clusterName: s.text,
  script: v.nullable(s.bytes),
  environment: s.environment,
});

/** One result for each job that was asked for or selected. */
const jobResults = v.object({
  jobs: v.array(
    v.object({
      jobId: s.positive,
      /** `12`, `12_3`, `12_[4-9]`. */
      label: v.optional(s.text),
      error: v.nullable(v.object({ code: s.text, message: s.text })),
    }),
  ),
});

/** What is told of a step's tasks to whoever is attached. */
const attachItem = v.variant("type", [
  v.object({ type: v.literal("started"), tasks: v.array(s.count) }),
  v.object({
    type: v.literal("data"),
    task: s.count,
    stream: v.picklist(["out", "err"]),
    /** Position of the first byte within that task's stream. */
    offset: s.count,
    data: s.bytes,
  }),
  v.object({ type: v.literal("exit"), task: s.count, exit: s.exitStatus }),
]);

const attachResult = v.object({ exits: v.array(v.object({ task: s.count, exit: s.exitStatus })), problem: s.text });

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

const daemonStatus = v.object({
  daemon: s.text,
  /** Node name for node daemons and holders; empty for the controller. */
  node: s.text,
  pid: s.count,
  version: s.text,
  startedAt: s.count,
  state: s.text,
});

export const PROCEDURES = {
  hello: { on: "any", kind: "unary", params: hello, result: helloAnswer },
  ping: { on: "any", kind: "unary", params: nothing, result: v.object({ now: s.count }) },

  "job.submit": {
    on: "controller",
    kind: "unary",
    params: v.object({
      requestId: s.name,
      job: j.jobRequest,
      script: v.nullable(s.bytes),
      environment: s.environment,
      /** Nothing is queued: answers when and where it would start. */
      testOnly: v.optional(v.boolean()),
    }),
    result: v.object({
      jobId: s.positive,
      /** Of a test: where it would start, and when, milliseconds since 1970; `null` where that can't be known. */
      estimate: v.optional(v.object({ startAt: v.nullable(s.count), nodeList: s.text, cpus: s.count })),
    }),
  },
  /**
   * Makes a step within a running job, as soon as there is room for it: until then `waiting` says why, once and after
   * each change. The same request id again answers with the same step.
   */
  "step.create": {
    on: "controller",
    kind: "stream",
    params: v.object({
      requestId: s.name,
      jobId: s.positive,
      step: j.stepOrder,
      environment: s.environment,
      /** Fail with STEP_BUSY rather than wait (--immediate). */
      immediate: v.boolean(),
    }),
    item: v.object({ waiting: s.text }),
    result: v.object({ stepId: s.count, attempt: s.positive, tasks: s.positive }),
  },
  /** The owner of an allocation without a program gives it back. */
  "job.complete": {
    on: "controller",
    kind: "unary",
    params: v.object({ jobId: s.positive, exit: s.exitStatus }),
    result: nothing,
  },
  /** Sends the job's newest record at once and after each change; ends when the job is over and cleared. */
  "job.watch": {
    on: "controller",
    kind: "stream",
    params: v.object({
      jobId: s.positive,
      /** Follow this step of the job rather than the job. */
      stepId: v.optional(v.nullable(s.stepId)),
      /** The watcher is the job's (or step's) srun: without it for too long, one without a terminal is cancelled. */
      owner: v.boolean(),
    }),
    item: jobUpdate,
    result: nothing,
  },
  /** Rows in chunks; each row is the list of the asked fields' values, in the order asked. */
  "jobs.list": {
    on: "controller",
    kind: "stream",
    params: v.object({ filter: jobFilter, fields: v.array(v.keyof(jobRow)) }),
    item: v.object({ rows: v.array(v.array(v.unknown())) }),
    result: v.object({ now: s.count }),
  },
  /** Ends or signals each selected job. One result a job that was asked for by id or selected. */
  "jobs.cancel": {
    on: "controller",
    kind: "unary",
    params: v.object({
      filter: jobFilter,
      /** Step of the one given id; null for the job. */
      stepId: v.nullable(s.stepId),
      /** Signal number, or null to end the job. */
      signal: v.nullable(s.positive),
      /** Whom a signal is for where no step is named: the steps, the batch script's shell, or all. */
      target: v.optional(v.picklist(["steps", "batch", "full"])),
      cause: s.text,
    }),
    result: jobResults,
  },
  /** Holds, releases, requeues, suspends, resumes or changes each selected job. */
  "jobs.steer": {
    on: "controller",
    kind: "unary",
    params: v.object({
      filter: jobFilter,
      action: v.variant("type", [
        v.object({ type: v.literal("hold"), by: v.picklist(["user", "admin"]) }),
        v.object({ type: v.literal("release") }),
        v.object({ type: v.literal("requeue"), hold: v.boolean() }),
        v.object({ type: v.literal("suspend") }),
        v.object({ type: v.literal("resume") }),
        v.object({ type: v.literal("update"), changes: j.jobChanges }),
      ]),
    }),
    result: jobResults,
  },
  /** Whole records of the selected jobs, as the state keeps them, with what only the controller knows. */
  "jobs.get": {
    on: "controller",
    kind: "stream",
    params: v.object({ filter: jobFilter }),
    item: v.object({ jobs: v.array(v.object({ job: v.custom<Job>(isRecord, "expected a job"), row: jobRow })) }),
    result: v.object({ now: s.count }),
  },
  /** The stored script of a batch job. */
  "job.script": {
    on: "controller",
    kind: "unary",
    params: v.object({ jobId: s.positive }),
    result: v.object({ script: s.bytes }),
  },
  "nodes.list": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({ nodes: v.array(nodeRow), now: s.count }),
  },
  "controller.status": {
    on: "controller",
    kind: "unary",
    params: nothing,
    result: v.object({
      clusterName: s.text,
      stateFolder: s.text,
      socket: s.text,
      daemons: v.array(daemonStatus),
      jobs: v.object({ pending: s.count, running: s.count, ended: s.count }),
      /** Why nothing can be accepted right now (a full disk); empty when all is well. */
      problem: s.text,
      /** That, and all else that somebody should see to. */
      problems: v.optional(v.array(s.text)),
      /** While a shutdown waits for jobs to end: which, and when what is left of them is killed. */
      ending: v.optional(v.object({ jobs: v.array(s.positive), killAt: s.count })),
    }),
  },
  /** Ends the daemons. Refused with JOBS_RUNNING while jobs run, unless forced: then they are cancelled first. */
  "controller.shutdown": {
    on: "controller",
    kind: "unary",
    params: v.object({ force: v.boolean() }),
    result: v.object({ cancelled: v.array(s.positive) }),
  },

  "node.register": {
    on: "controller",
    kind: "unary",
    params: v.object({
      name: s.nodeName,
      inventory: s.nodeInventory,
      pid: s.positive,
      startedAt: s.count,
      holder: v.object({ socket: s.text, pid: s.count, version: s.text, startedAt: s.count }),
    }),
    result: v.object({ heartbeatMs: s.positive, killWaitMs: s.count }),
  },
  /** Reports, oldest first; the answer says that all of them are on disk. */
  "node.report": {
    on: "controller",
    kind: "unary",
    params: v.object({ reports: v.array(nodeReport) }),
    result: nothing,
  },

  "node.launch": { on: "node", kind: "unary", params: nodeLaunch, result: nothing },
  "node.signal": {
    on: "node",
    kind: "unary",
    params: v.object({
      jobId: s.positive,
      attempt: s.positive,
      target: v.union([s.stepId, v.literal("steps"), v.literal("full")]),
      signal: s.positive,
    }),
    result: nothing,
  },
  "node.terminate": {
    on: "node",
    kind: "unary",
    params: v.object({
      jobId: s.positive,
      attempt: s.positive,
      /** Of this step only. */
      stepId: v.optional(v.nullable(s.stepId)),
      /** For the lines in the outputs of steps that still run; without it there are none. */
      cause: v.optional(terminateCause),
    }),
    result: nothing,
  },
  /** The daemon ends; with `holders`, so do its idle holders. */
  "node.shutdown": { on: "node", kind: "unary", params: v.object({ holders: v.boolean() }), result: nothing },

  "holder.status": {
    on: "holder",
    kind: "unary",
    params: nothing,
    result: v.object({ steps: v.array(holderStep) }),
  },
  /** Starts processes. A step that can't start is not an error of the call: it is `ended` with a problem. */
  "holder.launch": { on: "holder", kind: "unary", params: stepLaunch, result: holderStep },
  /** Each change of a step's phase, the present ones first. */
  "holder.watch": { on: "holder", kind: "stream", params: nothing, item: holderStep, result: nothing },
  /** Signals a step's processes: the first process of each task (`tree` false) or all of them. */
  "holder.signal": {
    on: "holder",
    kind: "unary",
    params: v.object({ key: s.stepKey, signal: s.positive, tree: v.boolean() }),
    result: v.object({ signalled: s.count }),
  },
  /** Ends every process of a job: CONT and TERM, KILL after `killWaitMs`; answers when none is left. */
  "holder.terminate": {
    on: "holder",
    kind: "unary",
    params: v.object({
      jobId: s.positive,
      attempt: s.positive,
      /** Of this step only. */
      stepId: v.optional(s.stepId),
      killWaitMs: s.count,
      ...terminateDetails,
    }),
    result: nothing,
  },
  /** The node daemon has an ended step's status on disk: the holder may forget it once its output is collected. */
  "holder.forget": { on: "holder", kind: "unary", params: v.object({ key: s.stepKey }), result: nothing },
  /**
   * Ends the holder if nothing runs in it and no output waits for its client; answers whether it will. With `discard`,
   * only clients that are attached are waited for, and not for long.
   */
  "holder.shutdown": {
    on: "holder",
    kind: "unary",
    params: v.object({ discard: v.optional(v.boolean()) }),
    result: v.object({ ending: v.boolean() }),
  },

  /**
   * The streams of a step's tasks on this node. Waits for a step that is still to be launched. Output that no
   * earlier attach acknowledged is sent first; `offset` lets a client drop what it has. Ends with the exits.
   */
  "step.attach": {
    on: "holder",
    kind: "stream",
    params: v.object({ key: s.stepKey, token: s.name }),
    item: attachItem,
    result: attachResult,
  },
  /** Looks on at a step that runs, from now on, beside its client: what is not taken in time is dropped. */
  "step.watch": {
    on: "holder",
    kind: "stream",
    params: v.object({ key: s.stepKey, token: s.name }),
    item: attachItem,
    result: attachResult,
  },
  /** Input for a task (`null`: for all). Answered when there is room for more. `eof` closes it. */
  "step.input": {
    on: "holder",
    kind: "unary",
    params: v.object({
      key: s.stepKey,
      token: s.name,
      task: v.nullable(s.count),
      /** Who sends it, where it is not the step's own client. */
      client: v.optional(s.name),
      /** Position of the first byte in the client's input: a repeated part is dropped. */
      offset: s.count,
      data: s.bytes,
      eof: v.boolean(),
    }),
    result: nothing,
  },
  "step.resize": {
    on: "holder",
    kind: "unary",
    params: v.object({ key: s.stepKey, token: s.name, columns: s.positive, rows: s.positive }),
    result: nothing,
  },
  /** A signal from the srun that runs the step, passed on without the controller. */
  "step.signal": {
    on: "holder",
    kind: "unary",
    params: v.object({ key: s.stepKey, token: s.name, signal: s.positive }),
    result: nothing,
  },
} as const satisfies ProcedureTable;

/** Which program answers a procedure. */
export type Side = "controller" | "node" | "holder" | "any";

export interface Procedure {
  readonly on: Side;
  readonly kind: "unary" | "stream";
  readonly params: v.GenericSchema;
  readonly result: v.GenericSchema;
  readonly item?: v.GenericSchema;
}

type ProcedureTable = Record<string, Procedure>;

export type Method = keyof typeof PROCEDURES;
export type Params<M extends Method> = v.InferOutput<(typeof PROCEDURES)[M]["params"]>;
export type Result<M extends Method> = v.InferOutput<(typeof PROCEDURES)[M]["result"]>;
export type StreamMethod = { [M in Method]: (typeof PROCEDURES)[M]["kind"] extends "stream" ? M : never }[Method];
export type UnaryMethod = Exclude<Method, StreamMethod>;
export type Item<M extends StreamMethod> = v.InferOutput<(typeof PROCEDURES)[M]["item"]>;

/** Methods that a side must answer, `hello` and `ping` included. */
export type MethodsOn<S extends Side> = {
  [M in Method]: (typeof PROCEDURES)[M]["on"] extends S | "any" ? M : never;
}[Method];

export type JobRow = v.InferOutput<typeof jobRow>;
export type JobUpdate = v.InferOutput<typeof jobUpdate>;
export type AttachPoint = v.InferOutput<typeof attachPoint>;
export type NodeRow = v.InferOutput<typeof nodeRow>;
export type NodeReport = v.InferOutput<typeof nodeReport>;
export type NodeLaunch = v.InferOutput<typeof nodeLaunch>;
export type JobFilter = v.InferOutput<typeof jobFilter>;
export type DaemonStatus = v.InferOutput<typeof daemonStatus>;
export type Hello = v.InferOutput<typeof hello>;
export type HelloAnswer = v.InferOutput<typeof helloAnswer>;
