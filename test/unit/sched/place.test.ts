/** Where requests go. Compared with Slurm 22.05 on nodes of 8 CPUs and 4 GPUs where the comment says so. */

import { describe, expect, test } from "vitest";
import type { Node } from "../../../src/core/node.ts";
import { candidatesOf } from "../../../src/core/node-set.ts";
import type { ResourceRequest } from "../../../src/core/resources.ts";
import { taskCapacity } from "../../../src/core/room.ts";
import { place } from "../../../src/sched/place/place.ts";
import { request } from "../support/samples.ts";
import { gpus, node, nodeWith, shown } from "./samples.ts";

const THREE = [node("n1"), node("n2"), node("n3")];

function placed(over: Partial<ResourceRequest>, nodes: readonly Node[] = THREE): string[] | null {
  return shown(place(candidatesOf(nodes), request({ tasks: null, ...over })));
}

const nodesOf = (min: number, max = min) => ({ nodes: { min, max } });

describe("how many nodes", () => {
  test("one where one will do, else as few as hold all tasks, filled one after the other (Slurm)", () => {
    expect(placed({})).toEqual(["n1: 1/1/0/"]);
    expect(placed({ tasks: 8 })).toEqual(["n1: 8/8/0/"]);
    expect(placed({ tasks: 10 })).toEqual(["n1: 8/8/0/", "n2: 2/2/0/"]);
    expect(placed({ tasks: 4, cpusPerTask: 3 })).toEqual(["n1: 2/6/0/", "n2: 2/6/0/"]);
    expect(placed({ tasks: 25 })).toBe(null);
  });
  test("each of several nodes has a task", () => {
    expect(placed({ tasks: 9 })).toEqual(["n1: 8/8/0/", "n2: 1/1/0/"]);
    const small = [node("n1", 0, 2), node("n2", 0, 2), node("n3", 0, 1)];
    expect(placed({ tasks: 5 }, small)).toEqual(["n1: 2/2/0/", "n2: 2/2/0/", "n3: 1/1/0/"]);
  });
  test("as many as the user said, tasks dealt out evenly (Slurm)", () => {
    expect(placed({ tasks: 3, ...nodesOf(2) })).toEqual(["n1: 2/2/0/", "n2: 1/1/0/"]);
    expect(placed({ tasks: 3, ...nodesOf(2), cpusPerTask: 2 })).toEqual(["n1: 2/4/0/", "n2: 1/2/0/"]);
    expect(placed(nodesOf(2))).toEqual(["n1: 1/1/0/", "n2: 1/1/0/"]);
    expect(placed({ tasksPerNode: 3, ...nodesOf(2) })).toEqual(["n1: 3/3/0/", "n2: 3/3/0/"]);
    const uneven = [node("n1", 0, 1), node("n2", 0, 8)];
    expect(placed({ tasks: 5, ...nodesOf(2) }, uneven)).toEqual(["n1: 1/1/0/", "n2: 4/4/0/"]);
  });
  test("of a range as many as there are now, but no more than tasks (Slurm)", () => {
    expect(placed({ tasks: 4, ...nodesOf(1, 3) })).toEqual(["n1: 2/2/0/", "n2: 1/1/0/", "n3: 1/1/0/"]);
    expect(placed({ tasks: 2, ...nodesOf(1, 9) })).toEqual(["n1: 1/1/0/", "n2: 1/1/0/"]);
    const busy = [node("n1"), node("n2", 4, 8, { usage: { cpus: 8, memoryMiB: 0, gpus: {} } })];
    expect(placed({ tasks: 4, ...nodesOf(1, 2) }, busy)).toEqual(["n1: 4/4/0/"]);
    expect(placed({ tasks: 4, ...nodesOf(2) }, busy)).toBe(null);
  });
  test("nodes beyond the tasks get a CPU each", () => {
    expect(placed({ tasks: 2, ...nodesOf(3), cpusPerTask: 4 })).toEqual(["n1: 1/4/0/", "n2: 1/4/0/", "n3: 0/1/0/"]);
  });
  test("a cap on the tasks of a node", () => {
    expect(placed({ tasks: 4, tasksPerNode: 2 })).toEqual(["n1: 2/2/0/", "n2: 2/2/0/"]);
    expect(placed({ tasks: 7, tasksPerNode: 2 })).toBe(null);
  });
  test("spread over as many as allowed, evenly", () => {
    expect(placed({ tasks: 6, spread: true })).toEqual(["n1: 2/2/0/", "n2: 2/2/0/", "n3: 2/2/0/"]);
    expect(placed({ tasks: 4, spread: true, ...nodesOf(1, 2) })).toEqual(["n1: 2/2/0/", "n2: 2/2/0/"]);
  });
});

