import { expect, test } from "vitest";
import type { Command } from "../../../src/core/commands.ts";
import { strangersOn } from "../../../src/core/decide/node.ts";
import { checkInvariants } from "../../../src/core/invariants.ts";
import { displayState, type Job, type Step } from "../../../src/core/job.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { type Outcome, replay, step } from "../../../src/core/kernel.ts";
import { resumeNode } from "../../../src/core/react.ts";
import type { Allocation } from "../../../src/core/resources.ts";
import { emptyState, fromStored, toStored } from "../../../src/core/state.ts";
import { gpuRequest, inventory, request, stepSpec, submit, T0 } from "../support/samples.ts";

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
  const grants = gpus.map((index) => ({ index, uuid: `GPU-${index}`, type: "a100", thousandths: 1000 }));
  return [{ node: "n1", tasks: 1, cpus, memoryMiB: 0, gpus: grants }];
}

const key = { jobId: 1, attempt: 1, stepId: "batch" as const };

test("a batch job goes from PENDING to COMPLETED and gives its GPUs back", () => {
  const { state, run, job } = cluster();
  expect(run(submit("r1", { request: gpuRequest(2) })).decision).toMatchObject({ kind: "accept", jobId: 1 });
  expect(job(1).state).toBe("PENDING");
  const started = run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([0, 1]) });
  expect(started.effects).toContainEqual({ type: "node.launch", node: "n1", jobId: 1, attempt: 1, stepId: "batch" });
  expect(state.nodes.get("n1")?.usage).toEqual({ cpus: 1, memoryMiB: 0, gpus: { 0: 1000, 1: 1000 } });
  run({ type: "report.stepStarted", node: "n1", key });
  const exits = [{ code: 0, signal: 0 }];
  run({ type: "report.stepEnded", node: "n1", key, exits, problem: "", clean: true, outOfMemory: false });
  expect(job(1)).toMatchObject({ state: "COMPLETED", cleanup: [], exit: { code: 0, signal: 0 } });
  expect(state.nodes.get("n1")?.usage).toEqual({ cpus: 0, memoryMiB: 0, gpus: {} });
});

test("an unclean end keeps the GPUs until the node confirms", () => {
  const { state, run, job } = cluster();
  run(submit("r1", { request: gpuRequest(1) }));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([3]) });
  const exits = [{ code: 3, signal: 0 }];
  const { effects } = run({
    type: "report.stepEnded",
    node: "n1",
    key,
    exits,
    problem: "",
    clean: false,
    outOfMemory: false,
  });
  expect(effects).toContainEqual({ type: "node.terminate", node: "n1", jobId: 1, attempt: 1, stepId: null });
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
  expect(JSON.stringify(decision)).toContain(
    "asked for 5 GPUs and 1 CPU; there are not enough GPUs; n1 has 4 GPUs (a100), 8 CPUs",
  );
  expect(
    run(submit("r2", { request: request({ gpus: { per: "job", wishes: [{ thousandths: 1000, type: "h100" }] } }) }))
      .decision.kind,
  ).toBe("deny");
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
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([0]) });
  expect(run({ type: "job.allocate", jobId: 2, taskId: null, allocation: share([0]) }).decision).toMatchObject({
    kind: "deny",
    denial: { code: "NO_CAPACITY", message: "n1: GPU 0 is taken" },
  });
  expect(run({ type: "job.allocate", jobId: 2, taskId: null, allocation: share([]) }).decision.kind).toBe("deny");
});

test("a plan is checked again: a GPU that was paused meanwhile is not granted, and others are", () => {
  const { run } = cluster();
  run(submit("r1", { request: gpuRequest(1) }));
  const by = { uid: 0, name: "root" };
  const pause = (pausedGpus: Record<string, string>) =>
    run({ type: "nodes.update", nodes: ["n1"], changes: { pausedGpus }, by, away: [] });
  pause({ 0: "fan" });
  const start = (gpu: number) => run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([gpu]) });
  expect(start(0).decision).toMatchObject({ denial: { code: "NO_CAPACITY", message: "n1: GPU 0 is paused" } });
  pause({});
  expect(start(0).decision.kind).toBe("accept");
});

