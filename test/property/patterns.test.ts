/** File name patterns: whatever is written, the letters that Slurm knows are filled in and nothing else is touched. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { fillPattern, type PatternFacts } from "../../src/core/patterns.ts";

/** Job names and the like may hold anything that could be taken for a part of a pattern. */
const anyText = fc.string({ unit: fc.constantFrom("a", "%", "j", "4", "\\", "$", "&", "/", "é") });
const count = fc.nat({ max: 4_294_967_294 });

const anyFacts: fc.Arbitrary<PatternFacts> = fc.record({
  jobId: count,
  array: fc.option(fc.record({ jobId: count, taskId: count })),
  stepId: fc.oneof(count, fc.constant("batch" as const)),
  jobName: anyText,
  userName: anyText,
  nodeName: anyText,
  nodeId: count,
  task: count,
});

/** One piece of a pattern, and what it must become. */
interface Piece {
  readonly written: string;
  filled(facts: PatternFacts): string;
}

const literal = fc
  .string()
  .map((text) => text.replaceAll(/[%\\]/g, ""))
  .map((text): Piece => ({ written: text, filled: () => text }));
const percent = fc.constant<Piece>({ written: "%%", filled: () => "%" });
/** Not after a digit or letter could follow: those would make another piece of it. */
const unknown = fc
  .constantFrom("%q", "%12z", "%é", "%_", "% ", "%4%", "%-4j")
  .map((text): Piece => ({ written: text, filled: () => text }));

const NUMBERS: Readonly<Record<string, (facts: PatternFacts) => number | null>> = {
  j: ({ jobId }) => jobId,
  A: ({ jobId, array }) => (array === null ? jobId : array.jobId),
  a: ({ array }) => (array === null ? 4_294_967_294 : array.taskId),
  b: ({ array }) => (array === null ? 4 : array.taskId % 10),
  n: ({ nodeId }) => nodeId,
  t: ({ task }) => task,
  s: ({ stepId }) => (stepId === "batch" ? null : stepId),
  J: ({ jobId }) => jobId,
};

const width = fc.option(fc.nat({ max: 30 }), { nil: null });

const number = fc.tuple(fc.constantFrom(...Object.keys(NUMBERS)), width).map(([letter, digits]): Piece => {
  const zeros = Math.min(digits ?? 0, 10);
  return {
    written: `%${digits ?? ""}${letter}`,
    filled(facts) {
      const value = NUMBERS[letter]?.(facts) ?? null;
      if (value === null) return "batch";
      const step = letter === "J" && facts.stepId !== "batch" ? `.${facts.stepId}` : "";
      return `${"0".repeat(Math.max(0, zeros - String(value).length))}${value}${step}`;
    },
  };
});

const NAMES = { N: "nodeName", u: "userName", x: "jobName" } as const;
const name = fc
  .tuple(fc.constantFrom("N", "u", "x"), width)
  .map(
    ([letter, digits]): Piece => ({ written: `%${digits ?? ""}${letter}`, filled: (facts) => facts[NAMES[letter]] }),
  );

const anyPattern = fc.array(fc.oneof(literal, percent, unknown, number, name));

test("each letter becomes what it stands for, and all else stays", () => {
  fc.assert(
    fc.property(anyPattern, anyFacts, (pieces, facts) => {
      const pattern = pieces.map(({ written }) => written).join("");
      const filled = pieces.map((piece) => piece.filled(facts)).join("");
      expect(fillPattern(pattern, facts, "/w")).toBe(filled.startsWith("/") ? filled : `/w/${filled}`);
    }),
  );
});

test("a backslash turns letters off: one before each character gives the text itself", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), anyFacts, (text, facts) => {
      const escaped = Array.from(text, (character) => `\\${character}`).join("");
      expect(fillPattern(escaped, facts, "/w")).toBe(text.startsWith("/") ? text : `/w/${text}`);
    }),
  );
});

test("never throws, and always gives an absolute path", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), anyFacts, (pattern, facts) => {
      expect(fillPattern(pattern, facts, "/").startsWith("/")).toBe(true);
    }),
  );
});
