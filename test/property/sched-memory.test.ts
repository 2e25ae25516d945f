/** What passes remember changes no plan: with it, without it, and by a pass that is written as plainly as can be. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { viewOf } from "../../src/controller/planner.ts";
import type { Command, NodeChanges } from "../../src/core/commands.ts";
import type { JobSpec } from "../../src/core/jobspec.ts";
import { step } from "../../src/core/kernel.ts";
import { DEFAULT_PARTITION } from "../../src/core/partition.ts";
import type { ResourceRequest } from "../../src/core/resources.ts";
import { type ClusterState, emptyState, fromStored, toStored } from "../../src/core/state.ts";
import { PassMemory } from "../../src/sched/memory.ts";
import { scoringOf } from "../../src/sched/place/scores/scores.ts";
import type { Plan } from "../../src/sched/plan.ts";
import { EASY, type SchedulerPolicy } from "../../src/sched/policy.ts";
import { schedule } from "../../src/sched/schedule.ts";
import { gpus } from "../unit/sched/samples.ts";
import { inventory, request, submit, T0 } from "../unit/support/samples.ts";
import { namesOf, plainPass } from "./support/plain-pass.ts";

const NAMES = ["n1", "n2", "n3", "n4"];

const wishes: fc.Arbitrary<Partial<ResourceRequest>> = fc.oneof(
  fc.record({ tasks: fc.integer({ min: 1, max: 12 }), cpusPerTask: fc.constantFrom(null, 2) }),
  fc.integer({ min: 1, max: 9 }).map((count) => gpus("job", count)),
  fc.integer({ min: 1, max: 4 }).map((count) => ({ ...gpus("node", count), nodes: { min: 1, max: 2 }, tasks: null })),
  fc.constantFrom(500, 250, 1500).map((thousandths) => ({
    gpus: { per: "job" as const, wishes: [{ type: null, thousandths }] },
  })),
  fc.integer({ min: 1, max: 3 }).map((count) => ({ nodes: { min: count, max: 4 }, exclusive: true, tasks: null })),
  fc.integer({ min: 1, max: 4 }).map((gib) => ({ memory: { per: "node" as const, mib: gib * 8192 } })),
  fc.constantFrom("n1", "n3").map((name) => ({ nodeList: [name], tasks: 2 })),
  fc.constant({ excluded: ["n1", "n2"], ...gpus("job", 2) }),
);

const act = fc.record({
  kind: fc.constantFrom(
    ...(["submit", "submit", "submit", "submit", "end", "end", "end", "hold", "drain"] as const),
    ...(["resume", "wait", "reload", "pause", "cancel", "limit", "register"] as const),
  ),
  wish: wishes,
  limitS: fc.constantFrom(10, 20, 40, 80),
  pick: fc.nat(1000),
});

type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

const policies = fc.record({
  reservations: fc.constantFrom(1, 1, 2, 4),
  score: fc.constantFrom("pack", "best-fit", "spread"),
});

const BY = { uid: 0, name: "root" };

function commandsOf(one: Act, state: ClusterState, isSplit: boolean, now: number): Command[] {
  const { kind, wish, limitS, pick } = one;
  const ids = [...state.jobs.keys()];
  const jobId = ids[pick % Math.max(1, ids.length)] ?? 1;
  const node = NAMES[pick % NAMES.length] ?? "n1";
  switch (kind) {
    case "submit": {
      const partition = isSplit && pick % 3 === 0 ? "few" : null;
      const over: Partial<JobSpec> = { request: request(wish), timeLimitS: limitS, partition };
      const beginAt = pick % 5 === 0 ? now + 5 * pick : 0;
      return [submit(`r${state.seq}`, { ...over, beginAt, nice: pick % 3, requeue: false, retries: 0 })];
    }
    case "end": {
      const live = [...state.active].flatMap((id) => state.jobs.get(id) ?? []);
      const one = live[pick % Math.max(1, live.length)];
      if (one?.state !== "RUNNING") return [];
      const ended = {
        key: { jobId: one.id, attempt: one.attempt, stepId: "batch" as const },
        problem: "",
        clean: true,
      };
      const first = {
        type: "report.stepEnded",
        ...ended,
        exits: [{ code: 0, signal: 0 }],
        outOfMemory: false,
      } as const;
      return [
        { ...first, node: one.allocation[0]?.node ?? "" },
        ...one.allocation.slice(1).map((share): Command => {
          return { type: "report.jobCleaned", node: share.node, jobId: one.id, attempt: one.attempt };
        }),
      ];
    }
    case "hold":
      return [{ type: "job.hold", jobId, tasks: null, byUid: 0, hold: pick % 2 === 0 ? "user" : null }];
    case "cancel":
      return [{ type: "job.cancel", jobId, tasks: null, byUid: 0, cause: "" }];
    case "drain":
      return [change(node, { state: "DRAIN", reason: "broken" })];
    case "resume":
      return [change(node, { state: "RESUME" })];
    case "pause":
      return [change(node, { pausedGpus: pick % 2 === 0 ? { 0: "hot" } : {}, weight: 1 + (pick % 2) })];
    case "register":
      return [{ type: "node.register", node, inventory: inventory(pick % 2 === 0 ? 4 : 6) }];
    default:
      return [];
  }
}

function change(node: string, changes: NodeChanges): Command {
  return { type: "nodes.update", nodes: [node], changes, by: BY, away: [] };
}

/** Carries acts out one by one; `look` plans for the state after each. */
function play(acts: readonly Act[], isSplit: boolean, look: (state: ClusterState, now: number) => Plan): number {
  let started = 0;
  let state = emptyState();
  if (isSplit) {
    const few = { ...DEFAULT_PARTITION, name: "few", isDefault: false, nodes: ["n2", "n3"], maxCpusPerNode: 5 };
    state = fromStored({ ...toStored(state), partitions: [DEFAULT_PARTITION, few] });
  }
  let now = T0;
  for (const name of NAMES) step(state, { type: "node.register", node: name, inventory: inventory() }, now);
  for (const one of acts) {
    now += one.kind === "wait" ? one.pick * 50 : 100;
    if (one.kind === "reload") state = fromStored(structuredClone(toStored(state)));
    for (const command of commandsOf(one, state, isSplit, now)) step(state, command, now);
    const plan = look(state, now);
    for (const start of plan.starts) {
      expect(step(state, { type: "job.allocate", ...start }, now).decision).toMatchObject({ kind: "accept" });
      started += 1;
    }
  }
  return started;
}

