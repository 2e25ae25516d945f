/**
 * The records that procedures carry, as they cross the wire: rows of listings, orders to nodes, updates, filters.
 */

import * as v from "valibot";
import type { Caller } from "./identity.ts";
import * as j from "./job-schemas.ts";
import * as s from "./schemas.ts";

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
  /** Since when it is suspended, else `null`; and milliseconds of earlier suspensions. */
  suspendedAt: v.nullable(s.count),
  suspendedMs: s.count,
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
  /** No job of another user on its nodes (--exclusive=user). */
  onlyUser: v.boolean(),
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
  /** Whose that socket must be, a uid: it lies in a folder of that user's, where root could be led elsewhere by a link. */
  owner: v.optional(s.count),
  token: s.name,
  /** That node is another machine than the controller's: its holder is reached by `step.door`. */
  isAway: v.optional(v.boolean()),
  /** Numbers of its tasks within the step. */
  tasks: v.array(s.count),
});

/** Where a step stands, for whoever follows it. */
const stepUpdate = v.object({
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
  /** How the job ended, where its row says COMPLETING because nodes still clear up. */
  endState: v.optional(s.text),
  /** Of the step that is followed, if one is. */
  step: v.nullable(stepUpdate),
  attach: v.array(attachPoint),
  /** True once: the job left the queue's memory or reached its final state and is cleared; or the followed step did. */
  final: v.boolean(),
});

/** How busy a physical GPU is, and with whom. `null` for what the driver does not say. */
const gpuUse = v.object({
  index: s.count,
  utilisationPercent: v.nullable(s.count),
  memoryUsedMiB: v.nullable(s.count),
  temperatureC: v.nullable(s.count),
  powerW: v.nullable(s.count),
  /** Processes that no job of ours started: the largest. */
  strangers: v.array(v.object({ pid: s.positive, memoryMiB: s.count, program: s.text })),
  /** What all of them use. */
  strangersMemoryMiB: s.count,
  strangersPercent: s.count,
});

/** How a node's machine is doing; units as in platform/vitals.ts. */
export const nodeVitals = v.object({
  loadCenti: s.count,
  freeMemoryMiB: s.count,
  bootAt: s.count,
  sockets: s.count,
  coresPerSocket: s.count,
  threadsPerCore: s.count,
  /** What its clock says, milliseconds since 1970. */
  now: v.optional(s.count),
  /** Of each GPU whose driver tells. */
  gpus: v.optional(v.array(gpuUse)),
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
  /** Slurm's flags beside the base state: DRAIN, FAIL, MAINT, RESERVED ... */
  flags: v.array(s.text),
  /** When and by whom the reason was given: milliseconds since 1970, 0 for no reason; `root`, empty for the controller. */
  reasonAt: s.count,
  reasonBy: s.text,
  reasonUid: v.optional(s.count),
  weight: s.count,
  comment: s.text,
  extra: s.text,
  features: v.array(s.text),
  activeFeatures: v.array(s.text),
  /** Why GPUs get no new jobs, in words, by index; absent for none. */
  closedGpus: v.optional(v.record(s.text, s.text)),
  /** Those of them that an operator paused, with the reason, which may be empty. */
  pausedGpus: v.optional(v.record(s.text, s.text)),
  /** Those that processes of others load too much (gpu.memory_threshold, gpu.load_threshold), with the numbers. */
  blockedGpus: v.optional(v.record(s.text, s.text)),
  /** When its daemon started, 0 while it is away; when something last ran there, 0 if nothing is known. */
  startedAt: s.count,
  lastBusyAt: s.count,
  /** Absent while its daemon is away, or too old to tell. */
  vitals: v.optional(nodeVitals),
  /** How far its clock is before the controller's, milliseconds, as of its last sign of life; the way here included. */
  clockOffsetMs: v.optional(s.integer),
});

/**
 * nodes.watch, for whoever shows the nodes all the time: every row first, then those that changed, a few times a second
 * at most. It does not end by itself.
 */
export const nodesItem = v.object({
  /** Forget all nodes: these are all. */
  isReset: v.boolean(),
  nodes: v.array(nodeRow),
  /** Names of nodes that are no more. */
  gone: v.array(s.name),
  now: s.count,
});

