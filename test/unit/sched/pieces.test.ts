/** Parts of GPUs: where they go, and what goes with them. */

import { describe, expect, test } from "vitest";
import type { Node } from "../../../src/core/node.ts";
import { candidatesOf } from "../../../src/core/node-set.ts";
import type { Allocation, GpuRequest, ResourceRequest } from "../../../src/core/resources.ts";
import { taskCapacity } from "../../../src/core/room.ts";
import { place } from "../../../src/sched/place/place.ts";
import { request } from "../support/samples.ts";
import { node } from "./samples.ts";

const wish = (per: GpuRequest["per"], thousandths: number, type: string | null = null): Partial<ResourceRequest> => ({
  gpus: { per, wishes: [{ type, thousandths }] },
});

/** A node with so many thousandths of its GPUs in use. */
function used(name: string, gpus: number | string, ...thousandths: number[]): Node {
  const taken = Object.fromEntries(thousandths.flatMap((held, index) => (held > 0 ? [[index, held]] : [])));
  return node(name, gpus, 8, { usage: { cpus: 0, memoryMiB: 0, gpus: taken } });
}

/** `n1 0:1000 2:500` a node. */
function grants(allocation: Allocation | null): string[] | null {
  if (!allocation) return null;
  return allocation.map(({ node: name, gpus }) =>
    [name, ...gpus.map(({ index, thousandths }) => `${index}:${thousandths}`)].join(" "),
  );
}

function placed(over: Partial<ResourceRequest>, ...nodes: Node[]): string[] | null {
  return grants(place(candidatesOf(nodes), request({ tasks: null, ...over })));
}

describe("which GPU a part comes from", () => {
  test("one that is shared already, where the least is left over; whole ones stay whole", () => {
    expect(placed(wish("job", 500), used("n1", 4))).toEqual(["n1 0:500"]);
    expect(placed(wish("job", 500), used("n1", 4, 0, 300, 500))).toEqual(["n1 2:500"]);
    expect(placed(wish("job", 500), used("n1", 4, 0, 600, 400))).toEqual(["n1 2:500"]);
    expect(placed(wish("job", 500), used("n1", 2, 600, 501))).toBe(null);
    expect(placed(wish("job", 1), used("n1", 1, 999))).toEqual(["n1 0:1"]);
  });
  test("two and a half are two whole ones and half of a third", () => {
    expect(placed(wish("job", 2500), used("n1", 4, 0, 300))).toEqual(["n1 0:1000 1:500 2:1000"]);
    expect(placed(wish("job", 2500), used("n1", 4))).toEqual(["n1 0:500 1:1000 2:1000"]);
    expect(placed(wish("job", 2500), used("n1", 3, 0, 600))).toBe(null);
  });
  test("whole ones are never shared", () => {
    expect(placed(wish("job", 1000), used("n1", 2, 1, 1))).toBe(null);
    expect(placed(wish("job", 1000), used("n1", 2, 1))).toEqual(["n1 1:1000"]);
    expect(placed({ gpuIds: [{ node: "n1", indices: [0] }] }, used("n1", 2, 1))).toBe(null);
    expect(placed({ exclusive: true }, used("n1", 2, 1))).toBe(null);
  });
  test("of a type", () => {
    expect(placed(wish("job", 500, "b200"), used("n1", "ab", 500))).toEqual(["n1 1:500"]);
    const both = {
      gpus: { per: "job", wishes: ["a100", "b200"].map((type) => ({ type, thousandths: 1500 })) },
    } as const;
    expect(placed(both, used("n1", "aabb"))).toEqual(["n1 0:500 1:1000 2:500 3:1000"]);
    expect(placed(both, used("n1", "aab"))).toBe(null);
  });
});

describe("over nodes", () => {
  test("as few as will do, each with at least a part", () => {
    expect(placed(wish("job", 2500), used("n1", 2), used("n2", 2))).toEqual(["n1 0:500 1:1000", "n2 0:1000"]);
    expect(placed(wish("job", 2500), used("n1", 2, 600, 600), used("n2", 2))).toBe(null);
    expect(placed({ ...wish("job", 1500), nodes: { min: 2, max: 2 } }, used("n1", 2), used("n2", 2))).toEqual([
      "n1 0:500",
      "n2 0:1000",
    ]);
  });
  test("a part on each node, and a part for each task", () => {
    expect(placed({ ...wish("node", 500), nodes: { min: 2, max: 2 } }, used("n1", 2, 500), used("n2", 1))).toEqual([
      "n1 0:500",
      "n2 0:500",
    ]);
    expect(placed({ ...wish("task", 500), tasks: 3 }, used("n1", 4))).toEqual(["n1 0:1000 1:500"]);
    expect(placed({ ...wish("task", 400), tasks: 4 }, used("n1", 2, 200, 200))).toEqual(["n1 0:800 1:800"]);
    expect(placed({ ...wish("task", 400), tasks: 5 }, used("n1", 2, 200, 200))).toBe(null);
    expect(placed({ ...wish("task", 1500), tasks: 2 }, used("n1", 3))).toEqual(["n1 0:1000 1:1000 2:1000"]);
    expect(taskCapacity(used("n1", 2, 0, 600), request({ tasks: 9, ...wish("task", 400) }))).toBe(3);
  });
});

describe("memory", () => {
  const small = used("n1", "aa");
  const large = used("n2", "bb");
  test("a part has its part of the GPU's memory, and that must suffice", () => {
    expect(placed({ ...wish("job", 500), gpuMemoryMiB: 20_000 }, small, large)).toEqual(["n1 0:500"]);
    expect(placed({ ...wish("job", 500), gpuMemoryMiB: 30_000 }, small, large)).toEqual(["n2 0:500"]);
    expect(placed({ ...wish("job", 1000), gpuMemoryMiB: 40_960 }, small, large)).toEqual(["n1 0:1000"]);
  });
  const byMemory = (gpuMemoryMiB: number): Partial<ResourceRequest> => ({
    gpus: { per: "job", wishes: [{ type: null, thousandths: 1000 }], byMemory: true },
    gpuMemoryMiB,
  });
  test("without a number of GPUs it is what makes the part", () => {
    expect(placed(byMemory(10_240), small)).toEqual(["n1 0:250"]);
    expect(placed(byMemory(10_241), small)).toEqual(["n1 0:251"]);
    expect(placed(byMemory(20_480), used("n1", "aa", 600, 500))).toEqual(["n1 1:500"]);
    expect(placed(byMemory(20_481), used("n1", "aa", 600, 500))).toBe(null);
    expect(placed(byMemory(49_152), small, large)).toEqual(["n2 0:250"]);
    expect(placed(byMemory(300_000), small, large)).toBe(null);
  });
});

test("CPUs and memory for each GPU are those of the part, rounded up", () => {
  const share = place(candidatesOf([node("n1")]), request({ ...wish("job", 1500), cpusPerGpu: 3 }))?.[0];
  expect(share).toMatchObject({ cpus: 5 });
  const memory = { per: "gpu", mib: 101 } as const;
  expect(place(candidatesOf([node("n1")]), request({ ...wish("job", 500), memory }))?.[0]).toMatchObject({
    memoryMiB: 51,
  });
  expect(placed({ ...wish("job", 500), cpusPerGpu: 16 }, node("n1"))).toEqual(["n1 0:500"]);
  expect(placed({ ...wish("job", 500), cpusPerGpu: 17 }, node("n1"))).toBe(null);
});