test("a pass that remembers others plans what one plans that remembers nothing", () => {
  let started = 0;
  let promised = 0;
  fc.assert(
    fc.property(
      fc.array(act, { minLength: 20, maxLength: 40, size: "max" }),
      policies,
      fc.boolean(),
      (acts, { reservations, score }, isSplit) => {
        const scoring = () => scoringOf(score, { typical: () => [], seed: 1 });
        const policyOf = (): SchedulerPolicy => {
          const own = scoring();
          return { ...EASY, reservations, scoringOf: () => own };
        };
        const [kept, fresh] = [policyOf(), policyOf()];
        const memory = new PassMemory();
        started += play(acts, isSplit, (state, now) => {
          const plan = schedule(
            viewOf(state, () => true, now, { policy: kept, memory }),
            now,
            kept,
          );
          const other = schedule(
            viewOf(state, () => true, now, { policy: fresh }),
            now,
            fresh,
          );
          expect({ ...plan, wakeAt: null }).toEqual({ ...other, wakeAt: null });
          // It knows the times of all that must not start yet; who reads them one by one may not come that far.
          expect(plan.wakeAt ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(other.wakeAt ?? Number.POSITIVE_INFINITY);
          promised += plan.reservations.size;
          return plan;
        });
      },
    ),
    { numRuns: 250 },
  );
  expect(started).toBeGreaterThan(400);
  expect(promised).toBeGreaterThan(400);
});

test("and what a pass plans that looks at every job, node and time", () => {
  let started = 0;
  fc.assert(
    fc.property(
      fc.array(
        act.filter(({ kind }) => kind !== "pause"),
        { minLength: 20, maxLength: 40, size: "max" },
      ),
      fc.constantFrom(1, 2, 4),
      (acts, reservations) => {
        const policy = { ...EASY, reservations };
        const memory = new PassMemory();
        started += play(acts, false, (state, now) => {
          const plan = schedule(
            viewOf(state, () => true, now, { policy, memory }),
            now,
            policy,
          );
          const said = [
            ...plan.starts.map(({ jobId, allocation }) => `${jobId}: ${namesOf(allocation)}`),
            ...[...plan.reservations].map(([id, { at, allocation }]) => `${id} at ${at - now}: ${namesOf(allocation)}`),
          ];
          expect(said.sort()).toEqual(plainPass(state, now, policy));
          return plan;
        });
      },
    ),
    { numRuns: 150 },
  );
  expect(started).toBeGreaterThan(200);
});
