/** Nodes shared with no other user (--exclusive=user). */

import { expect, test } from "vitest";
import { viewOf } from "../../../src/controller/planner.ts";
import type { Command } from "../../../src/core/commands.ts";
import { type Outcome, step } from "../../../src/core/kernel.ts";
import { emptyState } from "../../../src/core/state.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { inventory, request, submit, T0 } from "../support/samples.ts";

type Owner = "ada" | "bob";

const USERS = { ada: { uid: 1000, gid: 1000, name: "ada" }, bob: { uid: 1001, gid: 1001, name: "bob" } };

/** Nodes n1 and n2. */
function cluster() {
  const state = emptyState();
  const run = (command: Command): Outcome => step(state, command, T0);
  for (const node of ["n1", "n2"]) run({ type: "node.register", node, inventory: inventory() });
  let count = 0;
  const add = (user: Owner, onlyUser: boolean, nodeList: string[] = []): void => {
    count += 1;
    const wish = request({ nodeList, ...(onlyUser ? { onlyUser } : {}) });
    expect(run(submit(`r${count}`, { user: USERS[user], request: wish })).decision.kind).toBe("accept");
  };
  const pass = (): string[] => {
    const { starts } = schedule(
      viewOf(state, () => true, T0),
      T0,
    );
    for (const start of starts) expect(run({ type: "job.allocate", ...start }).decision.kind).toBe("accept");
    return starts.map(({ jobId, allocation }) => `${jobId}:${allocation.map(({ node }) => node)}`);
  };
  const reason = (id: number): string | undefined =>
    schedule(
      viewOf(state, () => true, T0),
      T0,
    ).reasons.get(id)?.word;
  return { state, run, add, pass, reason };
}

test("a job that wants no other users waits for a node without them", () => {
  const { add, pass, reason } = cluster();
  add("bob", false, ["n1"]);
  pass();
  add("ada", true);
  expect(pass()).toEqual(["2:n2"]);
  add("ada", true, ["n1"]);
  expect([pass(), reason(3)]).toEqual([[], "Resources"]);
});

test("others get none of its nodes, its own user does", () => {
  const { add, pass, reason } = cluster();
  add("ada", true);
  expect(pass()).toEqual(["1:n1"]);
  add("ada", false, ["n1"]);
  add("bob", false, ["n2"]);
  add("bob", false, ["n1"]);
  expect(pass()).toEqual(["2:n1", "3:n2"]);
  expect(reason(4)).toBe("Resources");
});

test("in one pass too, whoever comes first", () => {
  const first = cluster();
  first.add("ada", true, ["n1"]);
  first.add("bob", false, ["n1"]);
  expect(first.pass()).toEqual(["1:n1"]);
  expect(first.pass()).toEqual([]);
  const second = cluster();
  second.add("bob", false, ["n1"]);
  second.add("ada", true, ["n1"]);
  expect(second.pass()).toEqual(["1:n1"]);
  expect(second.pass()).toEqual([]);
});

test("a plan that overlooks it is refused", () => {
  const { add, pass, run } = cluster();
  add("ada", true, ["n1"]);
  pass();
  add("bob", false, ["n1"]);
  const allocation = [{ node: "n1", tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] }];
  const { decision } = run({ type: "job.allocate", jobId: 2, taskId: null, allocation });
  const message = "n1: a job of another user is there (--exclusive=user)";
  expect(decision).toMatchObject({ kind: "deny", denial: { message } });
});

test("its start brings another pass, for its own user's jobs", () => {
  const { add, run } = cluster();
  add("ada", true);
  const allocation = [{ node: "n1", tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] }];
  const { effects } = run({ type: "job.allocate", jobId: 1, taskId: null, allocation });
  expect(effects).toContainEqual({ type: "schedule" });
});
