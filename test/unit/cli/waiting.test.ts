/** What an srun says while its job waits. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/srun.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { type Fake, type FakeOptions, fakeContext, settle } from "./fake-context.ts";
import { type FakeJob, fakeJob } from "./fake-job.ts";

const QUEUED = "mgpu-srun: job 7 queued and waiting for resources\n";
const FIRST = "waits for 2 GPUs and 4 CPUs to be free on one node";
const SECOND = "jobs that were submitted earlier come first";

interface Waiter {
  readonly job: FakeJob;
  readonly fake: Fake;
  /** Times at which the reason was asked for, in milliseconds. */
  readonly asked: number[];
  reason: string | RpcError;
}

async function waiter(argv: string[], options: FakeOptions = {}): Promise<Waiter> {
  const state: { asked: number[]; reason: string | RpcError } = { asked: [], reason: "" };
  const job = fakeJob({
    "jobs.list": async ({ filter, fields }, send) => {
      expect([filter.ids, filter.states, fields]).toEqual([[7], ["PENDING"], ["reasonText"]]);
      state.asked.push(fake.clock.monotonic());
      if (state.reason instanceof RpcError) throw state.reason;
      await send({ rows: [[state.reason]] });
      return { now: 0 };
    },
  });
  const fake = fakeContext({
    program: "mgpu-srun",
    controller: () => job.connectController(),
    connectHolder: () => job.connectHolder(),
    ...options,
  });
  void runCommand(command, argv, fake.context);
  await settle();
  return Object.assign(state, { job, fake });
}

describe("under mgpu's name", () => {
  test("the reason follows once it is known", async () => {
    const waiting = await waiter(["x"]);
    await waiting.fake.clock.advance(300);
    expect(waiting.fake.err()).toBe(QUEUED);
    waiting.reason = FIRST;
    await waiting.fake.clock.advance(1000);
    expect(waiting.fake.err()).toBe(`${QUEUED}mgpu-srun: job 7 ${FIRST}\n`);
  });
  test("another one follows too, ten seconds later at the earliest, and the same one does not", async () => {
    const waiting = await waiter(["x"]);
    waiting.reason = FIRST;
    await waiting.fake.clock.advance(300);
    waiting.reason = SECOND;
    await waiting.fake.clock.advance(9000);
    expect(waiting.fake.err()).toBe(`${QUEUED}mgpu-srun: job 7 ${FIRST}\n`);
    await waiting.fake.clock.advance(60_000);
    expect(waiting.fake.err()).toBe(`${QUEUED}mgpu-srun: job 7 ${FIRST}\nmgpu-srun: job 7 waits: ${SECOND}\n`);
    expect(waiting.asked).toEqual([300, 10_300, 20_300, 30_300, 40_300, 50_300, 60_300]);
  });
  test("nothing is asked any more once the job runs", async () => {
    const { job, fake, asked } = await waiter(["x"]);
    await fake.clock.advance(300);
    job.run();
    await fake.clock.advance(60_000);
    expect(asked).toEqual([300]);
    expect(fake.err()).toBe(`${QUEUED}mgpu-srun: job 7 has been allocated resources\n`);
  });
  test("a controller that does not tell is not asked again", async () => {
    const waiting = await waiter(["x"]);
    waiting.reason = new RpcError("INTERNAL", "broken");
    await waiting.fake.clock.advance(60_000);
    expect(waiting.asked).toEqual([300]);
    expect(waiting.fake.err()).toBe(QUEUED);
  });
  test("-v says what comes with the job itself, and nothing twice", async () => {
    const waiting = await waiter(["-v", "x"]);
    waiting.reason = FIRST;
    waiting.job.update({ reasonText: FIRST });
    await waiting.fake.clock.advance(20_000);
    expect(waiting.fake.err()).toBe(`mgpu-srun: job 7 ${FIRST}\n${QUEUED}`);
  });
  test("--quiet says and asks nothing", async () => {
    const waiting = await waiter(["-Q", "x"]);
    waiting.reason = FIRST;
    await waiting.fake.clock.advance(60_000);
    expect([waiting.fake.err(), waiting.asked]).toEqual(["", []]);
  });
});

test("under Slurm's name there are Slurm's lines only, -v or not", async () => {
  for (const argv of [["x"], ["-v", "x"]]) {
    const waiting = await waiter(argv, { program: "srun" });
    waiting.reason = FIRST;
    waiting.job.update({ reasonText: FIRST });
    await waiting.fake.clock.advance(60_000);
    expect(waiting.fake.err()).toBe("srun: job 7 queued and waiting for resources\n");
    expect(waiting.asked).toEqual([]);
  }
});
