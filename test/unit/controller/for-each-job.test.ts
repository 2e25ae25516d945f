import { expect, test } from "vitest";
import type { ControllerContext } from "../../../src/controller/context.ts";
import { forEachJob } from "../../../src/controller/for-each-job.ts";
import type { Command } from "../../../src/core/commands.ts";
import type { Job } from "../../../src/core/job.ts";
import { realClock } from "../../../src/platform/clock.ts";
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
