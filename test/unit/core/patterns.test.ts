import { describe, expect, it } from "vitest";
import { defaultOutput, fillPattern, type PatternFacts } from "../../../src/core/patterns.ts";

const STEP: PatternFacts = {
  jobId: 128,
  array: null,
  stepId: 0,
  jobName: "train",
  userName: "ann",
  nodeName: "gpu1",
  nodeId: 2,
  task: 3,
};
const BATCH: PatternFacts = { ...STEP, stepId: "batch", nodeId: 0, task: 0 };
const ARRAY: PatternFacts = { ...BATCH, array: { jobId: 120, taskId: 47 } };

describe("file name patterns", () => {
  it.each([
    ["job%J.out", "/w/job128.0.out"],
    ["job%4j.out", "/w/job0128.out"],
    ["job%j-%2t.out", "/w/job128-03.out"],
    ["%4t", "/w/0003"],
    ["%99j", "/w/0000000128"],
    ["%A_%a_%b.log", "/w/128_4294967294_4.log"],
    ["%x-%u-%N-%n-%s", "/w/train-ann-gpu1-2-0"],
    ["%8x", "/w/train"],
    ["a%%b", "/w/a%b"],
    ["%%j", "/w/%j"],
    ["%%%j", "/w/%128"],
    ["%q %", "/w/%q %"],
    ["%4%", "/w/%4%"],
    ["/abs/%j", "/abs/128"],
    ["sub/%j/x", "/w/sub/128/x"],
    ["\\%j", "/w/%j"],
    ["a\\b/%j", "/w/ab/%j"],
    ["a\\\\b%j", "/w/a\\b%j"],
    ["end\\", "/w/end"],
  ])("%s is %s in a step", (pattern, path) => {
    expect(fillPattern(pattern, STEP, "/w")).toBe(path);
  });

  it.each([
    ["slurm-%j.out", "/w/slurm-128.out"],
    ["%J-%6J", "/w/128-000128"],
    ["%s-%t-%n", "/w/batch-0-0"],
  ])("%s is %s in a batch script", (pattern, path) => {
    expect(fillPattern(pattern, BATCH, "/w")).toBe(path);
  });

  it("starts at the root without a double slash", () => {
    expect(fillPattern("x", STEP, "/")).toBe("/x");
  });

  it.each([
    ["%A_%a", "/w/120_47"],
    ["%4A-%4a-%3b", "/w/0120-0047-007"],
    ["%j-%J", "/w/128-128"],
    [defaultOutput(true), "/w/slurm-120_47.out"],
  ])("%s is %s in a task of an array", (pattern, path) => {
    expect(fillPattern(pattern, ARRAY, "/w")).toBe(path);
  });

  it("the default is one file a job", () => {
    expect(fillPattern(defaultOutput(false), BATCH, "/w")).toBe("/w/slurm-128.out");
  });

  it("a job's name can't smuggle in patterns", () => {
    expect(fillPattern("%x", { ...STEP, jobName: "%j$&\\" }, "/w")).toBe("/w/%j$&\\");
  });
});
