/** Backfill: who waits first is never delayed by those who overtake, and what is promised fits beside what runs. */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { PendingJob } from "../../src/core/job.ts";
import type { Node } from "../../src/core/node.ts";
import { type Allocation, addShare, NO_USAGE, type NodeUsage, type ResourceRequest } from "../../src/core/resources.ts";
import { OPEN_GATE } from "../../src/sched/eligible.ts";
import type { Plan } from "../../src/sched/plan.ts";
import { EASY, type SchedulerPolicy } from "../../src/sched/policy.ts";
import { schedule } from "../../src/sched/schedule.ts";
import { gpus, node, pending } from "../unit/sched/samples.ts";
import { request, T0 } from "../unit/support/samples.ts";

const NAMES = ["n1", "n2", "n3"];

const wishes: fc.Arbitrary<Partial<ResourceRequest>> = fc.oneof(
  fc.record({ tasks: fc.integer({ min: 1, max: 16 }) }),
  fc.integer({ min: 1, max: 4 }).map((count) => ({ ...gpus("job", count), nodes: { min: 1, max: 1 } })),
  fc.integer({ min: 1, max: 3 }).map((count) => ({ nodes: { min: count, max: count }, exclusive: true, tasks: null })),
  fc.integer({ min: 1, max: 4 }).map((gib) => ({ memory: { per: "node" as const, mib: gib * 4096 } })),
);

/** Times in seconds. What it takes is a share of its limit; 0 for no limit. */
const job = fc.record({
  wish: wishes,
  limitS: fc.constantFrom(5, 10, 20, 40, 80, 0),
  share: fc.integer({ min: 1, max: 10 }),
  gapS: fc.integer({ min: 0, max: 20 }),
});

const policies: fc.Arbitrary<SchedulerPolicy> = fc.record({
  reservations: fc.integer({ min: 0, max: 4 }),
  backfillOrder: fc.constantFrom("arrival", "shortest"),
  backfillDepth: fc.constantFrom(1, 3, 100),
  assumedTimeS: fc.constantFrom(15, 1000),
});

interface Running {
  readonly allocation: Allocation;
  readonly until: number;
  readonly endAt: number;
  readonly isLimited: boolean;
}

/** Plays jobs until all are over, in seconds from 0; `look` sees each pass. */
function play(
  wanted: readonly { wish: Partial<ResourceRequest>; limitS: number; share: number; gapS: number }[],
  policy: SchedulerPolicy,
  look: (plan: Plan, running: readonly Running[], waiting: readonly PendingJob[], now: number) => void,
): void {
  let submitAt = 0;
  const jobs = wanted.map(({ wish, limitS, share, gapS }, index) => {
    submitAt += gapS;
    const made = pending(index + 1, { request: request(wish), timeLimitS: limitS });
    return { made, submitAt, runS: ((limitS || 50) * share) / 10, limitS };
  });
  let running: Running[] = [];
  let waiting: PendingJob[] = [];
  let next = 0;
  let kept: Plan["kept"] = [];
  for (let now = 0, turn = 0; turn < 4 * jobs.length + 4; turn++) {
    running = running.filter(({ endAt }) => endAt > now);
    for (; jobs[next] && (jobs[next]?.submitAt ?? 0) <= now; next++) waiting.push(...[jobs[next]?.made ?? []].flat());
    const nodes = NAMES.map((name): Node => ({ ...node(name), usage: usageOf(name, running) }));
    const holdings = running.map((one) => ({
      ...{ allocation: one.allocation, licenses: [], partition: "" },
      until: T0 + 1000 * (one.isLimited ? one.until : Math.max(now + 1, one.until)),
    }));
    const view = { pending: waiting, expiring: [], nodes, isConnected: () => true, gate: OPEN_GATE, holdings, kept };
    const plan = schedule(view, T0 + now * 1000, policy);
    kept = plan.kept;
    for (const { jobId, allocation } of plan.starts) {
      const own = jobs[jobId - 1];
      if (!own) throw new Error("a start of nobody");
      const isLimited = own.limitS > 0;
      const until = now + (own.limitS || policy.assumedTimeS);
      running.push({ allocation, until, endAt: now + own.runS, isLimited });
    }
    waiting = waiting.filter(({ id }) => !plan.starts.some(({ jobId }) => jobId === id));
    look(plan, running, waiting, now);
    const times = [...running.map(({ endAt }) => endAt), ...(jobs[next] ? [jobs[next]?.submitAt ?? 0] : [])];
    if (times.length === 0) break;
    now = Math.min(...times);
  }
  expect(waiting).toEqual([]);
}

