/** Jobs that are put aside change no plan: no pass that looks at all of them starts, ends or explains anything else. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { viewOf } from "../../src/controller/planner.ts";
import { isAsleep } from "../../src/core/asleep.ts";
import type { Command } from "../../src/core/commands.ts";
import { parseDependency } from "../../src/core/dependency.ts";
import { checkInvariants } from "../../src/core/invariants.ts";
import type { PendingJob } from "../../src/core/job.ts";
import type { JobSpec } from "../../src/core/jobspec.ts";
import { step } from "../../src/core/kernel.ts";
import { placeOf } from "../../src/core/lane.ts";
import { prioritizer } from "../../src/core/priority.ts";
import { type ClusterState, emptyState, fromStored, toStored } from "../../src/core/state.ts";
import type { Plan } from "../../src/sched/plan.ts";
import { schedule } from "../../src/sched/schedule.ts";
import { toldReason } from "../../src/sched/told.ts";
import { inventory, request, spec, submit, T0 } from "../unit/support/samples.ts";

const KINDS = [
  ...(["submit", "submit", "submit", "array", "het", "schedule", "schedule", "schedule", "end", "end", "end"] as const),
  ...(["clean", "clean", "hold", "hold", "requeue", "cancel", "purge", "update", "begin", "node"] as const),
] as const;

const TYPES = ["after", "after", "afterany", "afterok", "afternotok", "aftercorr"] as const;

/** What is done depends on the state that it meets. */
const act = fc.record({ kind: fc.constantFrom(...KINDS), pick: fc.nat(1000), other: fc.nat(1000), flag: fc.boolean() });

type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** What a job may wait for: one or two of the jobs there are, all or any; or those of its name. */
function dependency({ pick, other }: Act, state: ClusterState): Partial<JobSpec> {
  const last = state.nextJobId - 1;
  if (last === 0 || pick % 4 === 0) return {};
  const term = (seed: number): string => {
    const type = TYPES[seed % TYPES.length] ?? "after";
    const id = Math.max(1, last - (seed % 5));
    if (seed % 11 === 0) return "singleton";
    const task = state.arrays.has(id) && seed % 3 === 0 ? `_${seed % 4}` : "";
    return `${type}:${id}${task}${type === "after" && seed % 2 === 0 ? "+1" : ""}`;
  };
  const joined = other % 3 === 0 ? term(pick) : `${term(pick)}${other % 3 === 1 ? "," : "?"}${term(other)}`;
  const parsed = parseDependency(joined);
  return "value" in parsed ? { dependency: parsed.value, killOnInvalidDep: pick % 3 === 0 } : {};
}

function commandsOf(one: Act, state: ClusterState, now: number): Command[] {
  const { kind, pick, other, flag } = one;
  const ids = [...state.jobs.keys()];
  const jobId = ids[pick % Math.max(1, ids.length)] ?? 1;
  const { attempt = 1, array } = state.jobs.get(jobId) ?? {};
  const tasks = array && flag ? [{ first: other % 4, last: (other % 4) + (pick % 2), step: 1 }] : null;
  const asked = { jobId, tasks, byUid: 0 };
  const base = { request: request({ tasks: 1 + (other % 4) }), retries: 0, hold: pick % 13 === 0 };
  const wishes = { ...base, ...dependency(one, state), requeue: true, nice: pick % 2, name: `j${pick % 3}` };
  switch (kind) {
    case "submit":
      return [submit(`s${state.seq}`, { ...wishes, beginAt: pick % 7 === 0 ? now + 1000 * (other % 90) : 0 })];
    case "array": {
      const ranges = [{ first: 0, last: other % 4, step: 1 }];
      return [submit(`a${state.seq}`, { ...wishes, array: { tasks: ranges, limit: pick % 3 } })];
    }
    case "het": {
      const own = spec({ ...wishes, kind: flag ? "batch" : "run" });
      return [{ type: "job.submit", requestId: `h${state.seq}`, spec: own, followers: [spec({ ...own, ...base })] }];
    }
    case "schedule":
      return startsOf(
        schedule(
          viewOf(state, () => true, now),
          now,
        ),
      );
    case "end":
      return [...state.active].flatMap((id, at) => (at % 3 === pick % 3 ? endOf(state, id, flag ? 0 : 1) : []));
    case "clean":
      return ["n1", "n2"].map((node) => ({ type: "report.jobCleaned", node, jobId, attempt }));
    case "hold":
      return [{ type: "job.hold", ...asked, hold: flag ? (pick % 2 === 0 ? "admin" : "user") : null }];
    case "requeue":
      return [{ type: "job.requeue", ...asked, hold: pick % 3 === 0 }];
    case "cancel":
      return [{ type: "job.cancel", ...asked, cause: "" }];
    case "purge":
      return ids.map((id) => ({ type: "job.purge", jobId: id }));
    case "update":
      return [{ type: "job.update", ...asked, changes: { dependency: dependency(one, state).dependency ?? null } }];
    case "begin":
      return [{ type: "job.update", ...asked, changes: { beginAt: now + 1000 * (other % 90) } }];
    case "node":
      return [{ type: "node.register", node: flag ? "n1" : "n2", inventory: inventory(4, 2 + (pick % 6)) }];
  }
}

