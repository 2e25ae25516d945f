/** Dependencies: what is printed is read back, and nothing is thrown at any text. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { type DependencyTerm, formatDependency, parseDependency } from "../../src/core/dependency.ts";

const jobId = fc.integer({ min: 1, max: 1e12 });
const taskId = fc.oneof(fc.nat(4_000_000), fc.constantFrom("all" as const, null));
const plain = fc.record({
  type: fc.constantFrom("afterany" as const, "afterok" as const, "afternotok" as const, "aftercorr" as const),
  jobId,
  taskId,
  delayMin: fc.constant(0),
});
const after = fc.record({ type: fc.constant("after" as const), jobId, taskId, delayMin: fc.nat(999_999) });
const singleton = fc.constant<DependencyTerm>({ type: "singleton", jobId: 0, taskId: null, delayMin: 0 });
const terms = fc.uniqueArray(fc.oneof(plain, after, singleton), { selector: (term) => JSON.stringify(term) });

test("what is printed is read back", () => {
  fc.assert(
    fc.property(terms, fc.boolean(), (list, either) => {
      // One term alone is neither all nor any.
      const dependency = { any: either && list.length > 1, terms: list };
      expect(parseDependency(formatDependency(dependency))).toEqual({ value: dependency });
    }),
  );
});

test("any text is read or refused, and what is read prints to the same", () => {
  const words = fc.constantFrom("afterok", "after", "singleton", ":", ",", "?", "12", "_3", "_*", "+5", "x", "");
  const texts = fc.oneof(
    fc.string(),
    fc.array(words, { maxLength: 9 }).map((some) => some.join("")),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const parsed = parseDependency(text);
      if ("problem" in parsed) expect(parsed.problem).not.toBe("");
      else expect(parseDependency(formatDependency(parsed.value))).toEqual(parsed);
    }),
  );
});
