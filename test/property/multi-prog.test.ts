/** Files of `--multi-prog`: programs that were quoted into a file come out of it, and nothing is thrown at any text. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { parseMultiProg } from "../../src/core/multi-prog.ts";

const word = fc.oneof(fc.string(), fc.constantFrom("%t", "a b", "", "it's", "\\", "#", "ä\tö"));
const argv = fc.array(word, { minLength: 1, maxLength: 5 });
/** Everything in single quotes, and a quote itself behind a backslash. A line cannot hold a line break. */
const quoted = (text: string) => `'${text.replace(/[\r\n]/g, "").replaceAll("'", "'\\''")}'`;
const kept = (text: string) => text.replace(/[\r\n]/g, "");

test("quoted arguments come out as they were", () => {
  fc.assert(
    fc.property(fc.array(argv, { minLength: 1, maxLength: 6 }), (programs) => {
      const lines = programs.map((words, task) => `${task} ${words.map(quoted).join(" ")}`);
      const expected = { value: programs.map((words) => words.map(kept)) };
      expect(parseMultiProg(lines.join("\n"), programs.length)).toEqual(expected);
      expect(parseMultiProg(lines.reverse().join("\n"), null)).toEqual(expected);
    }),
  );
});

test("every task has its own number and its place, whatever the order of ranks", () => {
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 });
  fc.assert(
    fc.property(order, fc.nat(8), (ranks, cut) => {
      const [some, others] = [ranks.slice(0, cut), ranks.slice(cut)];
      const lines = [some, others].filter((part) => part.length > 0).map((part) => `${part.join(",")} p %t:%o`);
      const parsed = parseMultiProg(lines.join("\n"), 8);
      const place = (task: number) => (some.includes(task) ? some.indexOf(task) : others.indexOf(task));
      expect(parsed).toEqual({ value: Array.from({ length: 8 }, (_, task) => ["p", `${task}:${place(task)}`]) });
    }),
  );
});

test("any text gives a program a task, or problems", () => {
  const words = fc.constantFrom("0", "1-2", "*", " ", "\n", "'", "\\", "%t", "prog", "#", ",");
  const texts = fc.oneof(
    fc.string(),
    fc.array(words, { maxLength: 14 }).map((some) => some.join("")),
  );
  fc.assert(
    fc.property(texts, fc.option(fc.integer({ min: 1, max: 4 })), (text, tasks) => {
      const parsed = parseMultiProg(text, tasks);
      if ("problems" in parsed) expect(parsed.problems.length).toBeGreaterThan(0);
      else {
        if (tasks !== null) expect(parsed.value).toHaveLength(tasks);
        for (const words of parsed.value) expect(words.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 1000 },
  );
});
