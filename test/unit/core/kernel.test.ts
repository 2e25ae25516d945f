import { expect, test } from "vitest";
import type { Command } from "../../../src/core/commands.ts";
import { checkInvariants } from "../../../src/core/invariants.ts";
import { displayState, type Job } from "../../../src/core/job.ts";
import { type Outcome, replay, step } from "../../../src/core/kernel.ts";
import { resumeNode } from "../../../src/core/react.ts";
import type { Allocation } from "../../../src/core/resources.ts";
import { emptyState, fromStored, toStored } from "../../../src/core/state.ts";
import { gpuRequest, inventory, request, submit, T0 } from "../support/samples.ts";

/** A cluster of one node with 4 GPUs, and a short way to command it. */
function cluster() {
  const state = emptyState();
  const records: NonNullable<Outcome["record"]>[] = [];
  let now = T0;
  const run = (command: Command): Outcome => {
    now += 10;
    const outcome = step(state, command, now);
    if (outcome.record) records.push(outcome.record);
    expect(checkInvariants(state)).toEqual([]);
    return outcome;
  };
  run({ type: "node.register", node: "n1", inventory: inventory() });
  const job = (id: number): Job => {
    const found = state.jobs.get(id);
    if (!found) throw new Error(`no job ${id}`);
    return found;
  };
  return { state, records, run, job, now: () => now };
}

function share(gpus: number[], cpus = 1): Allocation {
  const grants = gpus.map((index) => ({ index, uuid: `GPU-${index}`, thousandths: 1000 }));
  return [{ node: "n1", tasks: 1, cpus, memoryMiB: 0, gpus: grants }];
}

const key = { jobId: 1, attempt: 1, stepId: "batch" as const };

test("a batch job goes from PENDING to COMPLETED and gives its GPUs back", () => {
  const { state, run, job } = cluster();
  expect(run(submit("r1", { request: gpuRequest(2) })).decision).toMatchObject({ kind: "accept", jobId: 1 });
  expect(job(1).state).toBe("PENDING");
  const started = run({ type: "job.allocate", jobId: 1, allocation: share([0, 1]) });
  expect(started.effects).toContainEqual({ type: "node.launch", node: "n1", jobId: 1, attempt: 1, stepId: "batch" });
  expect(state.nodes.get("n1")?.usage).toEqual({ cpus: 1, memoryMiB: 0, gpus: { 0: 1000, 1: 1000 } });
  run({ type: "report.stepStarted", node: "n1", key });
  const exits = [{ code: 0, signal: 0 }];
  run({ type: "report.stepEnded", node: "n1", key, exits, problem: "", clean: true });
  expect(job(1)).toMatchObject({ state: "COMPLETED", cleanup: [], exit: { code: 0, signal: 0 } });
  expect(state.nodes.get("n1")?.usage).toEqual({ cpus: 0, memoryMiB: 0, gpus: {} });
});

test("an unclean end keeps the GPUs until the node confirms", () => {
  const { state, run, job } = cluster();
  run(submit("r1", { request: gpuRequest(1) }));
  run({ type: "job.allocate", jobId: 1, allocation: share([3]) });
  const exits = [{ code: 3, signal: 0 }];
  const { effects } = run({ type: "report.stepEnded", node: "n1", key, exits, problem: "", clean: false });
  expect(effects).toContainEqual({ type: "node.terminate", node: "n1", jobId: 1, attempt: 1 });
  expect(job(1)).toMatchObject({ state: "FAILED", exit: { code: 3, signal: 0 } });
  expect(displayState(job(1))).toBe("COMPLETING");
  expect(state.nodes.get("n1")?.usage.gpus).toEqual({ 3: 1000 });
  run({ type: "report.jobCleaned", node: "n1", jobId: 1, attempt: 1 });
  expect(displayState(job(1))).toBe("FAILED");
  expect(state.nodes.get("n1")?.usage.gpus).toEqual({});
});

test("a request id is accepted once", () => {
  const { run, state } = cluster();
  run(submit("same"));
  expect(run(submit("same")).decision).toMatchObject({ kind: "ignore", jobId: 1 });
  expect(state.jobs.size).toBe(1);
});

