/** Whatever a format, a field list, a sort or a state list says: a table or a listed problem, never an exception. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { command as sinfo } from "../../src/cli/commands/sinfo.ts";
import { command as squeue } from "../../src/cli/commands/squeue.ts";
import { momentText } from "../../src/view/time-format.ts";
import { yamlText } from "../../src/view/yaml.ts";
import { runOn } from "../golden/run.ts";

/** Pieces that formats are made of, and anything else. */
const format = fc
  .array(
    fc.oneof(
      fc.constantFrom("%", "%.", "%8", "%.18i", "%all", "%#P", "%t", "%N", ",", "|", ":", ".", "-", "+", "#", "%%"),
      fc.constantFrom("JobID", "name:8|", "State:.20x", "NodeList", "StateLong:", "foo", "tres-alloc:9999999999"),
      fc.string({ maxLength: 6, unit: "binary" }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

const PROBLEMS =
  /^(mgpu-(squeue|sinfo): (error|hint): (Invalid (job|job step) format specification|Invalid sort specification|Invalid job state specified|Valid job states include|Bad state string|valid states): ?|Invalid node format specification: )/;

describe("never throws", () => {
  test.each([
    [squeue, "--format"],
    [squeue, "--Format"],
    [squeue, "--sort"],
    [squeue, "--states"],
    [sinfo, "--format"],
    [sinfo, "--Format"],
    [sinfo, "--sort"],
    [sinfo, "--states"],
  ] as const)("$0.name %s", async (command, option) => {
    await fc.assert(
      fc.asyncProperty(format, async (text) => {
        const { code, out, err } = await runOn(command, [`${option}=${text}`]);
        expect(err).not.toContain("internal error");
        expect([0, 1]).toContain(code);
        if (code === 1) expect(err).not.toBe("");
        // A problem may quote a line break.
        if (err !== "") expect(err).toMatch(PROBLEMS);
        if (code === 0 && option === "--Format" && !text.includes("\n")) expect(out.endsWith("\n")).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test("formats of times", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 0, max: 4e12 }), (text, atMs) => {
        expect(momentText(text, atMs, () => 330)(atMs).length).toBeLessThanOrEqual(255);
      }),
    );
  });

  test("YAML of any values", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (record) => {
        expect(typeof yamlText(record as Record<string, unknown>)).toBe("string");
      }),
    );
  });
});
