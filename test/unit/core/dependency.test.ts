/** `--dependency`: what people write, what is refused, and what scontrol and squeue show. */

import { describe, expect, test } from "vitest";
import {
  type Dependency,
  formatDependency,
  formatDependencyState,
  NO_DEPENDENCY,
  parseDependency,
} from "../../../src/core/dependency.ts";

function dependency(text: string): Dependency {
  const parsed = parseDependency(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.value;
}

const term = (type: string, jobId: number, taskId: number | "all" | null = null, delayMin = 0) => ({
  type,
  jobId,
  taskId,
  delayMin,
});

describe("reading", () => {
  test.each([
    ["afterok:20:21,afterany:23", false, [term("afterok", 20), term("afterok", 21), term("afterany", 23)]],
    ["afterok:20:21?afterany:23", true, [term("afterok", 20), term("afterok", 21), term("afterany", 23)]],
    ["after:12+5:13", false, [term("after", 12, null, 5), term("after", 13)]],
    ["after:12_3+5", false, [term("after", 12, 3, 5)]],
    ["aftercorr:12", false, [term("aftercorr", 12)]],
    ["afternotok:12_*", false, [term("afternotok", 12, "all")]],
    ["afterok:12_3", false, [term("afterok", 12, 3)]],
    ["afterburstbuffer:12", false, [term("afterany", 12)]],
    ["singleton", false, [term("singleton", 0)]],
    ["AfterOK:1,Singleton", false, [term("afterok", 1), term("singleton", 0)]],
    ["12:13", false, [term("afterany", 12), term("afterany", 13)]],
    ["afterok:1:1,afterok:1", false, [term("afterok", 1)]],
    ["", false, []],
  ])("%s", (text, any, terms) => {
    expect(dependency(text)).toEqual({ any, terms });
  });
  test.each([
    ["afterok:1,afterany:2?after:3", 'use either "," (all of them) or "?" (any of them) between dependencies, got'],
    ["afterok", 'expected a dependency such as afterok:12, afterany:12:13 or singleton, got "afterok"'],
    ["afterall:1", 'expected a dependency such as afterok:12, afterany:12:13 or singleton, got "afterall:1"'],
    ["constructor:1", "expected a dependency such as afterok:12"],
    ["afterok:", 'expected a job id such as 12, 12_3 or 12_*, got ""'],
    ["afterok:x", 'expected a job id such as 12, 12_3 or 12_*, got "x"'],
    ["afterok:0", 'expected a job id such as 12, 12_3 or 12_*, got "0"'],
    ["afterok:1,", "expected a dependency such as afterok:12"],
    ["singleton:1", "expected a dependency such as afterok:12"],
    ["afterok:1+5", 'only after:job+minutes takes minutes, got "afterok:1+5"'],
    ["expand:1", 'the dependency type "expand" is not supported: jobs cannot grow'],
  ])("%j is refused", (text, message) => {
    const parsed = parseDependency(text);
    expect("problem" in parsed && parsed.problem).toContain(message);
  });
  test("too many are refused", () => {
    const ids = Array.from({ length: 10_001 }, (_, at) => at + 1).join(":");
    expect(parseDependency(`afterok:${ids}`)).toEqual({ problem: "more than 10000 dependencies" });
    expect(parseDependency("1:".repeat(150_000))).toEqual({
      problem: "expected a dependency of at most 200000 characters",
    });
  });
});

test("none", () => {
  expect(dependency("")).toEqual(NO_DEPENDENCY);
  expect([formatDependency(NO_DEPENDENCY), formatDependencyState(NO_DEPENDENCY)]).toEqual(["", ""]);
});

describe("showing", () => {
  test.each([
    ["afterok:12:13,afterany:14", "afterok:12:13,afterany:14"],
    ["afterok:12,afterok:13", "afterok:12:13"],
    ["afterok:12?singleton", "afterok:12?singleton"],
    ["afterok:12:13?afterany:14", "afterok:12?afterok:13?afterany:14"],
    ["afterok:12?afterok:13", "afterok:12?afterok:13"],
    ["after:12_*+5", "after:12_*+5"],
    ["", ""],
  ])("%s", (text, shown) => {
    expect(formatDependency(dependency(text))).toBe(shown);
  });
  test("states", () => {
    const three = dependency("afterok:12,afterany:13_*,singleton");
    expect(formatDependencyState(three)).toBe(
      "afterok:12(unfulfilled),afterany:13_*(unfulfilled),singleton(unfulfilled)",
    );
    const stateOf = ({ jobId }: { jobId: number }) =>
      jobId === 12 ? "failed" : jobId === 13 ? "fulfilled" : "unfulfilled";
    expect(formatDependencyState(three, stateOf)).toBe("afterok:12(failed),singleton(unfulfilled)");
    expect(formatDependencyState(dependency("after:1+2?afterok:3"))).toBe(
      "after:1+2(unfulfilled)?afterok:3(unfulfilled)",
    );
    expect(formatDependencyState(three, () => "fulfilled")).toBe("");
  });
});
