import { expect, test } from "vitest";
import { terminateCause } from "../../../src/controller/terminate-cause.ts";
import { EXIT_OK, type Job, type RunningJob, type Step, type TerminalState } from "../../../src/core/job.ts";
import { spec, T0 } from "../support/samples.ts";

const COMMON = { id: 7, spec: spec(), submitAt: T0, attempt: 2, requestId: "r", array: null, eligibleAt: T0 };

function ended(state: TerminalState): Job {
  const rest = { startAt: T0, endAt: T0 + 1, limitS: 0, allocation: [], steps: [], exit: EXIT_OK, cause: "" };
  return { ...COMMON, ...rest, state, cancelledBy: null, cleanup: ["n1"], suspendedMs: 0 };
}

test.each<[TerminalState, string]>([
  ["CANCELLED", "cancelled"],
  ["TIMEOUT", "time limit"],
  ["NODE_FAIL", "node failure"],
  ["PREEMPTED", "preempted"],
  ["COMPLETED", "cancelled"],
  ["FAILED", "cancelled"],
])("%s is %s", (state, cause) => {
  expect(terminateCause(ended(state), 2)).toBe(cause);
});

test("an older attempt, or one of a job that waits again, was requeued", () => {
  expect(terminateCause(ended("TIMEOUT"), 1)).toBe("requeue");
  expect(
    terminateCause({ ...COMMON, state: "PENDING", hold: null, allocation: [], cleanup: ["n1"], retried: 0 }, 2),
  ).toBe("requeue");
});

test("a job that has left the queue", () => {
  expect(terminateCause(null, 1)).toBe("cancelled");
});

test("one step of a job that goes on", () => {
  const step: Step = {
    ...{ id: 0, name: "s", spec: null, requestId: "", startAt: T0, endAt: null, parts: [], state: "RUNNING" },
    ending: { state: "TIMEOUT", by: null, cause: "time limit" },
  };
  const running: RunningJob = {
    ...{ ...COMMON, state: "RUNNING", startAt: T0, limitS: 0, allocation: [], steps: [step], nextStepId: 1 },
    ...{ suspendedAt: null, suspendedMs: 0, signalled: false, retried: 0 },
  };
  expect(terminateCause(running, 2, 0)).toBe("time limit");
  expect(terminateCause(running, 2, 1)).toBe("cancelled");
});
