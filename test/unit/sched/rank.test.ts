/** The queue by the slowdown to expect: in the controller as in replays. */

import { expect, test } from "vitest";
import { settingsFrom } from "../../../src/config/settings.ts";
import { viewOf } from "../../../src/controller/planner.ts";
import { policyOf } from "../../../src/controller/policy.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { step } from "../../../src/core/kernel.ts";
import { parseSchedulerParameters } from "../../../src/core/scheduler-parameters.ts";
import { emptyState } from "../../../src/core/state.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { inventory, request, submit, T0 } from "../support/samples.ts";

const MIN = 60;

/** A node with one CPU; jobs are submitted a minute after each other. */
function cluster(parameters: string) {
  const state = emptyState();
  const { settings } = settingsFrom({ MGPU_SCHEDULER_PARAMETERS: parameters });
  const { policy, learn } = policyOf(settings, () => state);
  let now = T0;
  step(state, { type: "node.register", node: "n1", inventory: inventory(0, 1) }, now);
  const view = () => viewOf(state, () => true, now, { policy });
  return {
    ...{ state, learn },
    order: () => [...view().pending].map(({ id }) => id),
    starts: () => schedule(view(), now, policy).starts.map(({ jobId }) => jobId),
    add: (limitS: number, over: Partial<JobSpec> = {}) => {
      step(state, submit(`r${state.nextJobId}`, { request: request(), timeLimitS: limitS, ...over }), now);
      now += MIN * 1000;
    },
  };
}

test("of equals the one with the worst slowdown to expect comes first", () => {
  const { add, order, starts } = cluster("queue_order=slowdown");
  // After 3, 2 and 1 minutes: 1 + 3/600, 1 + 2/1, 1 + 1/60.
  for (const minutes of [600, 1, 60]) add(minutes * MIN);
  expect(order()).toEqual([2, 3, 1]);
  expect(starts()).toEqual([2]);
});

test("a higher priority goes before any slowdown, and without the parameter the earliest goes first", () => {
  const ranked = cluster("queue_order=slowdown");
  ranked.add(600 * MIN, { priority: 200_000 });
  for (const minutes of [600, 1]) ranked.add(minutes * MIN);
  expect(ranked.order()).toEqual([1, 3, 2]);
  const plain = cluster("");
  for (const minutes of [600, 1]) plain.add(minutes * MIN);
  expect(plain.order()).toEqual([1, 2]);
});

test("how long a job is likely to run is learned from its user's last two", () => {
  const { state, learn, add, order } = cluster("queue_order=slowdown");
  add(600 * MIN);
  const run = (command: Parameters<typeof step>[1], at: number): void => {
    learn(step(state, command, at).record?.events ?? []);
  };
  const allocation = [{ node: "n1", tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] }];
  run({ type: "job.allocate", jobId: 1, taskId: null, allocation }, T0);
  const key = { jobId: 1, attempt: 1, stepId: "batch" } as const;
  const exits = [{ code: 0, signal: 0 }];
  const ended = { type: "report.stepEnded", key, exits, problem: "", clean: true, outOfMemory: false } as const;
  run({ ...ended, node: "n1" }, T0 + 20_000);
  // Both ask for as long; ada's last job took twenty seconds, and hers came later.
  add(600 * MIN, { user: { uid: 1001, gid: 1001, name: "bob" } });
  add(600 * MIN);
  expect(order()).toEqual([3, 2]);
});

test("more jobs than are ranked keep their order behind", () => {
  const { add, order } = cluster("queue_order=slowdown");
  for (let at = 0; at < 1002; at++) add((2000 - at) * MIN);
  const found = order();
  expect([found.length, new Set(found).size]).toEqual([1002, 1002]);
  expect(found.slice(1000)).toEqual([1001, 1002]);
});

test("the parameter has two words", () => {
  expect(parseSchedulerParameters("queue_order=slowdown")).toMatchObject({ value: { queue_order: "slowdown" } });
  expect(parseSchedulerParameters("queue_order=best")).toHaveProperty("problem");
});
