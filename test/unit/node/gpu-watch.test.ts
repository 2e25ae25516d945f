/** How much steps use their GPUs, as the node daemon sees it from time to time. */

import { expect, test } from "vitest";
import { GpuWatch } from "../../../src/node/gpu-watch.ts";
import { newEntry, type StepEntry } from "../../../src/node/step-table.ts";
import type { GpuLoad } from "../../../src/platform/gpu.ts";
import { createHandClock } from "./hand-clock.ts";

const USAGE = { userMs: 1, systemMs: 0, cpuMs: [1, 0, 1, 0, 1], pages: [0, 0, 0, 0, 0] } as const;

function entry(jobId: number, gpus?: readonly number[]): StepEntry {
  const key = { jobId, attempt: 1, stepId: 0 };
  const record = { key, kind: "run", tasks: 1, startAt: 0, receivedAt: 0, bootId: "b", holder: null } as const;
  return { ...newEntry({ ...record, ...(gpus ? { gpus } : {}) }, null, false), phase: "running" };
}

function rig(steps: StepEntry[]) {
  const clock = createHandClock();
  let percent: number | null = 0;
  let looks = 0;
  const load = async (): Promise<GpuLoad[]> => {
    looks += 1;
    return [0, 1, 2].map((index) => {
      const memoryUsedMiB = 1000 * (index + 1);
      return { index, utilisationPercent: percent, memoryUsedMiB, temperatureC: 1, powerW: 1, processes: [] };
    });
  };
  const watch = new GpuWatch({ clock, load, steps: () => steps });
  const busy = (next: number | null): void => {
    percent = next;
  };
  return { clock, watch, busy, looks: () => looks };
}

test("keeps the average over time and the highest of a step's own GPUs together", async () => {
  const [one, other] = [entry(1, [0, 2]), entry(2, [1])];
  const { clock, watch, busy } = rig([one, other]);
  watch.review();
  busy(10);
  await clock.advance(2000);
  busy(90);
  await clock.advance(15_000);
  const used = watch.withGpus(one.record.key, USAGE);
  expect(used).toEqual({ ...USAGE, gpuUtil: [180, 0, 100, 0, 100], gpuMemMiB: [4000, 0, 4000, 0, 4000] });
  expect(watch.withGpus(other.record.key, USAGE).gpuUtil).toEqual([90, 0, 50, 0, 50]);
  watch.forget(one.record.key);
  expect(watch.withGpus(one.record.key, USAGE)).toEqual(USAGE);
});

test("looks only while a step with GPUs runs, and knows nothing where the driver says nothing", async () => {
  const one = entry(1, [0]);
  const steps = [entry(2)];
  const { clock, watch, busy, looks } = rig(steps);
  watch.review();
  await clock.advance(60_000);
  expect(looks()).toBe(0);
  steps.push(one);
  busy(null);
  watch.review();
  watch.review();
  await clock.advance(2000);
  expect(looks()).toBe(1);
  expect(watch.withGpus(one.record.key, USAGE)).toEqual(USAGE);
  one.phase = "ended";
  await clock.advance(60_000);
  expect(looks()).toBe(2);
});
