/** What operators do to nodes. */

import { describe, expect, test } from "vitest";
import type { Command, NodeChanges } from "../../../src/core/commands.ts";
import { strangersOn } from "../../../src/core/decide/node.ts";
import { checkInvariants } from "../../../src/core/invariants.ts";
import { type Outcome, replay, step } from "../../../src/core/kernel.ts";
import { nodeState } from "../../../src/core/node.ts";
import { emptyState, toStored } from "../../../src/core/state.ts";
import { inventory, request, submit, T0 } from "../support/samples.ts";

const root = { uid: 0, name: "root" };

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
  const update = (nodes: string[], changes: NodeChanges, away: string[] = []): Outcome =>
    run({ type: "nodes.update", nodes, changes, by: root, away });
  for (const node of ["n1", "n2"]) run({ type: "node.register", node, inventory: inventory() });
  const node = (name: string) => {
    const found = state.nodes.get(name);
    if (!found) throw new Error(`no node ${name}`);
    return found;
  };
  const start = (id: number, ...names: string[]): Outcome => {
    const shares = names.map((name) => ({ node: name, tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] }));
    return run({ type: "job.allocate", jobId: id, taskId: null, allocation: shares });
  };
  return { state, records, run, update, node, start };
}

describe("drain", () => {
  test("keeps new work away and lets what runs go on; resume takes it back", () => {
    const { run, update, node, start, state } = cluster();
    run(submit("a"));
    start(1, "n1");
    update(["n1", "n2"], { state: "DRAIN", reason: "bad disk" });
    expect(node("n1").drain).toMatchObject({ reason: "bad disk", by: root });
    expect([nodeState(node("n1")), nodeState(node("n2"))]).toEqual(["DRAINING", "DRAINED"]);
    expect(state.jobs.get(1)?.state).toBe("RUNNING");
    run(submit("b"));
    expect(start(2, "n2").decision).toMatchObject({ kind: "deny", denial: { message: "n2: the node is drained" } });
    expect(update(["n2"], { state: "RESUME" }).decision.kind).toBe("accept");
    expect(start(2, "n2").decision.kind).toBe("accept");
  });
  test("a node that is in service can't be resumed; unknown nodes change nothing of the others", () => {
    const { update, node } = cluster();
    expect(update(["n1"], { state: "RESUME" }).decision).toMatchObject({ denial: { code: "INVALID_NODE_STATE" } });
    expect(update(["n1"], { state: "UNDRAIN" }).decision.kind).toBe("accept");
    expect(update(["n1", "zz"], { state: "DRAIN", reason: "x" }).decision).toMatchObject({
      denial: { code: "INVALID_NODE", message: "Invalid node name specified" },
    });
    expect(node("n1").drain).toBeNull();
  });
  test("FAIL is a drain of its own name; a reason alone changes the reason; settings stay over a restart", () => {
    const { update, node, run } = cluster();
    update(["ALL"], { state: "FAIL", reason: "fan" });
    expect(nodeState(node("n2"))).toBe("FAIL");
    update(["n2"], { reason: "fan 3", weight: 7 });
    expect(node("n2").drain).toMatchObject({ reason: "fan 3", isFailing: true });
    run({ type: "node.register", node: "n2", inventory: { ...inventory(), cpus: 3 } });
    expect(node("n2")).toMatchObject({ settings: { weight: 7 }, drain: { reason: "fan 3" } });
  });
});

describe("down", () => {
  test("a batch job goes back to the queue, another one ends as NODE_FAIL", () => {
    const { run, update, start, state, node } = cluster();
    run(submit("a"));
    run(submit("b", { requeue: false }));
    start(1, "n1");
    start(2, "n1");
    const { effects } = update(["n1"], { state: "DOWN", reason: "dead" });
    expect(state.jobs.get(1)).toMatchObject({ state: "PENDING", cleanup: ["n1"] });
    expect(state.jobs.get(2)).toMatchObject({ state: "NODE_FAIL", cause: "node n1 was set down: dead" });
    expect(effects).toContainEqual({ type: "node.terminate", node: "n1", jobId: 1, attempt: 1, stepId: null });
    run({ type: "report.jobCleaned", node: "n1", jobId: 1, attempt: 1 });
    run({ type: "node.register", node: "n1", inventory: inventory() });
    expect(nodeState(node("n1"))).toBe("DOWN");
    update(["n1"], { state: "RESUME" });
    expect(node("n1").down).toBeNull();
  });
  test("nobody waits for a node that is away; its part is free at once", () => {
    const { run, update, start, state, node, records } = cluster();
    run(submit("a", { request: request({ tasks: null }) }));
    start(1, "n1", "n2");
    update(["n1"], { state: "DOWN", reason: "dead" }, ["n1"]);
    expect(state.jobs.get(1)).toMatchObject({ state: "PENDING", cleanup: ["n2"] });
    expect(node("n1").usage.cpus).toBe(0);
    run({ type: "report.jobCleaned", node: "n2", jobId: 1, attempt: 1 });
    expect(start(1, "n2").decision.kind).toBe("accept");
    const again = emptyState();
    replay(again, records);
    expect(toStored(again)).toEqual(toStored(state));
  });
  test("a job that asked for --no-kill goes on with its other nodes", () => {
    const { run, update, start, state } = cluster();
    run(submit("a", { noKill: true, request: request({ tasks: null }) }));
    start(1, "n1", "n2");
    const { effects } = update(["n2"], { state: "DOWN", reason: "dead" });
    const job = state.jobs.get(1);
    expect(job?.state).toBe("RUNNING");
    expect(job?.allocation.map(({ node }) => node)).toEqual(["n1"]);
    expect(effects).toContainEqual({ type: "node.terminate", node: "n2", jobId: 1, attempt: 1, stepId: null });
    // Its script ran on n1: without that there is nothing to go on with.
    update(["n1"], { state: "DOWN", reason: "dead" });
    expect(state.jobs.get(1)?.state).toBe("PENDING");
  });
});

