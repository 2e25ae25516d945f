/** `nvidia-smi topo -m`, as drivers print it. */

import { expect, test } from "vitest";
import { parseFakeGpus } from "../../../src/platform/gpu-fake.ts";
import { parseTopology } from "../../../src/platform/gpu-topology.ts";

const ESC = String.fromCharCode(27);
const MATRIX = [
  `\t${ESC}[4mGPU0\tGPU1\tGPU2\tNIC0\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID${ESC}[0m`,
  "GPU0\t X \tNV12\tSYS\tPXB\t0-15,32-47\t0\t\tN/A",
  "GPU1\tNV12\t X \tSYS\tSYS\t0-15,32-47\t0\t\tN/A",
  "GPU2\tSYS\tSYS\t X \tSYS\tN/A\tN/A\t\tN/A",
  "NIC0\tPXB\tSYS\tSYS\t X \t\t\t\t",
  "",
  "Legend:",
  "  X    = Self",
].join("\n");

test("links to each GPU and the CPUs near it", () => {
  expect([...parseTopology(MATRIX)]).toEqual([
    [0, { links: ["X", "NV12", "SYS"], cpuAffinity: "0-15,32-47" }],
    [1, { links: ["NV12", "X", "SYS"], cpuAffinity: "0-15,32-47" }],
    [2, { links: ["SYS", "SYS", "X"] }],
  ]);
  expect(parseTopology("Failed to run topology matrix\n").size).toBe(0);
});

test("pretended GPUs may say the same", () => {
  const one = { model: "A100", links: ["X", "NV4"], cpuAffinity: "0-3" };
  expect(parseFakeGpus(JSON.stringify([one, { model: "A100" }]), "h")).toMatchObject([one, { model: "A100" }]);
  expect(parseFakeGpus('[{"model":"A100","links":["close"]}]', "h")).toContain(
    "GPU 0: links must be a list of X, NV12",
  );
  expect(parseFakeGpus('[{"model":"A100","cpuAffinity":"all"}]', "h")).toContain("cpuAffinity must be CPUs");
});
