/** When waiting jobs should start, played ahead on the scheduler's own passes. */

import { expect, test } from "vitest";
import { estimateStart } from "../../../src/controller/estimate.ts";
import { viewOf } from "../../../src/controller/planner.ts";
import type { Job, PendingJob, RunningJob } from "../../../src/core/job.ts";
import { DEFAULT_PARTITION } from "../../../src/core/partition.ts";
import { type ClusterState, fromStored } from "../../../src/core/state.ts";
import { beginForecast, forecastStarts } from "../../../src/sched/explain/forecast.ts";
import { JOBS, NOW, nodeOf, pending, share, specOf } from "../../golden/cluster.ts";

const MIN = 60_000;
const [template] = JOBS.filter((job): job is RunningJob => job.state === "RUNNING");

/** A job that holds all 8 CPUs of a node until its limit; 0 for none. */
function busy(id: number, node: string, limitS: number): Job {
  if (!template) throw new Error("no running job to begin with");
  return { ...template, id, spec: specOf(), startAt: NOW - MIN, limitS, allocation: [share(node, 8)] };
}

function waits(id: number, cpus: number, limitS: number, over: Partial<ReturnType<typeof specOf>> = {}): Job {
  return pending(id, specOf({ timeLimitS: limitS, ...over }, { tasks: 1, cpusPerTask: cpus }), NOW - MIN);
}

function stateOf(jobs: readonly Job[], over: Partial<Parameters<typeof fromStored>[0]> = {}): ClusterState {
  const nodes = [nodeOf("n1"), nodeOf("n2")].map((node, index) => {
    const cpus = jobs.some((job) => job.state === "RUNNING" && job.allocation[0]?.node === `n${index + 1}`) ? 8 : 0;
    return { ...node, usage: { cpus, memoryMiB: 0, gpus: {} } };
  });
  return fromStored({ seq: 1, nextJobId: 100, jobs, nodes, partitions: [DEFAULT_PARTITION], ...over });
}

function startsOf(jobs: readonly Job[], over: Partial<Parameters<typeof fromStored>[0]> = {}): Record<number, string> {
  const state = stateOf(jobs, over);
  const steps = forecastStarts(
    state,
    viewOf(state, () => true, NOW),
    NOW,
  );
  let step = steps.next();
  while (!step.done) step = steps.next();
  const starts = step.value;
  return Object.fromEntries([...starts].map(([id, { at, nodes: where }]) => [id, `${(at - NOW) / MIN} ${where}`]));
}

test("a job starts when the first node that it fits on is free, the next one after it", () => {
  const jobs = [busy(1, "n1", 600), busy(2, "n2", 1200), waits(3, 8, 600), waits(4, 8, 600), waits(5, 8, 600)];
  expect(startsOf(jobs)).toEqual({ 3: "9 n1", 4: "19 n1", 5: "19 n2" });
});

test("what never ends is never free, and nothing is said of those who wait for it", () => {
  expect(startsOf([busy(1, "n1", 0), busy(2, "n2", 0), waits(3, 8, 600)])).toEqual({});
  expect(startsOf([busy(1, "n1", 600), busy(2, "n2", 0), waits(3, 8, 0), waits(4, 8, 600)])).toEqual({ 3: "9 n1" });
});

test("a begin time counts; held and dependent jobs are not told of", () => {
  const later = { ...waits(3, 1, 600), eligibleAt: NOW + 5 * MIN } as Job;
  const held = { ...waits(4, 1, 600), hold: "user" } as Job;
  expect(startsOf([later, held])).toEqual({});
  expect(beginForecast(later as PendingJob, NOW)).toEqual({ at: NOW + 5 * MIN, nodes: "" });
});

test("a queue without end costs no more than a short one", () => {
  const jobs = [busy(1, "n1", 600), busy(2, "n2", 600)];
  for (let id = 3; id < 5000; id++) jobs.push(waits(id, 8, 600));
  expect(Object.keys(startsOf(jobs)).length).toBeLessThanOrEqual(100);
});

