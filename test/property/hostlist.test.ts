/** Folding a node list and expanding it again gives the same names in the same order. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expand, fold, HOSTS_MAX } from "../../src/core/hostlist.ts";

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,6}$/);
const numbered = fc
  .tuple(fc.constantFrom("n", "gpu-", "a1b"), fc.nat(1200), fc.integer({ min: 1, max: 5 }))
  .map(([prefix, number, width]) => prefix + String(number).padStart(width, "0"));
const onlyDigits = fc.stringMatching(/^\d{1,20}$/);
const neighbours = fc
  .tuple(fc.constantFrom("n", "x0"), fc.nat(120), fc.integer({ min: 1, max: 12 }))
  .map(([prefix, first, count]) => Array.from({ length: count }, (_, at) => prefix + (first + at)));
const names = fc
  .array(
    fc.oneof(
      word.map((one) => [one]),
      numbered.map((one) => [one]),
      onlyDigits.map((one) => [one]),
      neighbours,
    ),
  )
  .map((groups) => groups.flat());

describe("hostlist", () => {
  it("expand(fold(names)) is names", () => {
    fc.assert(fc.property(names, (list) => void expect(expand(fold(list))).toEqual(list)));
  });

  it("never writes a bracket anywhere but at the end of an item", () => {
    const items = /^(([^[\],]+(\[[\d,-]+\])?|\[[\d,-]+\])(,(?=.)|$))*$/;
    fc.assert(fc.property(names, (list) => void expect(fold(list)).toMatch(items)));
  });

  it("expand never throws and never grows without limit", () => {
    fc.assert(fc.property(fc.string(), (text) => (expand(text)?.length ?? 0) <= HOSTS_MAX));
    fc.assert(fc.property(fc.stringMatching(/^[n\d[\],-]{0,24}$/), (text) => (expand(text)?.length ?? 0) <= HOSTS_MAX));
  });

  it.each([
    [["n1", "n2", "n10"], "n[1-2,10]"],
    [["p001", "p002", "p003", "p007", "q5"], "p[001-003,007],q5"],
    [["n9", "n10"], "n[9-10]"],
    [["n09", "n10"], "n[09-10]"],
    [["n9", "n010"], "n[9,010]"],
    [["n1", "n1", "n2"], "n[1,1-2]"],
    [["n2", "m1", "n1"], "n2,m1,n1"],
    [["login"], "login"],
    [["login", "login"], "login,login"],
    [[], ""],
  ])("%j folds to %s", (list, text) => {
    expect(fold(list)).toBe(text);
  });

  it.each([
    ["n[1-2]-ib", ["n1-ib", "n2-ib"]],
    ["r[1-2]n[3,5]", ["r1n3", "r1n5", "r2n3", "r2n5"]],
    ["n[008-010]", ["n008", "n009", "n010"]],
  ])("%s expands", (text, list) => {
    expect(expand(text)).toEqual(list);
  });

  it.each(["n[", "n]", "n[2-1]", "n[a]", "n[]", "a,,b", ",", "n[1-999999999]", "n[[1]]", "[1-2]".repeat(40)])(
    "%s is none",
    (text) => {
      expect(expand(text)).toBeUndefined();
    },
  );
});