test("what no node can ever give is refused with what the cluster has", () => {
  const { run, state } = cluster();
  const { decision } = run(submit("r1", { request: gpuRequest(5) }));
  expect(decision).toMatchObject({ kind: "deny", denial: { code: "NOT_FEASIBLE" } });
  expect(JSON.stringify(decision)).toContain("asked for 5 GPUs and 1 CPU on one node; n1 has 4 GPUs (a100), 8 CPUs");
  expect(run(submit("r2", { request: request({ gpus: { thousandths: 1000, type: "h100" } }) })).decision.kind).toBe(
    "deny",
  );
  expect(run(submit("r3", { request: request({ tasks: 3, cpusPerTask: 3 }) })).decision.kind).toBe("deny");
  expect(run(submit("r4", { partition: "nope" })).decision).toMatchObject({
    denial: { code: "INVALID_PARTITION", message: "invalid partition specified: nope", hint: "partitions here: main" },
  });
  expect(state.jobs.size).toBe(0);
});

test("a plan is checked again: no GPU is granted twice", () => {
  const { run } = cluster();
  run(submit("r1", { request: gpuRequest(1) }));
  run(submit("r2", { request: gpuRequest(1) }));
  run({ type: "job.allocate", jobId: 1, allocation: share([0]) });
  expect(run({ type: "job.allocate", jobId: 2, allocation: share([0]) }).decision).toMatchObject({
    kind: "deny",
    denial: { code: "NO_CAPACITY", message: "n1: GPU 0 is taken" },
  });
  expect(run({ type: "job.allocate", jobId: 2, allocation: share([]) }).decision.kind).toBe("deny");
});

test("cancelling decides the state at once; processes are ended by the node", () => {
  const { run, job } = cluster();
  run(submit("r1"));
  run(submit("r2"));
  run({ type: "job.allocate", jobId: 1, allocation: share([]) });
  const { effects } = run({ type: "job.cancel", jobId: 1, byUid: 1000, cause: "" });
  expect(effects).toContainEqual({ type: "node.terminate", node: "n1", jobId: 1, attempt: 1 });
  expect(job(1)).toMatchObject({ state: "CANCELLED", cancelledBy: 1000, cleanup: ["n1"] });
  run({ type: "job.cancel", jobId: 2, byUid: 0, cause: "" });
  expect(job(2)).toMatchObject({ state: "CANCELLED", startAt: null, cleanup: [] });
  expect(run({ type: "job.cancel", jobId: 2, byUid: 0, cause: "" }).decision).toMatchObject({
    denial: { code: "JOB_FINISHED" },
  });
  expect(run({ type: "job.cancel", jobId: 99, byUid: 0, cause: "" }).decision).toMatchObject({
    denial: { code: "INVALID_JOB" },
  });
  // The late report of the ended step keeps the state and records the exit.
  run({ type: "report.stepEnded", node: "n1", key, exits: [{ code: 0, signal: 15 }], problem: "", clean: false });
  expect(job(1)).toMatchObject({ state: "CANCELLED", steps: [{ parts: [{ exits: [{ code: 0, signal: 15 }] }] }] });
});

test("nobody touches another's job but root", () => {
  const { run } = cluster();
  run(submit("r1"));
  expect(run({ type: "job.cancel", jobId: 1, byUid: 1001, cause: "" }).decision).toMatchObject({
    denial: { code: "PERMISSION" },
  });
  expect(run({ type: "job.signal", jobId: 1, stepId: null, signal: 10, byUid: 1001 }).decision).toMatchObject({
    denial: { code: "PERMISSION" },
  });
});

test("a time limit ends the job as TIMEOUT, not before its time, and not in a later attempt", () => {
  const { state, run, job, now } = cluster();
  run(submit("r1", { timeLimitS: 60 }));
  const { effects } = run({ type: "job.allocate", jobId: 1, allocation: share([]) });
  const timer = { kind: "limit" as const, jobId: 1, attempt: 1 };
  expect(effects).toContainEqual({ type: "timer.set", timer, at: now() + 60_000 });
  expect(run({ type: "timer.fire", timer }).decision.kind).toBe("ignore");
  run({ type: "report.stepLost", node: "n1", key, cause: "node rebooted" });
  expect(job(1).state).toBe("PENDING");
  run({ type: "job.allocate", jobId: 1, allocation: share([]) });
  expect(step(state, { type: "timer.fire", timer }, now() + 61_000).decision.kind).toBe("ignore");
  step(state, { type: "timer.fire", timer: { ...timer, attempt: 2 } }, now() + 61_000);
  expect(job(1)).toMatchObject({ state: "TIMEOUT", cleanup: ["n1"] });
});

