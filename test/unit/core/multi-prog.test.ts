/** Configuration files of `srun --multi-prog`. */

import { describe, expect, test } from "vitest";
import { parseMultiProg } from "../../../src/core/multi-prog.ts";

describe("what each task runs", () => {
  test("the example of Slurm's manual", () => {
    const text = [
      "###########",
      "# srun multiple program configuration file",
      "#",
      "4-6       hostname",
      "1,7       echo  task:%t",
      "0,2-3     echo  offset:%o",
      "",
    ].join("\n");
    expect(parseMultiProg(text, 8)).toEqual({
      value: [
        ["echo", "offset:0"],
        ["echo", "task:1"],
        ["echo", "offset:1"],
        ["echo", "offset:2"],
        ["hostname"],
        ["hostname"],
        ["hostname"],
        ["echo", "task:7"],
      ],
    });
    expect(parseMultiProg(text, null)).toEqual(parseMultiProg(text, 8));
  });
  test("all others, and arguments of the command line", () => {
    expect(parseMultiProg("1 a\n* b %o/%t\n", 3, ["-v"])).toEqual({
      value: [
        ["b", "0/0", "-v"],
        ["a", "-v"],
        ["b", "2/2", "-v"],
      ],
    });
  });
  test.each([
    ["0 echo 'two words' '' x'y z'w", ["echo", "two words", "", "xy zw"]],
    ["0 echo '%t' %t", ["echo", "%t", "0"]],
    ["0 echo a\\ b \\'c\\' \\%t \\\\", ["echo", "a b", "'c'", "%t", "\\"]],
    ['0 echo "two words"', ["echo", '"two', 'words"']],
    ["0 echo 100% %x %%", ["echo", "100%", "%x", "%%"]],
    ["  0\techo\ta  \r", ["echo", "a"]],
    ["0 echo \\\n  a\\\nb", ["echo", "ab"]],
    ["0 echo \\", ["echo"]],
    ["# no \\\n0 echo", ["echo"]],
    ["0 %t", ["0"]],
  ])("%j", (text, argv) => {
    expect(parseMultiProg(text, 1)).toEqual({ value: [argv] });
  });
});

describe("problems, all at once", () => {
  test("with their lines", () => {
    const text = ["0 a", "x b", "1", "2-1 c", "", "1 'd", "0,9 e", "* f", "3 g"].join("\n");
    expect(parseMultiProg(text, 4)).toEqual({
      problems: [
        'line 2: expected ranks such as 4-6 or 0,2-3, or *, got "x"',
        'line 3: no program after "1"',
        'line 4: expected the lower rank first, got "2-1"',
        "line 6: a single quote is not closed",
        "line 7: task 0 has a program already",
        'line 8: "*" must be on the last line',
      ],
    });
  });
  test.each([
    ["0 a\n2 b", 5, "no program for tasks 1, 3-4"],
    ["0 a\n2 b", 3, "no program for task 1"],
    ["0-4 a", 4, "line 1: there is no task 4, only 0 to 3"],
    ["* a", null, 'line 1: "*" needs a number of tasks (--ntasks)'],
    ["", 1, "the file names no program"],
    ["# only a comment", null, "the file names no program"],
    ["0 a", 1000, "no program for tasks 1-999"],
    ["1-9:2 a", 10, 'line 1: expected ranks such as 4-6 or 0,2-3, or *, got "1-9:2"'],
  ])("%j for %j tasks", (text, tasks, problem) => {
    expect(parseMultiProg(text, tasks)).toEqual({ problems: [problem] });
  });
  test("many", () => {
    const parsed = parseMultiProg("x y\n".repeat(100), 1);
    expect("problems" in parsed && parsed.problems).toHaveLength(21);
    expect("problems" in parsed && parsed.problems.at(-1)).toBe("and 80 more problems");
    const odd = Array.from({ length: 50 }, (_, at) => `${2 * at + 1} a`).join("\n");
    expect(parseMultiProg(odd, 100)).toEqual({
      problems: ["no program for tasks 0, 2, 4, 6, 8, 10, 12, 14, 16, 18 and more"],
    });
  });
  test("what is too large", () => {
    expect(parseMultiProg(" ".repeat(1_048_577), 1)).toEqual({
      problems: ["the file is longer than 1048576 characters"],
    });
    expect(parseMultiProg(`* echo ${"a ".repeat(1000)}`, 1_000_000)).toEqual({
      problems: ["the arguments of all tasks together are too long"],
    });
    expect(parseMultiProg(`0 ${"\\".repeat(1_000_000)}a`, 1)).toMatchObject({ value: [[expect.any(String)]] });
    expect(parseMultiProg("* a\n".repeat(50_000), 1_000_000)).toMatchObject({ problems: { length: 21 } });
    expect(parseMultiProg("0-999999 a\n".repeat(50_000), 1_000_000)).toMatchObject({ problems: { length: 21 } });
  });
});
