/** What tasks used, put together from looks and from their ends. */

import { expect, test } from "vitest";
import { cpuOf, totalOf, usageOfTasks } from "../../../src/core/usage.ts";
import { TaskUsages } from "../../../src/node/holder/step-usage.ts";
import type { ProcessUsage } from "../../../src/platform/process-usage.ts";

function seen(over: Partial<ProcessUsage> = {}): ProcessUsage {
  return {
    ...{ userMs: 10, systemMs: 5, pages: 1, rssKiB: 100, peakRssKiB: 100, vmKiB: 1000, peakVmKiB: 1000 },
    ...{ read: 7, written: 3 },
    ...over,
  };
}

test("a task that ended before any look has its CPU time and no memory", () => {
  const used = new TaskUsages();
  used.ended(0, { userMs: 12, systemMs: 8, pages: 0 });
  expect(used.total).toEqual({ userMs: 12, systemMs: 8, cpuMs: [20, 0, 20, 0, 20], pages: [0, 0, 0, 0, 0] });
});

test("peaks stay, sums are over a task's processes, and the end tells more than the looks before it", () => {
  const used = new TaskUsages();
  used.look(0, [seen(), seen({ rssKiB: 300, peakRssKiB: 900 })]);
  used.look(0, [seen({ userMs: 1, systemMs: 0, rssKiB: 50, peakRssKiB: 60 })]);
  expect(used.total).toMatchObject({
    userMs: 20,
    systemMs: 10,
    rssKiB: [900, 0, 900, 0, 900],
    read: [14, 0, 14, 0, 14],
  });
  used.ended(0, { userMs: 400, systemMs: 100, pages: 2 });
  expect(used.total).toMatchObject({ userMs: 400, systemMs: 100, pages: [2, 0, 2, 0, 2] });
});

test("what a task left running counts as far as it was seen", () => {
  const used = new TaskUsages();
  used.look(0, [seen({ userMs: 900 })]);
  used.ended(0, { userMs: 10, systemMs: 10, pages: 0 });
  expect(used.total).toMatchObject({ userMs: 900 });
});

test("nothing is known of a step that nobody looked at and whose end nobody saw", () => {
  expect(new TaskUsages().total).toBeUndefined();
});

test("parts of several nodes name the node and the task of the extremes", () => {
  const task = (number: number, userMs: number) => ({ task: number, userMs, systemMs: 0, pages: 0 });
  const parts = [
    { node: "n1", tasks: [0, 1], usage: usageOfTasks([task(0, 10), task(1, 30)]) },
    { node: "n2", tasks: [2], usage: usageOfTasks([task(2, 5)]) },
    { node: "n3", tasks: [3] },
  ];
  expect(totalOf(parts, "cpuMs")).toEqual({
    ...{ max: 30, maxNode: "n1", maxTask: 1, min: 5, minNode: "n2", minTask: 2, total: 45, average: 15 },
  });
  expect(totalOf(parts, "rssKiB")).toBeUndefined();
  expect(cpuOf(parts)).toEqual({ userMs: 45, systemMs: 0 });
});
