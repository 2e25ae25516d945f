import { expect, test } from "vitest";
import { createVitals, parseBootTime, parseMemFree, parseTopology } from "../../../src/platform/vitals.ts";

/** `/proc/cpuinfo` of so many sockets, cores and threads. */
function cpuinfo(sockets: number, cores: number, threads: number): string {
  let text = "";
  for (let number = 0; number < sockets * cores * threads; number++) {
    const core = Math.floor(number / threads);
    text += `processor\t: ${number}\nphysical id\t: ${Math.floor(core / cores)}\ncore id\t\t: ${core % cores}\n\n`;
  }
  return text;
}

test("of this machine they make sense", () => {
  const vitals = createVitals()();
  expect(vitals.loadCenti).toBeGreaterThanOrEqual(0);
  expect(vitals.freeMemoryMiB).toBeGreaterThan(0);
  expect(vitals.bootAt).toBeGreaterThan(Date.UTC(2000, 0));
  expect(vitals.sockets * vitals.coresPerSocket * vitals.threadsPerCore).toBeGreaterThan(0);
});

test.each([
  [1, 2, 1],
  [2, 8, 2],
  [4, 1, 1],
])("%i sockets, %i cores, %i threads", (sockets, coresPerSocket, threadsPerCore) => {
  const text = cpuinfo(sockets, coresPerSocket, threadsPerCore);
  expect(parseTopology(text)).toEqual({ sockets, coresPerSocket, threadsPerCore });
});

test("processors that are not placed are cores of one socket", () => {
  expect(parseTopology("processor : 0\n\nprocessor : 1\n\n")).toEqual({
    ...{ sockets: 1, coresPerSocket: 2, threadsPerCore: 1 },
  });
  expect(parseTopology("")).toEqual({ sockets: 1, coresPerSocket: 1, threadsPerCore: 1 });
});

test("memory and boot time", () => {
  expect(parseMemFree("MemTotal: 9 kB\nMemFree:        2048 kB\n")).toBe(2);
  expect(parseMemFree("")).toBeUndefined();
  expect(parseBootTime("cpu 1 2\nbtime 1795000000\n")).toBe(1_795_000_000_000);
  expect(parseBootTime("")).toBe(0);
});
