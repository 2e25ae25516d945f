/** Tasks over nodes, and counts in short form. */

import { describe, expect, test } from "vitest";
import { compressCounts, parseCounts } from "../../../src/core/counts.ts";
import { layoutTasks } from "../../../src/core/layout.ts";
import { outcome } from "../support/outcome.ts";

describe("layout", () => {
  test.each([
    ["block fills node after node", layoutTasks([2, 2, 2], 4, "block"), [[0, 1], [2, 3], []]],
    ["block of steps", layoutTasks([2, 2, 2], 4, "block", { pack: false }), [[0, 1], [2], [3]]],
    ["cyclic", layoutTasks([2, 2, 2], 4, "cyclic"), [[0, 3], [1], [2]]],
    ["cyclic leaves out what is full", layoutTasks([1, 3, 2], 6, "cyclic"), [[0], [1, 3, 5], [2, 4]]],
    [
      "plane",
      layoutTasks([8, 8], 7, { plane: 2 }),
      [
        [0, 1, 4, 5],
        [2, 3, 6],
      ],
    ],
    ["plane within capacity", layoutTasks([1, 4], 5, { plane: 3 }), [[0], [1, 2, 3, 4]]],
    ["arbitrary", layoutTasks([2, 2], 3, { arbitrary: [1, 0, 1] }), [[1], [0, 2]]],
    ["no tasks", layoutTasks([1], 0, "block"), [[]]],
    ["nothing at all", layoutTasks([], 0, "cyclic"), []],
    ["a node without room", layoutTasks([0, 2], 2, "cyclic"), [[], [0, 1]]],
    ["too many", layoutTasks([1, 1], 3, "block"), null],
    ["no nodes", layoutTasks([], 1, "block", { overcommit: true }), null],
    [
      "overcommitted block",
      layoutTasks([1, 1], 5, "block", { overcommit: true }),
      [
        [0, 1, 2],
        [3, 4],
      ],
    ],
    [
      "overcommitted cyclic",
      layoutTasks([1, 2], 5, "cyclic", { overcommit: true }),
      [
        [0, 3],
        [1, 2, 4],
      ],
    ],
    [
      "overcommitted plane",
      layoutTasks([0, 0], 5, { plane: 2 }, { overcommit: true }),
      [
        [0, 1, 4],
        [2, 3],
      ],
    ],
    ["a short list", layoutTasks([2], 2, { arbitrary: [0] }), null],
    ["a node that there is not", layoutTasks([2], 1, { arbitrary: [1] }), null],
    ["a list above capacity", layoutTasks([1, 1], 2, { arbitrary: [0, 0] }), null],
    ["the same, overcommitted", layoutTasks([1, 1], 2, { arbitrary: [0, 0] }, { overcommit: true }), [[0, 1], []]],
  ])("%s", (_, layout, expected) => {
    expect(layout).toEqual(expected);
  });
});

describe("counts", () => {
  test.each([
    ["2(x3),1", [2, 2, 2, 1]],
    ["4", [4]],
    ["1,2,1", [1, 2, 1]],
    ["0(x2)", [0, 0]],
    ["", []],
  ])("%s", (text, counts) => {
    expect(compressCounts(counts)).toBe(text);
    expect(outcome(parseCounts(text))).toEqual(counts);
  });
  test.each([
    ["2(x0)", 'expected counts such as 2(x3),1, got "2(x0)"'],
    ["2(3)", 'expected counts such as 2(x3),1, got "2(3)"'],
    ["1,", 'expected counts such as 2(x3),1, got ""'],
    ["1(x65537)", "counts of more than 65536 nodes"],
    ["1(x999999999)", "counts of more than 65536 nodes"],
  ])("%j is refused", (text, problem) => {
    expect(outcome(parseCounts(text))).toBe(problem);
  });
});
