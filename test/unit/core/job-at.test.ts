/** The queue of a past moment, from records of now. */

import { expect, test } from "vitest";
import type { EndedJob, Job } from "../../../src/core/job.ts";
import { jobAt, queueAt } from "../../../src/core/job-at.ts";
import { pending, running, tasks } from "../sched/samples.ts";
import { T0 } from "../support/samples.ts";

function ended(id: number, startAt: number | null, endAt: number, more: Partial<EndedJob> = {}): EndedJob {
  const { spec, submitAt, attempt, requestId, array, eligibleAt, limitS, allocation, steps } = running(pending(id));
  return {
    ...{ id, spec, submitAt, attempt, requestId, array, eligibleAt, limitS, allocation, steps, startAt, endAt },
    ...{ state: "FAILED", exit: { code: 1, signal: 0 }, cause: "", cancelledBy: null, cleanup: [], suspendedMs: 0 },
    ...more,
  };
}

test("a job waits, runs, and is gone", () => {
  const job = ended(1, T0 + 100, T0 + 200);
  const states = [T0 - 1, T0, T0 + 99, T0 + 100, T0 + 199, T0 + 200].map((at) => jobAt(job, at)?.state ?? null);
  expect(states).toEqual([null, "PENDING", "PENDING", "RUNNING", "RUNNING", null]);
  expect(jobAt(ended(1, null, T0 + 50), T0 + 40)?.state).toBe("PENDING");
  expect(jobAt(running(pending(1), T0 + 10), T0 + 5)).toMatchObject({ state: "PENDING", allocation: [] });
  expect(jobAt(pending(1), T0 + 5)?.state).toBe("PENDING");
});

test("a job is shown with the wishes of then: changes since are taken back", () => {
  const now = { ...pending(1, { name: "c", nice: 2 }), submitAt: T0 };
  const changed = [
    { at: T0 + 10, before: { name: "a" } },
    { at: T0 + 20, before: { name: "b", nice: 0 } },
  ];
  const at = (time: number) => {
    const spec = jobAt({ ...now, changed }, time)?.spec;
    return [spec?.name, spec?.nice];
  };
  expect([at(T0 + 5), at(T0 + 10), at(T0 + 15), at(T0 + 20)]).toEqual([
    ["a", 0],
    ["b", 0],
    ["b", 0],
    ["c", 2],
  ]);
});

test("of a job that was started again, the start that ran counts", () => {
  const first = ended(1, T0 + 10, T0 + 20);
  const last = ended(1, T0 + 50, T0 + 90);
  const at = (time: number) => queueAt([first, last], time).map(({ state }) => state);
  expect([at(T0 + 5), at(T0 + 15), at(T0 + 30), at(T0 + 60), at(T0 + 95)]).toEqual([
    ["PENDING"],
    ["RUNNING"],
    ["PENDING"],
    ["RUNNING"],
    [],
  ]);
});

test("tasks of an array that waited then share a record", () => {
  const task = (id: number, number: number): Job =>
    ended(id, T0 + 10 * number, T0 + 1000, { array: { jobId: 4, tasks: tasks(number) } });
  const rest = pending(9, {}, { array: { jobId: 4, tasks: tasks(6, 8) } });
  const found = queueAt([task(4, 1), task(5, 2), task(6, 3), rest], T0 + 15);
  expect(found.map(({ id, state, array }) => [id, state, array?.tasks])).toEqual([
    [4, "RUNNING", tasks(1)],
    [
      5,
      "PENDING",
      [
        { first: 2, last: 3, step: 1 },
        { first: 6, last: 8, step: 1 },
      ],
    ],
  ]);
});
