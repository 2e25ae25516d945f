import fc from "fast-check";
import { expect, test } from "vitest";
import type { Command } from "../../src/core/commands.ts";
import type { JournalRecord } from "../../src/core/events.ts";
import { checkInvariants } from "../../src/core/invariants.ts";
import { isEnded, type Job } from "../../src/core/job.ts";
import { replay, step } from "../../src/core/kernel.ts";
import { type ClusterState, emptyState, fromStored, toStored } from "../../src/core/state.ts";
import { schedule } from "../../src/sched/schedule.ts";
import { gpuRequest, inventory, request, submit, T0 } from "../unit/support/samples.ts";

/** One random act: what it does depends on the state it meets. */
interface Act {
  readonly kind: "submit" | "schedule" | "start" | "end" | "lose" | "clean" | "cancel" | "purge" | "timer" | "register";
  readonly pick: number;
  readonly flag: boolean;
}

const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom(
    "submit",
    "submit",
    "schedule",
    "schedule",
    "start",
    "end",
    "lose",
    "clean",
    "cancel",
    "purge",
    "timer",
    "register",
  ),
  pick: fc.nat(1000),
  flag: fc.boolean(),
});

/** Commands of an act, stale and senseless ones included. */
function commandsOf({ kind, pick, flag }: Act, state: ClusterState, turn: number): Command[] {
  const ids = [...state.jobs.keys()];
  const jobId = ids[pick % Math.max(1, ids.length)] ?? 1;
  const job = state.jobs.get(jobId);
  const attempt = Math.max(1, (job?.attempt ?? 1) - (flag && pick % 5 === 0 ? 1 : 0));
  const key = { jobId, attempt, stepId: job?.spec.kind === "run" ? 0 : ("batch" as const) };
  const node = pick % 7 === 0 ? "n2" : "n1";
  switch (kind) {
    case "submit": {
      const wish = flag ? gpuRequest((pick % 4) + 1) : request({ cpusPerTask: (pick % 8) + 1 });
      return [submit(`r${flag ? turn : pick % 20}`, { request: wish, requeue: pick % 2 === 0, timeLimitS: pick % 50 })];
    }
    case "schedule": {
      const pending = [...state.pending]
        .flatMap((id) => state.jobs.get(id) ?? [])
        .filter((one) => one.state === "PENDING");
      const plan = schedule({ pending, nodes: [...state.nodes.values()] }, T0 + turn * 1000);
      return plan.starts.map((start) => ({ type: "job.allocate", ...start }));
    }
    case "start":
      return [{ type: "report.stepStarted", node, key }];
    case "end":
      return [
        { type: "report.stepEnded", node, key, exits: [{ code: pick % 3, signal: 0 }], problem: "", clean: flag },
      ];
    case "lose":
      return [{ type: "report.stepLost", node, key, cause: "lost" }];
    case "clean":
      return [{ type: "report.jobCleaned", node, jobId, attempt }];
    case "cancel":
      return [{ type: "job.cancel", jobId, byUid: flag ? 1000 : 77, cause: "" }];
    case "purge":
      return [{ type: "job.purge", jobId }];
    case "timer":
      return [{ type: "timer.fire", timer: { kind: "limit", jobId, attempt } }];
    case "register":
      return [{ type: "node.register", node, inventory: inventory(flag ? 4 : 8, 8) }];
  }
}

test("any commands, in any order: invariants hold, ends are final, replay equals live", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 120 }), fc.nat(120), (acts, cut) => {
      const state = emptyState();
      const records: JournalRecord[] = [];
      const run = (command: Command, at: number): void => {
        const { record } = step(state, command, at);
        if (record) records.push(record);
      };
      run({ type: "node.register", node: "n1", inventory: inventory() }, T0);
      let stored = JSON.stringify(toStored(state));
      const final = new Map<number, string>();
      for (const [turn, one] of acts.entries()) {
        for (const command of commandsOf(one, state, turn)) {
          run(command, T0 + turn * 1000);
          expect(checkInvariants(state)).toEqual([]);
          for (const job of state.jobs.values()) checkFinal(final, job);
        }
        if (turn === cut) stored = JSON.stringify(toStored(state));
      }
      const replayed = emptyState();
      replay(replayed, records);
      expect(replayed).toEqual(state);
      const resumed = fromStored(JSON.parse(stored));
      replay(resumed, records);
      expect(resumed).toEqual(state);
      expect([...resumed.pending]).toEqual([...state.pending]);
    }),
    { numRuns: 300 },
  );
});

function checkFinal(final: Map<number, string>, job: Job): void {
  const known = final.get(job.id);
  if (known !== undefined) expect(job.state).toBe(known);
  if (isEnded(job)) final.set(job.id, job.state);
}
