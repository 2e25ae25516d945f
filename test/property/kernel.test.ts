import fc from "fast-check";
import { expect, test } from "vitest";
import { viewOf } from "../../src/controller/planner.ts";
import type { Command } from "../../src/core/commands.ts";
import type { Effect } from "../../src/core/effects.ts";
import type { JournalRecord } from "../../src/core/events.ts";
import { checkInvariants } from "../../src/core/invariants.ts";
import { isEnded, type Job } from "../../src/core/job.ts";
import { replay, step } from "../../src/core/kernel.ts";
import { resumeNode } from "../../src/core/react.ts";
import { type ClusterState, emptyState, fromStored, toStored } from "../../src/core/state.ts";
import { schedule } from "../../src/sched/schedule.ts";
import { gpuRequest, inventory, request, spec, stepSpec, submit, T0 } from "../unit/support/samples.ts";

/** What may happen; what is named twice happens more often. */
const KINDS = [
  ...([
    "submit",
    "submit",
    "array",
    "het",
    "schedule",
    "schedule",
    "start",
    "end",
    "lose",
    "clean",
    "cancel",
    "purge",
  ] as const),
  ...([
    "timer",
    "register",
    "miss",
    "hold",
    "requeue",
    "suspend",
    "step",
    "endStep",
    "cancelStep",
    "complete",
    "update",
  ] as const),
] as const;

/** One random act: what it does depends on the state it meets. */
interface Act {
  readonly kind: (typeof KINDS)[number];
  readonly pick: number;
  readonly flag: boolean;
}

const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom(...KINDS),
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
  const byUid = pick % 4 === 0 ? 0 : 1000;
  const some = pick % 3 === 0 ? [{ first: 0, last: pick % 5, step: 1 }] : null;
  const ended = {
    type: "report.stepEnded",
    node,
    key,
    problem: "",
    clean: flag,
    outOfMemory: pick % 31 === 0,
  } as const;
  switch (kind) {
    case "submit": {
      const wish = flag ? gpuRequest((pick % 4) + 1) : request({ cpusPerTask: (pick % 8) + 1 });
      const isWide = pick % 5 === 0;
      const nodes = isWide ? { ...wish, nodes: { min: 2, max: 2 }, tasks: null } : wish;
      const wishes = { request: nodes, requeue: pick % 2 === 0, timeLimitS: pick % 50, noKill: isWide };
      return [submit(`r${flag ? turn : pick % 20}`, { ...wishes, kind: pick % 11 === 0 ? "alloc" : "batch" })];
    }
    case "array": {
      const tasks = [{ first: pick % 3, last: (pick % 3) + (pick % 6), step: 1 }];
      return [submit(`a${turn}`, { array: { tasks, limit: pick % 3 }, retries: flag ? 1 : 0 })];
    }
    case "het": {
      const kind = pick % 3 === 0 ? "run" : pick % 7 === 0 ? "alloc" : "batch";
      const parts = [1, 2, 3]
        .slice(0, 2 + (pick % 2))
        .map((cpus) => spec({ kind, request: request({ cpusPerTask: cpus }) }));
      const [first = spec(), ...followers] = parts.map((one) => ({
        ...one,
        retries: flag ? 1 : 0,
        hold: pick % 13 === 0,
      }));
      return [{ type: "job.submit", requestId: `h${turn}`, spec: first, followers }];
    }
    case "schedule": {
      const now = T0 + turn * 1000;
      const plan = schedule(
        viewOf(state, () => true, now),
        now,
      );
      return plan.starts.map((start) => ({ type: "job.allocate", ...start }));
    }
    case "start":
      return [{ type: "report.stepStarted", node, key }];
    case "end":
      return [{ ...ended, exits: [{ code: pick % 3, signal: 0 }] }];
    case "lose":
      return [{ type: "report.stepLost", node, key, cause: "lost" }];
    case "clean":
      return [{ type: "report.jobCleaned", node, jobId, attempt }];
    case "cancel":
      return [{ type: "job.cancel", jobId, tasks: some, byUid: flag ? 1000 : 77, cause: "" }];
    case "purge":
      return [{ type: "job.purge", jobId }];
    case "timer":
      return [{ type: "timer.fire", timer: { kind: flag ? "limit" : "signal", jobId, attempt } }];
    case "miss":
      return [{ type: "node.markDown", node, reason: "Not responding" }];
    case "hold":
      return [{ type: "job.hold", jobId, tasks: some, byUid, hold: flag ? "user" : null }];
    case "requeue":
      return [{ type: "job.requeue", jobId, tasks: null, byUid, hold: flag }];
    case "suspend":
      return [{ type: "job.suspend", jobId, tasks: null, byUid, suspend: flag }];
    case "step": {
      const gpus = flag ? gpuRequest(1).gpus : null;
      const spec = stepSpec({ gpus, overlap: pick % 3 === 0 }, { timeLimitS: pick % 4 });
      return [{ type: "step.create", jobId, requestId: `s${pick % 30}`, byUid, spec }];
    }
    case "endStep":
      return [
        ...[0, 1, 2].map(
          (stepId): Command => ({ ...ended, key: { ...key, stepId }, exits: [{ code: pick % 3, signal: 0 }] }),
        ),
      ];
    case "cancelStep":
      return [{ type: "step.cancel", jobId, stepId: pick % 3, byUid, state: "CANCELLED", cause: "" }];
    case "complete":
      return [{ type: "job.complete", jobId, byUid, exit: { code: pick % 2, signal: 0 } }];
    case "update":
      return [{ type: "job.update", jobId, tasks: some, byUid, changes: { nice: pick % 5, timeLimitS: pick % 50 } }];
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
        // Only its user's wish starts a job over that has ended.
        if (command.type === "job.requeue" && record) final.delete(command.jobId);
      };
      const final = new Map<number, string>();
      run({ type: "node.register", node: "n1", inventory: inventory() }, T0);
      let stored = JSON.stringify(toStored(state));
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

