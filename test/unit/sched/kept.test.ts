/** Promises are kept from pass to pass, and what may move them. */

import { expect, test } from "vitest";
import type { PendingJob } from "../../../src/core/job.ts";
import { addShare, WHOLE_GPU } from "../../../src/core/resources.ts";
import { type Gate, OPEN_GATE } from "../../../src/sched/eligible.ts";
import type { LimitWait } from "../../../src/sched/limits.ts";
import { ANYWHERE, type Place } from "../../../src/sched/places.ts";
import type { Plan } from "../../../src/sched/plan.ts";
import { EASY } from "../../../src/sched/policy.ts";
import type { Holding } from "../../../src/sched/profile.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { gpuRequest, request, T0 } from "../support/samples.ts";
import { node, pending } from "./samples.ts";

const CONSERVATIVE = { ...EASY, reservations: 10 };

/** All GPUs of a node, until a second. */
function held(name: string, untilS: number): Holding {
  const gpus = [0, 1, 2, 3].map((index) => {
    return { index, uuid: `${name}-${index}`, type: "a100", thousandths: WHOLE_GPU };
  });
  const allocation = [{ node: name, tasks: 1, cpus: 4, memoryMiB: 0, gpus }];
  return { allocation, until: T0 + untilS * 1000, licenses: [], partition: "" };
}

/** A job for all GPUs of a node. */
function job(id: number, limitS: number, nodeList: readonly string[] = [], count = 4): PendingJob {
  return pending(id, { request: { ...gpuRequest(count), nodeList }, timeLimitS: limitS });
}

function pass(
  jobs: readonly PendingJob[],
  holdings: readonly Holding[],
  atS: number,
  kept: Plan["kept"],
  gate: Gate = OPEN_GATE,
): Plan {
  const nodes = ["n1", "n2"].map((name) => {
    const shares = holdings.flatMap(({ allocation }) => allocation.filter((share) => share.node === name));
    return { ...node(name), usage: shares.reduce((usage, share) => addShare(usage, share, 1), node(name).usage) };
  });
  const view = { pending: jobs, expiring: [], nodes, isConnected: () => true, gate, holdings, kept };
  return schedule(view, T0 + atS * 1000, CONSERVATIVE);
}

/** Seconds, by job. */
function promised({ reservations }: Plan): Record<number, number> {
  return Object.fromEntries([...reservations].map(([id, { at }]) => [id, (at - T0) / 1000]));
}

const PAIR = { min: 2, max: 2 };
const first = job(1, 100);
const second = job(2, 50, ["n2"]);
const running = [held("n1", 40), held("n2", 60)];

test("an earlier start is not found at the cost of another one's promise", () => {
  const before = pass([first, second], running, 0, []);
  expect(promised(before)).toEqual({ 1: 40, 2: 60 });
  // n2 is free at 20 already: the first one would take it for 100 seconds.
  const early = [held("n1", 40), held("n2", 20)];
  expect(promised(pass([first, second], early, 10, []))).toEqual({ 1: 20, 2: 120 });
  expect(promised(pass([first, second], early, 10, before.kept))).toEqual({ 1: 40, 2: 20 });
});

test("a job without a promise that stands before others goes first; those behind find a new place", () => {
  const before = pass([first, second], running, 0, []);
  const urgent = job(3, 30, ["n2"]);
  expect(promised(pass([urgent, first, second], running, 10, before.kept))).toEqual({ 3: 60, 1: 40, 2: 90 });
  // It starts at once where only promises to others are in its way.
  const long = job(3, 100, ["n2"]);
  const plan = pass([long, first, second], [held("n1", 40)], 10, before.kept);
  expect(plan.starts.map(({ jobId }) => jobId)).toEqual([3]);
  expect(promised(plan)).toEqual({ 1: 40, 2: 110 });
});

test("a job that nobody promised anything does not start in the way of those before it", () => {
  const before = pass([first, second], running, 0, []);
  const early = [held("n1", 40)];
  const plan = pass([first, second, job(3, 45, ["n2"], 1)], early, 10, before.kept);
  expect(plan.starts.map(({ jobId }) => jobId)).toEqual([2]);
  expect(promised(plan)).toEqual({ 1: 40, 3: 60 });
});

test("where an estimate failed, those behind are moved by as much at the most", () => {
  const third = job(3, 10, ["n1"]);
  const jobs = [first, second, third];
  const before = pass(jobs, running, 0, []);
  expect(promised(before)).toEqual({ 1: 40, 2: 60, 3: 140 });
  // What holds n1 is late by five seconds.
  expect(promised(pass(jobs, [held("n1", 45), held("n2", 60)], 40, before.kept))).toEqual({ 1: 45, 2: 60, 3: 145 });
});

test("a request that was changed is not bound to what was promised for the other one", () => {
  const before = pass([first, second], running, 0, []);
  expect(promised(pass([first, job(2, 50, [], 2)], running, 10, before.kept))).toEqual({ 1: 40, 2: 60 });
});

test("a promise that lapses in a pass calls for another one: it had kept those before it from their nodes", () => {
  const before = pass([second, job(3, 100, ["n2"])], [held("n2", 60)], 0, []);
  expect(promised(before)).toEqual({ 2: 60, 3: 110 });
  // Another order, n2 is free early, and a limit is in the way of the job that was first.
  const limit: LimitWait = { word: "QOSMaxGRESPerUser", text: "" };
  const check = ({ id }: PendingJob) => (id === 2 ? limit : null);
  const gate = { ...OPEN_GATE, limits: { ...OPEN_GATE.limits, check } };
  const plan = pass([job(3, 100, ["n2"]), second], [], 20, before.kept, gate);
  expect(plan.starts).toEqual([]);
  expect(plan.wakeAt).toBe(T0 + 20_000);
  const next = pass([job(3, 100, ["n2"]), second], [], 20, plan.kept, gate);
  expect(next.starts.map(({ jobId }) => jobId)).toEqual([3]);
  expect(next.wakeAt).toBe(null);
});

test("nodes that are kept for somebody are no reason to say that a job could never run", () => {
  const endless: Holding = { ...held("n2", 0), until: Number.POSITIVE_INFINITY };
  const jobs = [job(1, 100, ["n2"]), job(2, 100, [], 1), pending(3, { request: request({ nodes: PAIR, tasks: 2 }) })];
  const places = ({ id }: PendingJob): Place => {
    return id === 1 ? { ...ANYWHERE, key: "a", allows: (name) => name === "n2" } : { ...ANYWHERE, key: "b" };
  };
  const nodes = ["n1", "n2"].map((name) => node(name));
  const used = nodes.map((one) => {
    const shares = endless.allocation.filter((share) => share.node === one.name);
    return { ...one, usage: shares.reduce((usage, share) => addShare(usage, share, 1), one.usage) };
  });
  const view = { pending: jobs, expiring: [], nodes: used, isConnected: () => true, gate: OPEN_GATE, places };
  const plan = schedule({ ...view, holdings: [endless] }, T0, { ...EASY, reservations: 0 });
  expect(plan.reasons.get(3)?.word).toBe("Priority");
});