describe("which nodes", () => {
  test("best fit: the tightest node, and jobs without GPUs away from free ones", () => {
    const nodes = [node("big", 8, 64), node("small", 2, 8), node("cpu", 0, 8)];
    expect(placed({ tasks: 4 }, nodes)).toEqual(["cpu: 4/4/0/"]);
    expect(placed(gpus("job", 2), nodes)).toEqual(["small: 1/1/0/01"]);
    expect(placed(gpus("job", 3), nodes)).toEqual(["big: 1/1/0/012"]);
    expect(placed({ tasks: 10, ...nodesOf(2) }, nodes)).toEqual(["cpu: 5/5/0/", "small: 5/5/0/"]);
  });
  test("uneven nodes: whatever set will do", () => {
    const nodes = [node("a", 0, 8), node("b", 4, 1), node("c", 2, 4), node("d", 0, 8)];
    expect(placed({ tasks: 9, ...nodesOf(2), ...gpus("job", 2) }, nodes)).toBe(null);
    expect(placed({ tasks: 5, ...nodesOf(2), ...gpus("job", 6) }, nodes)).toEqual(["b: 1/1/0/0123", "c: 4/4/0/01"]);
  });
  test("named ones, and others only as needed (Slurm)", () => {
    expect(placed({ nodeList: ["n3", "n2"] })).toEqual(["n2: 1/1/0/", "n3: 1/1/0/"]);
    expect(placed({ tasks: 12, nodeList: ["n3"] })).toEqual(["n1: 8/8/0/", "n3: 4/4/0/"]);
    expect(placed({ tasks: 12, nodeList: ["n3"], ...nodesOf(1) })).toBe(null);
    expect(placed({ nodeList: ["n3"], ...nodesOf(2) })).toEqual(["n1: 1/1/0/", "n3: 1/1/0/"]);
    expect(placed({ nodeList: ["n9"] })).toBe(null);
    expect(placed({ excluded: ["n1"], ...nodesOf(2) })).toEqual(["n2: 1/1/0/", "n3: 1/1/0/"]);
  });
  test("neighbours in the order of names", () => {
    const nodes = ["n1", "n2", "n10", "n11"].map((name) => node(name));
    const taken = nodes.map((one) =>
      one.name === "n2" ? { ...one, usage: { cpus: 8, memoryMiB: 0, gpus: {} } } : one,
    );
    expect(placed({ contiguous: true, ...nodesOf(2) }, taken)).toEqual(["n10: 1/1/0/", "n11: 1/1/0/"]);
    expect(placed({ contiguous: true, ...nodesOf(3) }, taken)).toBe(null);
    // Slurm: the gap between named nodes is filled.
    expect(placed({ contiguous: true, nodeList: ["n1", "n10"] }, nodes)).toEqual([
      "n1: 1/1/0/",
      "n2: 1/1/0/",
      "n10: 1/1/0/",
    ]);
  });
  test("features: of each node, of so many, the same for all", () => {
    const nodes = [nodeWith("n1", "ib"), nodeWith("n2", "r1"), nodeWith("n3", "r2", "ib"), nodeWith("n4", "r2")];
    expect(placed({ constraint: "ib", ...nodesOf(2) }, nodes)).toEqual(["n1: 1/1/0/", "n3: 1/1/0/"]);
    expect(placed({ constraint: "[r1|r2]", ...nodesOf(2) }, nodes)).toEqual(["n3: 1/1/0/", "n4: 1/1/0/"]);
    expect(placed({ constraint: "r1|r2", ...nodesOf(3) }, nodes)).toHaveLength(3);
    expect(placed({ constraint: "r2*2&ib*2" }, nodes)).toEqual(["n1: 1/1/0/", "n3: 1/1/0/", "n4: 1/1/0/"]);
    expect(placed({ constraint: "r1&ib" }, nodes)).toBe(null);
  });
});