test("cancelling decides the state at once; processes are ended by the node", () => {
  const { run, job } = cluster();
  run(submit("r1"));
  run(submit("r2"));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  const { effects } = run({ type: "job.cancel", jobId: 1, tasks: null, byUid: 1000, cause: "" });
  expect(effects).toContainEqual({ type: "node.terminate", node: "n1", jobId: 1, attempt: 1, stepId: null });
  expect(job(1)).toMatchObject({ state: "CANCELLED", cancelledBy: 1000, cleanup: ["n1"] });
  run({ type: "job.cancel", jobId: 2, tasks: null, byUid: 0, cause: "" });
  expect(job(2)).toMatchObject({ state: "CANCELLED", startAt: null, cleanup: [] });
  expect(run({ type: "job.cancel", jobId: 2, tasks: null, byUid: 0, cause: "" }).decision).toMatchObject({
    denial: { code: "JOB_FINISHED" },
  });
  expect(run({ type: "job.cancel", jobId: 99, tasks: null, byUid: 0, cause: "" }).decision).toMatchObject({
    denial: { code: "INVALID_JOB" },
  });
  // The late report of the ended step keeps the state and records the exit.
  run({
    type: "report.stepEnded",
    node: "n1",
    key,
    exits: [{ code: 0, signal: 15 }],
    problem: "",
    clean: false,
    outOfMemory: false,
  });
  expect(job(1)).toMatchObject({ state: "CANCELLED", steps: [{ parts: [{ exits: [{ code: 0, signal: 15 }] }] }] });
});

test("nobody touches another's job but root", () => {
  const { run } = cluster();
  run(submit("r1"));
  expect(run({ type: "job.cancel", jobId: 1, tasks: null, byUid: 1001, cause: "" }).decision).toMatchObject({
    denial: { code: "PERMISSION" },
  });
  expect(run({ type: "job.signal", jobId: 1, target: "steps", signal: 10, byUid: 1001 }).decision).toMatchObject({
    denial: { code: "PERMISSION" },
  });
});

test("a time limit ends the job as TIMEOUT, not before its time, and not in a later attempt", () => {
  const { state, run, job, now } = cluster();
  run(submit("r1", { timeLimitS: 60 }));
  const { effects } = run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  const timer = { kind: "limit" as const, jobId: 1, attempt: 1 };
  expect(effects).toContainEqual({ type: "timer.set", timer, at: now() + 60_000 });
  expect(run({ type: "timer.fire", timer }).decision.kind).toBe("ignore");
  run({ type: "report.stepLost", node: "n1", key, cause: "node rebooted" });
  expect(job(1).state).toBe("PENDING");
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  expect(step(state, { type: "timer.fire", timer }, now() + 61_000).decision.kind).toBe("ignore");
  step(state, { type: "timer.fire", timer: { ...timer, attempt: 2 } }, now() + 61_000);
  expect(job(1)).toMatchObject({ state: "TIMEOUT", cleanup: ["n1"] });
});

test("a lost step is started again if it may be, and late words of the first attempt are ignored", () => {
  const { run, job } = cluster();
  run(submit("r1"));
  run(submit("r2", { requeue: false }));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  run({ type: "job.allocate", jobId: 2, taskId: null, allocation: share([]) });
  run({ type: "report.stepLost", node: "n1", key, cause: "node rebooted" });
  run({ type: "report.stepLost", node: "n1", key: { ...key, jobId: 2 }, cause: "node rebooted" });
  expect(job(1)).toMatchObject({ state: "PENDING", attempt: 1 });
  expect(job(2)).toMatchObject({ state: "NODE_FAIL", cause: "node rebooted" });
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  const late = run({
    type: "report.stepEnded",
    node: "n1",
    key,
    exits: [{ code: 0, signal: 0 }],
    problem: "",
    clean: true,
    outOfMemory: false,
  });
  expect(late.decision.kind).toBe("ignore");
  expect(job(1)).toMatchObject({ state: "RUNNING", attempt: 2 });
});

