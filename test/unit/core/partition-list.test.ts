/** Jobs that may start in one of several partitions. */

import { describe, expect, test } from "vitest";
import { viewOf } from "../../../src/controller/planner.ts";
import { partitionName, selectJobs } from "../../../src/controller/select.ts";
import type { Command, PartitionChanges } from "../../../src/core/commands.ts";
import { checkInvariants } from "../../../src/core/invariants.ts";
import type { Job } from "../../../src/core/job.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { type Outcome, step } from "../../../src/core/kernel.ts";
import { emptyState } from "../../../src/core/state.ts";
import { gateOf } from "../../../src/sched/eligible.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { inventory, request, spec, submit, T0 } from "../support/samples.ts";

function cluster() {
  const state = emptyState();
  let now = T0;
  const run = (command: Command): Outcome => {
    now += 10;
    const outcome = step(state, command, now);
    expect(checkInvariants(state)).toEqual([]);
    return outcome;
  };
  for (const node of ["n1", "n2", "n3"]) run({ type: "node.register", node, inventory: inventory() });
  const set = (name: string, changes: PartitionChanges): void => {
    const type = state.partitions.has(name) ? "partition.update" : "partition.create";
    expect(run({ type, name, changes }).decision.kind).toBe("accept");
  };
  set("a", { nodes: ["n1"] });
  set("b", { nodes: ["n2"] });
  let count = 0;
  const add = (partitions: readonly string[], over: Partial<JobSpec> = {}, isEnforced = false) => {
    count += 1;
    const spec = { partition: partitions[0] ?? null, partitions, request: request({ cpusPerTask: 8 }), ...over };
    return run({ ...submit(`r${count}`, spec), ...(isEnforced ? { isEnforced } : {}) }).decision;
  };
  const plan = () => {
    const view = viewOf(state, () => true, now);
    return schedule(view, now);
  };
  const pass = (): string[] => {
    const { starts } = plan();
    for (const start of starts) expect(run({ type: "job.allocate", ...start }).decision.kind).toBe("accept");
    return starts.map(({ jobId, allocation }) => `${jobId}:${allocation.map(({ node }) => node)}`);
  };
  const job = (id: number): Job => {
    const found = state.jobs.get(id);
    if (!found) throw new Error(`no job ${id}`);
    return found;
  };
  const partition = (id: number): string => partitionName(state, job(id));
  const reason = (id: number): string => {
    const found = job(id);
    if (found.state !== "PENDING") return "";
    return gateOf(state, now).waitReason(found)?.reason.word ?? plan().reasons.get(id)?.word ?? "Priority";
  };
  return { state, run, set, add, pass, job, partition, reason };
}

describe("at submission", () => {
  test("every name must be one that there is, and let the job in", () => {
    const { add, set } = cluster();
    expect(add(["a", "zz"])).toMatchObject({ denial: { message: "invalid partition specified: zz" } });
    set("b", { state: "INACTIVE" });
    const words = "Required partition not available (inactive or drain)";
    expect(add(["a", "b"])).toMatchObject({ denial: { message: words } });
  });
  test("one that can hold the job is enough", () => {
    const { add, set } = cluster();
    set("a", { maxTimeS: 60 });
    expect(add(["a", "b"], { timeLimitS: 600 }, true).kind).toBe("accept");
    set("b", { maxTimeS: 60 });
    const message = "Requested time limit is invalid (missing or exceeds some limit)";
    expect(add(["a", "b"], { timeLimitS: 600 }, true)).toMatchObject({ denial: { message } });
    expect(add(["a", "b"], { request: request({ nodeList: ["n2"] }) }).kind).toBe("accept");
    expect(add(["a", "b"], { request: request({ nodeList: ["n3"] }) }).kind).toBe("deny");
  });
});