describe("CPUs and memory", () => {
  test("CPUs follow tasks, GPUs, and the least that a node must give (Slurm)", () => {
    expect(placed({ ...gpus("job", 2), cpusPerGpu: 3 })).toEqual(["n1: 1/6/0/01"]);
    expect(placed({ cpusMin: 4 })).toEqual(["n1: 1/4/0/"]);
    expect(placed({ cpusMin: 4, tasks: 3, ...nodesOf(2) })).toEqual(["n1: 2/4/0/", "n2: 1/4/0/"]);
    expect(placed({ cpusMin: 9 })).toBe(null);
  });
  test("overcommit: the CPUs of one task for all of a node (Slurm)", () => {
    expect(placed({ tasks: 20, overcommit: true })).toEqual(["n1: 20/1/0/"]);
    expect(placed({ tasks: 4, overcommit: true, cpusPerTask: 2 })).toEqual(["n1: 4/2/0/"]);
  });
  test("memory of each node, CPU or GPU; 0 is all of it (Slurm)", () => {
    expect(placed({ memory: { per: "node", mib: 100 }, ...nodesOf(2) })).toEqual(["n1: 1/1/100/", "n2: 1/1/100/"]);
    expect(placed({ memory: { per: "cpu", mib: 100 }, tasks: 2, cpusPerTask: 2 })).toEqual(["n1: 2/4/400/"]);
    expect(placed({ memory: { per: "gpu", mib: 100 }, ...gpus("job", 2) })).toEqual(["n1: 1/1/200/01"]);
    expect(placed({ memory: { per: "node", mib: 0 } })).toEqual(["n1: 1/1/64000/"]);
    expect(placed({ memory: { per: "cpu", mib: 40_000 }, tasks: 2 })).toEqual(["n1: 1/1/40000/", "n2: 1/1/40000/"]);
    expect(placed({ memory: { per: "node", mib: 64_001 } })).toBe(null);
  });
  test("whole nodes: all CPUs and GPUs, the memory asked for, nobody else there", () => {
    expect(placed({ exclusive: true, memory: { per: "node", mib: 100 } })).toEqual(["n1: 1/8/100/0123"]);
    const busy = node("n1", 4, 8, { usage: { cpus: 1, memoryMiB: 0, gpus: {} } });
    expect(placed({ exclusive: true }, [busy])).toBe(null);
    expect(placed({ exclusive: true, ...gpus("job", 2) }, [busy, node("n2")])).toEqual(["n2: 1/8/0/0123"]);
  });
});

describe("GPUs", () => {
  test("the lowest that are free", () => {
    const busy = node("n1", 4, 8, { usage: { cpus: 1, memoryMiB: 0, gpus: { 0: 1000, 2: 500 } } });
    expect(placed(gpus("job", 2), [busy])).toEqual(["n1: 1/1/0/13"]);
    expect(placed(gpus("job", 3), [busy])).toBe(null);
  });
  test("by type, whatever the case; several types at once", () => {
    const mixed = [node("n1", "aabb")];
    expect(placed(gpus("job", ["B200", 1]), mixed)).toEqual(["n1: 1/1/0/2"]);
    expect(placed(gpus("node", ["a100", 1], ["b200", 2]), mixed)).toEqual(["n1: 1/1/0/023"]);
    expect(placed(gpus("job", 1, ["a100", 2]), mixed)).toEqual(["n1: 1/1/0/012"]);
    expect(placed(gpus("job", ["a100", 3]), mixed)).toBe(null);
    expect(placed({ ...gpus("job", 1), gpuMemoryMiB: 100_000 }, mixed)).toEqual(["n1: 1/1/0/2"]);
  });
  test("of each node and of each task (Slurm)", () => {
    expect(placed({ ...gpus("node", 2), tasks: 9 })).toEqual(["n1: 8/8/0/01", "n2: 1/1/0/01"]);
    expect(placed({ ...gpus("task", 1), tasks: 6 })).toEqual(["n1: 4/4/0/0123", "n2: 2/2/0/01"]);
  });
  test("of the job: more nodes if need be, by their tasks, at least one on each (Slurm)", () => {
    expect(placed(gpus("job", 12))).toHaveLength(3);
    expect(placed({ ...gpus("job", 6), tasks: 1 })).toBe(null);
    expect(placed({ ...gpus("job", 3), ...nodesOf(2) })).toEqual(["n1: 1/1/0/01", "n2: 1/1/0/0"]);
    expect(placed({ ...gpus("job", 3), tasks: 9 })).toEqual(["n1: 8/8/0/01", "n2: 1/1/0/0"]);
    expect(placed({ ...gpus("job", 1), ...nodesOf(2) })).toBe(null);
    const uneven = [node("n1", 1), node("n2", 4)];
    expect(placed({ ...gpus("job", 5), tasks: 4, ...nodesOf(2) }, uneven)).toEqual(["n1: 2/2/0/0", "n2: 2/2/0/0123"]);
  });
  test("types that compete for the same nodes", () => {
    const nodes = [node("n1", "ab", 1), node("n2", "a", 1)];
    const wishes = { ...gpus("job", ["a100", 1], ["b200", 1]), cpusPerGpu: 1, ...nodesOf(2) };
    expect(placed(wishes, nodes)).toEqual(["n1: 1/1/0/1", "n2: 1/1/0/0"]);
  });
  test("tasks for each GPU (Slurm)", () => {
    expect(placed({ ...gpus("job", 3), tasksPerGpu: 2 })).toEqual(["n1: 6/6/0/012"]);
    expect(placed({ ...gpus("node", 2), tasksPerGpu: 2, ...nodesOf(2) })).toEqual(["n1: 4/4/0/01", "n2: 4/4/0/01"]);
    expect(placed({ tasks: 4, tasksPerGpu: 2 })).toEqual(["n1: 4/4/0/01"]);
    expect(placed({ tasks: 4, tasksPerGpu: 2, ...gpus("job", 2) })).toEqual(["n1: 4/4/0/01"]);
    expect(placed({ tasks: 5, tasksPerGpu: 2, ...gpus("job", 2) })).toBe(null);
  });
  test("just these", () => {
    const ids = [
      { node: "n2", indices: [3, 1] },
      { node: "n1", indices: [0] },
    ];
    expect(placed({ gpuIds: ids })).toEqual(["n1: 1/1/0/0", "n2: 1/1/0/13"]);
    expect(placed({ gpuIds: ids, ...nodesOf(3) })).toEqual(["n1: 1/1/0/0", "n2: 1/1/0/13", "n3: 1/1/0/"]);
    const busy = node("n2", 4, 8, { usage: { cpus: 1, memoryMiB: 0, gpus: { 1: 1000 } } });
    expect(placed({ gpuIds: ids }, [node("n1"), busy])).toBe(null);
    expect(placed({ gpuIds: [{ node: "n1", indices: [7] }] })).toBe(null);
  });
  test("a wish for none is none", () => {
    expect(placed({ gpus: { per: "job", wishes: [] } })).toEqual(["n1: 1/1/0/"]);
    const small = [node("n1", 2), node("n2", 2)];
    expect(placed(gpus("job", 4), small)).toEqual(["n1: 1/1/0/01", "n2: 1/1/0/01"]);
  });
});