test("signals go to the nodes of a running job and change nothing", () => {
  const { run, records } = cluster();
  run(submit("r1"));
  expect(run({ type: "job.signal", jobId: 1, target: "steps", signal: 10, byUid: 0 }).decision).toMatchObject({
    denial: { code: "NOT_RUNNING" },
  });
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  const before = records.length;
  const { effects } = run({ type: "job.signal", jobId: 1, target: "steps", signal: 10, byUid: 0 });
  expect(effects).toEqual([{ type: "node.signal", node: "n1", jobId: 1, attempt: 1, target: "steps", signal: 10 }]);
  expect(records.length).toBe(before);
});

test("the exit of several tasks is the worst one", () => {
  const { run, job } = cluster();
  run(submit("r1", { kind: "run", request: request({ tasks: 3 }) }));
  const allocation = [{ node: "n1", tasks: 3, cpus: 3, memoryMiB: 0, gpus: [] }];
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation });
  const exits = [
    { code: 0, signal: 0 },
    { code: 7, signal: 0 },
    { code: 2, signal: 0 },
  ];
  run({
    type: "report.stepEnded",
    node: "n1",
    key: { ...key, stepId: 0 },
    exits,
    problem: "",
    clean: true,
    outOfMemory: false,
  });
  expect(job(1)).toMatchObject({ state: "FAILED", exit: { code: 7, signal: 0 } });
});

test("replay and snapshot give the live state, and a node that returns hears what is unconfirmed", () => {
  const { state, records, run } = cluster();
  for (let i = 1; i <= 4; i++) run(submit(`r${i}`, { request: gpuRequest(1), timeLimitS: 5 }));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([0]) });
  run({ type: "job.allocate", jobId: 2, taskId: null, allocation: share([1]) });
  run({ type: "report.stepStarted", node: "n1", key: { ...key, jobId: 2 } });
  run({ type: "job.allocate", jobId: 3, taskId: null, allocation: share([2]) });
  run({ type: "job.cancel", jobId: 3, tasks: null, byUid: 0, cause: "" });
  const replayed = emptyState();
  replay(replayed, records);
  expect(replayed).toEqual(state);
  expect(fromStored(JSON.parse(JSON.stringify(toStored(state))))).toEqual(state);
  expect(resumeNode(state, "n1")).toEqual([
    { type: "node.launch", node: "n1", jobId: 1, attempt: 1, stepId: "batch" },
    { type: "node.terminate", node: "n1", jobId: 3, attempt: 1, stepId: null },
  ]);
  expect(resumeNode(state, "n2")).toEqual([]);
});

const REPORT = { node: "n1", problem: "", outOfMemory: false } as const;
const OK = { code: 0, signal: 0 };
const FAIL = { code: 3, signal: 0 };
const ASKED = { tasks: null, byUid: 1000 } as const;

test("a requeued job keeps its GPUs until its processes are gone, and its number", () => {
  const { state, run, job } = cluster();
  run(submit("r1", { request: gpuRequest(2) }));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([0, 1]) });
  const { effects } = run({ type: "job.requeue", jobId: 1, ...ASKED, hold: false });
  expect(effects).toContainEqual({ type: "node.terminate", node: "n1", jobId: 1, attempt: 1, stepId: null });
  expect(job(1)).toMatchObject({ state: "PENDING", attempt: 1, cleanup: ["n1"] });
  expect(state.nodes.get("n1")?.usage.gpus).toEqual({ 0: 1000, 1: 1000 });
  expect(run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([2, 3]) }).decision.kind).toBe("ignore");
  // The exit of the killed program decides nothing any more.
  const late = run({ type: "report.stepEnded", ...REPORT, key, exits: [FAIL], clean: false });
  expect(late.decision.kind).toBe("ignore");
  run({ type: "report.jobCleaned", node: "n1", jobId: 1, attempt: 1 });
  expect(state.nodes.get("n1")?.usage.gpus).toEqual({});
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([2, 3]) });
  expect(job(1)).toMatchObject({ state: "RUNNING", attempt: 2 });
});

