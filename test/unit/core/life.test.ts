import { expect, test } from "vitest";
import type { Command } from "../../../src/core/commands.ts";
import { parseDependency } from "../../../src/core/dependency.ts";
import { checkInvariants } from "../../../src/core/invariants.ts";
import { displayState } from "../../../src/core/job.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { type Outcome, step } from "../../../src/core/kernel.ts";
import { emptyState, fromStored, toStored } from "../../../src/core/state.ts";
import { gateOf } from "../../../src/sched/eligible.ts";
import { inventory, request, stepSpec, submit, T0 } from "../support/samples.ts";

/** A cluster of one node whose clock is moved by hand. */
function cluster() {
  const state = emptyState();
  let now = T0;
  const run = (command: Command): Outcome => {
    const outcome = step(state, command, now);
    expect(checkInvariants(state)).toEqual([]);
    // What a snapshot holds is the same state.
    expect(toStored(fromStored(structuredClone(toStored(state))))).toEqual(toStored(state));
    return outcome;
  };
  const allocation = [{ node: "n1", tasks: 1, cpus: 2, memoryMiB: 0, gpus: [] }];
  run({ type: "node.register", node: "n1", inventory: inventory() });
  return {
    ...{ state, run },
    now: () => now,
    pass: (seconds: number): void => {
      now += seconds * 1000;
    },
    submit: (over: Partial<JobSpec> = {}) => run(submit(`r${state.nextJobId}`, over)),
    start: (jobId: number) => run({ type: "job.allocate", jobId, taskId: null, allocation }),
    end: (jobId: number, code: number, attempt = 1) => {
      const common = { problem: "", clean: true, outOfMemory: false };
      const key = { jobId, attempt, stepId: "batch" as const };
      return run({ type: "report.stepEnded", node: "n1", key, exits: [{ code, signal: 0 }], ...common });
    },
    update: (jobId: number, changes: Partial<JobSpec>) =>
      run({ type: "job.update", jobId, tasks: null, byUid: 1000, changes }),
    suspend: (jobId: number, suspend: boolean) => run({ type: "job.suspend", jobId, tasks: null, byUid: 0, suspend }),
  };
}

