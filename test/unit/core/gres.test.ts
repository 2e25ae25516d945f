/** `--gres`, `--gpus` and `--tres-per-*`: what people write. */

import { describe, expect, test } from "vitest";
import {
  formatGpuWishes,
  formatGresWishes,
  formatTresWish,
  parseGpuWishes,
  parseGresWishes,
  parseTresWish,
} from "../../../src/core/gres.ts";
import { outcome, parsedValue } from "../support/outcome.ts";

const gpus = (count: number, type: string | null = null) => ({ type, thousandths: count * 1000 });
const gres = "Invalid generic resource (gres) specification: expected gpu, gpu:count or gpu:type:count, got";
const wish = "expected a count of GPUs or type:count, such as 2 or a100:2, got";

describe("--gres", () => {
  test.each([
    ["gpu", [gpus(1)]],
    ["gpu:2", [gpus(2)]],
    ["gpu:0.5", [gpus(0.5)]],
    ["gpu:2.5", [gpus(2.5)]],
    ["gpu:a100", [gpus(1, "a100")]],
    ["GPU:A100:2", [gpus(2, "A100")]],
    ["gpu:1g.10gb:2", [gpus(2, "1g.10gb")]],
    ["gpu:a100:2,gpu:v100:1", [gpus(2, "a100"), gpus(1, "v100")]],
    ["gpu:a100:2,gpu:A100:1", [gpus(3, "a100")]],
    ["gpu:1,gpu:a100:1", [gpus(1), gpus(1, "a100")]],
    ["gres:gpu:2", [gpus(2)]],
    ["gres/gpu:2", [gpus(2)]],
    ["gres/gpu=2", [gpus(2)]],
    ["gres/gpu:a100=2", [gpus(2, "a100")]],
    ["gpu:1k", [gpus(1024)]],
    ["none", []],
    ["gpu:0", []],
    ["gpu:a100:0,gpu:2", [gpus(2)]],
    ["a100:2", `${gres} "a100:2"`],
    ["shard:2", `${gres} "shard:2"`],
    ["gpu:", `${gres} "gpu:"`],
    ["gpu:a:b", `${gres} "gpu:a:b"`],
    ["gpu:a:1:1", `${gres} "gpu:a:1:1"`],
    ["2", `${gres} "2"`],
    ["gpu:2,", `${gres} ""`],
    ["gpu:0.0005", 'GPUs are shared in thousandths, got "gpu:0.0005"'],
    ["gpu:1000001", '"gpu:1000001" is more than the 1000000 GPUs possible'],
  ])("%s", (text, expected) => {
    expect(outcome(parseGresWishes(text))).toEqual(expected);
  });
});

describe("--gpus", () => {
  test.each([
    ["2", [gpus(2)]],
    [".5", [gpus(0.5)]],
    ["0", []],
    ["a100:2,v100:1", [gpus(2, "a100"), gpus(1, "v100")]],
    ["a100=0.25", [gpus(0.25, "a100")]],
    ["gpu:2", [gpus(2)]],
    ["gpu:a100:2", [gpus(2, "a100")]],
    ["two", `${wish} "two"`],
    ["a100", `${wish} "a100"`],
    ["a100:", `${wish} "a100:"`],
    ["a100:2:3", `${wish} "a100:2:3"`],
    ["", `${wish} ""`],
    ["-1", `${wish} "-1"`],
    ["1e3", `${wish} "1e3"`],
    ["2m", '"2m" is more than the 1000000 GPUs possible'],
    ["1,".repeat(257), `more than 256 members in "${"1,".repeat(38)}1..."`],
  ])("%s", (text, expected) => {
    expect(outcome(parseGpuWishes(text))).toEqual(expected);
  });
});

describe("--tres-per-task", () => {
  const nothing = { gpus: [], cpus: null, memoryMiB: null };
  test.each([
    ["cpu=4,mem=10G", { ...nothing, cpus: 4, memoryMiB: 10_240 }],
    ["gres/gpu:a100=2", { ...nothing, gpus: [gpus(2, "a100")] }],
    ["cpu:4,gres/gpu:2", { ...nothing, cpus: 4, gpus: [gpus(2)] }],
    ["gpu:a100:2,gpu:v100:1", { ...nothing, gpus: [gpus(2, "a100"), gpus(1, "v100")] }],
    ["gres/gpu=0", nothing],
    ["cpu=x", 'cpu: expected a count of at least 1, got "x"'],
    ["mem=x", 'mem: expected memory such as 500M or 16G, got "x"'],
    ["cpu=1,cpu=2", "Invalid Trackable RESource (TRES) specification: cpu is named twice"],
    ["billing=2", 'Invalid Trackable RESource (TRES) specification: "billing=2"'],
    ["", 'Invalid Trackable RESource (TRES) specification: ""'],
    ["gres/shard=2", `${gres} "gres/shard=2"`],
  ])("%s", (text, expected) => {
    expect(outcome(parseTresWish(text))).toEqual(expected);
  });
});

test("printed", () => {
  const wishes = parsedValue(parseGresWishes("gpu:2.5,gpu:a100:2"));
  expect(formatGresWishes(wishes)).toBe("gpu:2.5,gpu:a100:2");
  expect(formatGpuWishes(wishes)).toBe("2.5,a100:2");
  expect([formatGresWishes([]), formatGpuWishes([])]).toEqual(["none", "0"]);
  expect(formatTresWish({ gpus: wishes, cpus: 4, memoryMiB: 512 })).toBe("cpu=4,mem=512M,gres/gpu=2.5,gres/gpu:a100=2");
});
