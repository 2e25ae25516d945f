/** Slurm's times: a table of what people write, and laws between reading and writing. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatDuration,
  formatTimeLimit,
  formatTimestamp,
  parseTimeLimit,
  roundUpToMinute,
} from "../../src/core/time.ts";

const seconds = (text: string) => {
  const parsed = parseTimeLimit(text);
  return "value" in parsed ? parsed.value : parsed.problem;
};

describe("limits", () => {
  test.each<[string, number]>([
    ["5", 300],
    ["90", 5400],
    ["0", 0],
    ["0:30", 30],
    ["1:30", 90],
    ["90:00", 5400],
    ["1:30:00", 5400],
    ["100:00:01", 360_001],
    ["2-12", 216_000],
    ["2-0", 172_800],
    ["1-2:30", 95_400],
    ["1-02:03:04", 93_784],
    ["UNLIMITED", 0],
    ["infinite", 0],
    ["-1", 0],
  ])("%s is %i s", (text, expected) => {
    expect(seconds(text)).toBe(expected);
  });
  test.each(["", "5x", "x", "1:2:3:4", "1-2-3", "1-", ":5", "5:", "1.5", "-5", " 5", "1 h", "99999999999"])(
    "%j is no limit",
    (text) => {
      expect(seconds(text)).toMatch(/expected a time such as|more than 100 years/);
    },
  );
  test("Slurm's whole minutes", () => {
    expect([0, 1, 59, 60, 61, 120].map(roundUpToMinute)).toEqual([0, 60, 60, 60, 120, 120]);
  });
});

describe("durations", () => {
  test.each<[number, string]>([
    [0, "0:00"],
    [9, "0:09"],
    [60, "1:00"],
    [3599, "59:59"],
    [3600, "1:00:00"],
    [86_399, "23:59:59"],
    [86_400, "1-00:00:00"],
    [93_784.9, "1-02:03:04"],
    [Number.POSITIVE_INFINITY, "UNLIMITED"],
    [-1, "INVALID"],
    [Number.NaN, "INVALID"],
  ])("%d s is %s", (value, text) => {
    expect(formatDuration(value)).toBe(text);
  });
  test("a limit of 0 is none", () => {
    expect(formatTimeLimit(0)).toBe("UNLIMITED");
    expect(formatTimeLimit(60)).toBe("1:00");
  });
  test("what is written is read back", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 * 365 * 86_400 }), (value) => {
        expect(seconds(formatDuration(value))).toBe(value);
      }),
    );
  });
});

test("any text is read or refused, never thrown at", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9:-]{0,12}$/)), (text) => {
      const value = seconds(text);
      if (typeof value === "number") expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
    }),
  );
});

describe("moments", () => {
  test("local time, by the offset of that moment", () => {
    const at = Date.UTC(2026, 10, 21, 22, 0, 0);
    expect(formatTimestamp(at, () => 0)).toBe("2026-11-21T22:00:00");
    expect(formatTimestamp(at, () => 120)).toBe("2026-11-22T00:00:00");
    expect(formatTimestamp(at, () => -330)).toBe("2026-11-21T16:30:00");
    expect(formatTimestamp(at + 999, (moment) => (moment === at + 999 ? 0 : 60))).toBe("2026-11-21T22:00:00");
    expect(formatTimestamp(-1, () => 0)).toBe("1969-12-31T23:59:59");
  });
  test("as the calendar has it", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e13, max: 1e13 }), fc.integer({ min: -720, max: 840 }), (at, offset) => {
        const expected = new Date(at + offset * 60_000).toISOString().slice(0, 19);
        expect(formatTimestamp(at, () => offset)).toBe(expected);
      }),
    );
  });
});
