/** Jobs of the other kinds: an array, a heterogeneous job, one that is suspended, one with every wish, and steps. */

import type { Job, RunningJob, Step } from "../../src/core/job.ts";
import { stepSpec } from "../unit/support/samples.ts";
import { gpus, NOW, pending, share, specOf } from "./cluster.ts";

const MIN = 60_000;

function step(id: Step["id"], nodes: readonly string[], more: Partial<Step> = {}): Step {
  return {
    ...{ id, name: id === "batch" ? "train" : "fit", spec: null, requestId: "", startAt: NOW - 5 * MIN, endAt: null },
    parts: nodes.map((node, index) => ({
      ...{ node, tasks: [index], cpus: 2, memoryMiB: 512, phase: "running", exits: [] },
      gpus: [{ index, uuid: `GPU-${node}-${index}`, type: "a100", thousandths: 1000 }],
    })),
    ...{ state: "RUNNING", ending: null, ...more },
  };
}

function running(id: number, changes: Partial<RunningJob>): Job {
  return {
    ...{ state: "RUNNING", id, spec: specOf({ name: `job-${id}` }), submitAt: NOW - 20 * MIN, attempt: 1 },
    ...{ requestId: `r${id}`, array: null, startAt: NOW - 10 * MIN, eligibleAt: NOW - 20 * MIN, limitS: 3600 },
    ...{ allocation: [share("n1", 2)], steps: [], nextStepId: 0, suspendedAt: null, suspendedMs: 0 },
    ...{ signalled: false, retried: 0, ...changes },
  };
}

const tasks = [{ first: 1, last: 199, step: 2 }];
const arraySpec = specOf({ name: "sweep", array: { tasks: [{ first: 0, last: 0, step: 1 }, ...tasks], limit: 2 } });
const waitingArray = pending(16, arraySpec, NOW - 20 * MIN);

const wishful = specOf(
  {
    ...{ name: "wishful", account: "physics", comment: "night run", wckey: "w1", qos: "high", reservation: "lab" },
    licenses: [
      { name: "matlab", count: 2 },
      { name: "ansys", count: 1 },
    ],
    ...{ beginAt: NOW + 60 * MIN, deadlineAt: NOW + 600 * MIN, timeLimitS: 7200, timeMinS: 3600, nice: 7 },
    mail: { types: ["END", "FAIL"], user: "ada" },
    io: { stdin: "in.txt", stdout: "/logs/%x-%j.out", stderr: "%u.err", openMode: "append", label: false },
    argv: ["/home/ada/train.sh", "--epochs", "3"],
  },
  {
    ...{ tasks: 4, tasksPerNode: 2, cpusPerTask: 3, cpusPerGpu: 3, cpusMin: 6, nodes: { min: 2, max: 4 } },
    ...{ memory: { per: "gpu", mib: 4096 }, gpus: { ...gpus(1), per: "task" }, contiguous: true, exclusive: true },
    ...{ nodeList: ["n1", "n2"], excluded: ["n6"], constraint: "fast&big" },
  },
);

export const MORE_JOBS: readonly Job[] = [
  { ...waitingArray, array: { jobId: 16, tasks } } as Job,
  running(17, { spec: arraySpec, array: { jobId: 16, tasks: [{ first: 0, last: 0, step: 1 }] } }),
  running(18, { spec: specOf({ name: "pair", het: { offset: 0, size: 2 } }) }),
  running(19, { spec: specOf({ name: "pair", het: { offset: 1, size: 2 } }), allocation: [share("n2", 1)] }),
  running(20, {
    ...{ suspendedAt: NOW - 4 * MIN, suspendedMs: 2 * MIN, attempt: 3 },
    steps: [step("batch", ["n1"]), step(0, ["n1", "n2"]), step(1, ["n2"], { endAt: NOW - MIN, state: "COMPLETED" })],
  }),
  running(21, {
    allocation: [share("n1", 4, [2, 3])],
    steps: [step(3, ["n1"], { spec: stepSpec({}, { timeLimitS: 600, name: "tune" }), name: "tune" })],
  }),
  { ...pending(22, wishful, NOW - 3 * MIN), hold: "admin" } as Job,
];