test("requeue is refused where Slurm refuses it", () => {
  const { run } = cluster();
  run(submit("r1"));
  run(submit("r2", { requeue: false }));
  run(submit("r3", { kind: "run" }));
  const requeue = (jobId: number) => run({ type: "job.requeue", jobId, ...ASKED, hold: false }).decision;
  expect(requeue(1)).toMatchObject({ denial: { code: "NOT_RUNNING", message: "Job is pending execution" } });
  run({ type: "job.allocate", jobId: 2, taskId: null, allocation: share([]) });
  run({ type: "job.allocate", jobId: 3, taskId: null, allocation: share([]) });
  for (const jobId of [2, 3]) expect(requeue(jobId)).toMatchObject({ denial: { code: "DISABLED" } });
});

test("a requeued job that is cancelled while it is cleared keeps its nodes until they confirm", () => {
  const { state, run, job } = cluster();
  run(submit("r1", { request: gpuRequest(1) }));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([0]) });
  run({ type: "job.requeue", jobId: 1, ...ASKED, hold: true });
  run({ type: "job.cancel", jobId: 1, ...ASKED, cause: "" });
  expect(job(1)).toMatchObject({ state: "CANCELLED", cleanup: ["n1"] });
  run({ type: "report.jobCleaned", node: "n1", jobId: 1, attempt: 1 });
  expect(state.nodes.get("n1")?.usage.gpus).toEqual({});
});

test("a job that fails starts again by itself as often as asked, later each time", () => {
  const { run, job, now } = cluster();
  run(submit("r1", { retries: 2, retryWaitS: 0 }));
  for (const attempt of [1, 2, 3]) {
    run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
    run({ type: "report.stepEnded", ...REPORT, key: { ...key, attempt }, exits: [FAIL], clean: true });
  }
  expect(job(1)).toMatchObject({ state: "FAILED", attempt: 3, exit: FAIL });
  run(submit("r2", { retries: 1, retryWaitS: 60 }));
  run({ type: "job.allocate", jobId: 2, taskId: null, allocation: share([]) });
  run({ type: "report.stepEnded", ...REPORT, key: { ...key, jobId: 2 }, exits: [FAIL], clean: true });
  expect(job(2)).toMatchObject({ state: "PENDING", eligibleAt: now() + 60_000, retried: 1 });
});

test("a script that nodes can't start goes back five times in a row; that is no try of its own", () => {
  const { run, job, now } = cluster();
  run(submit("r1", { retries: 1, retryWaitS: 0 }));
  const start = (attempt: number, unlaunched: boolean) => {
    run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
    const end = { key: { ...key, attempt }, exits: [FAIL], clean: true, problem: "no holder", unlaunched };
    run({ type: "report.stepEnded", ...REPORT, ...end });
  };
  const wait = () => run({ type: "job.update", jobId: 1, tasks: null, byUid: 0, changes: { beginAt: now() } } as never);
  start(1, true);
  expect(job(1)).toMatchObject({ state: "PENDING", retried: 0, unlaunched: 1, eligibleAt: now() + 5000 });
  expect(job(1).earlier?.[0]).toMatchObject({
    state: "NODE_FAIL",
    cause: "node n1 could not start it, 1 of 5 times: no holder",
  });
  wait();
  start(2, true);
  wait();
  // One that ran and failed: its own try, and the others are forgotten.
  start(3, false);
  expect(job(1)).toMatchObject({ state: "PENDING", retried: 1 });
  expect(job(1)).not.toHaveProperty("unlaunched");
  for (const attempt of [4, 5, 6, 7]) {
    start(attempt, true);
    wait();
  }
  expect(job(1)).toMatchObject({ state: "PENDING", unlaunched: 4 });
  start(8, true);
  expect(job(1)).toMatchObject({ state: "FAILED", cause: "node n1 could not start it, 5 of 5 times: no holder" });
});

test("a script of a user whom its node does not know goes to other nodes, and is held where there is none", () => {
  const { run, job } = cluster();
  run(submit("r1"));
  const start = (attempt: number, node: string) => {
    run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]).map((one) => ({ ...one, node })) });
    const end = { key: { ...key, attempt }, exits: [FAIL], clean: true, problem: "nobody here", unwelcome: true };
    run({ type: "report.stepEnded", ...REPORT, node, ...end });
  };
  run({ type: "node.register", node: "n2", inventory: inventory() });
  start(1, "n1");
  expect(job(1)).toMatchObject({ state: "PENDING", hold: null, retried: 0, spec: { request: { excluded: ["n1"] } } });
  expect(job(1).earlier?.[0]).toMatchObject({ state: "NODE_FAIL", cause: "nobody here; other nodes are tried" });
  start(2, "n2");
  expect(job(1)).toMatchObject({ state: "PENDING", hold: "user", spec: { request: { excluded: ["n1"] } } });
  expect(job(1).earlier?.[1]?.cause).toMatch(/^nobody here; held: no other node can run it/);
});

