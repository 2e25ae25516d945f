/** Partitions: made, changed, removed, and who gets in. */

import { describe, expect, test } from "vitest";
import { viewOf } from "../../../src/controller/planner.ts";
import type { Command, PartitionChanges } from "../../../src/core/commands.ts";
import { checkInvariants } from "../../../src/core/invariants.ts";
import { type Outcome, step } from "../../../src/core/kernel.ts";
import { emptyState } from "../../../src/core/state.ts";
import { gateOf } from "../../../src/sched/eligible.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { inventory, request, submit, T0 } from "../support/samples.ts";

function cluster() {
  const state = emptyState();
  let now = T0;
  const run = (command: Command): Outcome => {
    now += 10;
    const outcome = step(state, command, now);
    expect(checkInvariants(state)).toEqual([]);
    return outcome;
  };
  const create = (name: string, changes: PartitionChanges): Outcome => run({ type: "partition.create", name, changes });
  const update = (name: string, changes: PartitionChanges): Outcome => run({ type: "partition.update", name, changes });
  for (const node of ["n1", "n2", "n3"]) run({ type: "node.register", node, inventory: inventory() });
  let count = 0;
  const add = (over: Parameters<typeof submit>[1] = {}, isEnforced = false): Outcome["decision"] => {
    count += 1;
    return run({ ...submit(`r${count}`, over), ...(isEnforced ? { isEnforced } : {}) }).decision;
  };
  const plan = () =>
    schedule(
      viewOf(state, () => true, now),
      now,
    );
  const places = () => plan().starts.map(({ jobId, allocation }) => `${jobId}:${allocation.map(({ node }) => node)}`);
  const reason = (id: number): string => {
    const job = state.jobs.get(id);
    if (job?.state !== "PENDING") throw new Error(`job ${id} does not wait`);
    return gateOf(state, now).waitReason(job)?.reason.word ?? plan().reasons.get(id)?.word ?? "Priority";
  };
  return { state, run, create, update, add, places, reason };
}

describe("records", () => {
  test("the default one moves; a name is taken once; unknown nodes are refused", () => {
    const { state, create, update } = cluster();
    create("short", { nodes: ["n1"], isDefault: true });
    expect([...state.partitions.values()].map(({ name, isDefault }) => [name, isDefault])).toEqual([
      ["main", false],
      ["short", true],
    ]);
    expect(create("short", {}).decision).toMatchObject({ denial: { message: "Invalid partition name specified" } });
    expect(create("x", { nodes: ["zz"] }).decision).toMatchObject({ denial: { code: "INVALID_NODE" } });
    expect(update("x", { state: "UP" }).decision).toMatchObject({ denial: { code: "INVALID_PARTITION" } });
    expect(update("short", { minNodes: 3, maxNodes: 2 }).decision.kind).toBe("deny");
  });
  test("one with jobs in it stays", () => {
    const { run, create, add, state } = cluster();
    create("p", { nodes: ["n1"] });
    add({ partition: "p" });
    const remove = (): Outcome => run({ type: "partition.delete", name: "p" });
    expect(remove().decision).toMatchObject({ denial: { message: "Partition is in use", hint: "jobs in it: 1" } });
    run({ type: "job.cancel", jobId: 1, tasks: null, byUid: 0, cause: "" });
    expect(remove().decision.kind).toBe("accept");
    expect(state.partitions.has("p")).toBe(false);
    run({ type: "partition.delete", name: "main" });
    expect(add()).toMatchObject({ denial: { message: "No partition specified or system default partition" } });
  });
});

describe("who gets in", () => {
  test.each<[PartitionChanges, Parameters<typeof submit>[1], string]>([
    [{ state: "DRAIN" }, {}, "Required partition not available (inactive or drain)"],
    [{ state: "INACTIVE" }, {}, "Required partition not available (inactive or drain)"],
    [{ isRootOnly: true }, {}, "Access/permission denied"],
    [{ refusesRoot: true }, { user: { uid: 0, gid: 0, name: "root" } }, "Access/permission denied"],
    [{ needsReservation: true }, {}, "Access/permission denied"],
    [{ allowAccounts: ["a"] }, {}, "Invalid account or account/partition combination specified"],
    [{ denyAccounts: ["a"] }, { account: "a" }, "Invalid account or account/partition combination specified"],
    [{ allowQos: ["q"] }, { qos: "r" }, "Invalid qos specification"],
  ])("%j refuses %j", (changes, over, message) => {
    const { create, add } = cluster();
    create("p", { nodes: ["n1"], ...changes });
    expect(add({ partition: "p", ...over })).toMatchObject({ kind: "deny", denial: { message } });
  });
  test("limits let wait, or refuse where they are enforced", () => {
    const { create, add, reason } = cluster();
    create("p", { nodes: ["n1", "n2"], maxTimeS: 300, maxNodes: 1, maxMemory: { per: "node", mib: 100 } });
    const cases = [
      [{ timeLimitS: 600 }, "PartitionTimeLimit", "Requested time limit is invalid (missing or exceeds some limit)"],
      [{ request: request({ nodes: { min: 2, max: 2 } }) }, "PartitionNodeLimit", "Node count specification invalid"],
      [
        { request: request({ memory: { per: "node", mib: 200 } }) },
        "MaxMemPerLimit",
        "Memory required by task is not available",
      ],
    ] as const;
    for (const [at, [over, word, message]] of cases.entries()) {
      expect(add({ partition: "p", ...over }, true)).toMatchObject({ denial: { message } });
      expect(add({ partition: "p", ...over })).toMatchObject({ kind: "accept" });
      expect(reason(at + 1)).toBe(word);
    }
  });
  test("what only other nodes could run is refused", () => {
    const { create, add } = cluster();
    create("p", { nodes: ["n1"] });
    const over = { partition: "p", request: request({ nodeList: ["n2"] }) };
    expect(add(over)).toMatchObject({ denial: { message: "Requested node configuration is not available" } });
  });
  test("defaults are given to those that say nothing", () => {
    const { create, add, state } = cluster();
    create("p", { nodes: ["n1"], defaultMemory: { per: "cpu", mib: 10 }, defaultTimeS: 60, cpusPerGpu: 2 });
    add({ partition: "p", request: request({ gpus: { per: "job", wishes: [{ type: null, thousandths: 1000 }] } }) });
    expect(state.jobs.get(1)?.spec.request).toMatchObject({ memory: { per: "cpu", mib: 10 }, cpusPerGpu: 2 });
  });
});

