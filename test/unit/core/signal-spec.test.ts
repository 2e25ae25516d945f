/** `--signal`: a table of what people write. */

import { expect, test } from "vitest";
import { formatSignalSpec, parseSignalSpec } from "../../../src/core/signal-spec.ts";
import { parseSignal, signalName } from "../../../src/core/signals.ts";

test.each([
  ["USR1", 10, 60, false, false, "USR1@60"],
  ["SIGUSR1@90", 10, 90, false, false, "USR1@90"],
  ["10@0", 10, 0, false, false, "USR1@0"],
  ["B:USR2@30", 12, 30, true, false, "B:USR2@30"],
  ["b:int@30", 2, 30, true, false, "B:INT@30"],
  ["R:TERM", 15, 60, false, true, "R:TERM@60"],
  ["RB:TERM@65535", 15, 65_535, true, true, "RB:TERM@65535"],
  ["64", 64, 60, false, false, "64@60"],
])("%s", (text, signal, leadS, batchOnly, reservation, printed) => {
  const spec = { signal, leadS, batchOnly, reservation };
  expect(parseSignalSpec(text)).toEqual({ value: spec });
  expect(formatSignalSpec(spec)).toBe(printed);
});

test.each([
  ["", 'expected a signal such as USR1, 10@120 or B:TERM@300, got ""'],
  ["USR1@", 'expected a signal such as USR1, 10@120 or B:TERM@300, got "USR1@"'],
  ["X:USR1", 'expected a signal such as USR1, 10@120 or B:TERM@300, got "X:USR1"'],
  ["USR9", 'expected the name or number of a signal, such as USR1 or 10, got "USR9"'],
  ["0", 'expected the name or number of a signal, such as USR1 or 10, got "0"'],
  ["65", 'expected the name or number of a signal, such as USR1 or 10, got "65"'],
  ["USR1@65536", 'expected at most 65535 seconds after @, got "65536"'],
])("%j is refused", (text, problem) => {
  expect(parseSignalSpec(text)).toEqual({ problem });
});

test("every signal has a name that is read back", () => {
  for (let signal = 1; signal <= 64; signal++) expect(parseSignal(signalName(signal))).toBe(signal);
  expect([signalName(6), signalName(29), signalName(40)]).toEqual(["ABRT", "IO", "40"]);
});
