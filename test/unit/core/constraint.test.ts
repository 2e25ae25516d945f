/** `--constraint`: trees, what they match, and what is refused. */

import { describe, expect, test } from "vitest";
import {
  type Constraint,
  constraintAlternatives,
  constraintCounts,
  constraintFeatures,
  formatConstraint,
  matchesConstraint,
  parseConstraint,
} from "../../../src/core/constraint.ts";
import { outcome, parsedValue } from "../support/outcome.ts";

const read = (text: string): Constraint => parsedValue(parseConstraint(text));
const feature = (name: string) => ({ kind: "feature", name });

describe("trees", () => {
  test("and, or, not, brackets, counts", () => {
    expect(read("intel")).toEqual(feature("intel"));
    expect(read("a&b&c")).toEqual({ kind: "and", of: ["a", "b", "c"].map(feature) });
    expect(read("a|b&c")).toEqual({
      kind: "and",
      of: [{ kind: "or", of: [feature("a"), feature("b")] }, feature("c")],
    });
    expect(read("[rack1|rack2]")).toEqual({ kind: "xor", of: [feature("rack1"), feature("rack2")] });
    expect(read("!a")).toEqual({ kind: "not", of: feature("a") });
    expect(read("a*2")).toEqual({ kind: "count", of: feature("a"), count: 2 });
  });
  test.each([
    ["a|(b&c)", "a|(b&c)"],
    ["(a|b)&c", "(a|b)&c"],
    ["a|b&c", "(a|b)&c"],
    ["(a&b)&(c&d)", "a&b&c&d"],
    ["((a))", "a"],
    ["[a]", "a"],
    ["gpu&[rack1|rack2]", "gpu&[rack1|rack2]"],
    ["[(a&b)|c]", "[(a&b)|c]"],
    ["[rack1*2&rack2*4]", "rack1*2&rack2*4"],
    ["[(rack1|rack2)*1&(rack3)*2]", "(rack1|rack2)*1&rack3*2"],
    ["[(knl&snc4&flat)*4&haswell*1]", "(knl&snc4&flat)*4&haswell*1"],
    ["!(a|b)", "!(a|b)"],
    ["(!a)*2", "!a*2"],
    ["a-b_c.d:1", "a-b_c.d:1"],
  ])("%s is %s", (text, printed) => {
    expect(formatConstraint(read(text))).toBe(printed);
  });
});

describe("matching", () => {
  test.each([
    ["a&b", ["a"], false],
    ["a&b", ["a", "b"], true],
    ["a|b", ["b"], true],
    ["a|b&c", ["a"], false],
    ["a|(b&c)", ["a"], true],
    ["!a", ["b"], true],
    ["!a", ["a"], false],
    ["[r1|r2]", ["r2"], true],
    ["[r1|r2]", ["r3"], false],
    ["a*2&b*3", [], true],
    ["a*2&gpu", [], false],
  ])("%s for %j: %s", (text, features, expected) => {
    expect(matchesConstraint(read(text), new Set(features))).toBe(expected);
  });
  test("one alternative for all nodes", () => {
    expect(constraintAlternatives(read("gpu&[r1|r2]")).map(formatConstraint)).toEqual(["gpu&r1", "gpu&r2"]);
    expect(constraintAlternatives(read("[r1|(r2&fast)]&gpu")).map(formatConstraint)).toEqual(["r1&gpu", "r2&fast&gpu"]);
    expect(constraintAlternatives(read("[r1|r2]")).map(formatConstraint)).toEqual(["r1", "r2"]);
    expect(constraintAlternatives(read("a|b")).map(formatConstraint)).toEqual(["a|b"]);
    expect(constraintAlternatives(read("a&b")).map(formatConstraint)).toEqual(["a&b"]);
  });
  test("counts and names", () => {
    expect(constraintCounts(read("(a|b)*2&c*3&d"))).toEqual([
      { of: read("a|b"), count: 2 },
      { of: read("c"), count: 3 },
    ]);
    expect(constraintCounts(read("c*3"))).toEqual([{ of: read("c"), count: 3 }]);
    expect(constraintCounts(read("a&b"))).toEqual([]);
    expect([...constraintFeatures(read("(a|b)*2&!c&a&[d|e]"))]).toEqual(["a", "b", "c", "d", "e"]);
  });
});

describe("refused", () => {
  const what = "expected features such as gpu, intel&gpu, (a|b)&c, [rack1|rack2] or a*2&b*3, got";
  test.each([
    ["", `${what} ""`],
    ["a&", `${what} "a&"`],
    ["&a", `${what} "&a"`],
    ["a b", `${what} "a b"`],
    ["a,b", `${what} "a,b"`],
    ["a)", `${what} "a)"`],
    ["(a", 'expected a closing ")", got "(a"'],
    ["[a|b", 'expected a closing "]", got "[a|b"'],
    ["[a|b]&[c|d]", 'expected brackets once at most, got "[a|b]&[c|d]"'],
    ["([a|b])", 'expected brackets outside of parentheses and behind no !, got "([a|b])"'],
    ["[a&b]", 'expected all "|", or counts joined by "&", within brackets, got "[a&b]"'],
    ["[a|b]|c", 'brackets are joined to others by "&" only, got "[a|b]|c"'],
    ["a*0", 'expected a count of nodes after "*", got "a*0"'],
    ["a*", 'expected a count of nodes after "*", got "a*"'],
    ["a*2|b", 'counts are joined by "&" only, got "a*2|b"'],
    ["!(a*2)", 'counts are joined by "&" only, got "!(a*2)"'],
    ["![a|b]", 'expected brackets outside of parentheses and behind no !, got "![a|b]"'],
    ["(a*2)*3", 'counts are joined by "&" only, got "(a*2)*3"'],
    ["[a*2|b*3]", 'counts are joined by "&" only, got "[a*2|b*3]"'],
  ])("%j", (text, problem) => {
    expect(outcome(parseConstraint(text))).toBe(problem);
  });
  test("what is long or deep", () => {
    expect(outcome(parseConstraint("(".repeat(9000)))).toMatch(/^expected at most 32 levels of parentheses/);
    expect(outcome(parseConstraint("!".repeat(9000)))).toMatch(/^expected at most 32 levels of parentheses/);
    expect(outcome(parseConstraint("a&b|".repeat(2000)))).toMatch(/^expected at most 32 levels of parentheses/);
    expect(outcome(parseConstraint("a".repeat(10_001)))).toBe("expected a constraint of at most 10000 characters");
    expect(formatConstraint(read(`${"a&".repeat(4999)}a`))).toHaveLength(9999);
  });
});
