/** `--array` and ids of jobs and steps: a table of what people write and of what is refused. */

import { describe, expect, test } from "vitest";
import {
  difference,
  firstTask,
  formatArraySpec,
  formatJobIdSpec,
  formatStepIdSpec,
  formatTaskSet,
  hasTask,
  intersect,
  lastTask,
  parseArraySpec,
  parseIdList,
  parseJobIdSpec,
  parseStepIdSpec,
  parseTaskSet,
  type TaskSet,
  taskCount,
  taskSetOf,
  tasksOf,
  withoutTask,
} from "../../../src/core/array-spec.ts";
import { outcome, parsedValue } from "../support/outcome.ts";

const set = (text: string): TaskSet => (text === "" ? [] : parsedValue(parseTaskSet(text)));

describe("arrays", () => {
  test.each([
    ["5", "5"],
    ["0-15", "0-15"],
    ["1,3,5-7", "1,3,5-7"],
    ["0-15:4", "0-12:4"],
    ["0-6:2", "0,2,4,6"],
    ["0,4,8,12", "0-12:4"],
    ["3,1,2", "1-3"],
    ["1-5,3-9", "1-9"],
    ["1-5,3-9:2", "1-5,7,9"],
    ["0-98:2,1-99:2", "0-99"],
    ["1-7,8", "1-8"],
    ["5-6", "5-6"],
    ["5-6:7", "5"],
    ["1-10%4", "1-10%4"],
    ["0-2%2", "0-2%2"],
    ["7%0", "7"],
    ["007", "7"],
    ["0-3999999", "0-3999999"],
  ])("%s is %s", (text, printed) => {
    expect(formatArraySpec(parsedValue(parseArraySpec(text)))).toBe(printed);
  });
  test("what is kept", () => {
    expect(parsedValue(parseArraySpec("0-15:4,20%3"))).toEqual({
      tasks: [
        { first: 0, last: 12, step: 4 },
        { first: 20, last: 20, step: 1 },
      ],
      limit: 3,
    });
  });
  test.each([
    ["", 'expected task numbers such as 0-15, 1,3,5 or 0-15%4, got ""'],
    ["%4", 'expected task numbers such as 0-15, 1,3,5 or 0-15%4, got "%4"'],
    ["a", 'expected task numbers such as 5, 0-15 or 0-15:4, got "a"'],
    ["1,", 'expected task numbers such as 5, 0-15 or 0-15:4, got ""'],
    ["-1", 'expected task numbers such as 5, 0-15 or 0-15:4, got "-1"'],
    ["5:2", 'expected task numbers such as 5, 0-15 or 0-15:4, got "5:2"'],
    ["5-1", 'expected the lower task number first, got "5-1"'],
    ["1-5:0", 'expected a step of at least 1, got "1-5:0"'],
    ["1-5%", 'expected a count of tasks after %, such as 0-15%4, got "1-5%"'],
    ["1-5%2%3", 'expected a count of tasks after %, such as 0-15%4, got "1-5%2%3"'],
    ["4000000", "task 4000000 is above the highest possible, 3999999"],
  ])("%j is refused", (text, message) => {
    expect(outcome(parseArraySpec(text))).toBe(message);
  });
  test("a smaller MaxArraySize", () => {
    expect(outcome(parseArraySpec("0-1000", 1001))).toMatchObject({ limit: 0 });
    expect(outcome(parseArraySpec("1001", 1001))).toBe("task 1001 is above the highest possible, 1000");
  });
  test("too much is refused, not counted out", () => {
    const many = Array.from({ length: 50_000 }, (_, at) => `${at}-3999999:${(at % 1000) + 2}`).join(",");
    expect(outcome(parseArraySpec(many))).toBe("too many ranges with steps that overlap");
    expect(outcome(parseArraySpec("0-3999999:2,0-3999999:3"))).toBe("more than 65536 ranges of tasks");
    expect(outcome(parseArraySpec("1,".repeat(70_000)))).toBe("more than 65536 ranges of tasks");
    expect(outcome(parseArraySpec("1".repeat(1_000_001)))).toBe("expected a list of at most 1000000 characters");
  });
});