test("how many tasks a node can take", () => {
  const busy = node("n1", 4, 8, { usage: { cpus: 3, memoryMiB: 0, gpus: { 0: 1000 } } });
  const capacity = (over: Partial<ResourceRequest>) => taskCapacity(busy, request({ tasks: 99, ...over }));
  expect(capacity({})).toBe(5);
  expect(capacity({ cpusPerTask: 2 })).toBe(2);
  expect(capacity({ ...gpus("task", 1) })).toBe(3);
  expect(capacity({ tasksPerNode: 4 })).toBe(4);
  expect(capacity({ memory: { per: "cpu", mib: 30_000 } })).toBe(2);
  expect(capacity({ overcommit: true })).toBe(99);
  expect(capacity({ exclusive: true })).toBe(0);
  expect(capacity({ tasks: null, tasksPerNode: 3 })).toBe(3);
});

test("many tasks on many uneven nodes take no time to place", () => {
  const nodes = Array.from({ length: 60 }, (_, at) => node(`n${at}`, at % 9, 1 + ((at * 7) % 32)));
  const wanted = request({ tasks: 500, ...nodesOf(30), ...gpus("job", 150) });
  const allocation = place(candidatesOf(nodes), wanted);
  expect(allocation?.reduce((sum, share) => sum + share.tasks, 0)).toBe(500);
  expect(allocation?.reduce((sum, share) => sum + share.gpus.length, 0)).toBe(150);
  const huge = request({ tasks: 1_000_000, overcommit: true, ...nodesOf(7) });
  expect(place(candidatesOf(nodes), huge)?.reduce((sum, share) => sum + share.tasks, 0)).toBe(1_000_000);
});

test("a GPU that is closed while a job has it takes nothing from what is free elsewhere", () => {
  // What a job holds and what closes it are both in use: more than there is.
  const usage = { cpus: 1, memoryMiB: 0, gpus: { 0: 2000 } };
  const half = [node("n1", 2, 8, { usage }), node("n2", 1)];
  expect(placed({ ...gpus("job", 1), tasks: 1, nodeList: ["n1"] }, half)).toEqual(["n1: 1/1/0/1"]);
  expect(placed({ ...gpus("job", 2), tasks: 2 }, half)).toEqual(["n1: 1/1/0/1", "n2: 1/1/0/0"]);
  expect(placed({ ...gpus("job", 3), tasks: 2 }, half)).toBe(null);
});
