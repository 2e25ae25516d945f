import { describe, expect, test } from "vitest";
import type { Command } from "../../../src/core/commands.ts";
import { componentAt, componentsOf } from "../../../src/core/het.ts";
import { checkInvariants } from "../../../src/core/invariants.ts";
import type { Job } from "../../../src/core/job.ts";
import type { JobKind, JobSpec } from "../../../src/core/jobspec.ts";
import { type Outcome, replay, step } from "../../../src/core/kernel.ts";
import type { Allocation } from "../../../src/core/resources.ts";
import { emptyState } from "../../../src/core/state.ts";
import { gpuRequest, inventory, request, spec, stepSpec, T0 } from "../support/samples.ts";

/** A cluster of two nodes with a heterogeneous job: component 0 on n1, component 1 on n1 and n2. */
function cluster(kind: JobKind = "batch", over: Partial<JobSpec> = {}, second: Partial<JobSpec> = {}) {
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
  for (const node of ["n1", "n2"]) run({ type: "node.register", node, inventory: inventory() });
  const specs = [
    spec({ kind, request: gpuRequest(1), ...over }),
    spec({ kind, request: request({ tasks: 3 }), ...over, ...second }),
  ] as const;
  const submit = (): Outcome => run({ type: "job.submit", requestId: "h", spec: specs[0], followers: [specs[1]] });
  const start = (): Outcome => run({ type: "job.allocate", jobId: 1, taskId: null, ...PLAN });
  const job = (id: number): Job => {
    const found = state.jobs.get(id);
    if (!found) throw new Error(`no job ${id}`);
    return found;
  };
  const states = (): string[] => [...state.jobs.values()].map((one) => one.state);
  return { state, records, run, submit, start, job, states, now: () => now };
}

const share = (node: string, tasks: number) => ({ node, tasks, cpus: tasks, memoryMiB: 0, gpus: [] });
const gpu = { index: 0, uuid: "GPU-0", type: "a100", thousandths: 1000 };
const FIRST: Allocation = [{ ...share("n1", 1), gpus: [gpu] }];
const SECOND: Allocation = [share("n1", 1), share("n2", 2)];
const PLAN = { allocation: FIRST, followers: [{ jobId: 2, allocation: SECOND }] };

const asked = { tasks: null, byUid: 1000 };
const cancel = (jobId: number): Command => ({ type: "job.cancel", jobId, ...asked, cause: "" });

function scriptEnds(code: number): Command {
  const key = { jobId: 1, attempt: 1, stepId: "batch" as const };
  const exits = [{ code, signal: 0 }];
  return { type: "report.stepEnded", node: "n1", key, exits, problem: "", clean: true, outOfMemory: false };
}

describe("submission", () => {
  test("components get numbers in a row, in one record, and know their places", () => {
    const { submit, state, job, records, run } = cluster();
    expect(submit().decision).toMatchObject({ kind: "accept", jobId: 1 });
    expect(records.at(-1)?.events.map(({ type }) => type)).toEqual(["job.submitted", "job.submitted"]);
    expect(job(1).spec.het).toEqual({ offset: 0, size: 2 });
    expect(job(2).spec.het).toEqual({ offset: 1, size: 2 });
    expect(componentsOf(state, job(2)).map(({ id }) => id)).toEqual([1, 2]);
    expect(componentAt(state, 1, 1)?.id).toBe(2);
    expect(componentAt(state, 2, 0)).toBeUndefined();
    expect(submit().decision).toMatchObject({ kind: "ignore", jobId: 1 });
    expect(run({ type: "job.submit", requestId: "p", spec: spec() }).decision).toMatchObject({ jobId: 3 });
    expect(job(3).spec.het).toBeNull();
  });

  test("one impossible component refuses all, and is named", () => {
    const { submit, state } = cluster("batch", {}, { request: gpuRequest(99) });
    const { decision } = submit();
    expect(decision).toMatchObject({ kind: "deny", denial: { code: "NOT_FEASIBLE" } });
    expect(decision.kind === "deny" && decision.denial.hint).toMatch(/^component 1: .*99 GPUs/);
    expect(state.jobs.size).toBe(0);
  });

  test("only records that know their place in it, and of the same user, belong to a job", () => {
    const { submit, state, job, run } = cluster();
    submit();
    run({ type: "job.submit", requestId: "p", spec: spec() });
    const forged = {
      ...job(3),
      spec: spec({ het: { offset: 2, size: 4e9 }, user: { uid: 1001, gid: 1, name: "eve" } }),
    };
    expect(componentsOf({ jobs: new Map(state.jobs).set(3, forged) }, forged)).toEqual([forged]);
    const astray = { ...job(3), spec: spec({ het: { offset: 1, size: 3 } }) };
    expect(componentsOf({ jobs: new Map(state.jobs).set(3, astray) }, job(1)).map(({ id }) => id)).toEqual([1, 2]);
  });

  test("no arrays", () => {
    const { submit } = cluster("batch", { array: { tasks: [{ first: 0, last: 1, step: 1 }], limit: 0 } });
    expect(submit().decision).toMatchObject({
      denial: { code: "INVALID_ARRAY", message: "Invalid job array specification" },
    });
  });
});