test("tasks of an array start as records of their own; the last keeps the array's number", () => {
  const { state, run, job } = cluster();
  run(submit("r1", { array: { tasks: [{ first: 3, last: 5, step: 1 }], limit: 0 } }));
  const start = (taskId: number) => run({ type: "job.allocate", jobId: 1, taskId, allocation: share([]) });
  expect(start(9).decision.kind).toBe("ignore");
  start(3);
  start(5);
  start(4);
  const records = [...(state.arrays.get(1) ?? [])].map((id) => job(id));
  expect(records.map(({ id, state: name, array }) => [id, name, array?.tasks[0]?.first])).toEqual([
    [1, "RUNNING", 4],
    [2, "RUNNING", 3],
    [3, "RUNNING", 5],
  ]);
});

test("100,000 tasks are one record, and some of them can be cancelled or held", () => {
  const { state, run, job } = cluster();
  run(submit("r1", { array: { tasks: [{ first: 0, last: 99_999, step: 1 }], limit: 0 } }));
  expect(state.jobs.size).toBe(1);
  const some = [{ first: 10, last: 19, step: 1 }];
  run({ type: "job.cancel", jobId: 1, tasks: some, byUid: 1000, cause: "" });
  expect(job(2)).toMatchObject({ state: "CANCELLED", array: { jobId: 1, tasks: some } });
  run({ type: "job.hold", jobId: 1, tasks: [{ first: 0, last: 0, step: 1 }], byUid: 1000, hold: "user" });
  expect(job(3)).toMatchObject({ state: "PENDING", hold: "user" });
  expect(job(1)).toMatchObject({
    hold: null,
    array: {
      tasks: [
        { first: 1, last: 9 },
        { first: 20, last: 99_999 },
      ],
    },
  });
  const none = run({ type: "job.cancel", jobId: 1, tasks: some, byUid: 1000, cause: "" });
  expect(none.decision).toMatchObject({ denial: { code: "INVALID_JOB" } });
});

test("a held job waits; what root holds only root releases", () => {
  const { run, job } = cluster();
  run(submit("r1", { hold: true }));
  expect(job(1)).toMatchObject({ hold: "user" });
  expect(run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) }).decision.kind).toBe("ignore");
  run({ type: "job.hold", jobId: 1, ...ASKED, hold: null });
  run({ type: "job.hold", jobId: 1, tasks: null, byUid: 0, hold: "admin" });
  const refused = run({ type: "job.hold", jobId: 1, ...ASKED, hold: null });
  expect(refused.decision).toMatchObject({ denial: { code: "PERMISSION" } });
  run({ type: "job.hold", jobId: 1, tasks: null, byUid: 0, hold: null });
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  expect(run({ type: "job.hold", jobId: 1, ...ASKED, hold: "user" }).decision).toMatchObject({
    denial: { code: "NOT_PENDING", message: "Job is no longer pending execution" },
  });
});

test("time spent suspended does not count towards the limit", () => {
  const { state, run, job, now } = cluster();
  run(submit("r1", { timeLimitS: 60 }));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  const started = now();
  const timer = { kind: "limit" as const, jobId: 1, attempt: 1 };
  const stop = run({ type: "job.suspend", jobId: 1, ...ASKED, suspend: true });
  expect(stop.effects).toContainEqual({ type: "timer.clear", timer });
  expect(stop.effects).toContainEqual({
    ...{ type: "node.signal", node: "n1", jobId: 1, attempt: 1, target: "full", signal: 19 },
  });
  expect(displayState(job(1))).toBe("SUSPENDED");
  expect(step(state, { type: "timer.fire", timer }, started + 61_000).decision.kind).toBe("ignore");
  const resume = step(state, { type: "job.suspend", jobId: 1, ...ASKED, suspend: false }, started + 100_010);
  const moved = { type: "timer.set", timer, at: started + 60_000 + (started + 100_010 - (started + 10)) };
  expect(resume.effects).toContainEqual(moved);
  expect(step(state, { type: "timer.fire", timer }, started + 159_000).decision.kind).toBe("ignore");
  expect(step(state, { type: "timer.fire", timer }, started + 161_000).decision.kind).toBe("accept");
});

