/** --gpu-mem counts what processes of others use of a GPU's memory. */

import { expect, test } from "vitest";
import { type Node, withoutOthersMemory } from "../../../src/core/node.ts";
import type { ResourceRequest } from "../../../src/core/resources.ts";
import { OPEN_GATE } from "../../../src/sched/eligible.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { gpuRequest, request, T0 } from "../support/samples.ts";
import { node, pending } from "./samples.ts";

const GIB = 1024;

/** Two GPUs of 80 GiB, of which others use so much. */
function loaded(...usedGiB: number[]): Node {
  const made = node("n1", 2);
  const gpus = made.inventory.gpus.map((gpu) => ({ ...gpu, memoryMiB: 80 * GIB }));
  const others = usedGiB.map((gib, at) => [String(at), gib * GIB] as const).filter(([, mib]) => mib > 0);
  return withoutOthersMemory({ ...made, inventory: { ...made.inventory, gpus } }, Object.fromEntries(others));
}

function plan(one: Node, ...requests: ResourceRequest[]) {
  const jobs = requests.map((wish, at) => pending(at + 1, { request: wish, timeLimitS: 60 }));
  const view = { pending: jobs, expiring: [], nodes: [one], isConnected: () => true, gate: OPEN_GATE };
  const { starts, reasons } = schedule(view, T0);
  const placed = starts.map(({ jobId, allocation }) => [jobId, allocation[0]?.gpus.map(({ index }) => index)]);
  return { placed, told: [...reasons.values()].map(({ word, text }) => `${word}: ${text}`) };
}

const whole = { ...gpuRequest(1), gpuMemoryMiB: 20 * GIB };
const wish = { type: null, thousandths: 1 };
const piece = request({ gpus: { per: "job", wishes: [wish], byMemory: true }, gpuMemoryMiB: 20 * GIB });

test("a GPU of which others leave less than was asked for is not granted", () => {
  expect(plan(loaded(70, 0), whole).placed).toEqual([[1, [1]]]);
  expect(plan(loaded(70, 0), piece).placed).toEqual([[1, [1]]]);
  expect(plan(loaded(60, 70), whole).placed).toEqual([[1, [0]]]);
  // Who asks for no memory gets either.
  expect(plan(loaded(70, 0), gpuRequest(1)).placed).toEqual([[1, [0]]]);
});

test("pieces share what others leave", () => {
  const { placed } = plan(loaded(35, 80), piece, piece, piece);
  expect(placed).toEqual([
    [1, [0]],
    [2, [0]],
  ]);
});

test("where others leave too little everywhere it waits for them, says so, and keeps nobody", () => {
  const { placed, told } = plan(loaded(70, 71), whole, gpuRequest(2));
  expect(placed).toEqual([[2, [0, 1]]]);
  expect(told).toEqual([
    "Resources: waits for 1 GPU with 20480 MiB of memory and 1 CPU to be free (n1: others use 71680 of the 81920 MiB of GPU 0; others use 72704 of the 81920 MiB of GPU 1)",
  ]);
});
