/** Which GPUs of a node go together. */

import { expect, test } from "vitest";
import { bestLinked } from "../../../src/core/gpu-links.ts";
import { candidatesOf } from "../../../src/core/node-set.ts";
import type { Gpu } from "../../../src/core/resources.ts";
import { place } from "../../../src/sched/place/place.ts";
import { node } from "../sched/samples.ts";
import { request } from "../support/samples.ts";

/** Two pairs by NVLink, the second with more of them; all else is another NUMA node. */
const PAIRS = ["X NV2 SYS SYS", "NV2 X SYS SYS", "SYS SYS X NV4", "SYS SYS NV4 X"];

function gpus(rows: readonly string[]): Gpu[] {
  const made = node("n1", rows.length).inventory.gpus;
  return made.map((gpu, index) => ({ ...gpu, links: rows[index]?.split(" ") }));
}

function chosen(rows: readonly string[], count: number, free = rows.map((_, index) => index)): number[] {
  const all = gpus(rows).filter(({ index }) => free.includes(index));
  return bestLinked(all, count).map(({ index }) => index);
}

test("the nearest ones, the lowest of equals", () => {
  expect(chosen(PAIRS, 2)).toEqual([2, 3]);
  expect(chosen(PAIRS, 2, [0, 1, 3])).toEqual([0, 1]);
  expect(chosen(PAIRS, 1)).toEqual([0]);
  expect(chosen(PAIRS, 4)).toEqual([0, 1, 2, 3]);
  const bridges = ["X SYS PHB NODE", "SYS X SYS PIX", "PHB SYS X SYS", "NODE PIX SYS X"];
  expect(chosen(bridges, 2)).toEqual([1, 3]);
  expect(chosen(bridges, 2, [0, 2, 3])).toEqual([0, 2]);
});

test("the first ones where nothing is known", () => {
  expect(bestLinked(node("n1", 4).inventory.gpus, 2).map(({ index }) => index)).toEqual([0, 1]);
});

test("a job of several GPUs gets a linked set", () => {
  const plain = node("n1", 4);
  const linked = { ...plain, inventory: { ...plain.inventory, gpus: gpus(PAIRS) } };
  const two = request({ gpus: { per: "job", wishes: [{ type: null, thousandths: 2000 }] } });
  const indices = (usage = plain.usage): (number | undefined)[] | undefined =>
    place(candidatesOf([{ ...linked, usage }]), two)?.[0]?.gpus.map(({ index }) => index);
  expect(indices()).toEqual([2, 3]);
  expect(indices({ cpus: 0, memoryMiB: 0, gpus: { 3: 500 } })).toEqual([0, 1]);
});