test("--signal is sent once, before the limit", () => {
  const { state, run, now } = cluster();
  const signal = { signal: 10, leadS: 20, batchOnly: true, reservation: false };
  run(submit("r1", { timeLimitS: 60, signal }));
  const { effects } = run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  const timer = { kind: "signal" as const, jobId: 1, attempt: 1 };
  const at = now() + 40_000;
  expect(effects).toContainEqual({ type: "timer.set", timer, at });
  expect(step(state, { type: "timer.fire", timer }, at - 1).decision.kind).toBe("ignore");
  const sent = step(state, { type: "timer.fire", timer }, at);
  expect(sent.effects).toEqual([
    { type: "node.signal", node: "n1", jobId: 1, attempt: 1, target: "batch", signal: 10 },
    { type: "watch.notify", jobId: 1 },
  ]);
  expect(step(state, { type: "timer.fire", timer }, at + 5).decision.kind).toBe("ignore");
});

test("steps share a job's GPUs or split them, wait for room, and end with their job", () => {
  const { run, job } = cluster();
  run(submit("r1", { kind: "alloc", request: request({ tasks: 2, gpus: gpuRequest(2).gpus }) }));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: [{ ...must(share([0, 1], 2)[0]), tasks: 2 }] });
  const create = (requestId: string, over: Parameters<typeof stepSpec>[0] = {}) =>
    run({ type: "step.create", jobId: 1, requestId, byUid: 1000, spec: stepSpec(over) });
  const one = gpuRequest(1).gpus;
  expect(create("s0", { gpus: one }).decision).toMatchObject({ kind: "accept", stepId: 0 });
  expect(create("s0", { gpus: one }).decision).toMatchObject({ kind: "ignore", stepId: 0 });
  expect(create("s1", { gpus: one }).decision).toMatchObject({ kind: "accept", stepId: 1 });
  const steps = () => (job(1).state === "PENDING" ? [] : (job(1) as { steps: readonly Step[] }).steps);
  expect(steps().map((one) => one.parts[0]?.gpus.map((gpu) => gpu.index))).toEqual([[0], [1]]);
  expect(create("s2").decision).toMatchObject({ denial: { code: "STEP_BUSY" } });
  expect(create("s3", { overlap: true }).decision).toMatchObject({ kind: "accept", stepId: 2 });
  expect(steps()[2]?.parts[0]?.gpus.length).toBe(2);
  expect(create("s4", { tasks: 3 }).decision).toMatchObject({ denial: { code: "NOT_FEASIBLE" } });
  const stepKey = { jobId: 1, attempt: 1, stepId: 0 };
  run({ type: "report.stepEnded", ...REPORT, key: stepKey, exits: [OK], clean: false });
  expect(steps()[0]).toMatchObject({ state: "COMPLETED" });
  expect(job(1).state).toBe("RUNNING");
  expect(create("s2").decision).toMatchObject({ kind: "accept", stepId: 3 });
  run({ type: "job.complete", jobId: 1, byUid: 1000, exit: OK });
  expect(job(1)).toMatchObject({ state: "COMPLETED", cleanup: ["n1"] });
  run({ type: "report.jobCleaned", node: "n1", jobId: 1, attempt: 1 });
  expect(steps().map(({ state: name, endAt }) => [name, endAt !== null])).toEqual([
    ["COMPLETED", true],
    ["CANCELLED", true],
    ["CANCELLED", true],
    ["CANCELLED", true],
  ]);
});