describe("the start", () => {
  test("all components at once; the script runs in the first only", () => {
    const { submit, start, job, states, records } = cluster();
    submit();
    const { effects } = start();
    expect(records.at(-1)?.events.map(({ type }) => type)).toEqual(["job.allocated", "job.allocated"]);
    expect(states()).toEqual(["RUNNING", "RUNNING"]);
    expect(job(2)).toMatchObject({ steps: [], nextStepId: 0 });
    expect(effects.filter(({ type }) => type === "node.launch")).toHaveLength(1);
  });

  test("a plan for some of the components, or one that no longer fits, starts none", () => {
    const { submit, run, states } = cluster();
    submit();
    const part = run({ type: "job.allocate", jobId: 1, taskId: null, allocation: FIRST });
    expect(part.decision).toMatchObject({ kind: "ignore" });
    expect(run({ type: "job.allocate", jobId: 2, taskId: null, allocation: SECOND }).decision.kind).toBe("ignore");
    const greedy = [{ jobId: 2, allocation: [{ ...share("n1", 3), gpus: [gpu] }] }];
    const twice = run({ type: "job.allocate", jobId: 1, taskId: null, allocation: FIRST, followers: greedy });
    expect(twice.decision).toMatchObject({ denial: { message: "n1: GPU 0 is taken" } });
    expect(states()).toEqual(["PENDING", "PENDING"]);
  });

  test("srun's tasks are numbered through all components", () => {
    const { submit, start, job } = cluster("run");
    submit();
    start();
    const steps = [job(1), job(2)].map((one) => (one.state === "RUNNING" ? one.steps[0] : undefined));
    expect(steps.map((one) => one?.parts.map((part) => part.tasks))).toEqual([[[0]], [[1], [2, 3]]]);
    expect(steps[1]?.het).toEqual({ jobIds: [1, 2], firstTask: 1, tasks: 4 });
  });
});