test("partitions and reservations count as they do for the scheduler", () => {
  const narrow = { ...DEFAULT_PARTITION, name: "narrow", isDefault: false, nodes: ["n2"] };
  const jobs = [busy(1, "n1", 600), busy(2, "n2", 1200), waits(3, 8, 600, { partition: "narrow" }), waits(4, 8, 600)];
  expect(startsOf(jobs, { partitions: [DEFAULT_PARTITION, narrow] })).toEqual({ 3: "19 n2", 4: "9 n1" });
  const upkeep = {
    ...{ name: "upkeep", startAt: NOW + 5 * MIN, endAt: NOW + 30 * MIN, nodes: ["n1"], users: ["root"], accounts: [] },
    ...{ partition: null, flags: [], by: { uid: 0, name: "root" } },
  };
  const alone = [busy(1, "n1", 600), busy(2, "n2", 0), waits(3, 8, 600)];
  expect(startsOf(alone, { reservations: [upkeep] })).toEqual({ 3: "30 n1" });
});

const BY_ROOT = { users: ["root"], accounts: [], partition: null, flags: [], by: { uid: 0, name: "root" } };

test("a job that a reservation keeps out is told when that is over, however many jobs end before", () => {
  const upkeep = { ...BY_ROOT, name: "upkeep", startAt: NOW + 5 * MIN, endAt: NOW + 30 * MIN, nodes: ["n1", "n2"] };
  const again = { ...upkeep, name: "again", startAt: NOW + 35 * MIN, endAt: NOW + 50 * MIN, nodes: ["n2"] };
  expect(startsOf([waits(3, 8, 600)], { reservations: [upkeep] })).toEqual({ 3: "30 n1" });
  const jobs = [waits(3, 8, 600), waits(4, 8, 0), waits(5, 8, 60), waits(6, 8, 600, { partition: "narrow" })];
  const narrow = { ...DEFAULT_PARTITION, name: "narrow", isDefault: false, nodes: ["n2"] };
  const over = { reservations: [upkeep, again], partitions: [DEFAULT_PARTITION, narrow] };
  expect(startsOf(jobs, over)).toEqual({ 3: "30 n1", 4: "40 n1", 5: "0 n1", 6: "50 n2" });
  const short = Array.from({ length: 500 }, (_, index) => busy(100 + index, "n1", 61 + index / 10));
  const many = short.map((job) => ({ ...job, allocation: [] }));
  expect(startsOf([...many, waits(3, 8, 6000)], { reservations: [upkeep] })).toEqual({ 3: "30 n1" });
});

test("--test-only says when there will be room, whatever waits; by a begin time what ends before is over", async () => {
  const estimateOf = async (jobs: readonly Job[], job: Job, over: Partial<Parameters<typeof fromStored>[0]> = {}) => {
    const clock = { now: () => NOW, monotonic: () => 0, after: () => () => {} };
    const guard = { seenBy: <T>(node: T) => node };
    const context = { loop: { state: stateOf(jobs, over) }, clock, guard, isConnected: () => true };
    const { startAt, nodeList, cpus, partition } = await estimateStart(context as never, [job.spec]);
    return `${startAt === null ? "never" : (startAt - NOW) / MIN} ${nodeList} ${cpus} ${partition}`;
  };
  const both = [busy(1, "n1", 600), busy(2, "n2", 1200), waits(9, 8, 0)];
  expect(await estimateOf(both, waits(3, 8, 600))).toBe("9 n1 8 null");
  expect(await estimateOf([busy(1, "n1", 600)], waits(3, 8, 600))).toBe("0 n2 8 null");
  expect(await estimateOf([busy(1, "n1", 0), busy(2, "n2", 0)], waits(3, 8, 600))).toBe("never  0 null");
  const later = waits(3, 8, 600, { beginAt: NOW + 12 * MIN });
  expect(await estimateOf(both, later)).toBe("12 n1 8 null");
  const upkeep = { ...BY_ROOT, name: "upkeep", startAt: NOW + 5 * MIN, endAt: NOW + 30 * MIN, nodes: ["n1", "n2"] };
  expect(await estimateOf([], waits(3, 8, 600), { reservations: [upkeep] })).toBe("30 n1 8 null");
  const narrow = { ...DEFAULT_PARTITION, name: "narrow", isDefault: false, nodes: ["n2"] };
  const several = waits(3, 8, 600, { partitions: ["narrow", "main"] });
  expect(await estimateOf(both, several, { partitions: [DEFAULT_PARTITION, narrow] })).toBe("9 n1 8 main");
});