function startsOf(plan: Plan): Command[] {
  return [
    ...plan.starts.map((start): Command => ({ type: "job.allocate", ...start })),
    ...plan.ends.map((end): Command => ({ type: "job.expire", ...end })),
  ];
}

function endOf(state: ClusterState, id: number, code: number): Command[] {
  const job = state.jobs.get(id);
  if (job?.state !== "RUNNING") return [];
  const key = { jobId: id, attempt: job.attempt, stepId: job.spec.kind === "run" ? 0 : ("batch" as const) };
  return job.allocation.map(({ node, tasks }) => {
    const exits = Array.from({ length: tasks }, () => ({ code, signal: 0 }));
    return { type: "report.stepEnded", node, key, exits, problem: "", clean: code === 0, outOfMemory: false };
  });
}

/** The plan of a pass that looks at every waiting job, in the order that sorting gives. */
function fullPlan(state: ClusterState, now: number): Plan {
  const ranking = prioritizer(state, now);
  const waiting = [...state.jobs.values()].filter((job): job is PendingJob => job.state === "PENDING");
  waiting.sort(
    (a, b) =>
      ranking.tierOf(b) - ranking.tierOf(a) ||
      ranking.priorityOf(b) - ranking.priorityOf(a) ||
      placeOf(a) - placeOf(b) ||
      a.id - b.id,
  );
  return schedule({ ...viewOf(state, () => true, now), pending: waiting }, now);
}

function without({ starts, ends, reservations }: Plan): Pick<Plan, "starts" | "ends" | "reservations"> {
  return { starts, ends, reservations };
}

function waitingOf(state: ClusterState): PendingJob[] {
  return [...state.jobs.values()].filter((job): job is PendingJob => job.state === "PENDING" && !isAsleep(state, job));
}

/** After so many acts it is asked what a pass would plan later. */
const LOOK_AHEAD_EACH = 3;

test("after any events, the plan is that of a pass that looks at every job, now and at any later time", () => {
  let [asleep, woken, skipped] = [0, 0, 0];
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60, size: "max" }), (acts) => {
      const state = emptyState();
      for (const node of ["n1", "n2"]) step(state, { type: "node.register", node, inventory: inventory() }, T0);
      const slept = new Set<number>();
      let now = T0;
      for (const [index, one] of acts.entries()) {
        now += 1000;
        for (const command of commandsOf(one, state, now)) step(state, command, now);
        expect(checkInvariants(state)).toEqual([]);
        // Each look ahead is two passes; one act changes little of what it finds.
        const later = index % LOOK_AHEAD_EACH === 0 ? [now + 30_000, now + 3_600_000] : [];
        for (const at of [now, ...later]) {
          const [plan, full] = [
            schedule(
              viewOf(state, () => true, at),
              at,
            ),
            fullPlan(state, at),
          ];
          expect(without(plan)).toEqual(without(full));
          for (const job of waitingOf(state)) {
            // Those that a pass did not come to are told of with others that ask for the same.
            if (full.reasons.has(job.id))
              expect(toldReason(plan, job) ?? plan.otherwise).toEqual(full.reasons.get(job.id));
          }
          // An alarm that is not set would have found nothing to do.
          if (full.wakeAt === plan.wakeAt || full.wakeAt === null) continue;
          skipped += 1;
          expect(plan.wakeAt ?? Number.POSITIVE_INFINITY).toBeGreaterThan(full.wakeAt);
          const then = fullPlan(state, full.wakeAt);
          expect([then.starts, then.ends]).toEqual([full.starts, full.ends]);
        }
        for (const id of state.pending) {
          const job = state.jobs.get(id);
          if (job?.state !== "PENDING") continue;
          if (isAsleep(state, job)) slept.add(id);
          else if (slept.delete(id)) woken += 1;
        }
        asleep += slept.size;
      }
      expect(fromStored(JSON.parse(JSON.stringify(toStored(state))))).toEqual(state);
    }),
    { numRuns: 300 },
  );
  expect([asleep, woken, skipped].every((count) => count > 100)).toBe(true);
});
