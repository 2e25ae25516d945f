/** What of a GPU's load is others', as a node tells it. */

import { expect, test } from "vitest";
import { GpuLoads } from "../../../src/node/gpu-loads.ts";
import { newEntry, type StepEntry } from "../../../src/node/step-table.ts";
import type { GpuLoad, GpuProcess } from "../../../src/platform/gpu.ts";
import { createHandClock } from "./hand-clock.ts";

function entry(gpus: readonly number[]): StepEntry {
  const key = { jobId: 1, attempt: 1, stepId: 0 };
  const record = { key, kind: "run", tasks: 1, startAt: 0, receivedAt: 0, bootId: "b", holder: null, gpus } as const;
  return { ...newEntry(record, null, false), phase: "running" };
}

function load(index: number, percent: number | null, used: number | null, processes: GpuProcess[] = []): GpuLoad {
  return { index, utilisationPercent: percent, memoryUsedMiB: used, temperatureC: 41.6, powerW: null, processes };
}

const OURS = 100;
const OTHER = 200;

function rig(loads: () => readonly GpuLoad[] | Promise<readonly GpuLoad[]>, steps: StepEntry[] = []) {
  const clock = createHandClock();
  const ports = { clock, load: async () => loads(), steps: () => steps, ours: () => new Set([OURS]), staleMs: 5000 };
  return { clock, loads: new GpuLoads({ ...ports, nameOf: (pid) => (pid === OTHER ? "python" : "") }) };
}

async function strangersOf(one: GpuLoad, steps: StepEntry[] = []) {
  const [use] = await rig(() => [one], steps).loads.now();
  return [use?.strangersPercent, use?.strangersMemoryMiB];
}

test("tells who others are, the largest first, in whole numbers", async () => {
  const processes = [
    { pid: OTHER + 1, memoryMiB: 10 },
    { pid: OTHER, memoryMiB: 900 },
  ];
  const [use] = await rig(() => [load(0, 96.4, 950, processes)]).loads.now();
  expect(use).toEqual({
    ...{ index: 0, utilisationPercent: 96, memoryUsedMiB: 950, temperatureC: 42, powerW: null },
    strangers: [
      { pid: OTHER, memoryMiB: 900, program: "python" },
      { pid: OTHER + 1, memoryMiB: 10, program: "" },
    ],
    ...{ strangersMemoryMiB: 950, strangersPercent: 96 },
  });
});

test("counts a GPU without a step of ours as others' even where the driver names no process", async () => {
  expect(await strangersOf(load(0, 90, 8000))).toEqual([90, 8000]);
  expect(await strangersOf(load(0, null, null))).toEqual([0, 0]);
});

test("never counts what our own steps do", async () => {
  expect(await strangersOf(load(0, 90, 8000), [entry([0])])).toEqual([0, 0]);
  expect(await strangersOf(load(0, 90, 8000, [{ pid: OURS, memoryMiB: 8000 }]))).toEqual([0, 0]);
  // A MIG instance of it.
  expect(await strangersOf(load(0, 90, 8000), [entry([101])])).toEqual([0, 0]);
  const ended = { ...entry([0]), phase: "ended" as const };
  expect(await strangersOf(load(0, 90, 8000), [ended])).toEqual([90, 8000]);
});

test("of a GPU that both have, counts what the driver says of others' processes", async () => {
  const both = [
    { pid: OURS, memoryMiB: 6000, utilisationPercent: 60 },
    { pid: OTHER, memoryMiB: 2000, utilisationPercent: 30 },
  ];
  expect(await strangersOf(load(0, 90, 8000, both), [entry([0])])).toEqual([30, 2000]);
  const silent = both.map(({ pid, memoryMiB }) => ({ pid, memoryMiB }));
  expect(await strangersOf(load(0, 90, 8000, silent), [entry([0])])).toEqual([0, 2000]);
  // Ours does nothing there.
  const alone = [{ pid: OTHER, memoryMiB: 2000 }];
  expect(await strangersOf(load(0, 90, 2000, alone), [entry([0])])).toEqual([90, 2000]);
});

test("numbers may be of a step that has just ended, for as long as they are kept", async () => {
  const steps = [entry([0])];
  const { clock, loads } = rig(() => [load(0, 90, 8000)], steps);
  expect((await loads.now())[0]?.strangersPercent).toBe(0);
  steps.pop();
  await clock.advance(5000);
  expect((await loads.now())[0]?.strangersPercent).toBe(0);
  await clock.advance(1);
  expect((await loads.now())[0]?.strangersPercent).toBe(90);
});

test("a driver that hangs holds up no sign of life", async () => {
  let answer: (loads: readonly GpuLoad[]) => void = () => {};
  const { clock, loads } = rig(() => new Promise((resolve) => (answer = resolve)));
  const first = loads.now();
  await clock.advance(1000);
  expect(await first).toEqual([]);
  const second = loads.now();
  answer([load(0, 1, 2)]);
  expect(await second).toHaveLength(1);
});
