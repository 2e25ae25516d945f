/** Sets of array tasks against plain sets of numbers, and laws between reading and writing. */

import fc from "fast-check";
import { expect, test } from "vitest";
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
} from "../../src/core/array-spec.ts";
import { parsedValue } from "../unit/support/outcome.ts";

const few = fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 30 });
const ranges = fc.array(fc.record({ first: fc.nat(60), length: fc.nat(30), step: fc.integer({ min: 1, max: 7 }) }), {
  minLength: 1,
  maxLength: 6,
});
const ascending = (tasks: Iterable<number>) => [...new Set(tasks)].sort((a, b) => a - b);
const fromList = (tasks: readonly number[]): TaskSet => parsedValue(parseTaskSet(tasks.join(",")));

test("a list of numbers and its set are the same tasks, however they were written", () => {
  fc.assert(
    fc.property(few, (tasks) => {
      const set = fromList(tasks);
      expect([...tasksOf(set)]).toEqual(ascending(tasks));
      expect(parsedValue(parseTaskSet(formatTaskSet(set)))).toEqual(set);
      expect([taskCount(set), firstTask(set), lastTask(set)]).toEqual([
        tasks.length,
        Math.min(...tasks),
        Math.max(...tasks),
      ]);
      for (let task = -1; task <= 41; task++) expect(hasTask(set, task)).toBe(tasks.includes(task));
    }),
  );
});

test("ranges with steps are what they list, in one canonical form", () => {
  fc.assert(
    fc.property(ranges, (some) => {
      const text = some.map(({ first, length, step }) => `${first}-${first + length}:${step}`).join(",");
      const tasks = some.flatMap(({ first, length, step }) =>
        Array.from({ length: Math.floor(length / step) + 1 }, (_, at) => first + at * step),
      );
      const set = parsedValue(parseTaskSet(text));
      expect([...tasksOf(set)]).toEqual(ascending(tasks));
      expect(set).toEqual(fromList(tasks));
    }),
  );
});

test("one task more, one task less, common tasks", () => {
  fc.assert(
    fc.property(few, few, fc.nat(45), (tasks, others, task) => {
      const set = fromList(tasks);
      const ascending = [...new Set([...tasks, task])].sort((a, b) => a - b);
      expect(taskSetOf(ascending)).toEqual(fromList([...tasks, task]));
      const left = tasks.filter((one) => one !== task);
      expect(withoutTask(set, task)).toEqual(left.length === 0 ? [] : fromList(left));
      const common = tasks.filter((one) => others.includes(one));
      expect(intersect(set, fromList(others))).toEqual(common.length === 0 ? [] : fromList(common));
    }),
  );
});

test("what is left of a set, tasks and long steps alike", () => {
  fc.assert(
    fc.property(few, ranges, (tasks, some) => {
      const text = some.map(({ first, length, step }) => `${first}-${first + length}:${step}`).join(",");
      for (const [one, other] of [
        [fromList(tasks), parsedValue(parseTaskSet(text))],
        [parsedValue(parseTaskSet(text)), fromList(tasks)],
      ] as const) {
        const left = [...tasksOf(one)].filter((task) => !hasTask(other, task));
        expect(difference(one, other)).toEqual(left.length === 0 ? [] : fromList(left));
      }
    }),
  );
});

test("sets grow and shrink without losing their form", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(25)), { maxLength: 60 }), (edits) => {
      let set: TaskSet = parsedValue(parseTaskSet("0-24:3"));
      const plain = new Set(tasksOf(set));
      for (const [add, task] of edits) {
        if (add) plain.add(task);
        else plain.delete(task);
        set = add ? taskSetOf([...plain].sort((a, b) => a - b)) : withoutTask(set, task);
      }
      expect(set).toEqual(plain.size === 0 ? [] : fromList([...plain]));
    }),
  );
});

test("what is printed is read back", () => {
  const limits = fc.nat(100);
  const job = fc.integer({ min: 1, max: 1e9 });
  const step = fc.oneof(fc.nat(1e6), fc.constantFrom("batch" as const, "extern" as const, null));
  fc.assert(
    fc.property(few, limits, job, step, fc.option(fc.nat(9)), (list, limit, jobId, stepId, het) => {
      const tasks = fromList(list);
      expect(parsedValue(parseArraySpec(formatArraySpec({ tasks, limit })))).toEqual({ tasks, limit });
      const spec = { jobId, tasks: het === null ? tasks : null, het };
      expect(parsedValue(parseJobIdSpec(formatJobIdSpec(spec)))).toEqual(spec);
      const one = { ...spec, step: stepId };
      expect(parsedValue(parseStepIdSpec(formatStepIdSpec(one)))).toEqual(one);
      expect(parsedValue(parseIdList([one, one].map(formatStepIdSpec).join(",")))).toEqual([one, one]);
    }),
  );
});

test("any text is read or refused", () => {
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^[0-9_.,:%+*[\]-]{0,14}$/));
  fc.assert(
    fc.property(texts, (text) => {
      for (const parse of [parseArraySpec, parseTaskSet, parseJobIdSpec, parseStepIdSpec, parseIdList]) {
        const parsed = parse(text);
        if ("problem" in parsed) expect(parsed.problem).not.toBe("");
      }
    }),
  );
});
