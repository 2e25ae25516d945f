/** Queues of allocations: what they may ask for, what failures do to them, what is left when they go. */

import { expect, test } from "vitest";
import type { AddElasticQueue, Command } from "../../../src/core/commands.ts";
import { whyNoMore } from "../../../src/core/decide/elastic.ts";
import { type ElasticLimits, FAILURES_MAX, retryAfterMs } from "../../../src/core/elastic/records.ts";
import { step } from "../../../src/core/kernel.ts";
import { reservedFor } from "../../../src/core/reservation.ts";
import { type ClusterState, emptyState, fromStored, toStored } from "../../../src/core/state.ts";
import { gpuRequest, inventory, submit, T0 } from "../support/samples.ts";

const ADA = { uid: 1000, name: "ada" };
const SHAPE = { cpus: 8, memoryMiB: 4000, gpus: "4", timeS: 3600 };

function add(limits: Partial<ElasticLimits> = {}): AddElasticQueue {
  const all = { max: 3, backlog: 2, minBetweenS: 0, idleS: 300, ...limits };
  const queue = { manager: "slurm", by: ADA, shape: SHAPE, limits: all, args: ["-p", "gpu"], place: {} } as const;
  return { type: "elastic.add", queue, note: "made by ada" };
}

function run(state: ClusterState, ...commands: readonly Command[]): string[] {
  return commands.map((command) => step(state, command, T0).decision.kind);
}

const order = { type: "elastic.order", queueId: 1 } as const;
const nodes = (state: ClusterState): string[] => [...state.elastic.nodes.keys()];

test("allocations are counted by names that never come back, within --max and --backlog", () => {
  const state = emptyState();
  run(state, add(), order, order);
  expect(nodes(state)).toEqual(["slurm1-1", "slurm1-2"]);
  expect(run(state, order)).toEqual(["ignore"]);
  run(state, { type: "elastic.node", node: "slurm1-1", changes: { phase: "running", outerId: "7" }, note: "runs" });
  expect(run(state, order, order)).toEqual(["accept", "ignore"]);
  run(state, { type: "elastic.over", node: "slurm1-1", note: "over" });
  run(state, { type: "elastic.node", node: "slurm1-2", changes: { phase: "running" } });
  run(state, order);
  expect(nodes(state)).toEqual(["slurm1-2", "slurm1-3", "slurm1-4"]);
  expect(state.elastic.queues.get(1)?.notes.map(({ text }) => text)).toEqual(["made by ada", "runs", "over"]);
  expect(fromStored(JSON.parse(JSON.stringify(toStored(state))))).toEqual(state);
});

test("--every keeps them apart", () => {
  const state = emptyState();
  run(state, add({ minBetweenS: 60 }), order);
  const queue = () => state.elastic.queues.get(1) as never;
  expect(whyNoMore(state, queue(), T0 + 59_000)).toContain("--every");
  expect(whyNoMore(state, queue(), T0 + 60_000)).toBe("");
});

test("failures in a row make it wait twice as long each time, and pause it in the end; a node that joins forgives them", () => {
  const state = emptyState();
  run(state, add());
  const queue = () => state.elastic.queues.get(1);
  const fail = (): void => {
    const at = Math.max(T0, queue()?.retryAt ?? 0);
    step(state, order, at);
    const node = nodes(state)[0] ?? "";
    step(state, { type: "elastic.over", node, note: "refused", problem: "invalid partition" }, at);
    last = at;
  };
  let last = T0;
  const waits: number[] = [];
  for (let count = 1; count < FAILURES_MAX; count++) {
    fail();
    waits.push(((queue()?.retryAt ?? 0) - last) / 1000);
  }
  expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640]);
  expect(queue()?.pause).toBeNull();
  run(state, { type: "elastic.change", queueId: 1, change: { type: "seen", gpus: [] }, note: "" });
  expect(queue()).toMatchObject({ failures: 0, retryAt: 0, problem: "" });
  for (let count = 0; count < FAILURES_MAX; count++) fail();
  expect(queue()?.pause?.reason).toBe(`${FAILURES_MAX} failures: invalid partition`);
  expect(queue()?.notes.at(-1)?.text).toContain("mgpu alloc resume 1");
  expect(run(state, order)).toEqual(["ignore"]);
  run(state, { type: "elastic.change", queueId: 1, change: { type: "resume" }, note: "goes on" });
  expect(run(state, order)).toEqual(["accept"]);
  expect(retryAfterMs(30)).toBe(15 * 60_000);
});

test("a queue that is removed goes with its last allocation, and can't be resumed", () => {
  const state = emptyState();
  run(state, add(), order, { type: "elastic.change", queueId: 1, change: { type: "leave" }, note: "removed" });
  expect(state.elastic.queues.get(1)?.isLeaving).toBe(true);
  expect(run(state, { type: "elastic.change", queueId: 1, change: { type: "resume" }, note: "" })).toEqual(["deny"]);
  run(state, { type: "elastic.over", node: "slurm1-1", note: "over" });
  expect([state.elastic.queues.size, state.elastic.nodes.size]).toEqual([0, 0]);
  run(state, add(), { type: "elastic.change", queueId: 2, change: { type: "leave" }, note: "removed" });
  expect(state.elastic.queues.size).toBe(0);
});

test("nothing goes to a node that may take longer than it stays, or of which that is not known", () => {
  const state = emptyState();
  run(state, add(), order);
  const leaving = (limitS: number): readonly string[] => [
    ...reservedFor(state, { reservation: null }, limitS, T0).leaving,
  ];
  expect(leaving(1)).toEqual(["slurm1-1"]);
  run(state, { type: "elastic.node", node: "slurm1-1", changes: { endsAt: T0 + 600_000 } });
  expect(leaving(600)).toEqual([]);
  expect(leaving(601)).toEqual(["slurm1-1"]);
  // Without a time limit it may take for ever.
  expect(leaving(0)).toEqual(["slurm1-1"]);
});

test("a job that only lent machines could hold is taken, and one that none could hold is not", () => {
  const state = emptyState();
  run(state, { type: "node.register", node: "n1", inventory: inventory(2), starts: [] });
  const four = submit("a", { request: gpuRequest(4) });
  expect(run(state, four)).toEqual(["deny"]);
  run(state, add());
  expect(run(state, four, submit("b", { request: gpuRequest(13) }))).toEqual(["accept", "deny"]);
});
