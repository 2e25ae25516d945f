/** What is refused at submission, in Slurm's words; the hint says what there is. */

import { expect, test } from "vitest";
import { describeRequest, feasibility } from "../../../src/core/fit.ts";
import type { ResourceRequest } from "../../../src/core/resources.ts";
import { request } from "../support/samples.ts";
import { gpus, node, nodeWith } from "./samples.ts";

const THREE = [node("n1"), node("n2"), node("n3")];

function refusal(over: Partial<ResourceRequest>, nodes = THREE): string | null {
  const problem = feasibility(nodes, request({ tasks: null, ...over }));
  return problem && `${problem.code}: ${problem.message} (${problem.hint})`;
}

test("what an idle cluster could run is not refused, whatever runs now", () => {
  const busy = THREE.map((one) => ({ ...one, usage: { cpus: 8, memoryMiB: 64_000, gpus: { 0: 1000 } } }));
  expect(refusal({ ...gpus("job", 12) }, busy)).toBe(null);
  expect(refusal({ tasks: 24, nodes: { min: 1, max: 9 } }, busy)).toBe(null);
  const down = THREE.map((one) => ({ ...one, down: { reason: "gone", at: 0 } }));
  expect(refusal({ exclusive: true }, down)).toBe(null);
});

test("names of nodes", () => {
  expect(refusal({ nodeList: ["n1", "n9"] })).toBe(
    "INVALID_NODE: Invalid node name specified (there is no node n9; the nodes here are n[1-3])",
  );
  expect(refusal({ excluded: ["n9"] })).toContain("INVALID_NODE");
  expect(refusal({ gpuIds: [{ node: "n9", indices: [0] }] })).toContain("INVALID_NODE");
  expect(refusal({ nodeList: ["n1"], excluded: ["n1"] })).toContain("n1 is asked for and excluded");
  expect(refusal({ gpuIds: [{ node: "n2", indices: [1, 7] }] })).toBe(
    "NOT_FEASIBLE: Requested node configuration is not available " +
      "(there is no GPU 7: n2 has 4 GPUs (a100), 8 CPUs, 64000 MiB of memory (idle))",
  );
});

test("counts of nodes", () => {
  expect(refusal({ nodes: { min: 5, max: 7 } })).toBe(
    "INVALID_NODE_COUNT: Node count specification invalid (asked for 5 nodes; there are 3: n[1-3])",
  );
  expect(refusal({ nodes: { min: 1, max: 1 }, nodeList: ["n1", "n2"] })).toContain("INVALID_NODE_COUNT");
  expect(refusal({ nodes: { min: 3, max: 3 }, excluded: ["n1"] })).toContain("only nodes that are excluded could");
});

test("features", () => {
  const nodes = [nodeWith("n1", "ib", "fast"), nodeWith("n2")];
  expect(refusal({ constraint: "ib&slow" }, nodes)).toBe(
    "INVALID_FEATURE: Invalid feature specification (no node has the feature slow; features here: fast, ib)",
  );
  expect(refusal({ constraint: "ib" })).toContain("the nodes here have none");
  expect(refusal({ constraint: "ib", nodes: { min: 2, max: 2 } }, nodes)).toContain(
    "NOT_FEASIBLE: Requested node configuration is not available (asked for 1 CPU on each node on 2 nodes with ib; " +
      "the nodes with these features can't hold it; n1 has 4 GPUs (a100), 8 CPUs, 64000 MiB of memory, " +
      "features ib,fast (idle)",
  );
});

test("GPUs", () => {
  const half = { per: "job", wishes: [{ type: null, thousandths: 500 }] } as const;
  expect(refusal({ gpus: half })).toBe(null);
  expect(refusal({ gpus: half, gpuMemoryMiB: 30_000 })).toContain(
    "too few GPUs have that much memory; n1 has 4 GPUs (a100 of 40960 MiB)",
  );
  expect(refusal({ gpus: half, nodes: { min: 2, max: 2 } })).toContain("asked for 1 GPU on 2 nodes");
  expect(refusal({ ...gpus("job", 1), nodes: { min: 2, max: 2 } })).toContain("each node of a job gets at least one");
  expect(refusal({ ...gpus("job", 1), tasks: 4, tasksPerGpu: 2 })).toContain("4 tasks, 2 for each GPU, need more");
  expect(refusal(gpus("node", 5))).toContain("there are not enough GPUs");
  expect(refusal(gpus("job", ["b200", 1]))).toContain("too few GPUs are of that type");
  expect(refusal({ ...gpus("job", 1), gpuMemoryMiB: 50_000 })).toContain("too few GPUs have that much memory");
});

test("CPUs and memory", () => {
  expect(refusal({ tasks: 100 })).toContain("More processors requested than permitted (asked for 100 CPUs; ");
  expect(refusal({ cpusPerTask: 9 })).toContain("there are not enough CPUs for each task");
  expect(refusal({ cpusMin: 9 })).toContain("no node has so many CPUs");
  expect(refusal({ memory: { per: "node", mib: 64_001 } })).toContain("there is not enough memory");
  expect(refusal({ tasks: 9, nodes: { min: 1, max: 1 } })).toContain("Requested node configuration is not available");
  const many = Array.from({ length: 10 }, (_, at) => node(`n${at}`));
  expect(refusal({ cpusPerTask: 9 }, many)).toContain("and 2 more nodes");
});

test("requests in words", () => {
  const words = (over: Partial<ResourceRequest>) => describeRequest(request(over));
  expect(words({})).toBe("1 CPU");
  expect(words({ ...gpus("job", 4) })).toBe("4 GPUs and 1 CPU");
  expect(words({ ...gpus("node", ["a100", 1], 2), memory: { per: "cpu", mib: 100 }, tasks: 2, cpusPerTask: 3 })).toBe(
    "1 GPU of type a100 on each node, 2 GPUs on each node, 6 CPUs and 100 MiB of memory for each CPU",
  );
  expect(words({ nodes: { min: 2, max: 4 }, tasks: null, exclusive: true, contiguous: true, constraint: "ib" })).toBe(
    "1 CPU on each node on 2-4 whole nodes next to each other with ib",
  );
  expect(words({ gpuIds: [{ node: "n1", indices: [0, 2] }], nodeList: ["n2", "n1"], excluded: ["n3"] })).toBe(
    "GPU 0,2 of n1 and 1 CPU including n[1-2] without n3",
  );
  expect(words({ ...gpus("job", 1), gpuMemoryMiB: 20, cpusPerGpu: 4, memory: { per: "node", mib: 0 } })).toBe(
    "1 GPU with 20 MiB of memory, 4 CPUs for each GPU and all memory of each node",
  );
});
