/** GPUs that others load, as the controller judges them. */

import { expect, test } from "vitest";
import { GpuGuard } from "../../../src/controller/gpu-guard.ts";
import { NO_USAGE } from "../../../src/core/resources.ts";
import type { GpuUse } from "../../../src/protocol/records.ts";
import { inventory } from "../support/samples.ts";

const GPUS = [0, 1].map((index) => ({ index, uuid: `u${index}`, model: "A", type: "a", memoryMiB: 1000 }));

function use(index: number, percent: number, memoryMiB: number, strangers: GpuUse["strangers"] = []): GpuUse {
  const numbers = { utilisationPercent: percent, memoryUsedMiB: memoryMiB, temperatureC: null, powerW: null };
  return { index, ...numbers, strangers, strangersPercent: percent, strangersMemoryMiB: memoryMiB };
}

function rig() {
  const settings = { gpuMemoryThreshold: 0.8, gpuLoadThreshold: 0.8, gpuWindowS: 60 };
  const logged: string[] = [];
  const say = (text: string) => void logged.push(text);
  const log = { debug: say, info: say, warn: say, error: say } as never;
  let now = 0;
  let changes = 0;
  const onChange = () => {
    changes += 1;
  };
  const guard = new GpuGuard({ clock: { monotonic: () => now }, log, settings, onChange });
  const note = (seconds: number, ...uses: GpuUse[]) => {
    now += seconds * 1000;
    guard.note("n1", GPUS, uses);
  };
  return { guard, note, settings, logged, changes: () => changes };
}

test("memory counts as it is; the reason names who, how much and which setting", () => {
  const { guard, note, logged, changes } = rig();
  note(0, use(0, 0, 800), use(1, 0, 0));
  expect(guard.blockedOn("n1")).toBeUndefined();
  note(5, use(0, 0, 801, [{ pid: 7, memoryMiB: 801, program: "python" }]), use(1, 0, 0));
  const why = "processes of others (7 python) use 801 of its 1000 MiB, more than gpu.memory_threshold=0.8";
  expect(guard.blockedOn("n1")).toEqual({ 0: why });
  note(5, use(0, 0, 900), use(1, 0, 0));
  note(5, use(0, 0, 0), use(1, 0, 0));
  expect(guard.blockedOn("n1")).toBeUndefined();
  expect([changes(), logged]).toEqual([3, [expect.stringContaining("no new jobs"), expect.stringContaining("again")]]);
});

test("load counts on average over the window, and no longer", () => {
  const { guard, note } = rig();
  for (let look = 0; look < 12; look++) note(5, use(1, 0, 0));
  for (let look = 0; look < 9; look++) note(5, use(1, 100, 0));
  // 9 of the 12 looks of the last minute.
  expect(guard.blockedOn("n1")).toBeUndefined();
  note(5, use(1, 100, 0));
  expect(guard.blockedOn("n1")?.[1]).toBe(
    "processes of others keep it 83% busy on average over 60 s, more than gpu.load_threshold=0.8",
  );
  for (let look = 0; look < 3; look++) note(5, use(1, 0, 0));
  expect(guard.blockedOn("n1")).toBeUndefined();
});

test("thresholds may change while it runs; at 1 nothing is too much", () => {
  const { guard, note, settings } = rig();
  note(0, use(0, 30, 300));
  Object.assign(settings, { gpuMemoryThreshold: 0.2 });
  note(5, use(0, 30, 300));
  expect(guard.blockedOn("n1")?.[0]).toContain("gpu.memory_threshold=0.2");
  Object.assign(settings, { gpuMemoryThreshold: 1, gpuLoadThreshold: 1 });
  note(5, use(0, 100, 1000));
  expect(guard.blockedOn("n1")).toBeUndefined();
});

test("an instance of a GPU goes by the load of the whole, not by its memory; unknown nodes have nothing", () => {
  const { guard } = rig();
  const instance = [{ index: 203, uuid: "m", model: "A", type: "a", memoryMiB: 100 }];
  guard.note("n2", instance, [use(1, 90, 0)]);
  expect(Object.keys(guard.blockedOn("n2") ?? {})).toEqual(["203"]);
  guard.note("n3", instance, [use(1, 0, 900)]);
  expect(guard.blockedOn("n3")).toBeUndefined();
  expect(guard.blockedOn("n9")).toBeUndefined();
});

test("what others use of a GPU's memory is not there for requests of memory, in steps", () => {
  const { guard, note, changes } = rig();
  const node = {
    name: "n1",
    inventory: { ...inventory(0), gpus: GPUS },
    registeredAt: 0,
    usage: NO_USAGE,
    drain: null,
    down: null,
  };
  const seen = () => guard.seenBy(node).inventory.gpus.map(({ memoryMiB }) => memoryMiB);
  expect(seen()).toEqual([1000, 1000]);
  note(0, use(0, 0, 255), use(1, 0, 300));
  expect(seen()).toEqual([1000, 488]);
  const copy = guard.seenBy(node);
  note(5, use(0, 0, 0), use(1, 0, 310));
  // The same object, so that nobody looks at the node anew.
  expect(guard.seenBy(node)).toBe(copy);
  expect(changes()).toBe(1);
  note(5, use(0, 0, 0), use(1, 0, 0));
  expect(seen()).toEqual([1000, 1000]);
  expect(changes()).toBe(2);
});