describe("sets", () => {
  test("one long range stays one range", () => {
    const long = set("0-99999");
    expect(long).toHaveLength(1);
    expect([taskCount(long), firstTask(long), lastTask(long)]).toEqual([100_000, 0, 99_999]);
    expect([hasTask(long, 5), hasTask(long, 100_000), hasTask(long, -1), hasTask([], 0)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    const hole = withoutTask(long, 50_000);
    expect(formatTaskSet(hole)).toBe("0-49999,50001-99999");
    expect(taskSetOf([...tasksOf(long)])).toEqual(long);
  });
  test("the empty set", () => {
    expect([taskCount([]), firstTask([]), lastTask([]), formatTaskSet([])]).toEqual([0, undefined, undefined, ""]);
    expect(taskSetOf([])).toEqual([]);
    expect(formatTaskSet(taskSetOf([7]))).toBe("7");
    expect(withoutTask(set("7"), 7)).toEqual([]);
  });
  test.each([
    ["0-12:4", 4, "0,8,12"],
    ["0-100:10", 50, "0-40:10,60-100:10"],
    ["1,3,5-7,9", 6, "1,3,5,7,9"],
    ["1-5", 9, "1-5"],
  ])("%s without %i is %s", (text, task, left) => {
    expect(formatTaskSet(withoutTask(set(text), task))).toBe(left);
  });
  test.each([
    ["0-98:2", "1-99:3", "4-94:6"],
    ["0-99999", "5,77,200000", "5,77"],
    ["1-5,8-20", "4-9", "4-5,8-9"],
    ["0-100:2", "1-99:2", ""],
    ["0-3999999:1999", "0-3999999:1997", "0,3992003"],
  ])("%s and %s have %s in common", (a, b, common) => {
    expect(formatTaskSet(intersect(set(a), set(b)))).toBe(common);
  });
  test.each([
    ["0-99999", "0-99999:2", "1-99999:2"],
    ["0-99999", "50000-60000", "0-49999,60001-99999"],
    ["0-20", "0-20:5", "1-4,6-9,11-14,16-19"],
    ["0-20:2", "6", "0,2,4,8-20:2"],
    ["1-5", "1-9", ""],
  ])("%s without %s is %s", (a, b, left) => {
    expect(formatTaskSet(difference(set(a), set(b)))).toBe(left);
  });
  test("in order", () => {
    expect([...tasksOf(set("5,0-12:4,1"))]).toEqual([0, 1, 4, 5, 8, 12]);
  });
});

describe("ids of jobs", () => {
  test.each([
    ["12", "12"],
    ["12_3", "12_3"],
    ["12_[3]", "12_3"],
    ["12_[1-5,7]", "12_[1-5,7]"],
    ["12_[0-2%2]", "12_[0-2]"],
    ["12_1-5", "12_[1-5]"],
    ["12_*", "12"],
    ["12+1", "12+1"],
  ])("%s is %s", (text, printed) => {
    expect(formatJobIdSpec(parsedValue(parseJobIdSpec(text)))).toBe(printed);
  });
  test("what is kept", () => {
    expect(parsedValue(parseJobIdSpec("12"))).toEqual({ jobId: 12, tasks: null, het: null });
    expect(parsedValue(parseJobIdSpec("12_3"))).toEqual({
      jobId: 12,
      tasks: [{ first: 3, last: 3, step: 1 }],
      het: null,
    });
    expect(parsedValue(parseJobIdSpec("12+1"))).toEqual({ jobId: 12, tasks: null, het: 1 });
  });
  test.each([
    ["", 'expected a job id such as 12, 12_3, 12_[1-5] or 12+1, got ""'],
    ["0", 'expected a job id such as 12, 12_3, 12_[1-5] or 12+1, got "0"'],
    ["-12", 'expected a job id such as 12, 12_3, 12_[1-5] or 12+1, got "-12"'],
    ["12_", 'expected a job id such as 12, 12_3, 12_[1-5] or 12+1, got "12_"'],
    ["12_[1", 'expected several tasks in brackets, such as 12_[1,3], got "12_[1"'],
    ["12_1,3", 'expected several tasks in brackets, such as 12_[1,3], got "12_1,3"'],
    ["12_[]", 'expected task numbers such as 0-15, 1,3,5 or 0-15%4, got ""'],
    ["12_x", 'expected task numbers such as 5, 0-15 or 0-15:4, got "x"'],
  ])("%j is refused", (text, message) => {
    expect(outcome(parseJobIdSpec(text))).toContain(message);
  });
});

describe("ids of steps", () => {
  test.each([
    ["12", null],
    ["12.0", 0],
    ["12_3.batch", "batch"],
    ["12.extern", "extern"],
    ["12.Interactive", "interactive"],
    ["12+1.4", 4],
  ])("%s", (text, step) => {
    const spec = parsedValue(parseStepIdSpec(text));
    expect(spec.step).toBe(step);
    expect(formatStepIdSpec(spec)).toBe(text.toLowerCase());
  });
  test.each(["12.", "12.x", "12.-1", "x.0", "12.0.0", ".0"])("%j is refused", (text) => {
    expect(outcome(parseStepIdSpec(text))).toBe(`expected a step id such as 12.0, 12_3.1 or 12.batch, got "${text}"`);
  });
  test("lists", () => {
    expect(parsedValue(parseIdList("1,2_[3,5-6],,4.batch,5+1")).map(formatStepIdSpec)).toEqual([
      "1",
      "2_[3,5-6]",
      "4.batch",
      "5+1",
    ]);
    expect(parsedValue(parseIdList(""))).toEqual([]);
    expect(outcome(parseIdList("1,two"))).toBe('expected a job id such as 12, 12_3, 12_[1-5] or 12+1, got "two"');
    expect(outcome(parseIdList("1_[3,4"))).toContain('got "1_[3,4"');
    expect(outcome(parseIdList("1,".repeat(100_001)))).toBe("more than 100000 ids");
    expect(outcome(parseIdList("[".repeat(500_000)))).toMatch(/^expected a job id/);
  });
});