test("a node that was away hears again of every order that still matters", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 120 }), (acts) => {
      const state = emptyState();
      const orders = new Map<string, NodeOrder>();
      const run = (command: Command, at: number): void => {
        for (const effect of step(state, command, at).effects) {
          // Of orders about the same, the last one counts.
          if (isOrder(effect)) orders.set(orderName(effect), effect);
        }
      };
      run({ type: "node.register", node: "n1", inventory: inventory() }, T0);
      for (const [turn, one] of acts.entries()) {
        for (const command of commandsOf(one, state, turn)) run(command, T0 + turn * 1000);
      }
      for (const node of state.nodes.keys()) {
        const open = [...orders.values()].filter((order) => order.node === node && isOpen(state, order));
        const told = resumeNode(state, node);
        for (const order of open) expect(told).toContainEqual(order);
        // A launch comes before the end of what it starts.
        const names = told.filter(isOrder).map((order) => `${order.type} ${startName(order)}`);
        for (const [at, name] of names.entries()) {
          const launch = names.indexOf(name.replace("node.terminate", "node.launch"));
          if (launch >= 0) expect(launch).toBeLessThanOrEqual(at);
        }
      }
    }),
    { numRuns: 300 },
  );
});

type NodeOrder = Extract<Effect, { readonly node: string }>;

function isOrder(effect: Effect): effect is NodeOrder {
  return "node" in effect;
}

function startName(order: NodeOrder): string {
  return `${order.node} ${order.jobId}.${order.attempt}.${"stepId" in order ? order.stepId : order.target}`;
}

function orderName(order: NodeOrder): string {
  return `${order.type} ${startName(order)}`;
}

/** Whether the node still has to do it, as far as the controller can know. */
function isOpen(state: ClusterState, order: NodeOrder): boolean {
  const job = state.jobs.get(order.jobId);
  if (job?.attempt !== order.attempt) return false;
  if (order.type === "node.signal") return job.state === "RUNNING" && order.target === "full";
  if (order.stepId === null) return job.state !== "RUNNING" && job.cleanup.includes(order.node);
  if (job.state !== "RUNNING") return false;
  const part = job.steps.find(({ id }) => id === order.stepId)?.parts.find(({ node }) => node === order.node);
  return order.type === "node.launch" ? part?.phase === "launching" : part !== undefined && part.phase !== "ended";
}

function checkFinal(final: Map<number, string>, job: Job): void {
  const known = final.get(job.id);
  if (known !== undefined) expect(job.state).toBe(known);
  if (isEnded(job)) final.set(job.id, job.state);
}