describe("a node that is not heard of", () => {
  const miss = (run: (command: Command) => Outcome, node = "n1"): Outcome =>
    run({ type: "node.markDown", node, reason: "Not responding" });

  test("is down; its jobs wait again or end as NODE_FAIL, as they asked, and nobody waits for it", () => {
    const { run, start, state, node } = cluster();
    run(submit("a"));
    run(submit("b", { requeue: false }));
    run(submit("c", { requeue: false }));
    for (const id of [1, 2, 3]) start(id, "n1");
    run({ type: "job.cancel", jobId: 3, tasks: null, byUid: 0, cause: "" });
    miss(run);
    expect(nodeState(node("n1"))).toBe("DOWN");
    expect(state.jobs.get(1)).toMatchObject({ state: "PENDING", cleanup: [], earlier: [{ state: "NODE_FAIL" }] });
    const cause = "node n1 is down: Not responding";
    expect(state.jobs.get(2)).toMatchObject({ state: "NODE_FAIL", cause, cleanup: [], exit: { code: 0, signal: 9 } });
    expect(state.jobs.get(3)).toMatchObject({ state: "CANCELLED", cleanup: [] });
    expect(start(1, "n2").decision.kind).toBe("accept");
  });

  test("what it still runs when it comes back belongs to an older start and is not accounted for", () => {
    const { run, start, state, node } = cluster();
    run(submit("a"));
    start(1, "n1");
    miss(run);
    start(1, "n2");
    const old = [{ jobId: 1, attempt: 1 }];
    run({ type: "node.register", node: "n1", inventory: inventory(), starts: old });
    expect(node("n1").down).toBeNull();
    expect(strangersOn(state, "n1", old)).toEqual(old);
    const key = { jobId: 1, attempt: 1, stepId: "batch" } as const;
    const exits = [{ code: 0, signal: 0 }];
    const late = {
      type: "report.stepEnded",
      node: "n1",
      key,
      exits,
      problem: "",
      clean: true,
      outOfMemory: false,
    } as const;
    expect(run(late).decision.kind).toBe("ignore");
    expect(state.jobs.get(1)).toMatchObject({ state: "RUNNING", attempt: 2 });
  });

  test("a job that was lost too often ends", () => {
    const { run, start, state } = cluster();
    run(submit("a"));
    for (let attempt = 1; attempt <= 5; attempt++) {
      start(1, "n1");
      miss(run);
      run({ type: "node.register", node: "n1", inventory: inventory() });
    }
    expect(state.jobs.get(1)).toMatchObject({ state: "NODE_FAIL", attempt: 5 });
  });

  test("a job of srun with --no-kill goes on, and its tasks there count as killed", () => {
    const { run, start, state } = cluster();
    run(submit("a", { kind: "run", noKill: true, request: request({ tasks: 2 }) }));
    start(1, "n1", "n2");
    miss(run, "n2");
    const job = state.jobs.get(1);
    const parts = job?.state === "RUNNING" ? job.steps[0]?.parts : [];
    expect(parts?.map(({ node, phase, exits }) => [node, phase, exits])).toEqual([
      ["n1", "launching", []],
      ["n2", "ended", [{ code: 0, signal: 9 }]],
    ]);
    const old = [{ jobId: 1, attempt: 1 }];
    expect([strangersOn(state, "n1", old), strangersOn(state, "n2", old)]).toEqual([[], old]);
  });
});

test("only a node that is away and holds nothing can be forgotten", () => {
  const { run, update, start, state } = cluster();
  const remove = (away: string[]): Outcome => run({ type: "nodes.delete", nodes: ["n1"], away });
  run(submit("a"));
  start(1, "n1");
  expect(remove([]).decision).toMatchObject({ denial: { code: "NODE_BUSY" } });
  expect(remove(["n1"]).decision).toMatchObject({ denial: { code: "NODE_BUSY" } });
  update(["n1"], { state: "DOWN", reason: "sold" }, ["n1"]);
  expect(remove(["n1"]).decision.kind).toBe("accept");
  expect([...state.nodes.keys()]).toEqual(["n2"]);
});
