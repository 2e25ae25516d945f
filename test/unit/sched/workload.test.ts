/** What is learned of jobs. */

import { expect, test } from "vitest";
import type { ResourceRequest } from "../../../src/core/resources.ts";
import { typicalAmong, Workload } from "../../../src/sched/place/workload.ts";
import { request } from "../support/samples.ts";

const WEEK = 7 * 24 * 3600 * 1000;

const gpus = (thousandths: number, per: "job" | "node" | "task" = "job"): Partial<ResourceRequest> => ({
  gpus: { per, wishes: [{ type: null, thousandths }] },
});

function shares(workload: Workload): number[] {
  return workload.typical().map(({ share }) => Math.round(share * 1000) / 1000);
}

test.each<[string, Partial<ResourceRequest>, object]>([
  ["a task", { tasks: 2, cpusPerTask: 3 }, { cpus: 6, gpus: 0 }],
  ["half a GPU", gpus(500), { gpus: 1, thousandths: 500 }],
  ["two GPUs", gpus(2000), { gpus: 2, thousandths: 1000 }],
  ["two and a half", gpus(2500), { gpus: 3, thousandths: 1000 }],
  ["a half for each task", { tasks: 4, ...gpus(500, "task") }, { cpus: 4, gpus: 4, thousandths: 500 }],
  ["eight over two nodes", { tasks: 2, nodes: { min: 2, max: 2 }, ...gpus(8000) }, { cpus: 1, gpus: 4 }],
  ["a type", { gpus: { per: "job", wishes: [{ type: "A100", thousandths: 1000 }] } }, { type: "a100" }],
  ["features", { constraint: "fast" }, { constraint: "fast", type: null }],
])("the kind of %s", (_what, wish, expected) => {
  expect(typicalAmong([request(wish)])).toMatchObject([{ ...expected, share: 1 }]);
});

test("older jobs count less, by half a week", () => {
  const workload = new Workload();
  workload.note(request(gpus(500)), 0);
  workload.note(request(gpus(1000)), WEEK);
  expect(shares(workload)).toEqual([0.667, 0.333]);
  const later = new Workload();
  later.note(request(gpus(500)), 0, 5);
  later.note(request(gpus(1000)), 600 * WEEK);
  expect(shares(later)).toEqual([1]);
});

test("rare kinds are left out, and the same object is told until there is news", () => {
  const workload = new Workload();
  workload.note(request(gpus(1000)), 0, 99);
  workload.note(request(gpus(300)), 0);
  const first = workload.typical();
  expect(first).toHaveLength(1);
  workload.note(request(gpus(500)), 0, 1000);
  expect(workload.typical()).toBe(first);
  for (let count = 0; count < 200; count++) workload.note(request(gpus(500)), 0);
  expect(workload.typical()).not.toBe(first);
});

test("however many kinds come, only so many are kept", () => {
  const workload = new Workload();
  for (let cpus = 1; cpus <= 5000; cpus++) workload.note(request({ cpusPerTask: cpus }), 0);
  workload.note(request({ cpusPerTask: 7777 }), 0, 100_000);
  for (let count = 0; count < 300; count++) workload.note(request({ cpusPerTask: 7777 }), 0);
  expect(workload.typical()).toMatchObject([{ cpus: 7777 }]);
});
