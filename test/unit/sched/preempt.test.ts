/** Who makes room for whom, and what becomes of them. */

import { describe, expect, test } from "vitest";
import { viewOf } from "../../../src/controller/planner.ts";
import type { Command } from "../../../src/core/commands.ts";
import { checkInvariants } from "../../../src/core/invariants.ts";
import { displayState } from "../../../src/core/job.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { step } from "../../../src/core/kernel.ts";
import type { Qos } from "../../../src/core/policy/records.ts";
import { emptyState } from "../../../src/core/state.ts";
import { EASY, type PreemptionPolicy, type SchedulerPolicy } from "../../../src/sched/policy.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { partitionPreemptMode } from "../../../src/sched/victims.ts";
import { gpuRequest, inventory, spec, submit, T0 } from "../support/samples.ts";

const QOS: PreemptionPolicy = { by: "qos", mode: "requeue", exemptS: 0 };

function qos(id: number, name: string, over: Partial<Qos> = {}): Qos {
  return {
    ...{ id, name, description: "", priority: 0, flags: [], graceTimeS: 0, preempt: [], preemptMode: "cluster" },
    ...{ usageFactor: 1, limits: {} },
    ...over,
  };
}

/** A node of 4 GPUs. */
function cluster(preemption: PreemptionPolicy, low: Partial<Qos> = {}) {
  const state = emptyState();
  const policy: SchedulerPolicy = { ...EASY, preemption };
  let now = T0;
  const orders: string[] = [];
  const run = (command: Command): void => {
    const { decision, effects } = step(state, command, now);
    if (decision.kind === "deny") throw new Error(JSON.stringify(decision));
    for (const one of effects) if (one.type === "node.signal") orders.push(`${one.jobId}:${one.signal}`);
    expect(checkInvariants(state)).toEqual([]);
  };
  run({ type: "node.register", node: "n1", inventory: inventory() });
  const records = [qos(1, "low", low), qos(2, "high", { preempt: ["low"] })];
  run({
    ...{ type: "policy.change", version: 0, byName: "root", isOwner: true },
    changes: records.map((record) => ({ put: "qos", record })),
  });
  const pass = (): string[] => {
    const plan = schedule(
      viewOf(state, () => true, now, { policy }),
      now,
      policy,
    );
    for (const start of plan.starts) run({ type: "job.allocate", ...start });
    for (const one of plan.preemptions) run({ type: "job.preempt", ...one });
    for (const jobId of plan.resumes) run({ type: "job.suspend", jobId, tasks: null, byUid: 0, suspend: false });
    return [
      ...plan.starts.map(({ jobId }) => `start ${jobId}`),
      ...plan.preemptions.map(({ jobId, mode }) => `${mode} ${jobId}`),
    ].concat(plan.resumes.map((id) => `resume ${id}`));
  };
  const add = (count: number, over: Partial<JobSpec> = {}): number => {
    run(submit(`r${state.nextJobId}`, { request: gpuRequest(count), timeLimitS: 600, ...over }));
    return state.nextJobId - 1;
  };
  const clean = (jobId: number): void => {
    const job = state.jobs.get(jobId);
    run({ type: "report.jobCleaned", node: "n1", jobId, attempt: job?.attempt ?? 0 });
  };
  const end = (jobId: number): void => {
    const job = state.jobs.get(jobId);
    const key = { jobId, attempt: job?.attempt ?? 0, stepId: "batch" } as const;
    const exits = [{ code: 0, signal: 0 }];
    run({ type: "report.stepEnded", node: "n1", key, exits, problem: "", clean: true, outOfMemory: false });
  };
  return {
    ...{ state, run, pass, add, clean, end, orders },
    stateOf: (id: number) => {
      const job = state.jobs.get(id);
      return job && displayState(job);
    },
    wait: (seconds: number) => {
      now += seconds * 1000;
    },
  };
}

const LOW = { qos: "low" };
const HIGH = { qos: "high" };

