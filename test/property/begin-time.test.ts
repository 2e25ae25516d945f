/** Moments: what formatTimestamp prints is read back in any zone, and the rules about the past hold at any time. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { parseMoment } from "../../src/core/begin-time.ts";
import { formatTimestamp } from "../../src/core/time.ts";
import { civilDate, civilMs } from "../../src/util/civil.ts";

const offset = fc.integer({ min: -14 * 60, max: 14 * 60 });
/** Years 1000 to 9999: those that Slurm's form writes with four digits. */
const seconds = fc.integer({ min: Date.UTC(1000, 0, 2) / 1000, max: Date.UTC(9999, 11, 30) / 1000 });
const recent = fc.integer({ min: 0, max: 4e12 });
const DAY_MS = 86_400_000;

test("days are counted alike in both directions, and as JavaScript's Date counts them", () => {
  fc.assert(
    fc.property(seconds, (atS) => {
      const date = civilDate(atS * 1000);
      expect(civilMs(date)).toBe(Math.floor((atS * 1000) / DAY_MS) * DAY_MS);
      expect(civilMs(date)).toBe(Date.UTC(date.year, date.month - 1, date.day));
    }),
  );
});

test("a timestamp is read back, whatever the zone and the time", () => {
  fc.assert(
    fc.property(seconds, recent, offset, fc.constantFrom("next", "past"), (atS, now, minutes, passed) => {
      const zone = () => minutes;
      const text = formatTimestamp(atS * 1000, zone);
      expect(parseMoment(text, now, zone, passed)).toEqual({ value: atS * 1000 });
      expect(parseMoment(text.replace("T", "-"), now, zone, passed)).toEqual({ value: atS * 1000 });
    }),
  );
});

test("a time of day is within the next day, or today's", () => {
  fc.assert(
    fc.property(recent, offset, fc.nat(23), fc.nat(59), (now, minutes, hour, minute) => {
      const zone = () => minutes;
      const text = `${hour}:${String(minute).padStart(2, "0")}`;
      const next = parseMoment(text, now, zone);
      const past = parseMoment(text, now, zone, "past");
      if (!("value" in next && "value" in past)) throw new Error("refused");
      expect(next.value - now).toBeGreaterThanOrEqual(0);
      expect(next.value - now).toBeLessThan(DAY_MS);
      expect(formatTimestamp(past.value, zone).slice(0, 10)).toBe(formatTimestamp(now, zone).slice(0, 10));
      expect(formatTimestamp(next.value, zone).slice(11)).toBe(formatTimestamp(past.value, zone).slice(11));
    }),
  );
});

test("any text is read as whole seconds or refused", () => {
  const words = fc.constantFrom(
    "now",
    "+",
    "-",
    "5",
    "hours",
    "16:00",
    "pm",
    "today",
    "T",
    "11/21",
    " ",
    "noon",
    "1121",
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(words, { maxLength: 7 }).map((some) => some.join("")),
  );
  fc.assert(
    fc.property(texts, recent, (text, now) => {
      const parsed = parseMoment(text, now, () => 60);
      if ("problem" in parsed) expect(parsed.problem).not.toBe("");
      else expect(Number.isSafeInteger(parsed.value / 1000)).toBe(true);
    }),
  );
});
