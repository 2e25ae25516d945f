/** A cluster of 1,000 nodes with 8 GPUs each and a long queue, for the scale part of the scheduler's bench. */

import { viewOf } from "../../../src/controller/planner.ts";
import type { Command } from "../../../src/core/commands.ts";
import type { PendingJob } from "../../../src/core/job.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { step } from "../../../src/core/kernel.ts";
import type { NodeInventory } from "../../../src/core/node.ts";
import { reduce } from "../../../src/core/reduce/reduce.ts";
import { PLAIN_REQUEST, type ResourceRequest } from "../../../src/core/resources.ts";
import { type ClusterState, emptyState } from "../../../src/core/state.ts";
import { PassMemory } from "../../../src/sched/memory.ts";
import { EASY } from "../../../src/sched/policy.ts";
import { scheduleInSteps } from "../../../src/sched/schedule.ts";

export const NODES = 1000;
const GPUS = 8;
const CPUS = 64;
const USERS = 20;
export const T0 = 1_795_000_000_000;

export { runArray, runJobs } from "./null-nodes.ts";
export { EASY, PassMemory, scheduleInSteps, viewOf };

export function inventory(name: string): NodeInventory {
  const gpus = Array.from({ length: GPUS }, (_, index) => {
    return { index, uuid: `${name}-${index}`, model: "NVIDIA A100", type: "a100", memoryMiB: 40_960 };
  });
  return {
    ...{ hostname: name, cpus: CPUS, memoryMiB: 1_000_000, gpus, gpuProvider: "fake", gpuProblem: null },
    ...{ bootId: "b", os: "Linux", arch: "x64", features: [], version: "1" },
  };
}

const COUNTS = [1, 2, 4, 8, 0];
const LIMITS = [3600, 86_400];

/** One of so many shapes: GPUs, CPUs and time limit, and where that does not suffice memory. */
function shape(index: number): { readonly request: ResourceRequest; readonly timeLimitS: number } {
  const gpus = COUNTS[index % 5] ?? 1;
  const cpusPerTask = 1 + (Math.floor(index / 5) % 5);
  const timeLimitS = LIMITS[Math.floor(index / 25) % 2] ?? 3600;
  const memory = index < 50 ? null : { per: "node" as const, mib: 1000 + index };
  const wish = gpus === 0 ? null : { per: "job" as const, wishes: [{ type: null, thousandths: 1000 * gpus }] };
  return { request: { ...PLAIN_REQUEST, cpusPerTask, gpus: wish, memory }, timeLimitS };
}

function spec(index: number, shapes: number): JobSpec {
  const user = index % USERS;
  const { request, timeLimitS } = shape(index % shapes);
  return {
    ...{
      kind: "batch",
      name: "train",
      workDir: "/home",
      argv: ["t.sh"],
      programs: [],
      pty: null,
      umask: 18,
      rlimits: {},
    },
    ...{ io: { stdin: "none", stdout: null, stderr: null, openMode: "truncate", label: false }, distribution: "block" },
    ...{
      gpuBind: null,
      partition: null,
      request,
      timeLimitS,
      timeMinS: null,
      beginAt: 0,
      deadlineAt: 0,
      requeue: true,
    },
    ...{ retries: 0, retryWaitS: 0, hold: false, priority: null, nice: 0, dependency: null, killOnInvalidDep: false },
    ...{ signal: null, array: null, het: null, account: null, comment: "", wckey: "", qos: null, reservation: null },
    ...{ licenses: [], mail: null, noKill: false, submitHost: "desk", submitLine: "sbatch t.sh" },
    ...{ user: { uid: 1000 + user, gid: 1000, name: `user${user}` }, scriptDigest: "a", environmentDigest: "b" },
  } as JobSpec;
}

/** Carries a command out, and complains if it is refused. */
export function run(state: ClusterState, command: Command, now: number): void {
  const { decision } = step(state, command, now);
  if (decision.kind !== "accept") throw new Error(`${command.type}: ${JSON.stringify(decision)}`);
}

/** Nodes that are idle. */
export function idleCluster(): ClusterState {
  const state = emptyState();
  for (let node = 0; node < NODES; node++) {
    const name = `n${String(node + 1).padStart(4, "0")}`;
    run(state, { type: "node.register", node: name, inventory: inventory(name) }, T0);
  }
  return state;
}

/** The same as a command; the job is of one GPU. @param index of the job */
export function submission(index: number, shapes: number): Command {
  const one = spec(index, shapes);
  const wish = { per: "job" as const, wishes: [{ type: null, thousandths: 1000 }] };
  const request = { ...one.request, gpus: wish };
  return { type: "job.submit", requestId: `n${index}`, spec: { ...one, request } };
}

/** An array of tasks of one GPU each. */
export function arraySubmission(tasks: number): Command {
  const one = submission(0, 1);
  if (one.type !== "job.submit") return one;
  const array = { tasks: [{ first: 1, last: tasks, step: 1 }], limit: 0 };
  return { ...one, spec: { ...one.spec, array } };
}

/** What an accepted submission does. */
function submit(state: ClusterState, one: JobSpec, now: number): void {
  const id = state.nextJobId;
  const job: PendingJob = {
    ...{ state: "PENDING", id, spec: one, submitAt: now, attempt: 0, requestId: `r${id}`, array: null, hold: null },
    ...{ eligibleAt: Math.max(now, one.beginAt), allocation: [], cleanup: [], retried: 0 },
  };
  reduce(state, { type: "job.submitted", job }, now);
}

/** Adds so many waiting jobs. @param beginAt milliseconds since 1970, 0 for at once */
export function queue(state: ClusterState, jobs: number, shapes: number, now: number, beginAt = 0): void {
  for (let index = 0; index < jobs; index++) {
    submit(state, { ...spec(index, shapes), beginAt }, now);
  }
}

/** Fills all GPUs with jobs of one GPU and different ends. */
export function fill(state: ClusterState, now: number): void {
  const wish = { ...spec(0, 1) };
  const nodes = [...state.nodes.values()];
  for (let index = 0; index < NODES * GPUS; index++) {
    const jobId = state.nextJobId;
    const node = nodes[index % NODES];
    if (!node) return;
    const gpu = node.inventory.gpus[Math.floor(index / NODES)];
    if (!gpu) return;
    const timeLimitS = 3600 + ((index * 7919) % 86_400);
    submit(state, { ...wish, timeLimitS }, now);
    const { index: at, uuid, type } = gpu;
    const share = {
      node: node.name,
      tasks: 1,
      cpus: 1,
      memoryMiB: 0,
      gpus: [{ index: at, uuid, type, thousandths: 1000 }],
    };
    run(state, { type: "job.allocate", jobId, taskId: null, allocation: [share] }, now);
  }
}

/** The first running job ends and is cleared away. */
export function endOne(state: ClusterState, now: number): void {
  for (const id of state.active) {
    const job = state.jobs.get(id);
    if (job?.state !== "RUNNING") continue;
    const key = { jobId: id, attempt: job.attempt, stepId: "batch" } as const;
    const node = job.allocation[0]?.node ?? "";
    const exits = [{ code: 0, signal: 0 }];
    run(state, { type: "report.stepEnded", node, key, exits, problem: "", clean: true, outOfMemory: false }, now);
    return;
  }
}