describe("by QOS", () => {
  test("the youngest that will do goes back into the queue; the other starts when its room is clear", () => {
    const { add, pass, wait, stateOf, clean, state } = cluster(QOS);
    for (let job = 0; job < 4; job++) {
      add(1, LOW);
      pass();
      wait(1);
    }
    const first = add(2, HIGH);
    expect(pass()).toEqual(["requeue 4", "requeue 3"]);
    expect([stateOf(1), stateOf(2), stateOf(3), stateOf(4)]).toEqual(["RUNNING", "RUNNING", "PENDING", "PENDING"]);
    expect(state.jobs.get(3)?.earlier?.[0]).toMatchObject({ state: "PREEMPTED", cause: `preempted for job ${first}` });
    expect(pass()).toEqual([]);
    clean(3);
    expect(pass()).toEqual([]);
    clean(4);
    expect(pass()).toEqual([`start ${first}`]);
  });
  test("as few as will do: one large rather than two small, where the large one comes anyway", () => {
    const { add, pass, wait } = cluster(QOS);
    for (const count of [1, 1, 2]) {
      add(count, LOW);
      pass();
      wait(1);
    }
    add(2, HIGH);
    expect(pass()).toEqual(["requeue 3"]);
  });
  test("nobody of the same QOS, nobody in vain, nobody before the exempt time", () => {
    const same = cluster(QOS);
    same.add(4, HIGH);
    same.pass();
    same.add(1, HIGH);
    expect(same.pass()).toEqual([]);
    const vain = cluster(QOS);
    vain.add(2, HIGH);
    vain.add(2, LOW);
    vain.pass();
    vain.add(4, HIGH);
    expect(vain.pass()).toEqual([]);
    const young = cluster({ ...QOS, exemptS: 60 });
    young.add(4, LOW);
    young.pass();
    young.wait(59);
    young.add(1, HIGH);
    expect(young.pass()).toEqual([]);
    young.wait(1);
    expect(young.pass()).toEqual(["requeue 1"]);
  });
  test("what can't start again is ended", () => {
    const { add, pass, stateOf, clean } = cluster(QOS);
    add(4, { ...LOW, requeue: false });
    pass();
    add(1, HIGH);
    expect(pass()).toEqual(["cancel 1"]);
    expect(stateOf(1)).toBe("COMPLETING");
    clean(1);
    expect(stateOf(1)).toBe("PREEMPTED");
    expect(pass()).toEqual(["start 2"]);
  });
  test("its QOS says what becomes of it", () => {
    const off = cluster(QOS, { preemptMode: "off" });
    off.add(4, LOW);
    off.pass();
    off.add(1, HIGH);
    expect(off.pass()).toEqual([]);
  });
  test("the grace time: it is told, and ended later; nobody else has to go meanwhile", () => {
    const { add, pass, run, wait, stateOf, orders } = cluster(QOS, { graceTimeS: 30, preemptMode: "cancel" });
    add(2, LOW);
    add(2, LOW);
    pass();
    add(1, HIGH);
    expect(pass()).toEqual(["cancel 2"]);
    expect(orders).toEqual(["2:18", "2:15"]);
    expect([stateOf(1), stateOf(2)]).toEqual(["RUNNING", "RUNNING"]);
    expect(pass()).toEqual([]);
    const timer = { kind: "preempt", jobId: 2, attempt: 1 } as const;
    wait(29);
    run({ type: "timer.fire", timer });
    expect(stateOf(2)).toBe("RUNNING");
    wait(1);
    run({ type: "timer.fire", timer });
    expect(stateOf(2)).toBe("COMPLETING");
  });
});

describe("suspension", () => {
  const SUSPEND: PreemptionPolicy = { ...QOS, mode: "suspend" };
  test("it goes on when the other is over, before those that came later", () => {
    const { add, pass, stateOf, end, wait, state } = cluster(SUSPEND);
    add(4, LOW);
    pass();
    const other = add(2, HIGH);
    expect(pass()).toEqual(["suspend 1"]);
    expect(stateOf(1)).toBe("SUSPENDED");
    // What it held is free, and all of it for the other.
    expect(pass()).toEqual([`start ${other}`]);
    const later = add(2, { ...LOW, timeLimitS: 6000 });
    expect(pass()).toEqual([]);
    wait(10);
    end(other);
    expect(pass()).toEqual(["resume 1"]);
    expect([stateOf(1), stateOf(later)]).toEqual(["RUNNING", "PENDING"]);
    expect(state.jobs.get(1)).toMatchObject({ suspendedMs: 10_000 });
    end(1);
    expect(pass()).toEqual([`start ${later}`]);
  });
  test("nobody can have it go on while its room is taken; its end frees nothing twice", () => {
    const { add, pass, run, clean, state } = cluster(SUSPEND);
    add(4, LOW);
    pass();
    add(4, HIGH);
    pass();
    pass();
    const resume = { type: "job.suspend", jobId: 1, tasks: null, byUid: 0, suspend: false } as const;
    expect(() => run(resume)).toThrow(/made room for job 2/);
    run({ type: "job.cancel", jobId: 1, tasks: null, byUid: 0, cause: "" });
    expect(state.nodes.get("n1")?.usage.gpus).toEqual({ 0: 1000, 1: 1000, 2: 1000, 3: 1000 });
    clean(1);
    expect(pass()).toEqual([]);
  });
});

