/** What processes used, on this very machine. */

import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { ChildMeter, processUsage } from "../../../src/platform/process-usage.ts";

const SPIN = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";

test("a process shows memory, bytes and CPU time; one that is gone shows nothing", () => {
  const usage = processUsage(process.pid);
  expect(usage?.rssKiB).toBeGreaterThan(10_000);
  expect(usage?.peakRssKiB).toBeGreaterThanOrEqual(usage?.rssKiB ?? Number.NaN);
  expect(usage?.vmKiB).toBeGreaterThan(usage?.rssKiB ?? Number.NaN);
  expect((usage?.userMs ?? 0) + (usage?.systemMs ?? 0)).toBeGreaterThan(0);
  expect(usage?.read).toBeGreaterThan(0);
  expect(processUsage(2 ** 30)).toBeNull();
});

test("the end of a child tells what it and its own children used", async () => {
  const meter = new ChildMeter();
  const child = spawn("/bin/sh", ["-c", `(${SPIN}) & wait`]);
  await new Promise((resolve) => child.once("exit", resolve));
  const spent = meter.take();
  expect(spent.userMs + spent.systemMs).toBeGreaterThan(20);
  await new Promise((resolve) => setImmediate(resolve));
  expect(meter.take()).toMatchObject({ userMs: 0, systemMs: 0 });
});

test("children that ended in the same turn share what they used", async () => {
  const meter = new ChildMeter();
  const child = spawn("/bin/sh", ["-c", SPIN]);
  await new Promise((resolve) => child.once("exit", resolve));
  const [first, second] = [meter.take(), meter.take()];
  expect(first.userMs).toBe(second.userMs);
  expect(first.userMs + first.systemMs).toBeGreaterThan(10);
});