function usageOf(name: string, holders: readonly { readonly allocation: Allocation }[]): NodeUsage {
  const shares = holders.flatMap(({ allocation }) => allocation.filter((share) => share.node === name));
  return shares.reduce((usage, share) => addShare(usage, share, 1), NO_USAGE);
}

function expectWithin(usage: NodeUsage): void {
  const { inventory } = node("n1");
  expect(usage.cpus).toBeLessThanOrEqual(inventory.cpus);
  expect(usage.memoryMiB).toBeLessThanOrEqual(inventory.memoryMiB);
  for (const thousandths of Object.values(usage.gpus)) expect(thousandths).toBeLessThanOrEqual(1000);
}

test("nobody is granted what is not there, now or at the time of a promise", () => {
  fc.assert(
    fc.property(fc.array(job, { maxLength: 14, size: "max" }), policies, (wanted, policy) => {
      play(wanted, policy, ({ reservations }, running, waiting, now) => {
        for (const name of NAMES) expectWithin(usageOf(name, running));
        const limits = new Map(waiting.map(({ id, spec }) => [id, spec.timeLimitS || policy.assumedTimeS]));
        const promised = [...reservations].map(([id, { at, allocation }]) => {
          const from = (at - T0) / 1000;
          return { allocation, from, until: from + (limits.get(id) ?? 0) };
        });
        for (const { from } of promised) {
          const then = [
            ...running.filter(({ until, isLimited }) => (isLimited ? until : Math.max(now + 1, until)) > from),
            ...promised.filter((one) => one.from <= from && one.until > from),
          ];
          for (const name of NAMES) expectWithin(usageOf(name, then));
        }
      });
    }),
    { numRuns: 300 },
  );
});

/** The second one finds an earlier place, which would cost the third one twenty seconds were promises not kept. */
const MOVED = (() => {
  const pair: Partial<ResourceRequest> = { nodes: { min: 2, max: 2 }, exclusive: true, tasks: null };
  const memory: Partial<ResourceRequest> = { memory: { per: "node", mib: 4096 } };
  const wanted: [Partial<ResourceRequest>, number, number][] = [
    [{ tasks: 1 }, 20, 5],
    [pair, 20, 1],
    [pair, 40, 1],
    [memory, 5, 1],
    [{ tasks: 1 }, 5, 1],
    [pair, 5, 1],
    [{ ...gpus("job", 1), nodes: { min: 1, max: 1 } }, 5, 1],
    [memory, 80, 1],
  ];
  return wanted.map(([wish, limitS, share]) => ({ wish, limitS, share, gapS: 0 }));
})();

test("who is among the first that wait starts no later than was ever promised", () => {
  let promises = 0;
  let overtaken = 0;
  fc.assert(
    fc.property(
      fc.array(
        job.filter(({ limitS }) => limitS > 0),
        { minLength: 8, maxLength: 24, size: "max" },
      ),
      fc.constantFrom<SchedulerPolicy["backfillOrder"]>("arrival", "shortest"),
      fc.constantFrom(1, 2, 3, 10),
      (wanted, backfillOrder, reservations) => {
        const promised = new Map<number, number>();
        play(wanted, { ...EASY, backfillOrder, reservations }, (plan, _, waiting, now) => {
          for (const { jobId } of plan.starts) {
            expect(now).toBeLessThanOrEqual(promised.get(jobId) ?? now);
            if (waiting.some(({ id }) => id < jobId)) overtaken += 1;
          }
          for (const { id } of waiting.slice(0, reservations)) {
            const at = plan.reservations.get(id)?.at;
            expect(at, "the first that wait have a promise").toBeDefined();
            const from = ((at ?? 0) - T0) / 1000;
            promises += 1;
            expect(from).toBeLessThanOrEqual(promised.get(id) ?? from);
            promised.set(id, from);
          }
        });
      },
    ),
    { numRuns: 500, examples: [[MOVED, "arrival", 10]] },
  );
  expect(promises).toBeGreaterThan(500);
  expect(overtaken).toBeGreaterThan(100);
});
