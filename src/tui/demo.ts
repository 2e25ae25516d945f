/** A busy cluster that is not there: for trying out, for tests and pictures. The same every time. */

import type { NodeRow } from "../protocol/procedures.ts";
import { demoNodes } from "./demo-nodes.ts";
import type { Row } from "./rows.ts";

const USERS = ["ada", "bob", "chen", "dora", "emil", "fatima"] as const;
const ACCOUNTS = ["vision", "speech", "lab"] as const;
const NAMES = ["train-llm", "finetune", "eval", "preprocess", "render", "notebook", "distill", "embed"] as const;
const SWEEPS = ["sweep-lr", "ablation", "crossval"] as const;
const REASONS = ["Resources", "Priority", "Priority", "Dependency", "QOSMaxGRESPerUser", "BeginTime"] as const;

const NODES = 8;
const GPUS_A_NODE = 8;
const CPUS_A_GPU = 8;

/** This node is away, and this one is drained. */
const AWAY_NODE = 6;
const DRAINED_NODE = 4;

const MINUTE_MS = 60_000;
const FIRST_ID = 1001;

/** One submission in so many is an array, of so many tasks at most. */
const ARRAY_EVERY = 7;
const ARRAY_TASKS_MAX = 6;

/** Hours of which the history view knows, and jobs an hour. */
const PAST_HOURS = 72;
const PAST_JOBS_AN_HOUR = 6;

export interface Demo {
  readonly jobs: readonly Row[];
  readonly nodes: readonly NodeRow[];
  /** Jobs that are over and have left the queue. */
  readonly past: readonly Row[];
}

/** Numbers that look random and are not (a linear congruential generator; Numerical Recipes). */
export type Dice = (below: number) => number;

