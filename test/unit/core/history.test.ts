/** Which jobs a question about the past means. */

import { expect, test } from "vitest";
import { earlierRecords, type HistoryFilter, historyMatcher } from "../../../src/core/history.ts";
import type { Job } from "../../../src/core/job.ts";
import { requeued } from "../../../src/core/reduce/job.ts";
import { spec, T0 } from "../support/samples.ts";

const ALL: HistoryFilter = {
  ...{ ids: [], users: [], groups: [], states: [], names: [], accounts: [], partitions: [], nodes: [], qos: [] },
  ...{ wckeys: [], since: null, until: null },
};

const S = 1000;
const common = { requestId: "", attempt: 1, array: null, submitAt: T0, eligibleAt: T0 };
const share = { node: "n1", tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] };
const waits: Job = {
  ...{ ...common, id: 1, spec: spec(), attempt: 0, state: "PENDING", hold: null, allocation: [], cleanup: [] },
  retried: 0,
};
const runs: Job = {
  ...{ ...common, id: 2, spec: spec({ name: "other" }), state: "RUNNING", startAt: T0 + 10 * S, limitS: 0 },
  ...{ allocation: [share], steps: [], nextStepId: 0, suspendedAt: null, suspendedMs: 0, signalled: false, retried: 0 },
};
const over: Job = {
  ...{ ...common, id: 3, spec: spec({ account: "lab" }), state: "FAILED", startAt: T0 + 10 * S, endAt: T0 + 20 * S },
  ...{ limitS: 0, allocation: [share], steps: [], exit: { code: 1, signal: 0 }, cause: "", cancelledBy: null },
  ...{ cleanup: [], suspendedMs: 0 },
};

function found(filter: Partial<HistoryFilter>): number[] {
  const matches = historyMatcher({ ...ALL, ...filter }, () => "main", T0 + 60 * S);
  return [waits, runs, over].filter((job) => matches(job, job.state)).map(({ id }) => id);
}

test("criteria must all hold", () => {
  expect(found({})).toEqual([1, 2, 3]);
  expect(found({ ids: [2, 3] })).toEqual([2, 3]);
  expect(found({ ids: [2, 3], names: ["other"] })).toEqual([2]);
  expect(found({ users: ["1000"] })).toEqual([1, 2, 3]);
  expect(found({ users: ["bob", "7"] })).toEqual([]);
  expect(found({ accounts: ["lab"] })).toEqual([3]);
  expect(found({ partitions: ["main"], nodes: ["n1"] })).toEqual([2, 3]);
  expect(found({ groups: [5] })).toEqual([]);
});

test("a window without states means all that were there in it", () => {
  expect(found({ since: T0 + 30 * S })).toEqual([1, 2]);
  expect(found({ since: T0 + 20 * S })).toEqual([1, 2, 3]);
  expect(found({ until: T0 - 1 })).toEqual([]);
});

test("what is not eligible yet is shown to those who name it", () => {
  const held: Job = { ...waits, hold: "user" };
  const later: Job = { ...waits, eligibleAt: T0 + 90 * S };
  const matches = (filter: Partial<HistoryFilter>, job: Job) =>
    historyMatcher({ ...ALL, ...filter }, () => "main", T0 + 60 * S)(job, job.state);
  expect([held, later].map((job) => matches({}, job))).toEqual([false, false]);
  expect([held, later].map((job) => matches({ ids: [1] }, job))).toEqual([true, true]);
  expect([held, later].map((job) => matches({ ids: [1], states: ["PENDING"] }, job))).toEqual([false, false]);
  // A job that started before is not forgotten while it waits for its next start.
  expect(matches({}, { ...later, attempt: 1 })).toBe(true);
});

test("states are those that a job had within the window, as in Slurm", () => {
  expect(found({ states: ["PENDING"], since: T0, until: T0 + 5 * S })).toEqual([1, 2, 3]);
  expect(found({ states: ["PENDING"], since: T0 + 15 * S, until: T0 + 16 * S })).toEqual([1]);
  expect(found({ states: ["RUNNING"], since: T0 + 15 * S, until: T0 + 16 * S })).toEqual([2, 3]);
  expect(found({ states: ["RUNNING"], since: T0 + 25 * S, until: T0 + 26 * S })).toEqual([2]);
  expect(found({ states: ["FAILED"], since: T0 + 15 * S, until: T0 + 16 * S })).toEqual([]);
  expect(found({ states: ["FAILED", "RUNNING"], since: T0 + 15 * S, until: T0 + 20 * S })).toEqual([2, 3]);
});

test("the number of an array or of a heterogeneous job means all of its records", () => {
  const task: Job = { ...over, id: 9, array: { jobId: 4, tasks: [{ first: 3, last: 3, step: 1 }] } };
  const part: Job = { ...over, id: 7, spec: spec({ het: { offset: 2, size: 3 } }) };
  const matches = (filter: Partial<HistoryFilter>, job: Job) =>
    historyMatcher({ ...ALL, ...filter }, () => "main", T0 + 60 * S)(job, job.state);
  expect(matches({ ids: [4] }, task)).toBe(true);
  expect(matches({ tasks: [{ jobId: 4, tasks: [{ first: 0, last: 3, step: 1 }] }] }, task)).toBe(true);
  expect(matches({ tasks: [{ jobId: 4, tasks: [{ first: 0, last: 2, step: 1 }] }] }, task)).toBe(false);
  expect(matches({ ids: [5] }, part)).toBe(true);
});

test("a requeued job keeps what accounting shows of the start that was given up", () => {
  const event = {
    type: "job.requeued",
    jobId: 2,
    cause: "requeued by request",
    cleanup: [],
    eligibleAt: T0,
    hold: null,
  };
  const again = requeued(runs, { ...event, type: "job.requeued", retried: 0, state: "REQUEUED" }, T0 + 15 * S);
  expect(again.state).toBe("PENDING");
  expect(earlierRecords(again)).toMatchObject([
    { state: "REQUEUED", job: { id: 2, attempt: 1, startAt: T0 + 10 * S, endAt: T0 + 15 * S, allocation: [share] } },
  ]);
  // As a journal of an earlier version says it.
  expect(requeued(runs, { ...event, type: "job.requeued", retried: 0 }, T0).earlier).toBeUndefined();
});
