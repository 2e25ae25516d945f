/** A busy cluster that is not there: for trying out, for tests and pictures. The same every time. */

import type { Clock } from "../platform/clock.ts";
import type { NodeRow } from "../protocol/procedures.ts";
import type { Deed, Message } from "./model.ts";
import type { Source } from "./ports.ts";
import type { Row } from "./rows.ts";

const USERS = ["ada", "bob", "chen", "dora", "emil", "fatima"] as const;
const NAMES = ["train-llm", "finetune", "eval", "sweep", "preprocess", "render", "notebook", "distill"] as const;
const REASONS = ["Resources", "Priority", "Priority", "Dependency", "QOSMaxGRESPerUser"] as const;

const NODES = 8;
const GPUS_A_NODE = 8;
const CPUS_A_GPU = 8;
const MINUTE_MS = 60_000;

/** Something happens this often. */
const BEAT_MS = 700;

/** Changes a beat. */
const CHANGES = 2;

export interface Demo {
  readonly jobs: readonly Row[];
  readonly nodes: readonly NodeRow[];
}

/** Numbers that look random and are not (a linear congruential generator; Numerical Recipes). */
function createDice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A cluster with that many jobs, some of which run. */
export function demoCluster(count: number, nowMs: number): Demo {
  const dice = createDice(8);
  const free = new Map(
    Array.from({ length: NODES }, (_, node) => [node, Array.from({ length: GPUS_A_NODE }, (_v, at) => at)]),
  );
  // One node is away.
  free.delete(NODES - 2);
  const jobs: Row[] = [];
  for (let at = 0; at < count; at++) jobs.push(demoJob(1001 + at, dice, free, nowMs));
  return { jobs, nodes: demoNodes(jobs) };
}

function demoJob(id: number, dice: (below: number) => number, free: Map<number, number[]>, nowMs: number): Row {
  const gpus = [1, 1, 2, 4, 8][dice(5)] ?? 1;
  const uid = dice(USERS.length);
  const place = [...free].find(([, indices]) => indices.length >= gpus);
  const isArray = id % 9 < 3;
  const base: Row = {
    ...{ id, name: NAMES[dice(NAMES.length)] ?? "job", user: USERS[uid] ?? "ada", uid: 1000 + uid },
    ...{
      partition: gpus > 2 ? "batch" : "short",
      state: "PENDING",
      reason: REASONS[dice(REASONS.length)] ?? "Priority",
    },
    ...{ reasonText: "", submitAt: nowMs - (dice(600) + 60) * MINUTE_MS, startAt: null, endAt: null },
    ...{ suspendedAt: null, suspendedMs: 0, limitS: (dice(12) + 1) * 7200, nodeList: "", nodes: 1, tasks: 1 },
    ...{ cpus: gpus * CPUS_A_GPU, gpus: gpus * 1000, gpuIds: "", hetJobId: 0, hetOffset: 0 },
    ...{ arrayJobId: isArray ? id - (id % 9) : 0, arrayTasks: isArray ? String(id % 9) : "" },
    ...{ account: "lab", qos: "normal", priority: 1000 + dice(9000), kind: "batch", command: "/home/run.sh" },
    ...{ exitCode: 0, exitSignal: 0 },
  };
  return place ? started(base, place, nowMs - dice(100) * MINUTE_MS) : base;
}

function started(row: Row, [node, indices]: [number, number[]], startAt: number): Row {
  const taken = indices.splice(0, row.gpus / 1000);
  const nodeList = `gpu${node + 1}`;
  return { ...row, state: "RUNNING", reason: "None", startAt, nodeList, gpuIds: `${nodeList}:${taken.join(",")}` };
}

function demoNodes(jobs: readonly Row[]): NodeRow[] {
  return Array.from({ length: NODES }, (_, at): NodeRow => {
    const name = `gpu${at + 1}`;
    const running = jobs.filter(({ state, nodeList }) => state === "RUNNING" && nodeList === name);
    const taken = running.flatMap(({ gpuIds }) => gpuIds.slice(name.length + 1).split(","));
    const isAway = at === NODES - 2;
    const isFull = taken.length === GPUS_A_NODE;
    const cpus = GPUS_A_NODE * CPUS_A_GPU;
    return {
      ...{ name, state: isAway ? "DOWN" : taken.length === 0 ? "IDLE" : isFull ? "ALLOCATED" : "MIXED" },
      ...{ reason: isAway ? "Not responding" : "", connected: !isAway, partitions: ["batch", "short"] },
      inventory: {
        ...{ hostname: name, cpus, memoryMiB: 1_000_000, gpuProvider: "fake", gpuProblem: null },
        ...{ bootId: "", os: "linux", arch: "x64", features: [], version: "" },
        gpus: Array.from({ length: GPUS_A_NODE }, (_v, index) => {
          return { index, uuid: `GPU-${at}-${index}`, model: "H100", type: "h100", memoryMiB: 81_559 };
        }),
      },
      usage: {
        cpus: taken.length * CPUS_A_GPU,
        memoryMiB: 0,
        gpus: Object.fromEntries(taken.map((index) => [index, 1000])),
      },
      ...{ flags: [], reasonAt: 0, reasonBy: "", weight: 1, comment: "", extra: "", features: [], activeFeatures: [] },
      ...{ startedAt: 0, lastBusyAt: 0 },
    };
  });
}

