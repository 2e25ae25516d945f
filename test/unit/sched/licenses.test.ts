/** Licenses: named by the settings, refused where there are none such, waited for while too few are free. */

import { expect, test } from "vitest";
import { viewOf } from "../../../src/controller/planner.ts";
import { tasksOf } from "../../../src/core/array-spec.ts";
import type { JobSpec, LicenseWish } from "../../../src/core/jobspec.ts";
import { step } from "../../../src/core/kernel.ts";
import { type ClusterState, emptyState, fromStored, toStored, usedLicenses } from "../../../src/core/state.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { inventory, spec, T0 } from "../support/samples.ts";

const POOLS: readonly LicenseWish[] = [
  { name: "a", count: 3 },
  { name: "b", count: 1 },
];

function configure(state: ClusterState, licenses: readonly LicenseWish[]) {
  return step(state, { type: "licenses.configure", licenses }, T0).decision;
}

function cluster(): ClusterState {
  const state = emptyState();
  step(state, { type: "node.register", node: "n1", inventory: inventory(8, 64) }, T0);
  configure(state, POOLS);
  return state;
}

let requests = 0;

function submit(state: ClusterState, over: Partial<JobSpec>, followers: readonly JobSpec[] = []) {
  requests += 1;
  const command = { type: "job.submit", requestId: `q${requests}`, spec: spec(over), followers } as const;
  return step(state, command, T0).decision;
}

const wish = (name: string, count: number): Pick<JobSpec, "licenses"> => ({ licenses: [{ name, count }] });

/** A pass of the scheduler, carried out: the reasons of those that wait. */
function pass(state: ClusterState): Record<number, string> {
  const plan = schedule(
    viewOf(state, () => true, T0 + 1000),
    T0 + 1000,
  );
  for (const start of plan.starts) {
    expect(step(state, { type: "job.allocate", ...start }, T0 + 1000).decision.kind).toBe("accept");
  }
  return Object.fromEntries([...plan.reasons].map(([id, { word, text }]) => [id, `${word}: ${text}`]));
}

function end(state: ClusterState, jobId: number): void {
  step(state, { type: "job.cancel", jobId, tasks: null, byUid: 0, cause: "" }, T0 + 2000);
  step(state, { type: "report.jobCleaned", node: "n1", jobId, attempt: 1 }, T0 + 2000);
}

const running = (state: ClusterState): number[] =>
  [...state.jobs.values()].filter((job) => job.state === "RUNNING").map(({ id }) => id);

test("what there is not is refused, at submission and in an update", () => {
  const state = cluster();
  const refused = { kind: "deny", denial: { code: "INVALID_LICENSES", message: "Invalid license specification" } };
  expect(submit(state, wish("zz", 1))).toMatchObject(refused);
  expect(submit(state, wish("a", 4))).toMatchObject(refused);
  expect(submit(emptyState(), wish("a", 1))).toMatchObject(refused);
  expect(submit(state, wish("a", 3)).kind).toBe("accept");
  const change = (over: Pick<JobSpec, "licenses">) =>
    step(state, { type: "job.update", jobId: 1, tasks: null, byUid: 0, changes: over }, T0).decision;
  expect(change(wish("zz", 1))).toMatchObject(refused);
  expect(change(wish("b", 1)).kind).toBe("accept");
});

test("a job waits while too few are free, and keeps nobody else waiting", () => {
  const state = cluster();
  for (const over of [wish("a", 2), wish("a", 2), wish("a", 1), {}]) submit(state, over);
  expect(pass(state)).toEqual({ 2: "Licenses: waits for 2 of license a: 1 of 3 are free" });
  expect(running(state)).toEqual([1, 3, 4]);
  expect(usedLicenses(state)).toEqual(new Map([["a", 3]]));
  step(state, { type: "job.cancel", jobId: 1, tasks: null, byUid: 0, cause: "" }, T0 + 2000);
  // Its processes may still be there.
  expect(Object.keys(pass(state))).toEqual(["2"]);
  end(state, 1);
  expect(pass(state)).toEqual({});
  expect(running(state)).toEqual([2, 3, 4]);
});

test("each task of an array holds its own", () => {
  const state = cluster();
  submit(state, { ...wish("a", 1), array: { tasks: [{ first: 0, last: 9, step: 1 }], limit: 0 } });
  expect(pass(state)).toEqual({ 1: "Licenses: waits for 1 of license a: 0 of 3 are free" });
  expect(running(state)).toHaveLength(3);
  expect([...tasksOf(state.jobs.get(1)?.array?.tasks ?? [])]).toHaveLength(7);
});

test("components of a heterogeneous job start together or wait together", () => {
  const state = cluster();
  submit(state, wish("a", 2), [spec(wish("a", 2))]);
  submit(state, wish("a", 1), [spec({ ...wish("a", 1) }), spec(wish("b", 1))]);
  expect(Object.keys(pass(state))).toEqual(["1", "2"]);
  expect(running(state)).toEqual([3, 4, 5]);
});

test("a plan that would give more than there are is not carried out", () => {
  const state = cluster();
  submit(state, wish("b", 1));
  submit(state, wish("b", 1));
  const { starts } = schedule(
    viewOf(state, () => true, T0 + 1000),
    T0 + 1000,
  );
  const [first] = starts;
  if (!first) throw new Error("no start");
  step(state, { type: "job.allocate", ...first }, T0 + 1000);
  expect(step(state, { type: "job.allocate", ...first, jobId: 2 }, T0 + 1000).decision.kind).toBe("ignore");
});

test("the settings' licenses are kept, and told once", () => {
  const state = cluster();
  expect(configure(state, POOLS).kind).toBe("ignore");
  expect(fromStored(toStored(state)).licenses).toEqual(state.licenses);
  submit(state, wish("a", 3));
  pass(state);
  configure(state, [{ name: "a", count: 1 }]);
  submit(state, wish("a", 1));
  expect(pass(state)).toEqual({ 2: "Licenses: waits for 1 of license a: 0 of 1 are free" });
  expect(running(state)).toEqual([1]);
});