describe("the end", () => {
  test.each([
    [0, "COMPLETED"],
    [3, "FAILED"],
  ] as const)("a script that exits with %i ends all components as %s", (code, state) => {
    const { submit, start, run, states, job } = cluster();
    submit();
    start();
    const { effects } = run(scriptEnds(code));
    expect(states()).toEqual([state, state]);
    expect(job(2)).toMatchObject({ exit: { code, signal: 0 }, cleanup: ["n1", "n2"] });
    const told = effects.flatMap((one) => (one.type === "node.terminate" ? [`${one.node} ${one.jobId}`] : []));
    expect(told).toEqual(["n1 2", "n2 2"]);
  });

  test("srun's components end each for itself", () => {
    const { submit, start, run, states } = cluster("run");
    submit();
    start();
    const key = { jobId: 1, attempt: 1, stepId: 0 };
    const exits = [{ code: 0, signal: 0 }];
    run({ type: "report.stepEnded", node: "n1", key, exits, problem: "", clean: true, outOfMemory: false });
    expect(states()).toEqual(["COMPLETED", "RUNNING"]);
    expect(run(cancel(2)).decision.kind).toBe("accept");
  });

  test("srun's components are tried again together or not at all: a waiting one never starts alone", () => {
    const fails = (jobId: number, node: string, tasks: number): Command => {
      const key = { jobId, attempt: 1, stepId: 0 };
      const exits = Array.from({ length: tasks }, () => ({ code: 1, signal: 0 }));
      return { type: "report.stepEnded", node, key, exits, problem: "", clean: true, outOfMemory: false };
    };
    const left = cluster("run", { retries: 1 });
    left.submit();
    left.start();
    left.run({ ...fails(1, "n1", 1), exits: [{ code: 0, signal: 0 }] } as Command);
    left.run(fails(2, "n1", 1));
    left.run(fails(2, "n2", 2));
    expect(left.states()).toEqual(["COMPLETED", "FAILED"]);
    const whole = cluster("run", { retries: 1 });
    whole.submit();
    whole.start();
    whole.run(fails(2, "n1", 1));
    whole.run(fails(2, "n2", 2));
    expect(whole.states()).toEqual(["PENDING", "PENDING"]);
  });

  test("once the first component is over, those left are steered one by one", () => {
    const { submit, start, run, job } = cluster("run");
    submit();
    start();
    const suspend = (jobId: number): Outcome => run({ type: "job.suspend", jobId, ...asked, suspend: true });
    expect(suspend(2).decision).toMatchObject({ denial: { code: "NOT_WHOLE" } });
    const key = { jobId: 1, attempt: 1, stepId: 0 };
    const exits = [{ code: 0, signal: 0 }];
    run({ type: "report.stepEnded", node: "n1", key, exits, problem: "", clean: true, outOfMemory: false });
    expect(suspend(2).decision).toMatchObject({ kind: "accept" });
    expect(job(2)).toMatchObject({ state: "RUNNING", suspendedAt: expect.any(Number) });
  });

  test("cancelling: the whole by its number; a component only once it runs", () => {
    const waiting = cluster();
    waiting.submit();
    expect(waiting.run(cancel(2)).decision).toMatchObject({ denial: { code: "NOT_WHOLE" } });
    waiting.run(cancel(1));
    expect(waiting.states()).toEqual(["CANCELLED", "CANCELLED"]);
    const running = cluster();
    running.submit();
    running.start();
    running.run(cancel(2));
    expect(running.states()).toEqual(["RUNNING", "CANCELLED"]);
    running.run(cancel(1));
    expect(running.states()).toEqual(["CANCELLED", "CANCELLED"]);
  });

  test("time limits: a component's own is its own end, the first one's is the end of all", () => {
    const { submit, start, run, states } = cluster("batch", { timeLimitS: 0 }, { timeLimitS: 1 });
    submit();
    start();
    const ring = (jobId: number): Outcome => run({ type: "timer.fire", timer: { kind: "limit", jobId, attempt: 1 } });
    for (let i = 0; i < 101; i++) ring(2);
    expect(states()).toEqual(["RUNNING", "TIMEOUT"]);
    const whole = cluster("batch", { timeLimitS: 1 }, { timeLimitS: 0 });
    whole.submit();
    whole.start();
    for (let i = 0; i < 101; i++) {
      whole.run({ type: "timer.fire", timer: { kind: "limit", jobId: 1, attempt: 1 } });
    }
    expect(whole.states()).toEqual(["TIMEOUT", "TIMEOUT"]);
  });

  test("an allocation that is given back gives all components back", () => {
    const { submit, start, run, states } = cluster("alloc");
    submit();
    start();
    run({ type: "job.complete", jobId: 1, byUid: 1000, exit: { code: 0, signal: 0 } });
    expect(states()).toEqual(["COMPLETED", "COMPLETED"]);
  });
});

describe("steering", () => {
  test("hold and release: the whole, or one component, which keeps all waiting", () => {
    const { submit, run, job, start, states } = cluster();
    submit();
    const hold = (jobId: number, word: "user" | null): Outcome =>
      run({ type: "job.hold", jobId, ...asked, hold: word });
    const held = () => [job(1), job(2)].map((one) => one.state === "PENDING" && one.hold);
    hold(2, "user");
    expect(held()).toEqual([null, "user"]);
    expect(start().decision.kind).toBe("ignore");
    expect(states()).toEqual(["PENDING", "PENDING"]);
    hold(1, "user");
    expect(held()).toEqual(["user", "user"]);
    hold(1, null);
    expect(held()).toEqual([null, null]);
  });

  test("requeue: all start again together, and never one alone", () => {
    const { submit, run, start, states, job } = cluster();
    submit();
    start();
    expect(run({ type: "job.requeue", jobId: 2, ...asked, hold: false }).decision).toMatchObject({
      denial: { code: "NOT_WHOLE" },
    });
    run({ type: "job.requeue", jobId: 1, ...asked, hold: false });
    expect(states()).toEqual(["PENDING", "PENDING"]);
    for (const [jobId, node] of [
      [1, "n1"],
      [2, "n1"],
      [2, "n2"],
    ] as const) {
      run({ type: "report.jobCleaned", node, jobId, attempt: 1 });
    }
    start();
    expect([job(1), job(2)].map(({ attempt, state }) => `${state} ${attempt}`)).toEqual(["RUNNING 2", "RUNNING 2"]);
  });

  test("a lost script starts all again; suspending is for all", () => {
    const { submit, run, start, states, job } = cluster();
    submit();
    start();
    const suspend = (jobId: number): Outcome => run({ type: "job.suspend", jobId, ...asked, suspend: true });
    expect(suspend(2).decision).toMatchObject({ denial: { code: "NOT_WHOLE" } });
    suspend(1);
    expect([job(1), job(2)].every((one) => one.state === "RUNNING" && one.suspendedAt !== null)).toBe(true);
    const key = { jobId: 1, attempt: 1, stepId: "batch" as const };
    run({ type: "report.stepLost", node: "n1", key, cause: "lost" });
    expect(states()).toEqual(["PENDING", "PENDING"]);
  });
});

