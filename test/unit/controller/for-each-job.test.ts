import { expect, test } from "vitest";
import type { ControllerContext } from "../../../src/controller/context.ts";
import { forEachJob } from "../../../src/controller/for-each-job.ts";
import type { Command } from "../../../src/core/commands.ts";
import type { Job } from "../../../src/core/job.ts";
import { type Clock, realClock } from "../../../src/platform/clock.ts";
import { ended, pending, running, stateOf } from "../sched/samples.ts";

/** The jobs that scancel of a number cancels one by one. */
async function cancelled(jobs: readonly Job[], number: number): Promise<number[]> {
  const asked: number[] = [];
  const execute = (command: Command): Promise<{ kind: "accept" }> => {
    if (command.type === "job.cancel") asked.push(command.jobId);
    return Promise.resolve({ kind: "accept" });
  };
  const context = { loop: { state: stateOf(jobs), execute }, clock: realClock() } as unknown as ControllerContext;
  const filter = { ids: [number], users: [], states: [], names: [], partitions: [] };
  const commandOf = ({ job }: { readonly job: Job }): Command => {
    return { type: "job.cancel", jobId: job.id, tasks: null, byUid: 0, cause: "" };
  };
  await forEachJob(context, filter, () => true, commandOf, true);
  return asked;
}

/** A clock by which each look at it takes so long, and how often others had their turn. */
function slowClock(lookMs: number) {
  const seen = { nowMs: 0, turns: 0 };
  const clock: Pick<Clock, "after" | "monotonic"> = {
    monotonic() {
      seen.nowMs += lookMs;
      return seen.nowMs;
    },
    after(_, callback) {
      seen.turns += 1;
      queueMicrotask(callback);
      return () => {};
    },
  };
  return { seen, clock };
}

test("others have their turn while many jobs are looked at in vain, and not before a few are done", async () => {
  const jobs = Array.from({ length: 5000 }, (_, at) => pending(1 + at));
  const state = stateOf(jobs);
  const filter = { ids: [], users: [], states: [], names: ["nobody's"], partitions: [] };
  const commandOf = ({ job }: { readonly job: Job }): Command => {
    return { type: "job.cancel", jobId: job.id, tasks: null, byUid: 0, cause: "" };
  };
  const { seen, clock } = slowClock(1);
  const execute = () => Promise.resolve({ kind: "accept" });
  const context = { loop: { state, execute }, clock } as unknown as ControllerContext;
  expect(await forEachJob(context, filter, () => true, commandOf)).toEqual([]);
  expect(seen.turns).toBeGreaterThanOrEqual(5);

  seen.turns = 0;
  let isAsked = false;
  context.loop.execute = () => {
    isAsked = true;
    return Promise.resolve({ kind: "accept" }) as ReturnType<typeof execute> as never;
  };
  const answer = forEachJob(context, { ...filter, ids: [1], names: [] }, () => true, commandOf);
  // Whoever sent another call right behind this one must find it done.
  expect(isAsked).toBe(true);
  await answer;
  expect(seen.turns).toBe(0);
});

test("a whole heterogeneous job by its number: its first component, or what is left once that is over", async () => {
  const parts = [0, 1, 2].map((offset) => pending(1 + offset, { kind: "run", het: { offset, size: 3 } }));
  const [first, second, third] = parts;
  if (!first || !second || !third) throw new Error("three components");
  expect(await cancelled(parts, 1)).toEqual([1]);
  expect(await cancelled([ended(first, "COMPLETED"), running(second), running(third)], 1)).toEqual([2, 3]);
  expect(await cancelled([ended(first, "COMPLETED"), ended(second, "FAILED"), running(third)], 1)).toEqual([3]);
  expect(
    await cancelled(
      [first, second, third].map((one) => ended(one, "COMPLETED")),
      1,
    ),
  ).toEqual([1]);
});
