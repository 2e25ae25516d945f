/** Priorities, fair shares, and the order of the queue. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { viewOf } from "../../../src/controller/planner.ts";
import { checkInvariants } from "../../../src/core/invariants.ts";
import type { PendingJob } from "../../../src/core/job.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { step } from "../../../src/core/kernel.ts";
import { fairShares } from "../../../src/core/policy/fair-share.ts";
import type { PolicyChange, PriorityConfig, Tres } from "../../../src/core/policy/records.ts";
import { policyFrom } from "../../../src/core/policy/state.ts";
import { prioritizer } from "../../../src/core/priority.ts";
import { type ClusterState, emptyState, fromStored, toStored } from "../../../src/core/state.ts";
import { association, LAB, policyOf, qos } from "../support/policy.ts";
import { inventory, request, spec, T0 } from "../support/samples.ts";

const userOf = (name: string, uid: number): JobSpec["user"] => ({ uid, gid: 1000, name });
const ada = userOf("ada", 1000);
const bob = userOf("bob", 1001);
const eve = userOf("eve", 1002);
const USERS = [ada, bob, eve, userOf("kim", 1003)];
const DAY = 86_400_000;

function cluster(changes: readonly PolicyChange[] = []): ClusterState {
  const state = emptyState();
  step(state, { type: "node.register", node: "n1", inventory: inventory(4, 8) }, T0);
  if (changes.length > 0) {
    step(state, { type: "policy.change", version: 0, changes, byName: "root", isOwner: true }, T0);
  }
  return state;
}

const weights = (record: Partial<PriorityConfig>): PolicyChange => ({ put: "config", record });

function submit(state: ClusterState, over: Partial<JobSpec>, at = T0): number {
  const requestId = `r${state.nextJobId}`;
  const { decision } = step(state, { type: "job.submit", requestId, spec: spec(over) }, at);
  return decision.kind === "accept" ? (decision.jobId ?? 0) : 0;
}

function queue(state: ClusterState, now: number): number[] {
  return [...viewOf(state, () => true, now).pending].map(({ id }) => id);
}

test("fair tree ranks users of accounts that used least of their share first", () => {
  const policy = policyFrom(policyOf(LAB));
  const used = (billing: number): Tres => ({ billing });
  // speech has 1 share of 4 and half of the usage: 0.5. vision has 3 of 4: 1.5, and there bob comes before ada.
  const usage = new Map([
    ["a:2", used(200)],
    ["a:3", used(100)],
    ["a:4", used(100)],
    ["a:6", used(90)],
    ["a:7", used(10)],
    ["a:8", used(100)],
  ]);
  const shares = fairShares(policy, usage);
  expect(shares.get(3)).toMatchObject({ normShares: 0.75, effectiveUsage: 0.5, levelFs: 1.5, factor: null });
  expect(shares.get(4)).toMatchObject({ normShares: 0.25, levelFs: 0.5 });
  expect([7, 6, 8].map((id) => shares.get(id)?.factor)).toEqual([1, 2 / 3, 1 / 3]);
});

test("users and accounts that are equal are ranked as one", () => {
  const shares = fairShares(policyFrom(policyOf(LAB)), new Map());
  expect([6, 7, 8].map((id) => shares.get(id)?.factor)).toEqual([1, 1, 1]);
});

test("the parts of a priority are factors times weights, less the nice value", () => {
  const state = cluster([...LAB, weights({ weightAge: 700, weightJobSize: 100, weightTres: { cpu: 80 } })]);
  submit(state, { user: ada, qos: "high", nice: 7, request: request({ cpusPerTask: 4 }) });
  const job = state.jobs.get(1) as PendingJob;
  const rank = prioritizer(state, T0 + DAY);
  expect(rank.factorsOf(job)).toMatchObject({ age: 1 / 7, fairShare: 1, jobSize: 0.75, qos: 1, tres: { cpu: 0.5 } });
  const parts = rank.partsOf(job);
  expect(parts).toMatchObject({ age: 100, fairShare: 10_000, jobSize: 75, qos: 10_000, tres: { cpu: 40 }, nice: 7 });
  expect(parts.priority).toBe(100 + 10_000 + 75 + 10_000 + 40 - 7);
  expect(prioritizer(state, T0 + 30 * DAY).factorsOf(job).age).toBe(1);
});

test("who has used much waits behind who has not", () => {
  const state = cluster(LAB);
  const first = submit(state, { user: bob });
  step(state, { type: "job.allocate", jobId: first, taskId: null, allocation: [whole] }, T0);
  step(state, { type: "job.cancel", jobId: first, tasks: null, byUid: 0, cause: "" }, T0 + DAY);
  const used = submit(state, { user: bob }, T0 + DAY);
  const fresh = submit(state, { user: eve }, T0 + DAY);
  expect(queue(state, T0 + DAY)).toEqual([fresh, used]);
});

const whole = { node: "n1", tasks: 1, cpus: 4, memoryMiB: 0, gpus: [] };

test("a plain queue is one lane, in the order of submission", () => {
  const state = cluster();
  for (const user of [ada, bob, eve]) submit(state, { user: user });
  expect(state.lanes.size).toBe(1);
  expect(queue(state, T0)).toEqual([1, 2, 3]);
});

test("tasks that were split off an array stand where the array stands, before jobs that came later", () => {
  const state = cluster();
  const array = submit(state, { user: ada, array: { tasks: [{ first: 0, last: 3, step: 1 }], limit: 0 } });
  const later = submit(state, { user: bob });
  const some = { jobId: array, tasks: [{ first: 2, last: 2, step: 1 }], byUid: 0 };
  step(state, { type: "job.hold", ...some, hold: "user" }, T0);
  expect(queue(state, T0)).toEqual([array, later]);
  const held = later + 1;
  step(state, { type: "job.hold", ...some, jobId: held, hold: null }, T0);
  expect(queue(state, T0)).toEqual([array, held, later]);
  expect(checkInvariants(state)).toEqual([]);
});

test("usage and the order of the queue are the same after a restart", () => {
  const state = cluster(LAB);
  const id = submit(state, { user: ada });
  step(state, { type: "job.allocate", jobId: id, taskId: null, allocation: [whole] }, T0);
  step(state, { type: "job.cancel", jobId: id, tasks: null, byUid: 0, cause: "" }, T0 + 5000);
  expect(state.policy.usage.get("a:6")?.seconds.cpu).toBeCloseTo(20, 3);
  expect(fromStored(JSON.parse(JSON.stringify(toStored(state))))).toEqual(state);
});

test("the lanes give the order that sorting all by priority gives", () => {
  const job = fc.record({
    user: fc.constantFrom(...USERS),
    nice: fc.constantFrom(0, 0, 5, 20_000),
    qos: fc.constantFrom(null, "normal"),
    beginAt: fc.constantFrom(0, 0, T0 + 1000, T0 + 2 * DAY),
    cpus: fc.constantFrom(1, 4),
  });
  const setting = fc.constantFrom<readonly PolicyChange[]>(
    [],
    LAB,
    [
      ...LAB,
      qos(9, "normal", { priority: 5 }),
      weights({ weightAge: 86_400_000, weightFairShare: 3, weightJobSize: 500 }),
    ],
    [...LAB, association(7, { account: "vision", user: "bob", shares: 9 }), weights({ weightAge: 0 })],
  );
  fc.assert(
    fc.property(setting, fc.array(job, { maxLength: 12 }), (changes, jobs) => {
      const state = cluster(changes);
      for (const [at, { cpus, ...over }] of jobs.entries()) {
        const wish = request({ cpusPerTask: cpus });
        submit(state, { ...over, priority: null, request: wish, array: null }, T0 + at * 1000);
      }
      const held = [...state.pending].at(0);
      if (held)
        step(state, { type: "job.update", jobId: held, tasks: null, byUid: 0, changes: { nice: 3 } }, T0 + 50_000);
      expect(checkInvariants(state)).toEqual([]);
      const now = T0 + DAY;
      const rank = prioritizer(state, now);
      const sorted = [...state.jobs.values()].sort((a, b) => rank.priorityOf(b) - rank.priorityOf(a) || a.id - b.id);
      expect(queue(state, now)).toEqual(sorted.map(({ id }) => id));
    }),
  );
});
