/** A cluster that never changes: three nodes, and a job in every state. The clock says 2026-11-21T22:00:00Z. */

import { selectJobs } from "../../src/controller/select.ts";
import { EXIT_OK, type ExitStatus, type Job, type TerminalState } from "../../src/core/job.ts";
import type { JobSpec } from "../../src/core/jobspec.ts";
import type { Node, NodeInventory } from "../../src/core/node.ts";
import { DEFAULT_PARTITION, PARTITION_DEFAULTS } from "../../src/core/partition.ts";
import {
  type Allocation,
  type Gpu,
  type GpuRequest,
  type MemoryRequest,
  type NodeShare,
  type NodeUsage,
  PLAIN_REQUEST,
  type ResourceRequest,
} from "../../src/core/resources.ts";
import { type ClusterState, fromStored } from "../../src/core/state.ts";
import type {
  JobListRow,
  JobRow,
  LicenseRow,
  NodeRow,
  PartitionRow,
  ReservationRow,
} from "../../src/protocol/procedures.ts";
import { toJobDetails } from "../../src/view/job-details.ts";
import { toJobRow } from "../../src/view/job-row.ts";
import { toNodeRow } from "../../src/view/node-row.ts";
import { type FakePeer, fakePeer, type Script } from "../unit/cli/fake-context.ts";
import { spec } from "../unit/support/samples.ts";

export const NOW = Date.UTC(2026, 10, 21, 22, 0, 0);

const S = 1000;
const MIN = 60 * S;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

const ada = { uid: 1000, gid: 1000, name: "ada" };
const bob = { uid: 1001, gid: 1001, name: "bob-the-builder" };

/** A spec with everything at its default. */
export function specOf(changes: Partial<JobSpec> = {}, request: Partial<ResourceRequest> = {}): JobSpec {
  return {
    ...spec({ name: "train", user: ada, request: { ...PLAIN_REQUEST, ...request } }),
    ...{ workDir: "/home/ada/project", scriptDigest: "d1", environmentDigest: "d2", submitLine: "" },
    ...changes,
  };
}

/** A share of a node: `gpus` are indices. */
export function share(node: string, cpus: number, gpus: readonly number[] = []): NodeShare {
  return {
    node,
    tasks: 1,
    cpus,
    memoryMiB: 0,
    gpus: gpus.map((index) => ({ index, uuid: `GPU-${node}-${index}`, type: "a100", thousandths: 1000 })),
  };
}

/** Of any type where none is named. */
export const gpus = (count: number, type: string | null = "a100"): GpuRequest => ({
  per: "job",
  wishes: [{ thousandths: count * 1000, type }],
});

const mebibytes = (mib: number): MemoryRequest => ({ per: "node", mib });

interface Ending {
  readonly id: number;
  readonly state: TerminalState;
  readonly startAt?: number | null;
  readonly endAt: number;
  readonly exit?: ExitStatus;
  readonly cause?: string;
  readonly cleanup?: readonly string[];
  readonly limitS?: number;
}

function ended({ id, state, startAt = NOW - HOUR, endAt, exit = EXIT_OK, ...rest }: Ending): Job {
  return {
    id,
    spec: specOf({ name: state.toLowerCase() }),
    submitAt: NOW - 2 * HOUR,
    attempt: startAt === null ? 0 : 1,
    requestId: `r${id}`,
    array: null,
    state,
    startAt,
    eligibleAt: NOW - 2 * HOUR,
    endAt,
    limitS: rest.limitS ?? 0,
    allocation: startAt === null ? [] : [share("n2", 1)],
    steps: [],
    exit,
    cause: rest.cause ?? "",
    cancelledBy: null,
    cleanup: rest.cleanup ?? [],
    suspendedMs: 0,
  };
}

function running(id: number, spec: JobSpec, startAt: number, limitS: number, allocation: Allocation): Job {
  const common = { id, spec, submitAt: startAt - MIN, attempt: 1, requestId: `r${id}`, array: null };
  return {
    ...{ ...common, state: "RUNNING", startAt, eligibleAt: common.submitAt, limitS, allocation, steps: [] },
    ...{ nextStepId: 0, suspendedAt: null, suspendedMs: 0, signalled: false, retried: 0 },
  };
}

export function pending(id: number, spec: JobSpec, submitAt: number): Job {
  return {
    ...{ id, spec, submitAt, attempt: 0, requestId: `r${id}`, array: null, state: "PENDING", eligibleAt: submitAt },
    ...{ hold: null, allocation: [], cleanup: [], retried: 0 },
  };
}

