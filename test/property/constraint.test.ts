/** Constraints: what is printed is read back, and alternatives mean together what the brackets mean. */

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Constraint,
  constraintAlternatives,
  constraintFeatures,
  formatConstraint,
  matchesConstraint,
  parseConstraint,
} from "../../src/core/constraint.ts";
import { parsedValue } from "../unit/support/outcome.ts";

const names = ["a", "b", "c", "d"] as const;
const name = fc.constantFrom(...names);
/** Texts of expressions without brackets and counts. */
const { plain } = fc.letrec<{ plain: string }>((tie) => ({
  plain: fc.oneof(
    { maxDepth: 4 },
    name,
    fc.tuple(tie("plain"), fc.constantFrom("&", "|"), tie("plain")).map((parts) => `(${parts.join("")})`),
    fc.tuple(tie("plain"), fc.constantFrom("&", "|"), name).map((parts) => parts.join("")),
    tie("plain").map((text) => `!(${text})`),
  ),
}));
const bracket = fc.array(name, { minLength: 2, maxLength: 4 }).map((some) => `[${some.join("|")}]`);
const counted = fc.tuple(plain, fc.integer({ min: 1, max: 99 })).map(([text, count]) => `(${text})*${count}`);
const text = fc.oneof(
  plain,
  fc
    .array(
      fc.oneof(
        plain.map((one) => `(${one})`),
        counted,
        name,
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((some) => some.join("&")),
  fc.tuple(bracket, plain).map(([one, other]) => `${one}&(${other})`),
);
const features = fc.subarray([...names]).map((some) => new Set<string>(some));

test("what is printed is read back", () => {
  fc.assert(
    fc.property(text, (one) => {
      const constraint = parsedValue(parseConstraint(one));
      expect(parsedValue(parseConstraint(formatConstraint(constraint)))).toEqual(constraint);
      for (const named of constraintFeatures(constraint)) expect(one).toContain(named);
    }),
  );
});

test("a node may serve just if one of the alternatives lets it", () => {
  fc.assert(
    fc.property(text, features, (one, has) => {
      const constraint = parsedValue(parseConstraint(one));
      const alternatives = constraintAlternatives(constraint);
      expect(alternatives.some((each) => matchesConstraint(each, has))).toBe(matchesConstraint(constraint, has));
      expect(alternatives.some(hasBrackets)).toBe(false);
    }),
  );
});

test("expressions mean what they say, from left to right", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("&", "|"), name), { maxLength: 6 }), features, (parts, has) => {
      let expected = has.has("a");
      for (const [operator, one] of parts)
        expected = operator === "&" ? expected && has.has(one) : expected || has.has(one);
      const written = `a${parts.map((part) => part.join("")).join("")}`;
      expect(matchesConstraint(parsedValue(parseConstraint(written)), has)).toBe(expected);
    }),
  );
});

test("any text is read or refused", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[ab&|()[\]*!2]{0,16}$/)), (one) => {
      const parsed = parseConstraint(one);
      if ("problem" in parsed) expect(parsed.problem).not.toBe("");
      else expect(parseConstraint(formatConstraint(parsed.value))).toEqual(parsed);
    }),
    { numRuns: 1000 },
  );
});

function hasBrackets(constraint: Constraint): boolean {
  return formatConstraint(constraint).includes("[");
}
