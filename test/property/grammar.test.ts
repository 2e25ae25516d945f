/** The small grammars of submission: tables of what people write, and that nothing is ever thrown at bad text. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Parsed, parseCount, parseMemory, parseNodeRange } from "../../src/core/parse.ts";

function outcome<T>(parsed: Parsed<T>): T | string {
  return "value" in parsed ? parsed.value : parsed.problem;
}

describe("counts", () => {
  test.each<[string, number | string]>([
    ["1", 1],
    ["+4", 4],
    ["007", 7],
    ["1000000", 1_000_000],
    ["1000001", "1000001 is more than the 1000000 possible"],
    ["0", 'expected a count of at least 1, got "0"'],
    ["-1", 'expected a count of at least 1, got "-1"'],
    ["two", 'expected a count of at least 1, got "two"'],
    ["1k", 'expected a count of at least 1, got "1k"'],
    ["1e3", 'expected a count of at least 1, got "1e3"'],
    ["", 'expected a count of at least 1, got ""'],
  ])("%j", (text, expected) => {
    expect(outcome(parseCount(text))).toBe(expected);
  });
  test("0 where it may be", () => {
    expect(outcome(parseCount("0", 0))).toBe(0);
    expect(outcome(parseCount("x", 0))).toBe('expected a count, got "x"');
  });
});

describe("nodes", () => {
  test.each<[string, object | string]>([
    ["2", { min: 2, max: 2 }],
    ["1-3", { min: 1, max: 3 }],
    ["1k", { min: 1024, max: 1024 }],
    ["1-2K", { min: 1, max: 2048 }],
    ["0", 'expected a node count of at least 1, got "0"'],
    ["3-1", "maximum node count 1 is less than minimum node count 3"],
    ["1-x", 'expected a node count or a range such as 1-3, got "1-x"'],
    ["9m", "9m is more than the 1000000 possible"],
  ])("%j", (text, expected) => {
    expect(outcome(parseNodeRange(text))).toEqual(expected);
  });
});

describe("memory", () => {
  test.each<[string, number | string]>([
    ["100", 100],
    ["0", 0],
    ["100M", 100],
    ["100mb", 100],
    ["2G", 2048],
    ["2GiB", 2048],
    ["1T", 1_048_576],
    ["512K", 1],
    ["1025K", 2],
    ["0K", 0],
    ["9999999T", "9999999T is more than any machine has"],
    ["1.5G", 'expected memory such as 500M or 16G, got "1.5G"'],
    ["5q", 'expected memory such as 500M or 16G, got "5q"'],
    ["-1", 'expected memory such as 500M or 16G, got "-1"'],
    ["", 'expected memory such as 500M or 16G, got ""'],
  ])("%j", (text, expected) => {
    expect(outcome(parseMemory(text))).toBe(expected);
  });
});

test("any text is read or refused, never thrown at; numbers stay what the wire carries", () => {
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-z:.,+-]{0,10}$/));
  fc.assert(
    fc.property(texts, (text) => {
      for (const parse of [parseCount, parseMemory]) {
        const value = outcome<number>(parse(text));
        if (typeof value === "number") expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
      }
      const range = outcome(parseNodeRange(text));
      if (typeof range === "object") expect(range.min >= 1 && range.max >= range.min).toBe(true);
    }),
  );
});
