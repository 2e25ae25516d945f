/** getopt: whatever is typed, the parser neither throws nor loses a word; what was built from options is read back. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { parseOptions } from "../../src/cli/getopt.ts";
import type { Option } from "../../src/cli/option.ts";
import { submitOptions } from "../../src/cli/options/submit.ts";

const OPTIONS = submitOptions("srun");
const MODES = fc.constantFrom("permute" as const, "stop" as const);

const word = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.constantFrom("-", "--", "--=", "--no", "--gpus", "--gpus=", "-G", "-Gx", "-lu", "-ln", "--p", "--pty=1", "-é"),
);

test("never throws; each problem is one line", () => {
  fc.assert(
    fc.property(fc.array(word), MODES, (argv, mode) => {
      const { values, operands, problems } = parseOptions(OPTIONS, argv, mode);
      for (const problem of problems) expect(problem).not.toBe("");
      for (const long of values.keys()) expect(OPTIONS.some((option) => option.long === long)).toBe(true);
      expect(operands.length).toBeLessThanOrEqual(argv.length);
    }),
  );
});

test("stop: operands are an untouched tail of the command line", () => {
  fc.assert(
    fc.property(fc.array(word), (argv) => {
      const { operands } = parseOptions(OPTIONS, argv, "stop");
      expect(argv.slice(argv.length - operands.length)).toEqual(operands);
    }),
  );
});

test("permute: words that are no options are operands, in order", () => {
  const plain = fc.array(fc.string({ maxLength: 5 }).filter((text) => !text.startsWith("-")));
  fc.assert(
    fc.property(plain, (argv) => {
      const expected = { values: new Map(), operands: argv, words: argv, problems: [] };
      expect(parseOptions(OPTIONS, argv, "permute")).toEqual(expected);
    }),
  );
});

/** One way to write an option, with the value that must come back. */
const written = fc
  .record({
    option: fc.constantFrom(...OPTIONS),
    value: fc.string({ minLength: 1, maxLength: 6 }),
    form: fc.constantFrom("--name=value", "--name value", "-n value", "-nvalue"),
  })
  .map(({ option, value, form }) => ({ option, ...write(option, value, form) }));

test("what was written is read back, in every form", () => {
  fc.assert(
    fc.property(fc.array(written), fc.array(fc.string()), (options, rest) => {
      const argv = [...options.flatMap(({ words }) => words), "--", ...rest];
      const parsed = parseOptions(OPTIONS, argv, "stop");
      expect(parsed.problems).toEqual([]);
      expect(parsed.operands).toEqual(rest);
      const expected = new Map<string, string[]>();
      for (const { option, value } of options) {
        expected.set(option.long, [...(expected.get(option.long) ?? []), value]);
      }
      expect(Object.fromEntries(parsed.values)).toEqual(Object.fromEntries(expected));
    }),
  );
});

test("a prefix means an option exactly if it fits one only", () => {
  const namesOf = ({ long, aliases = [] }: Option): readonly string[] => [long, ...aliases];
  fc.assert(
    fc.property(fc.constantFrom(...OPTIONS), fc.integer({ min: 1, max: 20 }), ({ long }, length) => {
      const prefix = long.slice(0, length);
      const fitting = OPTIONS.filter((option) => namesOf(option).some((name) => name.startsWith(prefix)));
      const exact = OPTIONS.find((option) => namesOf(option).includes(prefix));
      const { values, problems } = parseOptions(OPTIONS, [`--${prefix}`, "x"], "stop");
      if (exact || fitting.length === 1) expect([...values.keys()]).toEqual([exact?.long ?? long]);
      else expect(problems[0]).toMatch(/is ambiguous; possibilities: '--/);
    }),
  );
});

function write(option: Option, value: string, form: string): { words: string[]; value: string } {
  const { long, short, argument } = option;
  if (argument === "optional") {
    const attached = short && form.startsWith("-n") ? `-${short}${value}` : `--${long}=${value}`;
    return { words: [attached], value };
  }
  if (argument === "none") return { words: [short && form.startsWith("-n") ? `-${short}` : `--${long}`], value: "" };
  if (short && form === "-nvalue") return { words: [`-${short}${value}`], value };
  if (short && form === "-n value") return { words: [`-${short}`, value], value };
  return { words: form === "--name=value" ? [`--${long}=${value}`] : [`--${long}`, value], value };
}