/** Selects jobs. Empty lists select all; several criteria must all hold. */
export const jobFilter = v.object({
  /** Numbers of jobs; an array's means all of its tasks. */
  ids: v.array(s.positive),
  /** Tasks of arrays, in addition to `ids`. */
  tasks: v.optional(v.array(v.object({ jobId: s.positive, tasks: j.taskSet }))),
  /** Single components of heterogeneous jobs, in addition to `ids`, where the number of the first means all of them. */
  components: v.optional(v.array(v.object({ jobId: s.positive, offset: s.count }))),
  users: v.array(s.text),
  states: v.array(s.text),
  names: v.array(s.text),
  partitions: v.array(s.text),
  accounts: v.optional(v.array(s.text)),
  qos: v.optional(v.array(s.text)),
  reservations: v.optional(v.array(s.text)),
  /** Jobs that ask for one of these licenses, by name. */
  licenses: v.optional(v.array(s.text)),
  /** Jobs that hold one of these nodes, by name or host name. */
  nodes: v.optional(v.array(s.text)),
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
    /** The node could not start it, whatever it is. */
    nodeFault: v.optional(v.boolean()),
    /** The node does not run jobs of its user. */
    unwelcome: v.optional(v.boolean()),
    usage: v.optional(s.stepUsage),
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
  /** Of a heterogeneous job's component: the variables that speak of all components. */
  het: v.optional(
    v.object({
      variables: v.record(v.string(), v.string()),
      /** Of a step over several components: its first task on this one, and the nodes of the whole, each once. */
      whole: v.optional(
        v.object({
          firstTask: s.count,
          nodes: v.array(v.object({ node: s.name, hostname: s.text, address: s.text, tasks: s.count })),
        }),
      ),
    }),
  ),
  user: v.object({ uid: s.count, gid: s.count, name: s.text }),
  /** The controller serves several users: a daemon that can't become the user must not run it. */
  isShared: v.optional(v.boolean()),
  partition: s.text,
  submitAt: s.count,
  allocation: s.allocation,
  /** Names of the machines that the allocation's nodes are, in its order: several nodes may be one machine. */
  hostnames: v.optional(v.array(s.text)),
  /** Where they reach one another, in the same order; empty where that is not known. */
  addresses: v.optional(v.array(s.text)),
  /** Where this cluster's MASTER_PORTs begin: clusters of several users on one machine must not all begin alike. */
  portOffset: v.optional(s.count),
  limitS: s.count,
  startAt: s.count,
  clusterName: s.text,
  /** For a node on another machine: what the job's own commands prove to the controller. */
  access: v.optional(v.object({ identity: s.name, key: s.name })),
  script: v.nullable(s.bytes),
  environment: s.environment,
});

/** One result for each job that was asked for or selected. */
export const jobResults = v.object({
  jobs: v.array(
    v.object({
      jobId: s.positive,
      /** `12`, `12_3`, `12_[4-9]`. */
      label: v.optional(s.text),
      error: v.nullable(v.object({ code: s.text, message: s.text, hint: v.optional(s.text) })),
    }),
  ),
});

/** What is told of a step's tasks to whoever is attached. */
export const attachItem = v.variant("type", [
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
  /** A terminal's screen as the output before `offset` has left it: what, written to a cleared one, shows the same. */
  v.object({
    type: v.literal("screen"),
    task: s.count,
    offset: s.count,
    columns: s.positive,
    rows: s.positive,
    data: s.bytes,
  }),
]);

/** How somebody wants to see a terminal. */
export const terminalView = v.object({
  /** A random name, the same after a lost connection. */
  client: s.name,
  /** Who that is, for those who are kept waiting: `ada@login1`. */
  who: s.text,
  /**
   * - `write`: to type; refused with SESSION_BUSY while somebody else does
   * - `steal`: to type in place of whoever does
   * - `read`: to look on
   */
  mode: v.picklist(["write", "steal", "read"]),
  /** Position of the first byte that is wanted; `null` for the screen as it is. */
  from: v.nullable(s.count),
  /** Lines above the screen that come with it. */
  scrollback: s.count,
  /** Size of the viewer's own terminal; that of who types becomes the program's. */
  size: v.nullable(v.object({ columns: s.positive, rows: s.positive })),
});

/** How a step with a terminal stands with its viewers. */
export const terminalStatus = v.object({
  /** Who types; `null` for nobody: it is detached. */
  writer: v.nullable(s.text),
  readers: s.count,
  columns: s.count,
  rows: s.count,
  /** Milliseconds since something was last printed, and since somebody last typed or left. */
  quietMs: s.count,
  unattendedMs: s.count,
});

export const attachResult = v.object({
  exits: v.array(v.object({ task: s.count, exit: s.exitStatus })),
  problem: s.text,
});

/** Any map: the state's own records are checked where they are made. */
export function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

export const daemonStatus = v.object({
  daemon: s.text,
  /** Node name for node daemons and holders; empty for the controller. */
  node: s.text,
  /** 0 where it does not answer: then `startedAt` is 0, too. */
  pid: s.count,
  version: s.text,
  startedAt: s.count,
  state: s.text,
});

export type JobRow = v.InferOutput<typeof jobRow>;
export type JobUpdate = v.InferOutput<typeof jobUpdate>;
export type AttachPoint = v.InferOutput<typeof attachPoint>;
export type GpuUse = v.InferOutput<typeof gpuUse>;
export type NodeVitals = v.InferOutput<typeof nodeVitals>;
export type NodeRow = v.InferOutput<typeof nodeRow>;
export type TerminalView = v.InferOutput<typeof terminalView>;
export type TerminalStatus = v.InferOutput<typeof terminalStatus>;
export type NodeReport = v.InferOutput<typeof nodeReport>;
export type NodeLaunch = v.InferOutput<typeof nodeLaunch>;
export type JobFilter = v.InferOutput<typeof jobFilter>;
export type DaemonStatus = v.InferOutput<typeof daemonStatus>;
/** `caller` is who listens to add: what the message says of its sender is not believed on TCP. */
export type Hello = v.InferOutput<typeof hello> & { readonly caller?: Caller };
export type HelloAnswer = v.InferOutput<typeof helloAnswer>;