test("a cancelled step ends alone; its job goes on", () => {
  const { run, job } = cluster();
  run(submit("r1"));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  run({ type: "step.create", jobId: 1, requestId: "s", byUid: 1000, spec: stepSpec() });
  const cancel = { type: "step.cancel", jobId: 1, stepId: 0, byUid: 1000, state: "CANCELLED", cause: "" } as const;
  const { effects } = run(cancel);
  expect(effects).toContainEqual({ type: "node.terminate", node: "n1", jobId: 1, attempt: 1, stepId: 0 });
  expect(run(cancel).decision.kind).toBe("ignore");
  const killed = { code: 0, signal: 15 };
  run({ type: "report.stepEnded", ...REPORT, key: { ...key, stepId: 0 }, exits: [killed], clean: false });
  expect(job(1)).toMatchObject({ state: "RUNNING", steps: [{ id: "batch" }, { id: 0, state: "CANCELLED" }] });
});

test("a job whose program used too much memory ends as OUT_OF_MEMORY", () => {
  const { run, job } = cluster();
  run(submit("r1"));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  const killed = { code: 0, signal: 9 };
  run({ type: "report.stepEnded", ...REPORT, outOfMemory: true, key, exits: [killed], clean: true });
  expect(job(1)).toMatchObject({ state: "OUT_OF_MEMORY", exit: { code: 0, signal: 125 } });
});

test("a job that others depend on is remembered until they have started", () => {
  const { state, run } = cluster();
  run(submit("r1"));
  const terms = [{ type: "afterok", jobId: 1, taskId: null, delayMin: 0 }] as const;
  run(submit("r2", { dependency: { any: false, terms } }));
  run({ type: "job.cancel", jobId: 1, ...ASKED, cause: "" });
  expect(run({ type: "job.purge", jobId: 1 }).decision.kind).toBe("ignore");
  run({ type: "job.cancel", jobId: 2, ...ASKED, cause: "" });
  run({ type: "job.purge", jobId: 1 });
  expect([...state.jobs.keys()]).toEqual([2]);
  const never = [{ type: "afterok", jobId: 99, taskId: null, delayMin: 0 }] as const;
  expect(run(submit("r3", { dependency: { any: false, terms: never } })).decision).toMatchObject({
    denial: { code: "INVALID_DEPENDENCY", message: "Job dependency problem" },
  });
});

test("a running job's limit and a waiting job's wishes can be changed", () => {
  const { run, job, now } = cluster();
  run(submit("r1", { timeLimitS: 60 }));
  run(submit("r2"));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  const started = now();
  const update = (jobId: number, changes: object, byUid = 1000) =>
    run({ type: "job.update", jobId, tasks: null, byUid, changes });
  expect(update(1, { timeLimitS: 30 }).effects).toContainEqual({
    ...{ type: "timer.set", timer: { kind: "limit", jobId: 1, attempt: 1 }, at: started + 30_000 },
  });
  expect(update(1, { timeLimitS: 90 }).decision).toMatchObject({ denial: { code: "PERMISSION" } });
  expect(update(1, { timeLimitS: 90 }, 0).decision.kind).toBe("accept");
  expect(update(1, { partition: "main" }).decision).toMatchObject({ denial: { code: "NOT_PENDING" } });
  update(2, { comment: "mine", nice: 5 });
  expect(job(2).spec).toMatchObject({ comment: "mine", nice: 5 });
  expect(job(2).changed).toMatchObject([{ before: { comment: "", nice: 0 } }]);
  expect(update(2, { partition: "nope" }).decision).toMatchObject({ denial: { code: "INVALID_PARTITION" } });
});

test("of an array only the number of tasks at a time may change, and of any other job nothing of the kind", () => {
  const { run, job } = cluster();
  const tasks = [{ first: 1, last: 5, step: 1 }];
  run(submit("r1"));
  run(submit("r2", { array: { tasks, limit: 0 } }));
  const update = (jobId: number, array: JobSpec["array"]) =>
    run({ type: "job.update", jobId, tasks: null, byUid: 1000, changes: { array } }).decision;
  expect(update(1, { tasks, limit: 2 })).toMatchObject({ denial: { hint: "the job is no array" } });
  expect(update(2, { tasks: [{ first: 1, last: 9, step: 1 }], limit: 2 })).toMatchObject({ kind: "deny" });
  expect(update(2, null)).toMatchObject({ kind: "deny" });
  expect(update(2, { tasks, limit: 2 }).kind).toBe("accept");
  expect(job(2).spec.array).toEqual({ tasks, limit: 2 });
});