describe("where jobs go", () => {
  test("to the nodes of their partition; one that waits keeps only those", () => {
    const { create, add, places, reason } = cluster();
    create("a", { nodes: ["n1"] });
    create("b", { nodes: ["n2"] });
    const wide = request({ cpusPerTask: 8 });
    for (const partition of ["a", "a", "b", "main"]) add({ partition, request: wide });
    expect(places()).toEqual(["1:n1", "3:n2", "4:n3"]);
    expect(reason(2)).toBe("Resources");
  });
  test("a job behind one that waits takes nothing of what that waits for", () => {
    const { create, add, places, run } = cluster();
    create("a", { nodes: ["n1", "n2"] });
    add({ request: request({ cpusPerTask: 8, nodeList: ["n1"] }) });
    const share = { node: "n1", tasks: 1, cpus: 8, memoryMiB: 0, gpus: [] };
    run({ type: "job.allocate", jobId: 1, taskId: null, allocation: [share] });
    add({ partition: "a", request: request({ tasks: 2, cpusPerTask: 8 }) });
    add({ request: request({ cpusPerTask: 8, nodeList: ["n2"] }) });
    add({ request: request({ cpusPerTask: 8, nodeList: ["n3"] }) });
    expect(places()).toEqual(["4:n3"]);
  });
  test("a higher tier comes first; whole nodes, most nodes and most CPUs of a node are kept to", () => {
    const { create, update, add, places, state } = cluster();
    create("a", { nodes: ["n1"], maxCpusPerNode: 3 });
    create("b", { nodes: ["n1"], priorityTier: 9 });
    for (const partition of ["a", "a", "b", "a"]) add({ partition, request: request({ cpusPerTask: 2 }) });
    expect(places()).toEqual(["3:n1", "1:n1"]);
    update("b", { isExclusive: true });
    expect(places()).toEqual(["3:n1"]);
    expect(state.jobs.get(3)?.spec.request.exclusive).toBe(false);
    update("b", { state: "DOWN" });
    expect(places()).toEqual(["1:n1"]);
  });
  test("down and inactive ones start nothing; drained ones do", () => {
    const { create, update, add, places, reason } = cluster();
    create("p", { nodes: ["n1"] });
    add({ partition: "p" });
    update("p", { state: "DOWN" });
    expect([places(), reason(1)]).toEqual([[], "PartitionDown"]);
    update("p", { state: "INACTIVE" });
    expect(reason(1)).toBe("PartitionInactive");
    update("p", { state: "DRAIN" });
    expect(places()).toEqual(["1:n1"]);
    update("p", { nodes: [] });
    expect([places(), reason(1)]).toEqual([[], "PartitionConfig"]);
  });
});

test("what was found to fit is looked at again where nodes or partitions have changed since", () => {
  const { run, create, update, add } = cluster();
  const wish = { request: request({ cpusPerTask: 2, tasks: 1 }) };
  create("p", { nodes: ["n1", "n2"] });
  for (const _ of [1, 2]) expect(add({ partition: "p", ...wish }).kind).toBe("accept");
  const small = { ...inventory(), cpus: 1 };
  run({ type: "node.register", node: "n1", inventory: small });
  expect(add({ partition: "p", ...wish }).kind).toBe("accept");
  update("p", { nodes: ["n1"] });
  for (const _ of [1, 2]) expect(add({ partition: "p", ...wish })).toMatchObject({ denial: { code: "NOT_FEASIBLE" } });
  expect(add(wish).kind).toBe("accept");
  for (const node of ["n2", "n3"]) run({ type: "node.register", node, inventory: small });
  expect(add(wish)).toMatchObject({ denial: { code: "NOT_FEASIBLE" } });
});