/** The cluster lives: jobs end, others start. */
export function createDemoSource(clock: Clock, count: number): Source {
  const dice = createDice(42);
  let jobs = new Map<number, Row>();
  let stopBeat = (): void => {};
  let stopLog = (): void => {};
  let tell: (message: Message) => void = () => {};

  const change = (rows: readonly Row[], gone: readonly number[] = []): void => {
    for (const row of rows) jobs.set(row.id, row);
    for (const id of gone) jobs.delete(id);
    tell({ type: "jobs", isReset: false, isPartial: false, rows, gone, nowMs: clock.now() });
    tell({ type: "nodes", isReset: true, nodes: demoNodes([...jobs.values()]), gone: [] });
  };

  const beat = (): void => {
    const running = [...jobs.values()].filter(({ state }) => state === "RUNNING");
    for (let at = 0; at < CHANGES; at++) {
      const ended = running[dice(running.length)];
      if (ended) replace(ended);
    }
    stopBeat = clock.after(BEAT_MS, beat);
  };

  /** Its GPUs go to the first that waits and wants as many. */
  const replace = (ended: Row): void => {
    const next = [...jobs.values()].find(
      ({ state, gpus, reason }) => state === "PENDING" && gpus === ended.gpus && reason !== "JobHeldUser",
    );
    if (!next || jobs.get(ended.id)?.state !== "RUNNING") return;
    const { nodeList, gpuIds } = ended;
    const now = clock.now();
    change([
      { ...ended, state: "COMPLETED", endAt: now, gpuIds: "" },
      { ...next, state: "RUNNING", reason: "None", startAt: now, nodeList, gpuIds },
    ]);
  };

  return {
    async open(told) {
      tell = told;
      const cluster = demoCluster(count, clock.now());
      jobs = new Map(cluster.jobs.map((row) => [row.id, row]));
      tell({ type: "jobs", isReset: true, isPartial: false, rows: cluster.jobs, gone: [], nowMs: clock.now() });
      tell({ type: "nodes", isReset: true, nodes: cluster.nodes, gone: [] });
      stopBeat = clock.after(BEAT_MS, beat);
    },
    async detail(jobId) {
      const row = jobs.get(jobId);
      return row ? demoDetail(row) : "it is over";
    },
    follow(job) {
      stopLog();
      if (job) stopLog = demoLog(clock, job.jobId, (message) => tell(message));
    },
    async act(deed) {
      change(...acted(deed, jobs, clock.now()));
      return `${deed.target}: done`;
    },
    close() {
      stopBeat();
      stopLog();
    },
  };
}

function demoDetail(row: Row): string {
  const why =
    row.state === "PENDING"
      ? `Why it waits: ${row.reason}\n  ${row.gpus / 1000} GPUs are not free on any node\n`
      : "How it goes\n  it runs\n";
  const fields = Object.entries(row).map(([key, value]) => `  ${key}=${value === null ? "Unknown" : value}\n`);
  return `${why}Record\n${fields.join("")}`;
}

function demoLog(clock: Clock, jobId: number, tell: (message: Message) => void): () => void {
  let step = 0;
  let stop = (): void => {};
  const path = `/home/out/slurm-${jobId}.out`;
  const grow = (lines: number): void => {
    const isReset = step === 0;
    let text = "";
    for (let at = 0; at < lines; at++) {
      step += 1;
      text += `epoch ${Math.floor(step / 100)} step ${step} loss ${(8 / Math.sqrt(step)).toFixed(4)}\n`;
    }
    tell({ type: "log", jobId, path, text, isReset, problem: "" });
    stop = clock.after(BEAT_MS, () => grow(1));
  };
  grow(200);
  return () => stop();
}

/** The rows that change, and the jobs that go. */
function acted({ action, jobIds }: Deed, jobs: ReadonlyMap<number, Row>, now: number): [Row[], number[]] {
  const rows = jobIds.flatMap((id) => jobs.get(id) ?? []);
  switch (action.type) {
    case "cancel":
      return [rows.map((row) => ({ ...row, state: "CANCELLED", endAt: now, gpuIds: "" })), []];
    case "hold":
      return [rows.map((row) => (row.state === "PENDING" ? { ...row, reason: "JobHeldUser", priority: 0 } : row)), []];
    case "release":
      return [rows.map((row) => (row.state === "PENDING" ? { ...row, reason: "Priority" } : row)), []];
    case "requeue":
      return [
        rows.map((row) => ({ ...row, state: "PENDING", reason: "BeginTime", startAt: null, nodeList: "", gpuIds: "" })),
        [],
      ];
    case "limit":
      return [rows.map((row) => ({ ...row, limitS: action.value })), []];
    default:
      return [[], []];
  }
}
