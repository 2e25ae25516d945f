import { expect, test } from "vitest";
import { interrupted, NO_INTERRUPTS } from "../../../src/cli/attach/interrupt.ts";
import {
  allocationLine,
  cancelledLine,
  failureLines,
  followedRow,
  isEndedFromOutside,
  launchLine,
  taskWords,
  withoutResult,
} from "../../../src/cli/attach/messages.ts";
import { jobRow, point, RUNNING } from "./fake-job.ts";

const UTC = (): number => 0;

test("task numbers in ranges", () => {
  expect([[3], [0, 1], [0, 2, 3, 4, 9], [5, 4]].map(taskWords)).toEqual([
    "task 3",
    "tasks 0-1",
    "tasks 0,2-4,9",
    "tasks 4-5",
  ]);
});

test("failures: one line for each way to fail, none for success", () => {
  const exits = new Map([
    [0, { code: 0, signal: 0 }],
    [1, { code: 2, signal: 0 }],
    [2, { code: 0, signal: 11 }],
    [3, { code: 2, signal: 0 }],
    [4, { code: 0, signal: 64 }],
  ]);
  expect(failureLines("n1", exits)).toEqual([
    "n1: tasks 1,3: Exited with exit code 2",
    "n1: task 2: Segmentation fault",
    "n1: task 4: Terminated by signal 64",
  ]);
});

test("who ended the job", () => {
  const ended = (changes: object) => isEndedFromOutside(jobRow({ ...RUNNING, endAt: 5, ...changes }));
  expect(ended({ state: "CANCELLED" })).toBe(true);
  expect(ended({ state: "TIMEOUT" })).toBe(true);
  expect(ended({ state: "COMPLETING" })).toBe(true);
  expect(ended({ state: "COMPLETING", exitCode: 3 })).toBe(false);
  expect(ended({ state: "COMPLETING", exitSignal: 9 })).toBe(false);
  expect(ended({ state: "FAILED" })).toBe(false);
  expect(ended({ endAt: null, state: "RUNNING" })).toBe(false);
  expect(ended({ startAt: null, state: "CANCELLED" })).toBe(false);
});

test("a job that ended well is not taken for one that somebody ended, though nodes still clear up", () => {
  const row = jobRow({ ...RUNNING, endAt: 5, state: "COMPLETING" });
  const ends = ["COMPLETED", "CANCELLED", undefined].map((endState) => {
    return isEndedFromOutside(followedRow({ row, step: null, ...(endState ? { endState } : {}) }, 9));
  });
  expect(ends).toEqual([false, true, true]);
});

test("the line of a job that was ended", () => {
  const row = jobRow({ endAt: Date.UTC(2026, 10, 21, 22, 0, 0), state: "CANCELLED" });
  expect(cancelledLine(row, UTC, 0, "n1")).toBe("*** STEP 7.0 ON n1 CANCELLED AT 2026-11-21T22:00:00 ***");
  expect(cancelledLine({ ...row, state: "TIMEOUT" }, UTC, 0, "n1")).toMatch(/22:00:00 DUE TO TIME LIMIT \*\*\*$/);
});

test("a job without a result says why", () => {
  const cancelled = withoutResult(jobRow({ state: "CANCELLED", endAt: 1, cause: "its srun is gone" }), UTC);
  expect(cancelled.infos).toEqual(["Job has been cancelled: its srun is gone"]);
  const unstarted = jobRow({ ...RUNNING, state: "FAILED", endAt: 1, cause: 'no conda environment "torch"' });
  expect(withoutResult(unstarted, UTC).errors).toEqual(['job 7 ended as FAILED: no conda environment "torch"']);
  const lost = jobRow({ ...RUNNING, state: "COMPLETED", endAt: 1 });
  expect(withoutResult(lost, UTC).errors).toEqual(["job 7 ended as COMPLETED; its output could not be fetched"]);
  const timeout = jobRow({ ...RUNNING, nodeList: "n[1-2]", state: "TIMEOUT", endAt: 0 });
  expect(withoutResult(timeout, UTC).errors[0]).toMatch(/STEP 7.0 ON n1 CANCELLED AT/);
});

test("where it runs, for -v", () => {
  const row = jobRow({ ...RUNNING, nodes: 3, nodeList: "n[1-3]", cpusPerTask: 2 });
  const points = [point("n1", 0, 2), point("n2", 2, 2), point("n3", 4, 1)];
  expect(allocationLine(row, points)).toBe("jobid 7: nodes(3):`n[1-3]', cpu counts: 4(x2),2(x1)");
  expect(points.map(launchLine)).toEqual([
    "launching StepId=7.0 on host n1, 2 tasks: [0-1]",
    "launching StepId=7.0 on host n2, 2 tasks: [2-3]",
    "launching StepId=7.0 on host n3, 1 tasks: 4",
  ]);
});

test("Ctrl-C, press by press", () => {
  const press = (isWaiting: boolean, ...times: number[]) => {
    let state = NO_INTERRUPTS;
    return times.map((at) => {
      state = interrupted(state, isWaiting, at);
      return state.last;
    });
  };
  expect(press(true, 0, 1)).toEqual(["cancel", "leave"]);
  expect(press(false, 0, 1000, 9000, 9001, 9002)).toEqual(["show", "stop", "kill", "leave", "leave"]);
  expect(press(false, 0, 1001, 2002, 3002)).toEqual(["show", "show", "show", "stop"]);
  expect(press(false, 0)).toEqual(["show"]);
});
