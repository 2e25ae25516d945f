/** A node daemon in a job of another batch system: what it tells of ends, what it offers, when it leaves. */

import { expect, test } from "vitest";
import { readSlurmAllocation } from "../../../src/entry/allocation.ts";
import { clearAway, HeldReports, Loneliness } from "../../../src/node/allocation.ts";
import type { ReportQueue } from "../../../src/node/report-queue.ts";
import { onlyGpus } from "../../../src/platform/gpu-only.ts";
import type { NodeReport } from "../../../src/protocol/procedures.ts";
import { createHandClock } from "./hand-clock.ts";

function ended(jobId: number, code: number, signal = 0): NodeReport {
  const key = { jobId, attempt: 1, stepId: "batch" } as const;
  return { type: "ended", key, exits: [{ code, signal }], problem: "", clean: true, outOfMemory: false };
}

function queueOf(): { readonly sent: number[]; readonly queue: ReportQueue } {
  const sent: number[] = [];
  const add = (report: NodeReport): void => void sent.push("key" in report ? report.key.jobId : report.jobId);
  return { sent, queue: { add, dropStarted: () => {}, use: () => {}, length: 0 } };
}

test("successes are told at once, failures a moment later, and none once the end has begun", async () => {
  const clock = createHandClock();
  const { sent, queue } = queueOf();
  const held = new HeldReports(clock, queue);
  held.queue.add(ended(1, 0));
  held.queue.add(ended(2, 1));
  held.queue.add({ type: "lost", key: { jobId: 3, attempt: 1, stepId: 0 }, cause: "holder lost" });
  expect(sent).toEqual([1]);
  await clock.advance(2000);
  expect(sent).toEqual([1, 2, 3]);
  held.queue.add(ended(4, 0, 15));
  const signals: number[] = [];
  const signalAll = (signal: number): number => {
    signals.push(signal);
    return signals.length < 5 ? 1 : 0;
  };
  const cleared = clearAway(clock, { id: "7", signalAll }, held, () => false);
  held.queue.add(ended(5, 0));
  held.queue.add(ended(6, 143));
  await clock.advance(5000);
  await cleared;
  expect(sent).toEqual([1, 2, 3, 5]);
  // Frozen first: no script goes on to its next line while others are ended.
  expect(signals).toEqual([19, 15, 18, 0, 0]);
});

test("what does not end by itself is killed", async () => {
  const clock = createHandClock();
  const signals: number[] = [];
  const signalAll = (signal: number): number => signals.push(signal);
  const cleared = clearAway(clock, { id: "7", signalAll }, new HeldReports(clock, queueOf().queue), () => false);
  await clock.advance(5000);
  await cleared;
  expect(signals.at(-1)).toBe(9);
});

test("a daemon without controller and steps leaves, one with steps stays", async () => {
  const clock = createHandClock();
  let steps = 1;
  let left = 0;
  const lonely = new Loneliness(
    clock,
    () => steps > 0,
    () => left++,
  );
  await clock.advance(6 * 60_000);
  expect(left).toBe(0);
  steps = 0;
  lonely.end();
  await clock.advance(60 * 60_000);
  expect(left).toBe(0);
  lonely.begin();
  await clock.advance(5 * 60_000);
  expect(left).toBe(1);
});

test("an allocation offers what Slurm's variables say", () => {
  const env = { SLURM_JOB_ID: "12", SLURM_CPUS_ON_NODE: "8", SLURM_MEM_PER_CPU: "500", CUDA_VISIBLE_DEVICES: "1,3" };
  expect(readSlurmAllocation(env)).toEqual({ id: "12", cpus: 8, memoryMiB: 4000, gpus: "1,3" });
  const whole = { SLURM_JOB_ID: "12", SLURM_MEM_PER_NODE: "4000", SLURM_JOB_GPUS: "0" };
  expect(readSlurmAllocation(whole)).toEqual({ id: "12", cpus: null, memoryMiB: 4000, gpus: "0" });
  expect(readSlurmAllocation({})).toEqual({ problem: "this is no job of Slurm: SLURM_JOB_ID is not set" });
});

test("of the GPUs only those that were given are there", async () => {
  const gpus = [0, 1, 2].map((index) => ({ index, uuid: `GPU-${index}abc`, model: "A", type: "a", memoryMiB: 1 }));
  const load = { utilisationPercent: null, memoryUsedMiB: null, temperatureC: null, powerW: null, processes: [] };
  const all = {
    inventory: async () => ({ provider: "fake", gpus, problem: null }),
    load: async () => gpus.map(({ index }) => ({ index, ...load })),
  };
  const some = async (words: string): Promise<unknown> => {
    const provider = onlyGpus(all, words);
    const found = await provider.inventory();
    return [found.gpus.map(({ index }) => index), (await provider.load()).map(({ index }) => index), found.problem];
  };
  expect(await some("0,2")).toEqual([[0, 2], [0, 2], null]);
  expect(await some("GPU-1a")).toEqual([[1], [1], null]);
  expect(await some("NoDevFiles")).toEqual([[], [], null]);
  expect(await some("2,7")).toEqual([[2], [2], "1 of the GPUs 2,7 that were given are not found"]);
});
