/** Moments as sbatch and sacct take them, in a zone an hour ahead, and around the changes of summer time. */

import { describe, expect, test } from "vitest";
import { parseMoment } from "../../../src/core/begin-time.ts";
import { formatTimestamp } from "../../../src/core/time.ts";

const zone = () => 60;

/** Saturday, 21 November 2026, 22:00:30 local time. */
const now = Date.UTC(2026, 10, 21, 21, 0, 30, 500);

function read(text: string, passed?: "next" | "past"): string {
  const parsed = parseMoment(text, now, zone, passed);
  return "value" in parsed ? formatTimestamp(parsed.value, zone) : parsed.problem;
}

describe("sbatch: what has passed means the next one", () => {
  test.each([
    ["23:00", "2026-11-21T23:00:00"],
    ["22:01", "2026-11-21T22:01:00"],
    ["22:00", "2026-11-22T22:00:00"],
    ["22:00:31", "2026-11-21T22:00:31"],
    ["9:30", "2026-11-22T09:30:00"],
    ["9:30 PM", "2026-11-22T21:30:00"],
    ["11:30pm", "2026-11-21T23:30:00"],
    ["12:15 AM", "2026-11-22T00:15:00"],
    ["12:15PM", "2026-11-22T12:15:00"],
    ["midnight", "2026-11-22T00:00:00"],
    ["noon", "2026-11-22T12:00:00"],
    ["fika", "2026-11-22T15:00:00"],
    ["TeaTime", "2026-11-22T16:00:00"],
    ["today", "2026-11-21T00:00:00"],
    ["tomorrow", "2026-11-22T00:00:00"],
    ["tomorrow 16:00", "2026-11-22T16:00:00"],
    ["noon tomorrow", "2026-11-22T12:00:00"],
    ["todayT23:30", "2026-11-21T23:30:00"],
    ["112226", "2026-11-22T00:00:00"],
    ["1122", "2026-11-22T00:00:00"],
    ["1120", "2027-11-20T00:00:00"],
    ["11/22/26", "2026-11-22T00:00:00"],
    ["1/2", "2027-01-02T00:00:00"],
    ["11/21-23:00", "2026-11-21T23:00:00"],
    ["11/21-21:00", "2027-11-21T21:00:00"],
    ["11.22.26", "2026-11-22T00:00:00"],
    ["12/24/26-18:00:05", "2026-12-24T18:00:05"],
    ["2010-01-20T12:34:00", "2010-01-20T12:34:00"],
    ["2026-11-21T22:00", "2026-11-21T22:00:00"],
    ["2026-11-21", "2026-11-21T00:00:00"],
    ["2028-2-29", "2028-02-29T00:00:00"],
    ["now", "2026-11-21T22:00:30"],
    ["now+60", "2026-11-21T22:01:30"],
    ["now + 1 hour", "2026-11-21T23:00:30"],
    ["now+2hours", "2026-11-22T00:00:30"],
    ["now+1day", "2026-11-22T22:00:30"],
    ["NOW+2weeks", "2026-12-05T22:00:30"],
    ["now-30minutes", "2026-11-21T21:30:30"],
    ["uts1795298400", "2026-11-21T23:00:00"],
    [" 23:00 ", "2026-11-21T23:00:00"],
  ])("%s", (text, moment) => {
    expect(read(text)).toBe(moment);
  });
});

describe("sacct: what has passed is meant", () => {
  test.each([
    ["1970-01-01-00:00:01", "1970-01-01T00:00:01"],
    ["1970-01-01", "1970-01-01T00:00:00"],
    ["112126", "2026-11-21T00:00:00"],
    ["112126-21:00", "2026-11-21T21:00:00"],
    ["09:30", "2026-11-21T09:30:00"],
    ["23:00", "2026-11-21T23:00:00"],
    ["1122", "2026-11-22T00:00:00"],
    ["12/24", "2025-12-24T00:00:00"],
    ["01/02", "2026-01-02T00:00:00"],
    ["now-1days", "2026-11-20T22:00:30"],
    ["midnight", "2026-11-21T00:00:00"],
  ])("%s", (text, moment) => {
    expect(read(text, "past")).toBe(moment);
  });
});

describe("refused", () => {
  const what = "expected a time such as 16:00, tomorrow, now+1hour, 2026-11-21T22:00 or 11/21/26-22:00, got";
  test.each([
    ["", `${what} ""`],
    ["soon", `${what} "soon"`],
    ["16", `${what} "16"`],
    ["todays", `${what} "todays"`],
    ["16:0", `${what} "16:0"`],
    ["16:00x", `${what} "16:00x"`],
    ["11/21/2026", `${what} "11/21/2026"`],
    ["11/21.26", `${what} "11/21.26"`],
    ["2026-11", 'there is no date "2026" in "2026-11"'],
    ["-16:00", `${what} "-16:00"`],
    ["uts12", `${what} "uts12"`],
    ["now noon", `${what} "now noon"`],
    ["24:00", 'there is no time of day "24:00" in "24:00"'],
    ["16:60", 'there is no time of day "16:60" in "16:60"'],
    ["13:00 AM", 'there is no time of day "13:00 AM" in "13:00 AM"'],
    ["1332", 'there is no date "1332" in "1332"'],
    ["2026-02-29", 'there is no date "2026-02-29" in "2026-02-29"'],
    ["02/29", "there is no 29 February in 2027"],
    ["today tomorrow", 'expected one date and one time of day, got "today tomorrow"'],
    ["16:00 noon", 'expected one date and one time of day, got "16:00 noon"'],
    ["now+5parsecs", 'expected seconds, minutes, hours, days or weeks, got "parsecs"'],
    ["now+999999999999weeks", '"now+999999999999weeks" is more than 100 years away'],
  ])("%j", (text, problem) => {
    expect(read(text)).toBe(problem);
  });
  test("long texts", () => {
    expect(read(" ".repeat(100_000))).toContain(what);
  });
});

test("times that summer time skips or repeats", () => {
  const change = Date.UTC(2026, 2, 29, 1);
  const back = Date.UTC(2026, 9, 25, 1);
  const berlin = (atMs: number) => (atMs >= change && atMs < back ? 120 : 60);
  const utc = (text: string) => {
    const parsed = parseMoment(text, change - 5 * 3_600_000, berlin);
    return "value" in parsed ? new Date(parsed.value).toISOString() : parsed.problem;
  };
  expect(utc("2026-03-29T01:59")).toBe("2026-03-29T00:59:00.000Z");
  expect(utc("2026-03-29T02:30")).toBe("2026-03-29T01:30:00.000Z");
  expect(utc("2026-03-29T03:00")).toBe("2026-03-29T01:00:00.000Z");
  expect(utc("2026-10-25T01:30")).toBe("2026-10-24T23:30:00.000Z");
  expect(utc("2026-10-25T02:30")).toMatch(/2026-10-25T0[01]:30:00.000Z/);
  expect(utc("2026-10-25T03:00")).toBe("2026-10-25T02:00:00.000Z");
  const newYork = (atMs: number) => (atMs >= Date.UTC(2026, 2, 8, 7) ? -240 : -300);
  expect(parseMoment("2026-03-08T02:30", 0, newYork)).toEqual({ value: Date.UTC(2026, 2, 8, 7, 30) });
  expect(parseMoment("2026-03-08T03:30", 0, newYork)).toEqual({ value: Date.UTC(2026, 2, 8, 7, 30) });
});
