/** `--signal`: what is printed is read back, and nothing is thrown at any text. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { formatSignalSpec, parseSignalSpec } from "../../src/core/signal-spec.ts";

test("what is printed is read back", () => {
  const specs = fc.record({
    signal: fc.integer({ min: 1, max: 64 }),
    leadS: fc.nat(65_535),
    batchOnly: fc.boolean(),
    reservation: fc.boolean(),
  });
  fc.assert(
    fc.property(specs, (spec) => {
      expect(parseSignalSpec(formatSignalSpec(spec))).toEqual({ value: spec });
    }),
  );
});

test("any text is read or refused", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[RB]{0,2}:?[A-Z0-9]{0,6}@?[0-9]{0,6}$/)), (text) => {
      const parsed = parseSignalSpec(text);
      if ("problem" in parsed) expect(parsed.problem).not.toBe("");
    }),
  );
});