test("by partition: those of a lower tier, where their partition allows it", () => {
  const { add, pass, run } = cluster({ ...QOS, by: "partition" });
  run({ type: "partition.create", name: "urgent", changes: { priorityTier: 9, nodes: ["n1"] } });
  run({ type: "partition.update", name: "main", changes: { graceTimeS: 0 } });
  add(4, { ...LOW, partition: "main" });
  pass();
  add(1, { ...LOW, partition: "urgent" });
  expect(pass()).toEqual([]);
  run({ type: "partition.update", name: "main", changes: { preemptMode: "cluster" } });
  expect(pass()).toEqual(["requeue 1"]);
});

describe("heterogeneous jobs", () => {
  const het = (run: (command: Command) => void, counts: readonly number[], over: Partial<JobSpec>): void => {
    const [first, ...followers] = counts.map((count) => spec({ request: gpuRequest(count), timeLimitS: 600, ...over }));
    run({ type: "job.submit", requestId: `h${counts.join()}${over.qos}`, spec: first ?? spec(), followers });
  };
  test("one is preempted as a whole, and starts again as a whole", () => {
    const { run, add, pass, clean, end, stateOf } = cluster(QOS);
    het(run, [1, 2], LOW);
    expect(pass()).toEqual(["start 1"]);
    const other = add(2, HIGH);
    expect(pass()).toEqual(["requeue 1"]);
    expect([stateOf(1), stateOf(2)]).toEqual(["PENDING", "PENDING"]);
    // Nobody else goes for the same wish.
    expect(pass()).toEqual([]);
    clean(1);
    clean(2);
    expect(pass()).toEqual([`start ${other}`]);
    end(other);
    expect(pass()).toEqual(["start 1"]);
    expect([stateOf(1), stateOf(2)]).toEqual(["RUNNING", "RUNNING"]);
  });
  test("where others are suspended it is put back, since its components could not go on together", () => {
    const { run, add, pass } = cluster({ ...QOS, mode: "suspend" });
    het(run, [1, 2], LOW);
    pass();
    add(2, HIGH);
    expect(pass()).toEqual(["requeue 1"]);
  });
  test("one whose components are not all of the QOS stays", () => {
    const { run, add, pass } = cluster(QOS);
    const parts = [spec({ request: gpuRequest(1), ...LOW }), spec({ request: gpuRequest(2), ...HIGH })];
    run({ type: "job.submit", requestId: "mixed", spec: parts[0] ?? spec(), followers: parts.slice(1) });
    pass();
    add(2, HIGH);
    expect(pass()).toEqual([]);
  });
  test("others make room for all of its components at once, as few as will do", () => {
    const { run, add, pass, wait, clean, stateOf } = cluster(QOS);
    for (const count of [1, 1, 2]) {
      add(count, LOW);
      pass();
      wait(1);
    }
    het(run, [1, 2], HIGH);
    expect(pass().sort()).toEqual(["requeue 2", "requeue 3"]);
    clean(2);
    expect(pass()).toEqual([]);
    clean(3);
    expect(pass()).toEqual(["start 4"]);
    expect([stateOf(1), stateOf(4), stateOf(5)]).toEqual(["RUNNING", "RUNNING", "RUNNING"]);
  });
  test("--time-min is refused: each component starts with its own limit", () => {
    const { run } = cluster(QOS);
    expect(() => het(run, [1, 1], { timeMinS: 60 })).toThrow(/the time limit that each asks for/);
  });
});

test("what partitions are said to do with their jobs is what is done", () => {
  const { state, run } = cluster(QOS);
  const main = () => state.partitions.get("main") ?? {};
  expect(partitionPreemptMode(state, QOS, main())).toBe("requeue");
  expect(partitionPreemptMode(emptyState(), QOS, main())).toBe("off");
  expect(partitionPreemptMode(state, undefined, main())).toBe("off");
  const by: PreemptionPolicy = { ...QOS, by: "partition" };
  expect(partitionPreemptMode(state, by, main())).toBe("off");
  run({ type: "partition.update", name: "main", changes: { preemptMode: "cluster" } });
  expect(partitionPreemptMode(state, by, main())).toBe("requeue");
  run({ type: "partition.update", name: "main", changes: { preemptMode: "suspend" } });
  expect(partitionPreemptMode(state, by, main())).toBe("suspend");
});