test("a lost step is started again if it may be, and late words of the first attempt are ignored", () => {
  const { run, job } = cluster();
  run(submit("r1"));
  run(submit("r2", { requeue: false }));
  run({ type: "job.allocate", jobId: 1, allocation: share([]) });
  run({ type: "job.allocate", jobId: 2, allocation: share([]) });
  run({ type: "report.stepLost", node: "n1", key, cause: "node rebooted" });
  run({ type: "report.stepLost", node: "n1", key: { ...key, jobId: 2 }, cause: "node rebooted" });
  expect(job(1)).toMatchObject({ state: "PENDING", attempt: 1 });
  expect(job(2)).toMatchObject({ state: "NODE_FAIL", cause: "node rebooted" });
  run({ type: "job.allocate", jobId: 1, allocation: share([]) });
  const late = run({
    type: "report.stepEnded",
    node: "n1",
    key,
    exits: [{ code: 0, signal: 0 }],
    problem: "",
    clean: true,
  });
  expect(late.decision.kind).toBe("ignore");
  expect(job(1)).toMatchObject({ state: "RUNNING", attempt: 2 });
});

test("signals go to the nodes of a running job and change nothing", () => {
  const { run, records } = cluster();
  run(submit("r1"));
  expect(run({ type: "job.signal", jobId: 1, stepId: null, signal: 10, byUid: 0 }).decision).toMatchObject({
    denial: { code: "NOT_RUNNING" },
  });
  run({ type: "job.allocate", jobId: 1, allocation: share([]) });
  const before = records.length;
  const { effects } = run({ type: "job.signal", jobId: 1, stepId: null, signal: 10, byUid: 0 });
  expect(effects).toEqual([{ type: "node.signal", node: "n1", jobId: 1, attempt: 1, stepId: null, signal: 10 }]);
  expect(records.length).toBe(before);
});

test("the exit of several tasks is the worst one", () => {
  const { run, job } = cluster();
  run(submit("r1", { kind: "run", request: request({ tasks: 3 }) }));
  const allocation = [{ node: "n1", tasks: 3, cpus: 3, memoryMiB: 0, gpus: [] }];
  run({ type: "job.allocate", jobId: 1, allocation });
  const exits = [
    { code: 0, signal: 0 },
    { code: 7, signal: 0 },
    { code: 2, signal: 0 },
  ];
  run({ type: "report.stepEnded", node: "n1", key: { ...key, stepId: 0 }, exits, problem: "", clean: true });
  expect(job(1)).toMatchObject({ state: "FAILED", exit: { code: 7, signal: 0 } });
});

test("replay and snapshot give the live state, and a node that returns hears what is unconfirmed", () => {
  const { state, records, run } = cluster();
  for (let i = 1; i <= 4; i++) run(submit(`r${i}`, { request: gpuRequest(1), timeLimitS: 5 }));
  run({ type: "job.allocate", jobId: 1, allocation: share([0]) });
  run({ type: "job.allocate", jobId: 2, allocation: share([1]) });
  run({ type: "report.stepStarted", node: "n1", key: { ...key, jobId: 2 } });
  run({ type: "job.allocate", jobId: 3, allocation: share([2]) });
  run({ type: "job.cancel", jobId: 3, byUid: 0, cause: "" });
  const replayed = emptyState();
  replay(replayed, records);
  expect(replayed).toEqual(state);
  expect(fromStored(JSON.parse(JSON.stringify(toStored(state))))).toEqual(state);
  expect(resumeNode(state, "n1")).toEqual([
    { type: "node.launch", node: "n1", jobId: 1, attempt: 1, stepId: "batch" },
    { type: "node.terminate", node: "n1", jobId: 3, attempt: 1 },
  ]);
  expect(resumeNode(state, "n2")).toEqual([]);
});
