/** Limits of the configuration on jobs that wait and run. */

import { expect, test } from "vitest";
import { viewOf } from "../../../src/controller/planner.ts";
import type { JobLimits } from "../../../src/core/job-limits.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { step } from "../../../src/core/kernel.ts";
import { type ClusterState, emptyState } from "../../../src/core/state.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { inventory, spec, T0 } from "../support/samples.ts";

const ada = { uid: 1000, gid: 1000, name: "ada" };
const bob = { uid: 1001, gid: 1001, name: "bob" };

function cluster(): ClusterState {
  const state = emptyState();
  step(state, { type: "node.register", node: "n1", inventory: inventory(8, 64) }, T0);
  return state;
}

let requests = 0;

function submit(state: ClusterState, queueLimits: JobLimits, over: Partial<JobSpec> = {}): string {
  requests += 1;
  const wish = spec({ user: ada, ...over });
  const { decision } = step(state, { type: "job.submit", requestId: `q${requests}`, spec: wish, queueLimits }, T0);
  return decision.kind === "deny" ? `${decision.denial.message}: ${decision.denial.hint}` : decision.kind;
}

const NONE = { all: 0, perUser: 0 };

test("a full queue refuses, with the count and the limit", () => {
  const state = cluster();
  const limits = { all: 3, perUser: 2 };
  expect([submit(state, limits), submit(state, limits)]).toEqual(["accept", "accept"]);
  expect(submit(state, limits)).toBe(
    "The queue is full for this user: 2 jobs of yours wait, limits.max_queued_per_user is 2: " +
      "submit it again when some of them have started",
  );
  const tasks = [{ first: 1, last: 2, step: 1 }];
  expect(submit(state, limits, { user: bob, array: { tasks, limit: 0 } as never })).toBe(
    "The queue is full: 2 jobs wait, and this would be 2 more, limits.max_queued is 3: " +
      "submit it again when some of them have started",
  );
  expect(submit(state, limits, { user: bob })).toBe("accept");
  expect(submit(state, NONE)).toBe("accept");
});

function pass(state: ClusterState, running: JobLimits): string[] {
  const view = viewOf(state, () => true, T0 + 1000, { running });
  const plan = schedule(view, T0 + 1000);
  for (const start of plan.starts) step(state, { type: "job.allocate", ...start }, T0 + 1000);
  return [...plan.reasons].map(([id, { word, text }]) => `${id} ${word}: ${text}`);
}

test("jobs beyond the running limits wait with the reason, and others go on", () => {
  const state = cluster();
  for (const user of [ada, ada, bob, bob]) submit(state, NONE, { user });
  expect(pass(state, { all: 0, perUser: 1 })).toEqual([
    "2 QOSMaxJobsPerUserLimit: 1 job of a user may run at a time",
    "4 QOSMaxJobsPerUserLimit: 1 job of a user may run at a time",
  ]);
  expect(pass(state, { all: 3, perUser: 0 })).toEqual(["4 AssocGrpJobsLimit: 3 jobs may run at a time"]);
  expect(pass(state, NONE)).toEqual([]);
  expect([...state.active]).toEqual([1, 3, 2, 4]);
});