test("a step that names a busy node of its job waits for that node", () => {
  const { state, run } = cluster();
  run({ type: "node.register", node: "n2", inventory: inventory() });
  run(submit("r1", { kind: "alloc", request: request({ tasks: 2, nodes: { min: 2, max: 2 } }) }));
  const shares = ["n1", "n2"].map((node) => ({ node, tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] }));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: shares });
  const create = (requestId: string) =>
    run({ type: "step.create", jobId: 1, requestId, byUid: 1000, spec: stepSpec({ nodeList: ["n1"] }) }).decision;
  expect(create("s0")).toMatchObject({ kind: "accept" });
  expect(create("s1")).toMatchObject({ denial: { code: "STEP_BUSY" } });
  expect(state.jobs.get(1)).toMatchObject({ steps: [{ parts: [{ node: "n1" }] }] });
});

test("a step that asks for GPUs of a type and others gets none twice", () => {
  const { run, job } = cluster();
  run(submit("r1", { kind: "alloc", request: gpuRequest(2) }));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([0, 1]) });
  const wishes = [null, "a100"].map((type) => ({ type, thousandths: 1000 }));
  run({
    type: "step.create",
    jobId: 1,
    requestId: "s",
    byUid: 1000,
    spec: stepSpec({ gpus: { per: "node", wishes } }),
  });
  expect(job(1)).toMatchObject({ steps: [{ parts: [{ gpus: [{ index: 0 }, { index: 1 }] }] }] });
});

test("a node that was away hears of a resume, too", () => {
  const { state, run } = cluster();
  run(submit("r1"));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  run({ type: "job.suspend", jobId: 1, ...ASKED, suspend: true });
  run({ type: "job.suspend", jobId: 1, ...ASKED, suspend: false });
  expect(resumeNode(state, "n1")).toContainEqual({
    ...{ type: "node.signal", node: "n1", jobId: 1, attempt: 1, target: "full", signal: 18 },
  });
});

test("a node's jobs that nobody here accounts for are told from those that run or are cleared away", () => {
  const { state, run } = cluster();
  run({ type: "node.register", node: "n2", inventory: inventory() });
  run(submit("r1"));
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation: share([]) });
  const starts = [1, 2].flatMap((jobId) => [1, 2].map((attempt) => ({ jobId, attempt })));
  expect(strangersOn(state, "n1", starts)).toEqual(starts.slice(1));
  expect(strangersOn(state, "n2", starts)).toEqual(starts);
  run({ type: "job.cancel", jobId: 1, tasks: null, byUid: 1000, cause: "" });
  expect(strangersOn(state, "n1", starts)).toEqual(starts.slice(1));
  run({ type: "report.jobCleaned", node: "n1", jobId: 1, attempt: 1 });
  expect(strangersOn(state, "n1", starts)).toEqual(starts);
});

test("the number of a job that runs unknown on a node is not used again", () => {
  const { state, run } = cluster();
  const register = (jobId: number) =>
    run({ type: "node.register", node: "n1", inventory: inventory(), starts: [{ jobId, attempt: 3 }] });
  expect(register(7).decision.kind).toBe("accept");
  expect(state.nextJobId).toBe(8);
  expect(register(7).decision.kind).toBe("ignore");
  expect(register(Number.MAX_SAFE_INTEGER).decision.kind).toBe("ignore");
  expect(run(submit("r1")).decision).toMatchObject({ events: [{ job: { id: 8 } }] });
});

test("only root puts a job before those of others", () => {
  const { run } = cluster();
  run(submit("r1", { user: { uid: 1001, gid: 1001, name: "bob" } }));
  expect(run(submit("r2", { priority: 4_000_000 })).decision).toMatchObject({ denial: { code: "PERMISSION" } });
  expect(run(submit("r3", { nice: -5 })).decision).toMatchObject({ denial: { code: "PERMISSION" } });
  expect(run(submit("r4", { nice: 5 })).decision.kind).toBe("accept");
  expect(run(submit("r5", { nice: -5, user: { uid: 0, gid: 0, name: "root" } })).decision.kind).toBe("accept");
});

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("missing");
  return value;
}