export const JOBS: readonly Job[] = [
  ended({ id: 1, state: "COMPLETED", startAt: NOW - 3 * HOUR, endAt: NOW - 3 * HOUR + 754 * S }),
  ended({ id: 2, state: "FAILED", endAt: NOW - 4 * MIN, exit: { code: 2, signal: 0 } }),
  ended({ id: 3, state: "FAILED", endAt: NOW - 3 * MIN, exit: { code: 0, signal: 11 } }),
  ended({ id: 4, state: "TIMEOUT", endAt: NOW - 2 * MIN, limitS: 3480, cause: "time limit" }),
  ended({ id: 5, state: "CANCELLED", endAt: NOW - 2 * MIN, startAt: null }),
  ended({ id: 6, state: "NODE_FAIL", endAt: NOW - 2 * MIN, cause: "node n2 went away" }),
  ended({ id: 7, state: "OUT_OF_MEMORY", endAt: NOW - 2 * MIN }),
  ended({ id: 8, state: "PREEMPTED", endAt: NOW - 2 * MIN }),
  ended({ id: 9, state: "BOOT_FAIL", endAt: NOW - 2 * MIN }),
  ended({ id: 10, state: "DEADLINE", endAt: NOW - 2 * MIN }),
  ended({ id: 11, state: "CANCELLED", endAt: NOW - 5 * S, cleanup: ["n2"] }),
  running(
    12,
    specOf(
      {
        name: "two nodes, two GPUs each",
        timeLimitS: 2 * 86_400,
        user: bob,
        io: { ...specOf().io, stdout: "out-%j.txt" },
      },
      { tasks: 2, cpusPerTask: 4, nodes: { min: 2, max: 2 }, memory: mebibytes(2048), gpus: gpus(4) },
    ),
    NOW - DAY - HOUR,
    2 * 86_400,
    [share("n1", 4, [0, 1]), share("n2", 4, [2, 3])],
  ),
  running(13, specOf({ kind: "run", name: "bash", argv: ["bash", "-l"], scriptDigest: null }), NOW - 5 * S, 0, [
    share("n1", 1),
  ]),
  pending(14, specOf({ name: "big", timeLimitS: 5400 }, { gpus: gpus(4), memory: mebibytes(1500) }), NOW - 10 * MIN),
  pending(15, specOf({ name: "small\tone\u001b[31m", user: bob }, { gpus: gpus(1, null) }), NOW - MIN),
];

const REASONS: Readonly<Record<number, readonly [string, string]>> = {
  14: ["Resources", "waits for 4 GPUs of type a100"],
  15: ["Priority", "waits behind job 14"],
};

function gpusOf(node: string, count: number, type: string): Gpu[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    uuid: `GPU-${node}-${index}`,
    model: `NVIDIA ${type.toUpperCase()}`,
    type,
    memoryMiB: 40_960,
  }));
}

interface NodeShape {
  readonly cpus?: number;
  readonly memoryMiB?: number;
  readonly gpus?: readonly Gpu[];
  readonly usage?: Partial<NodeUsage>;
  readonly drain?: string;
  readonly down?: string;
}

/** A node of 8 CPUs and no GPUs, with changes. */
export function nodeOf(name: string, shape: NodeShape = {}): Node {
  const inventory: NodeInventory = {
    hostname: name,
    cpus: shape.cpus ?? 8,
    memoryMiB: shape.memoryMiB ?? 64_000,
    gpus: shape.gpus ?? [],
    gpuProvider: "fake",
    gpuProblem: null,
    bootId: "b",
    os: "linux",
    arch: "x64",
    features: [],
    version: "0.1.0",
  };
  return {
    name,
    inventory,
    registeredAt: NOW - DAY,
    usage: { cpus: 0, memoryMiB: 0, gpus: {}, ...shape.usage },
    drain: shape.drain === undefined ? null : { reason: shape.drain, at: NOW - HOUR },
    down: shape.down === undefined ? null : { reason: shape.down, at: NOW - HOUR },
  };
}

const NODES: readonly Node[] = [
  nodeOf("n1", { gpus: gpusOf("n1", 4, "a100"), usage: { cpus: 5, gpus: { 0: 1000, 1: 1000 } } }),
  nodeOf("n2", { gpus: gpusOf("n2", 4, "a100"), usage: { cpus: 5, gpus: { 2: 1000, 3: 1000 } } }),
  nodeOf("n3", { gpus: gpusOf("n3", 2, "t4"), usage: { cpus: 8 } }),
  nodeOf("n4", { cpus: 16, memoryMiB: 128_000 }),
  nodeOf("n5"),
  nodeOf("n6", { drain: "bad fan on gpu 0" }),
  nodeOf("n7", { drain: "to be updated", usage: { cpus: 2 } }),
  nodeOf("n10", { down: "no sign of life for 60 s" }),
];

/** Of a machine with two sockets of four cores. */
const VITALS = { freeMemoryMiB: 50_000, bootAt: NOW - DAY, sockets: 2, coresPerSocket: 4, threadsPerCore: 1 };

const AWAY = new Set(["n5", "n10"]);

/** The nodes as the controller lists them. */
export const NODE_ROWS: readonly NodeRow[] = NODES.map((node, index) => ({
  ...toNodeRow(node, !AWAY.has(node.name), [DEFAULT_PARTITION.name]),
  ...(AWAY.has(node.name) ? {} : { vitals: { ...VITALS, loadCenti: 12 + 100 * index } }),
}));

