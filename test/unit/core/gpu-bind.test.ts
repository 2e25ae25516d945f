/** `--gpu-bind` and `--node-gpu-ids`. */

import { describe, expect, test } from "vitest";
import { formatGpuBind, formatNodeGpuIds, parseGpuBind, parseNodeGpuIds } from "../../../src/core/gpu-bind.ts";
import { outcome } from "../support/outcome.ts";

const kinds = "expected none, closest, single:tasks, per_task:gpus, map_gpu:list or mask_gpu:list, got";

describe("--gpu-bind", () => {
  test.each([
    ["none", { kind: "none" }, "none"],
    ["closest", { kind: "closest" }, "closest"],
    ["single:2", { kind: "single", tasksPerGpu: 2 }, "single:2"],
    ["per_task:3", { kind: "per_task", gpusPerTask: 3 }, "per_task:3"],
    ["map_gpu:0,1", { kind: "map_gpu", indices: [0, 1] }, "map_gpu:0,1"],
    ["map_gpu:0*2,1*2", { kind: "map_gpu", indices: [0, 0, 1, 1] }, "map_gpu:0*2,1*2"],
    ["mask_gpu:0x1,0x2", { kind: "mask_gpu", masks: [[0], [1]] }, "mask_gpu:0x1,0x2"],
    ["MASK_GPU:0F0,1000000", { kind: "mask_gpu", masks: [[4, 5, 6, 7], [24]] }, "mask_gpu:0xf0,0x1000000"],
  ])("%s", (text, bind, printed) => {
    const parsed = parseGpuBind(text);
    expect(parsed).toEqual({ value: { verbose: false, ...bind } });
    if ("value" in parsed) expect(formatGpuBind(parsed.value)).toBe(printed);
    expect(outcome(parseGpuBind(`verbose,${text}`))).toEqual({ verbose: true, ...bind });
    expect(outcome(parseGpuBind(`v,${text}`))).toEqual({ verbose: true, ...bind });
  });
  test.each([
    ["", `${kinds} ""`],
    ["verbose", `${kinds} "verbose"`],
    ["none:1", `${kinds} "none:1"`],
    ["single", `${kinds} "single"`],
    ["nearest:1", `${kinds} "nearest:1"`],
    ["single:0", 'expected a count of at least 1 after single:, got "0"'],
    ["map_gpu:", 'expected the position of a GPU from 0 to 255, got ""'],
    ["map_gpu:0,256", 'expected the position of a GPU from 0 to 255, got "256"'],
    ["map_gpu:0*0", 'expected the position of a GPU from 0 to 255, got "0*0"'],
    ["map_gpu:0*99999", "more than 65536 members"],
    ["mask_gpu:0x0", 'expected a hexadecimal mask of GPUs such as 0x3, got "0x0"'],
    ["mask_gpu:xyz", 'expected a hexadecimal mask of GPUs such as 0x3, got "xyz"'],
    [`mask_gpu:${"f".repeat(65)}`, `expected a hexadecimal mask of GPUs such as 0x3, got "${"f".repeat(65)}"`],
  ])("%j is refused", (text, problem) => {
    expect(outcome(parseGpuBind(text))).toBe(problem);
  });
});

describe("--node-gpu-ids", () => {
  test("nodes and lists of nodes", () => {
    const chosen = [
      { node: "n1", indices: [0, 1] },
      { node: "n2", indices: [0, 1, 2, 5] },
      { node: "n3", indices: [0, 1, 2, 5] },
    ];
    expect(outcome(parseNodeGpuIds("n1:1,0,1;n[2-3]:0-2,5"))).toEqual(chosen);
    expect(formatNodeGpuIds(chosen)).toBe("n1:0,1;n2:0,1,2,5;n3:0,1,2,5");
  });
  test.each([
    ["", 'expected nodes and their GPUs such as node1:0,1;node2:0-3, got ""'],
    ["n1", 'expected nodes and their GPUs such as node1:0,1;node2:0-3, got "n1"'],
    ["n1:0;", 'expected nodes and their GPUs such as node1:0,1;node2:0-3, got ""'],
    ["n[1:0", 'expected nodes and their GPUs such as node1:0,1;node2:0-3, got "n[1:0"'],
    ["n1:", 'expected positions of GPUs such as 0,1 or 0-3, got ""'],
    ["n1:3-1", 'expected positions of GPUs such as 0,1 or 0-3, got "3-1"'],
    ["n1:999", 'expected positions of GPUs such as 0,1 or 0-3, got "999"'],
    ["n1:0;n1:1", "node n1 is named twice"],
    ["n[1-5000]:0", "more than 4096 nodes"],
  ])("%j is refused", (text, problem) => {
    expect(outcome(parseNodeGpuIds(text))).toBe(problem);
  });
});