describe("steps over several components", () => {
  const create = (run: (command: Command) => Outcome, name: string, overlap = false): Outcome =>
    run({
      ...{ type: "step.create", jobId: 1, requestId: name, byUid: 1000, spec: stepSpec({ tasks: 1, overlap }) },
      others: [{ jobId: 2, spec: stepSpec({ tasks: 3, overlap }) }],
    });

  test("one number, tasks counted through, made together or not at all", () => {
    const { submit, start, run, job, records, state } = cluster();
    submit();
    start();
    run({ type: "step.create", jobId: 2, requestId: "own", byUid: 1000, spec: stepSpec({ tasks: 1, overlap: true }) });
    expect(create(run, "a").decision).toMatchObject({ kind: "accept", stepId: 1 });
    const steps = [job(1), job(2)].map((one) =>
      one.state === "RUNNING" ? one.steps.find(({ id }) => id === 1) : null,
    );
    expect(steps.map((one) => one?.parts.flatMap((part) => part.tasks))).toEqual([[0], [1, 2, 3]]);
    expect(steps.map((one) => one?.het?.tasks)).toEqual([4, 4]);
    expect(create(run, "a").decision).toMatchObject({ kind: "ignore", stepId: 1 });
    expect(create(run, "b").decision).toMatchObject({ denial: { code: "STEP_BUSY" } });
    expect(job(1)).toMatchObject({ nextStepId: 2 });
    const again = emptyState();
    replay(again, records);
    expect(again).toEqual(state);
  });

  test("a component that is over takes part in none", () => {
    const { submit, start, run } = cluster();
    submit();
    start();
    run(cancel(2));
    expect(create(run, "a").decision).toMatchObject({ denial: { code: "JOB_FINISHED" } });
  });
});

describe("a node that is set down", () => {
  const down = (nodes: string[], away: string[] = []): Command => {
    const changes = { state: "DOWN", reason: "dead" } as const;
    return { type: "nodes.update", nodes, changes, by: { uid: 0, name: "root" }, away };
  };
  test.each([[["n1"]], [["n2"]], [["n1", "n2"]]])("%s sends all components back to the queue together", (nodes) => {
    const { submit, start, run, states, records } = cluster();
    submit();
    start();
    run(down(nodes));
    expect(states()).toEqual(["PENDING", "PENDING"]);
    expect(records.at(-1)?.events.filter(({ type }) => type === "job.requeued")).toHaveLength(2);
  });
  test("takes the others with the first one if that can't start again, each once", () => {
    const { submit, start, run, states, job } = cluster("batch", { requeue: false });
    submit();
    start();
    run(down(["n1"], ["n1"]));
    expect(states()).toEqual(["NODE_FAIL", "NODE_FAIL"]);
    expect(job(1)).toMatchObject({ cleanup: [] });
    expect(job(2)).toMatchObject({ cleanup: ["n2"] });
  });
  test("whether it starts again is the first one's to say", () => {
    const { submit, start, run, states } = cluster("batch", {}, { requeue: false });
    submit();
    start();
    run(down(["n2"]));
    expect(states()).toEqual(["PENDING", "PENDING"]);
  });
});

describe("a heterogeneous job that is over", () => {
  const requeue = (jobId: number): Command => ({ type: "job.requeue", jobId, ...asked, hold: false });
  test("starts again as a whole", () => {
    const { submit, start, run, states, job } = cluster();
    submit();
    start();
    run(scriptEnds(3));
    expect(states()).toEqual(["FAILED", "FAILED"]);
    expect(run(requeue(2)).decision).toMatchObject({ denial: { hint: expect.stringContaining("requeue 1") } });
    run(requeue(1));
    expect(states()).toEqual(["PENDING", "PENDING"]);
    run({ type: "report.jobCleaned", node: "n1", jobId: 2, attempt: 1 });
    run({ type: "report.jobCleaned", node: "n2", jobId: 2, attempt: 1 });
    start();
    expect(states()).toEqual(["RUNNING", "RUNNING"]);
    expect([1, 2].map((id) => (job(id) as { attempt: number }).attempt)).toEqual([2, 2]);
  });
  test("does not once a part of it has left memory", () => {
    const { submit, start, run, states } = cluster();
    submit();
    start();
    run(scriptEnds(0));
    for (const node of ["n1", "n2"]) run({ type: "report.jobCleaned", node, jobId: 2, attempt: 1 });
    run({ type: "job.purge", jobId: 2 });
    expect(states()).toHaveLength(1);
    expect(run(requeue(1)).decision).toMatchObject({ denial: { hint: expect.stringContaining("left memory") } });
  });
});