describe("starts", () => {
  test("in the order listed, and the record shows where", () => {
    const { add, pass, partition } = cluster();
    for (let count = 0; count < 3; count += 1) add(["b", "a"]);
    expect(partition(1)).toBe("b,a");
    expect(pass()).toEqual(["1:n2", "2:n1"]);
    expect([1, 2, 3].map(partition)).toEqual(["b", "a", "b,a"]);
  });
  test("in the higher PriorityTier first, before jobs of a lower one", () => {
    const { add, set, pass } = cluster();
    set("a", { priorityTier: 5 });
    add(["main"], { request: request({ cpusPerTask: 8, nodeList: ["n1"] }) });
    add(["b", "a"]);
    expect(pass()).toEqual(["2:n1"]);
  });
  test("where the partition's limits and its state let it", () => {
    const { add, set, pass, partition, reason } = cluster();
    set("a", { maxTimeS: 60 });
    add(["a", "b"], { timeLimitS: 600 });
    expect(pass()).toEqual(["1:n2"]);
    set("b", { state: "DOWN" });
    add(["b", "a"], { timeLimitS: 30 });
    expect(pass()).toEqual(["2:n1"]);
    expect(partition(2)).toBe("a");
    add(["a", "b"], { timeLimitS: 600 });
    expect([pass(), reason(3)]).toEqual([[], "PartitionTimeLimit"]);
  });
  test("it is promised room in one of its partitions; the others stay open", () => {
    const { add, pass, reason } = cluster();
    for (const name of ["a", "b"]) add([name], { request: request({ cpusPerTask: 4 }) });
    expect(pass()).toEqual(["1:n1", "2:n2"]);
    add(["a", "b"]);
    for (const name of ["a", "b", "main"]) add([name], { request: request({ cpusPerTask: 4 }) });
    expect(pass()).toEqual(["5:n2", "6:n3"]);
    expect([reason(3), reason(4)]).toEqual(["Resources", "Priority"]);
  });
  test("tasks of an array each where there is room", () => {
    const { add, pass, state } = cluster();
    const tasks = [{ first: 0, last: 3, step: 1 }];
    add(["a", "b"], { array: { tasks, limit: 0 } });
    expect(pass()).toHaveLength(2);
    const running = [...state.jobs.values()].filter((one) => one.state === "RUNNING");
    expect(running.map(({ spec }) => spec.partition).sort()).toEqual(["a", "b"]);
  });
  test("again in any of them after a requeue", () => {
    const { add, pass, run, partition } = cluster();
    add(["a", "b"]);
    pass();
    run({ type: "job.requeue", jobId: 1, tasks: null, byUid: 0, hold: false });
    expect(partition(1)).toBe("a,b");
  });
});

test("a filter finds it under each name; no partition of a list can be removed", () => {
  const { add, state, run, pass } = cluster();
  add(["a", "b"]);
  const found = (name: string): number[] => {
    return [...selectJobs(state, { ids: [], users: [], states: [], names: [], partitions: [name] })].map(
      ({ id }) => id,
    );
  };
  expect([found("a"), found("b"), found("main")]).toEqual([[1], [1], []]);
  expect(run({ type: "partition.delete", name: "b" }).decision).toMatchObject({ denial: { code: "PARTITION_IN_USE" } });
  pass();
  expect([found("a"), found("b")]).toEqual([[1], []]);
  expect(run({ type: "partition.delete", name: "b" }).decision.kind).toBe("accept");
});

test("a change puts another list in place, or one name", () => {
  const { add, run, partition } = cluster();
  add(["a", "b"], { hold: true });
  const change = (partitions: readonly string[]): string => {
    const changes = { partition: partitions[0] ?? null, partitions };
    return run({ type: "job.update", jobId: 1, tasks: null, byUid: 0, changes }).decision.kind;
  };
  expect(change(["b", "zz"])).toBe("deny");
  expect([change(["main", "b"]), partition(1)]).toEqual(["accept", "main,b"]);
  expect([change(["a"]), partition(1)]).toEqual(["accept", "a"]);
});

test("each component of a heterogeneous job starts where there is room, in any of its partitions", () => {
  const { run, add, pass, partition } = cluster();
  add(["a"]);
  expect(pass()).toEqual(["1:n1"]);
  const wish = { request: request({ cpusPerTask: 8 }) };
  const followers = [spec({ ...wish, partition: "main", partitions: ["main"] })];
  const first = spec({ ...wish, partition: "a", partitions: ["a", "b"] });
  expect(run({ type: "job.submit", requestId: "h", spec: first, followers }).decision.kind).toBe("accept");
  pass();
  expect([partition(2), partition(3)]).toEqual(["b", "main"]);
});
