/** Passes in slices: whatever happens in between, nothing starts that must not, and in the end everything has started that can. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { createPlanner, viewOf } from "../../src/controller/planner.ts";
import { SLICE_MS } from "../../src/controller/slices.ts";
import type { Command } from "../../src/core/commands.ts";
import { step } from "../../src/core/kernel.ts";
import { emptyState } from "../../src/core/state.ts";
import { EASY } from "../../src/sched/policy.ts";
import { schedule } from "../../src/sched/schedule.ts";
import { gpuRequest, inventory, request, submit, T0 } from "../unit/support/samples.ts";

/** How many turns of the loop pass before something happens, and what. */
const act = fc.record({
  turns: fc.integer({ min: 0, max: 6 }),
  kind: fc.constantFrom("submit", "submit", "submit", "end", "hold", "release", "cancel", "drain", "resume"),
  pick: fc.nat(1000),
});

/** Time moves on by most of a slice with each look at the clock, so that hardly two steps share one. */
function fakeClock() {
  let at = 0;
  let due: (() => void)[] = [];
  return {
    now: () => T0 + Math.floor(at),
    monotonic() {
      at += SLICE_MS / 3;
      return at;
    },
    after(ms: number, callback: () => void) {
      // Alarms of later are of no interest here.
      if (ms > 1000) return () => {};
      due.push(callback);
      return () => {
        due = due.filter((one) => one !== callback);
      };
    },
    /** One turn of the loop. */
    turn() {
      const [first, ...rest] = due;
      due = rest;
      first?.();
      return first !== undefined;
    },
  };
}

test("what happens between slices makes nothing start that must not, and keeps nothing waiting that may", () => {
  let starts = 0;
  let between = 0;
  fc.assert(
    fc.property(fc.array(act, { minLength: 5, maxLength: 40, size: "max" }), (acts) => {
      const state = emptyState();
      const clock = fakeClock();
      const held = new Set<number>();
      const problems: string[] = [];
      let isInPass = false;
      const run = (command: Command) => {
        const { decision, effects } = step(state, command, clock.now());
        if (effects.some(({ type }) => type === "schedule")) planner.wake();
        return decision;
      };
      const planner = createPlanner({
        clock,
        log: { debug() {}, info() {}, warn() {}, error() {} } as never,
        policy: EASY,
        state: () => state,
        isConnected: () => true,
        async execute(command) {
          if (command.type === "job.allocate") {
            const job = state.jobs.get(command.jobId);
            if (job?.state !== "PENDING" || held.has(job.id)) problems.push(`job ${command.jobId} must not start`);
            starts += 1;
          }
          return run(command);
        },
        onPass: () => {
          isInPass = false;
        },
      });
      for (const name of ["n1", "n2"]) run({ type: "node.register", node: name, inventory: inventory() });
      for (const { turns, kind, pick } of acts) {
        for (let turn = 0; turn < turns; turn++) isInPass = clock.turn();
        if (isInPass) between += 1;
        const ids = [...state.jobs.keys()];
        const jobId = ids[pick % Math.max(1, ids.length)] ?? 1;
        const asked = { jobId, tasks: null, byUid: 0 };
        const drain = { state: kind === "drain" ? "DRAIN" : "RESUME", reason: "broken" } as const;
        const live = [...state.active].flatMap((id) => state.jobs.get(id) ?? [])[0];
        if (kind === "submit") {
          const wanted = pick % 4 === 0 ? request({ tasks: 1 + (pick % 8) }) : gpuRequest(1 + (pick % 5));
          run(submit(`r${state.seq}`, { request: wanted, timeLimitS: 10 + pick, retries: 0, requeue: false }));
        } else if (kind === "end" && live?.state === "RUNNING") {
          const key = { jobId: live.id, attempt: live.attempt, stepId: "batch" } as const;
          const ended = { exits: [{ code: 0, signal: 0 }], problem: "", clean: true, outOfMemory: false };
          for (const [at, { node }] of live.allocation.entries()) {
            if (at === 0) run({ type: "report.stepEnded", node, key, ...ended });
            else run({ type: "report.jobCleaned", node, jobId: live.id, attempt: live.attempt });
          }
        } else if (kind === "hold" || kind === "release") {
          run({ type: "job.hold", ...asked, hold: kind === "hold" ? "user" : null });
          const job = state.jobs.get(jobId);
          if (job?.state === "PENDING" && job.hold !== null) held.add(jobId);
          else held.delete(jobId);
        } else if (kind === "cancel") {
          run({ type: "job.cancel", ...asked, cause: "" });
        } else if (kind === "drain" || kind === "resume") {
          run({ type: "nodes.update", nodes: ["n1"], changes: drain, by: { uid: 0, name: "root" }, away: [] });
        }
      }
      for (let turn = 0; turn < 10_000 && clock.turn(); turn++);
      const now = clock.now();
      const left = schedule(
        viewOf(state, () => true, now),
        now,
        { ...EASY, reservations: 0 },
      );
      expect(left.starts).toEqual([]);
      expect(problems).toEqual([]);
    }),
    { numRuns: 200 },
  );
  expect(starts).toBeGreaterThan(500);
  expect(between).toBeGreaterThan(500);
});