/** The same numbers for the same seed. */
export function createDice(seed: number): Dice {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A cluster with that many jobs, some of which run. */
export function demoCluster(count: number, nowMs: number): Demo {
  const dice = createDice(8);
  const free = freeGpus();
  const jobs: Row[] = [];
  while (jobs.length < count) {
    const id = FIRST_ID + jobs.length;
    const wish = wishOf(id, dice, nowMs);
    const tasks = id % ARRAY_EVERY === 0 ? 3 + dice(ARRAY_TASKS_MAX) : 1;
    if (tasks === 1) jobs.push(placed(wish, free, dice, nowMs));
    else jobs.push(...arrayOf(wish, Math.min(tasks, count - jobs.length), free, dice, nowMs));
  }
  return { jobs, nodes: demoNodes(jobs, nowMs), past: pastJobs(nowMs) };
}

function freeGpus(): Map<number, number[]> {
  const free = new Map(
    Array.from({ length: NODES }, (_, node) => [node, Array.from({ length: GPUS_A_NODE }, (_v, at) => at)]),
  );
  free.delete(AWAY_NODE);
  // The last one of each is somebody else's, paused, or of the drained node.
  for (const node of [1, 2]) free.get(node)?.pop();
  free.get(DRAINED_NODE)?.splice(2);
  return free;
}

function wishOf(id: number, dice: Dice, nowMs: number): Row {
  const gpus = [1, 1, 2, 4, 8][dice(5)] ?? 1;
  const user = dice(USERS.length);
  return {
    ...{ id, name: NAMES[dice(NAMES.length)] ?? "job", user: USERS[user] ?? "ada", uid: 1000 + user },
    ...{ partition: gpus > 2 ? "batch" : "short", state: "PENDING", reasonText: "" },
    ...{ reason: REASONS[dice(REASONS.length)] ?? "Priority" },
    ...{ submitAt: nowMs - (dice(600) + 120) * MINUTE_MS, startAt: null, endAt: null },
    ...{ suspendedAt: null, suspendedMs: 0, limitS: (dice(12) + 1) * 7200, nodeList: "", nodes: 1, tasks: 1 },
    ...{ cpus: gpus * CPUS_A_GPU, gpus: gpus * 1000, gpuIds: "", hetJobId: 0, hetOffset: 0 },
    ...{ arrayJobId: 0, arrayTasks: "", account: ACCOUNTS[user % ACCOUNTS.length] ?? "lab", qos: "normal" },
    ...{
      priority: 1000 + dice(9000),
      kind: "batch",
      command: `/home/${USERS[user]}/run.sh`,
      exitCode: 0,
      exitSignal: 0,
    },
  };
}

/** Those of its tasks that there is room for run, the others wait as one record. */
function arrayOf(wish: Row, tasks: number, free: Map<number, number[]>, dice: Dice, nowMs: number): Row[] {
  const base: Row = {
    ...wish,
    ...{ name: SWEEPS[dice(SWEEPS.length)] ?? "sweep", gpus: 1000, cpus: CPUS_A_GPU, partition: "short" },
    ...{ arrayJobId: wish.id },
  };
  const most = tasks - 1;
  const begun = Array.from({ length: most }, (_, at): Row => {
    return placed({ ...base, id: wish.id + at, arrayTasks: String(at) }, free, dice, nowMs);
  }).filter(({ state }) => state === "RUNNING");
  const rest = begun.length;
  // Where there is no room even for as many, it is not the limit that the others wait for.
  const reason = rest === most ? ARRAY_LIMIT : base.reason;
  return [...begun, { ...base, id: wish.id + rest, arrayTasks: `[${rest}-${rest + 20}%${most}]`, reason }];
}

const ARRAY_LIMIT = "JobArrayTaskLimit";

/** The next task of an array that waits for one of its own to end, on its GPUs, and what is left of the record; none without such. */
export function nextTask(ended: Row, jobs: Iterable<Row>, newId: number, nowMs: number): Row[] {
  const { arrayJobId, nodeList, gpuIds } = ended;
  const rest = [...jobs].find((row) => row.arrayJobId === arrayJobId && row.reason === ARRAY_LIMIT);
  const [, from, to, most] = /^\[(\d+)(?:-(\d+))?%(\d+)\]$/.exec(rest?.arrayTasks ?? "") ?? [];
  if (arrayJobId === 0 || rest === undefined || from === undefined) return [];
  const begun: Row = { ...rest, arrayTasks: from, state: "RUNNING", reason: "None", startAt: nowMs, nodeList, gpuIds };
  if (to === undefined) return [begun];
  const left = Number(from) + 1 === Number(to) ? to : `${Number(from) + 1}-${to}`;
  return [
    { ...begun, id: newId },
    { ...rest, arrayTasks: `[${left}%${most}]` },
  ];
}

function placed(row: Row, free: Map<number, number[]>, dice: Dice, nowMs: number): Row {
  const place = [...free].find(([, indices]) => indices.length >= row.gpus / 1000);
  return place ? started(row, place, nowMs - dice(100) * MINUTE_MS - dice(60) * 1000) : row;
}

function started(row: Row, [node, indices]: [number, number[]], startAt: number): Row {
  const taken = indices.splice(0, row.gpus / 1000);
  const nodeList = `gpu${node + 1}`;
  return { ...row, state: "RUNNING", reason: "None", startAt, nodeList, gpuIds: `${nodeList}:${taken.join(",")}` };
}

/** Jobs of the last days, with a rhythm of day and night. */
function pastJobs(nowMs: number): Row[] {
  const dice = createDice(3);
  return Array.from({ length: PAST_HOURS * PAST_JOBS_AN_HOUR }, (_, at): Row => {
    const startAt = nowMs - Math.floor((at / PAST_JOBS_AN_HOUR) * 60 + dice(55) + 5) * MINUTE_MS;
    const node = `gpu${1 + dice(NODES)}`;
    const base = wishOf(FIRST_ID - 1 - at, dice, startAt);
    const count = base.gpus / 1000;
    const first = dice(GPUS_A_NODE - count + 1);
    const endAt = Math.min(nowMs - MINUTE_MS, startAt + (20 + dice(300)) * MINUTE_MS);
    const failed = dice(9) === 0;
    return {
      ...base,
      ...{ state: failed ? "FAILED" : "COMPLETED", exitCode: failed ? 1 : 0, reason: "None", startAt, endAt },
      ...{ submitAt: startAt - dice(90) * MINUTE_MS, nodeList: node },
      gpuIds: `${node}:${Array.from({ length: count }, (_v, gpu) => first + gpu).join(",")}`,
    };
  });
}

/** The jobs as they stood at a moment. */
export function rowsAt(rows: readonly Row[], atMs: number): Row[] {
  return rows.flatMap((row) => rowAt(row, atMs) ?? []).sort((a, b) => a.id - b.id);
}

/** As it stood then; nothing if it was not there. */
function rowAt(row: Row, atMs: number): Row | null {
  const { submitAt, startAt, endAt } = row;
  if (submitAt > atMs || (endAt !== null && endAt <= atMs)) return null;
  if (startAt !== null && startAt <= atMs) return { ...row, state: "RUNNING", reason: "None", endAt: null };
  return { ...row, state: "PENDING", reason: "None", startAt: null, endAt: null, nodeList: "", gpuIds: "" };
}