function after(text: string): Pick<JobSpec, "dependency"> {
  const parsed = parseDependency(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return { dependency: parsed.value };
}

test("a job that runs into its deadline ends as DEADLINE, one that runs out of time as TIMEOUT", () => {
  const { state, run, submit, start, pass } = cluster();
  submit({ deadlineAt: T0 + 60_000, timeLimitS: 50 });
  submit({ deadlineAt: T0 + 60_000, timeLimitS: 20 });
  pass(20);
  start(1);
  start(2);
  pass(20);
  run({ type: "timer.fire", timer: { kind: "limit", jobId: 2, attempt: 1 } });
  expect(state.jobs.get(2)?.state).toBe("TIMEOUT");
  pass(20);
  run({ type: "timer.fire", timer: { kind: "limit", jobId: 1, attempt: 1 } });
  expect(state.jobs.get(1)).toMatchObject({ state: "DEADLINE", cause: "its deadline was reached" });
});

test("a step's limit may be changed while it runs, of one step or of all", () => {
  const { state, run, submit, start, pass } = cluster();
  submit({ kind: "alloc" });
  const limit = (stepId: number | null, limitS: number, byUid = 1000) =>
    run({ type: "step.limit", jobId: 1, stepId, limitS, byUid });
  expect(limit(0, 60).decision).toMatchObject({ kind: "deny", denial: { code: "NOT_RUNNING" } });
  start(1);
  run({ type: "step.create", jobId: 1, requestId: "s", byUid: 1000, spec: stepSpec() });
  const timer = { kind: "step", jobId: 1, attempt: 1, stepId: 0 } as const;
  expect(limit(7, 60).decision).toMatchObject({ kind: "deny", denial: { code: "INVALID_STEP" } });
  expect(limit(0, 60, 1001).decision).toMatchObject({ kind: "deny", denial: { code: "PERMISSION" } });
  expect(limit(null, 60).effects).toContainEqual({ type: "timer.set", timer, at: T0 + 60_000 });
  expect(limit(0, 0).effects).toContainEqual({ type: "timer.clear", timer });
  pass(100);
  expect(run({ type: "timer.fire", timer }).decision.kind).toBe("ignore");
  expect(limit(0, 90).effects).toContainEqual({ type: "timer.set", timer, at: T0 + 90_000 });
  run({ type: "timer.fire", timer });
  const job = state.jobs.get(1);
  expect(job?.state === "RUNNING" && job.steps[0]).toMatchObject({ limitS: 90, ending: { state: "TIMEOUT" } });
});

test("features and nodes that are not there are refused, shapes that may come are not", () => {
  const { run, submit, update } = cluster();
  submit();
  expect(update(1, { request: request({ constraint: "nosuch" }) }).decision).toMatchObject({
    ...{ kind: "deny", denial: { code: "INVALID_FEATURE" } },
  });
  expect(update(1, { request: request({ nodeList: ["n9"] }) }).decision).toMatchObject({
    ...{ kind: "deny", denial: { code: "INVALID_NODE" } },
  });
  expect(update(1, { request: request({ nodes: { min: 9, max: 9 } }) }).decision.kind).toBe("accept");
  expect(run({ type: "job.cancel", jobId: 1, tasks: null, byUid: 0, cause: "" }).decision.kind).toBe("accept");
});

test("a step's time stands still while its job is suspended", () => {
  const { state, run, submit, start, pass, suspend } = cluster();
  submit({ kind: "alloc" });
  start(1);
  suspend(1, true);
  pass(5);
  suspend(1, false);
  run({ type: "step.create", jobId: 1, requestId: "s", byUid: 1000, spec: stepSpec({}, { timeLimitS: 60 }) });
  const timer = { kind: "step", jobId: 1, attempt: 1, stepId: 0 } as const;
  pass(30);
  expect(suspend(1, true).effects).toContainEqual({ type: "timer.clear", timer });
  pass(100);
  expect(run({ type: "timer.fire", timer }).decision.kind).toBe("ignore");
  expect(suspend(1, false).effects).toContainEqual({ type: "timer.set", timer, at: T0 + 165_000 });
  pass(29);
  expect(run({ type: "timer.fire", timer }).decision.kind).toBe("ignore");
  pass(1);
  expect(run({ type: "timer.fire", timer }).decision.kind).toBe("accept");
  expect(state.jobs.get(1)).toMatchObject({ steps: [{ ending: { state: "TIMEOUT" } }] });
});

test("a step that must wait is told who holds what", () => {
  const { run, submit, start } = cluster();
  submit({ kind: "alloc" });
  start(1);
  const create = (requestId: string) =>
    run({ type: "step.create", jobId: 1, requestId, byUid: 1000, spec: stepSpec({ tasks: 2 }) }).decision;
  expect(create("a").kind).toBe("accept");
  expect(create("b")).toMatchObject({
    denial: {
      ...{ code: "STEP_BUSY", message: "Requested nodes are busy" },
      hint: "n1: 0 of 2 CPUs are free; step 0 holds 2 CPUs",
    },
  });
});

test("an update of a dependency is checked as a submission is, and for circles", () => {
  const { submit, update } = cluster();
  submit();
  submit(after("afterok:1"));
  submit(after("afterany:2"));
  const denial = (message: string, hint: string) => ({ decision: { denial: { message, hint } } });
  expect(update(1, after("afterok:1"))).toMatchObject(denial("Job dependency problem", "a job can't wait for itself"));
  expect(update(1, after("afterok:9"))).toMatchObject(denial("Job dependency problem", "there never was a job 9"));
  expect(update(1, after("after:3"))).toMatchObject(denial("Circular job dependency", "job 2 waits for it already"));
  expect(update(3, after("afterok:1")).decision.kind).toBe("accept");
  expect(update(1, after("singleton")).decision.kind).toBe("accept");
});

test("a dependency shows which of its terms can't be met any more", () => {
  const { state, now, submit, start, end } = cluster();
  submit();
  submit();
  submit();
  submit(after("afterok:1,afterany:2,afterany:3"));
  start(1);
  end(1, 1);
  start(3);
  end(3, 0);
  const job = state.jobs.get(4);
  if (job?.state !== "PENDING") throw new Error("it waits");
  const gate = gateOf(state, now());
  expect(gate.dependencyText(job)).toBe("afterok:1(failed),afterany:2(unfulfilled)");
  expect(gate.dependencyText({ ...job, hold: "user" })).toBe(
    "afterok:1(failed),afterany:2(unfulfilled),afterany:3(unfulfilled)",
  );
});

test("a job has so many steps and no more", () => {
  const { state, run, submit, start } = cluster();
  submit({ kind: "alloc", request: request() });
  start(1);
  const job = state.jobs.get(1);
  if (job?.state !== "RUNNING") throw new Error("it runs");
  state.jobs.set(1, { ...job, nextStepId: 10_000 });
  const { decision } = run({ type: "step.create", jobId: 1, requestId: "s", byUid: 1000, spec: stepSpec() });
  expect(decision).toMatchObject({ denial: { message: "Step limit reached for this job" } });
});

test("a batch job that is over starts again in the same record, and its end stays as an earlier attempt", () => {
  const { state, run, submit, start, end, pass } = cluster();
  const requeue = (jobId: number, more: object = {}) =>
    run({ type: "job.requeue", jobId, tasks: null, byUid: 1000, hold: false, ...more });
  submit();
  start(1);
  pass(5);
  end(1, 3);
  expect(state.jobs.get(1)?.state).toBe("FAILED");
  pass(5);
  expect(requeue(1).decision.kind).toBe("accept");
  expect(state.jobs.get(1)).toMatchObject({
    ...{ state: "PENDING", attempt: 1, retried: 0, cleanup: [], allocation: [] },
    earlier: [{ attempt: 1, state: "FAILED", exit: { code: 3, signal: 0 }, startAt: T0, endAt: T0 + 5000 }],
  });
  expect(requeue(1).decision).toMatchObject({ denial: { code: "NOT_RUNNING" } });
  expect(run({ type: "job.allocate", jobId: 1, taskId: null, allocation: [] }).decision.kind).toBe("deny");
  start(1);
  // A late word about the first start is nothing to the second.
  end(1, 9);
  expect(state.jobs.get(1)).toMatchObject({ state: "RUNNING", attempt: 2 });
  end(1, 0, 2);
  expect(state.jobs.get(1)).toMatchObject({ state: "COMPLETED", attempt: 2 });
});

test("one that still is cleared away keeps what it holds until it is; one that never started has no earlier attempt", () => {
  const { state, run, submit, start } = cluster();
  const cancel = (jobId: number) => run({ type: "job.cancel", jobId, tasks: null, byUid: 1000, cause: "" });
  const requeue = (jobId: number) => run({ type: "job.requeue", jobId, tasks: null, byUid: 1000, hold: false });
  submit();
  start(1);
  cancel(1);
  requeue(1);
  expect(state.jobs.get(1)).toMatchObject({ state: "PENDING", cleanup: ["n1"] });
  expect(start(1).decision.kind).toBe("ignore");
  run({ type: "report.jobCleaned", node: "n1", jobId: 1, attempt: 1 });
  expect(start(1).decision.kind).toBe("accept");
  submit();
  cancel(2);
  expect(requeue(2).decision.kind).toBe("accept");
  expect(state.jobs.get(2)).toMatchObject({ state: "PENDING", attempt: 0 });
  expect(state.jobs.get(2)?.earlier).toBe(undefined);
});

test("held as SPECIAL_EXIT until it is released; what may not start again is told why", () => {
  const { state, run, submit, start, end } = cluster();
  const requeue = (jobId: number) =>
    run({ type: "job.requeue", jobId, tasks: null, byUid: 1000, hold: true, special: true }).decision;
  submit();
  start(1);
  end(1, 1);
  requeue(1);
  const shown = () => {
    const job = state.jobs.get(1);
    return job && displayState(job);
  };
  expect(shown()).toBe("SPECIAL_EXIT");
  run({ type: "job.hold", jobId: 1, tasks: null, byUid: 1000, hold: null });
  expect(shown()).toBe("PENDING");
  submit({ requeue: false });
  start(2);
  end(2, 1);
  expect(requeue(2)).toMatchObject({ denial: { code: "DISABLED", hint: "job 2: it was submitted with --no-requeue" } });
  submit({ kind: "alloc" });
  start(3);
  run({ type: "job.complete", jobId: 3, byUid: 1000, exit: { code: 0, signal: 0 } });
  expect(requeue(3)).toMatchObject({ denial: { code: "DISABLED", hint: "job 3: only batch jobs can start again" } });
});
