/** Whole passes: what is planned is accepted, nothing is planned twice, limits and dependencies hold. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { viewOf } from "../../src/controller/planner.ts";
import type { Command } from "../../src/core/commands.ts";
import { componentsOf, isFollower } from "../../src/core/het.ts";
import { checkInvariants } from "../../src/core/invariants.ts";
import { isEnded } from "../../src/core/job.ts";
import type { JobSpec } from "../../src/core/jobspec.ts";
import { step } from "../../src/core/kernel.ts";
import type { ResourceRequest } from "../../src/core/resources.ts";
import { type ClusterState, emptyState } from "../../src/core/state.ts";
import { EASY } from "../../src/sched/policy.ts";
import { schedule } from "../../src/sched/schedule.ts";
import { dependsOn, gpus, tasks } from "../unit/sched/samples.ts";
import { inventory, request, spec, submit, T0 } from "../unit/support/samples.ts";

const wishes: fc.Arbitrary<Partial<ResourceRequest>> = fc.oneof(
  fc.record({ tasks: fc.integer({ min: 1, max: 12 }), cpusPerTask: fc.constantFrom(null, 2) }),
  fc.record({ tasks: fc.option(fc.integer({ min: 1, max: 4 })), exclusive: fc.boolean(), overcommit: fc.boolean() }),
  fc
    .tuple(fc.constantFrom("job", "node", "task"), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }))
    .map(([per, count, total]) => ({ ...gpus(per, count), tasks: total })),
  fc.integer({ min: 1, max: 3 }).map((count) => ({ nodes: { min: count, max: 3 }, tasks: null, spread: true })),
);

/** A job; `behind` counts back from it to the one that it depends on. */
const job = fc.record({
  wishes,
  followers: fc.option(fc.array(wishes, { minLength: 1, maxLength: 2 }), { freq: 3 }),
  array: fc.option(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 3 })), { freq: 2 }),
  // Not "after": that is fulfilled by the very pass that starts the other job.
  type: fc.constantFrom(null, null, null, "afterany", "afterok", "afternotok", "singleton"),
  behind: fc.integer({ min: 1, max: 3 }),
});

function specOf(
  { wishes: wanted, array, type, behind }: typeof job extends fc.Arbitrary<infer T> ? T : never,
  id: number,
) {
  const base: Partial<JobSpec> = { request: request(wanted), retries: 0, requeue: false };
  const term = type === "singleton" ? type : `${type}:${Math.max(1, id - behind)}`;
  const dependency = type === null || id === 1 ? {} : dependsOn(term);
  return { ...base, ...dependency, ...(array ? { array: { tasks: tasks(0, array[0]), limit: array[1] } } : {}) };
}

function submission(one: typeof job extends fc.Arbitrary<infer T> ? T : never, id: number): Command {
  if (one.followers === null) return submit(`r${id}`, specOf(one, id));
  const own = spec(specOf({ ...one, array: null }, id));
  const followers = one.followers.map((wanted) => spec({ ...own, request: request(wanted) }));
  return { type: "job.submit", requestId: `r${id}`, spec: own, followers };
}

test("every planned start is accepted, a second pass finds nobody before the first that waits, limits hold", () => {
  let started = 0;
  fc.assert(
    fc.property(
      fc.array(job, { maxLength: 10, size: "max" }),
      fc.array(fc.nat(99), { maxLength: 30 }),
      (wanted, ends) => {
        const state = emptyState();
        const run = (command: Command, at: number) => step(state, command, at).decision;
        for (const name of ["n1", "n2", "n3"]) run({ type: "node.register", node: name, inventory: inventory() }, T0);
        for (const one of wanted) run(submission(one, state.nextJobId), T0);
        for (let turn = 1; turn <= ends.length + 1; turn++) {
          const now = T0 + turn * 1000;
          const plan = schedule(
            viewOf(state, () => true, now),
            now,
          );
          for (const start of plan.starts) {
            expect(run({ type: "job.allocate", ...start }, now)).toMatchObject({ kind: "accept" });
            started += 1;
          }
          // Where nobody overtakes: what has overtaken may have moved a promise, which may let another one overtake.
          expect(
            schedule(
              viewOf(state, () => true, now),
              now,
              { ...EASY, reservations: 0 },
            ).starts,
          ).toEqual([]);
          expect(checkInvariants(state)).toEqual([]);
          checkLimits(state);
          endOne(state, ends[turn - 1] ?? 0, (command) => run(command, now + 1));
        }
      },
    ),
    { numRuns: 300 },
  );
  expect(started).toBeGreaterThan(300);
});

/** No array runs more tasks than it may, and no two singletons of one name run at once. */
function checkLimits(state: ClusterState): void {
  const live = [...state.jobs.values()].filter((one) => one.state === "RUNNING");
  for (const one of live) {
    const limit = one.spec.array?.limit ?? 0;
    const siblings = live.filter((other) => other.array && other.array.jobId === one.array?.jobId);
    if (limit > 0) expect(siblings.length).toBeLessThanOrEqual(limit);
  }
  const first = live.filter((one) => !isFollower(one));
  const single = first.filter((one) => one.spec.dependency?.terms.some((term) => term.type === "singleton"));
  expect(single.length).toBeLessThanOrEqual(1);
  for (const one of single)
    expect(first.filter((other) => other.id !== one.id && other.startAt < one.startAt)).toEqual([]);
}

/** One running job ends, well or badly, and is cleared away. */
function endOne(state: ClusterState, pick: number, run: (command: Command) => unknown): void {
  const live = [...state.jobs.values()].filter((one) => one.state === "RUNNING" && !isFollower(one));
  const one = live[pick % Math.max(1, live.length)];
  if (one?.state !== "RUNNING") return;
  const key = { jobId: one.id, attempt: one.attempt, stepId: "batch" } as const;
  const exits = [{ code: pick % 2, signal: 0 }];
  const [first] = one.allocation;
  const ended = { type: "report.stepEnded", key, exits, problem: "", clean: true, outOfMemory: false } as const;
  run({ ...ended, node: first?.node ?? "" });
  for (const share of one.allocation.slice(1)) {
    run({ type: "report.jobCleaned", node: share.node, jobId: one.id, attempt: one.attempt });
  }
  for (const other of componentsOf(state, one).slice(1)) {
    for (const { node } of other.allocation) {
      run({ type: "report.jobCleaned", node, jobId: other.id, attempt: other.attempt });
    }
  }
  for (const { id } of componentsOf(state, one)) {
    const after = state.jobs.get(id);
    expect(after && isEnded(after) && after.cleanup).toEqual([]);
  }
}