const LICENSE_ROWS: LicenseRow[] = [
  { name: "ansys@server", total: 2, used: 0 },
  { name: "matlab", total: 10, used: 3 },
];

const RESERVATION_ROWS: ReservationRow[] = [
  {
    ...{ name: "upkeep", startAt: NOW - HOUR, endAt: NOW + HOUR, nodes: ["n1", "n2"], users: ["ada", "bob"] },
    ...{ accounts: [], partition: null, flags: ["MAINT", "SPEC_NODES"], isActive: true, cpus: 16 },
  },
  {
    ...{ name: "course", startAt: NOW + DAY, endAt: NOW + DAY + 90 * MIN, nodes: ["n4"], users: [] },
    ...{ accounts: ["lab"], partition: "main", flags: ["DAILY"], isActive: false, cpus: 16 },
  },
];

/** The default partition, and one with every limit. */
const PARTITION_ROWS: PartitionRow[] = [
  {
    ...{ ...PARTITION_DEFAULTS, name: "main", isDefault: true, denyAccounts: [], denyQos: [], nodes: null },
    ...{ allowAccounts: null, allowQos: null, members: NODES.map(({ name }) => name) },
    ...{ cpus: 72, memoryMiB: 576_000, gpus: 10 },
  },
  {
    ...{ name: "short", isDefault: false, state: "DRAIN", nodes: ["n1", "n2"], members: ["n1", "n2"] },
    ...{ defaultTimeS: 600, maxTimeS: 3600, minNodes: 1, maxNodes: 2, maxCpusPerNode: 4, qos: "quick" },
    ...{ defaultMemory: { per: "cpu", mib: 100 }, maxMemory: { per: "node", mib: 2000 }, priorityTier: 5 },
    ...{ cpusPerGpu: 2, memoryPerGpuMiB: 1000, priorityJobFactor: 3, allowAccounts: ["a", "b"], denyAccounts: [] },
    ...{ allowQos: null, denyQos: ["slow"], isHidden: true, isRootOnly: true, refusesRoot: false, isExclusive: true },
    ...{ needsReservation: true, graceTimeS: 5, cpus: 16, memoryMiB: 128_000, gpus: 8 },
  },
];

export function rowOf(job: Job): JobRow {
  const [reason, reasonText] = REASONS[job.id] ?? ["None", ""];
  return toJobRow(job, { reason, reasonText, partition: DEFAULT_PARTITION.name });
}

/** With the fields that only listings ask for. The first waiting job has a forecast. */
function listRowOf(job: Job): JobListRow {
  const row = rowOf(job);
  const forecast = job.id === 14 ? { at: NOW + HOUR, nodes: "n[1-2]" } : null;
  return { ...row, ...toJobDetails(job, row, forecast) };
}

function stateOf(jobs: readonly Job[]): ClusterState {
  return fromStored({ seq: 1, nextJobId: 100, jobs, nodes: NODES, partitions: [DEFAULT_PARTITION] });
}

/** A controller that lists this cluster, `chunk` rows at a time. */
export function clusterPeer(options: { jobs?: readonly Job[]; chunk?: number; script?: Script } = {}): FakePeer {
  const { jobs = JOBS, chunk = 4, script = {} } = options;
  const state = stateOf(jobs);
  return fakePeer({
    "jobs.list": async ({ filter, fields }, send) => {
      const rows = [...selectJobs(state, filter, "any")].map((job) => {
        const row = listRowOf(job);
        return fields.map((field) => row[field]);
      });
      for (let at = 0; at < rows.length; at += chunk) await send({ rows: rows.slice(at, at + chunk) });
      return { now: NOW };
    },
    "jobs.get": async ({ filter }, send) => {
      await send({ jobs: [...selectJobs(state, filter)].map((job) => ({ job, row: rowOf(job) })) });
      return { now: NOW };
    },
    "nodes.list": () => ({ nodes: [...NODE_ROWS], now: NOW }),
    "reservations.list": () => ({ reservations: RESERVATION_ROWS, now: NOW }),
    "licenses.list": () => ({ licenses: LICENSE_ROWS, now: NOW }),
    "partitions.list": () => ({ partitions: PARTITION_ROWS, now: NOW }),
    "controller.status": () => ({
      clusterName: "lab",
      stateFolder: "/home/ada/.local/state/mgpu",
      socket: "/run/user/1000/mgpu/controller.sock",
      daemons: [
        { daemon: "mgpuctld", node: "", pid: 41, version: "0.1.0", startedAt: NOW - DAY - HOUR, state: "up" },
        { daemon: "mgpud", node: "n1", pid: 41, version: "0.1.0", startedAt: NOW - DAY - HOUR, state: "up" },
        { daemon: "mgpu-stepd", node: "n1", pid: 52, version: "0.1.0", startedAt: NOW - 62 * S, state: "up" },
      ],
      jobs: { pending: 2, running: 2, ended: 11 },
      problem: "",
    }),
    ...script,
  });
}
