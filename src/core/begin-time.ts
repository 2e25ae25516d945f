/**
 * Moments as people write them for `--begin`, `--deadline`, `sacct -S` and `-E`: `16:00`, `tomorrow noon`, `now+1hour`,
 * `2026-11-21T22:00`, `112126`. Source: Slurm's manuals of sbatch and sacct.
 *
 * A text is a list of words in any order, parted by blanks, `-` or `T`: at most one date and one time of day. Local
 * time comes in as the offset of the user's zone.
 */

import { type CivilDate, civilDate, civilMs } from "../util/civil.ts";
import { expected, type Parsed, quote } from "./parse.ts";
import type { UtcOffset } from "./time.ts";

/** What a time of day or a date without a year means once it has passed: the next such one (sbatch), or it (sacct). */
export type Passed = "next" | "past";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const UNITS_MS: Readonly<Record<string, number>> = {
  second: SECOND_MS,
  minute: MINUTE_MS,
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
};

/** Hours of the day that have a name. */
const HOURS: Readonly<Record<string, number>> = { midnight: 0, elevenses: 11, noon: 12, fika: 15, teatime: 16 };

/** What two digits of a year are added to; a leap year. */
const CENTURY = 2000;

/** Furthest from now that `now+count` may reach: 100 years, as for time limits. */
const DELTA_MS_MAX = 100 * 365 * DAY_MS;

/** Longest text that can be a moment, with room for blanks. */
const TEXT_MAX = 100;

/** Least number after `uts`, as in Slurm: smaller ones are no moments but mistakes. */
const UTS_MIN = 1_000_000;

const WHAT: Readonly<Record<Passed, string>> = {
  next: "a time such as 16:00, tomorrow, now+1hour, 2026-11-21T22:00 or 11/21/26-22:00",
  past: "a time such as 14:30, yesterday, now-2hours, 2026-11-21T08:00 or 11/21/26-08:00",
};

/** What the words of a text said so far. A date without a year has year `null`. */
interface Said {
  readonly date: { readonly year: number | null; readonly month: number; readonly day: number } | null;
  /** Since local midnight. */
  readonly timeMs: number | null;
}

/**
 * A moment in milliseconds since 1970, in whole seconds.
 * @param nowMs what `now`, `today` and a time of day refer to
 * @param passed what a time of day before now means: tomorrow's, or today's; only looking back is there a yesterday
 */
export function parseMoment(text: string, nowMs: number, zone: UtcOffset, passed: Passed = "next"): Parsed<number> {
  const trimmed = text.length > TEXT_MAX ? "" : text.trim();
  const absolute = parseAbsolute(trimmed, nowMs, text, WHAT[passed]);
  if (absolute !== undefined) return absolute;
  const today = localDate(nowMs, zone);
  let said: Said = { date: null, timeMs: null };
  let rest = trimmed;
  while (rest !== "") {
    const word = readWord(rest, today, passed);
    if (word === undefined) return expected(WHAT[passed], text);
    if ("problem" in word) return { problem: `${word.problem} in ${quote(text)}` };
    const twice = (word.date !== null && said.date !== null) || (word.timeMs !== null && said.timeMs !== null);
    if (twice) return { problem: `expected one date and one time of day, got ${quote(text)}` };
    said = { date: word.date ?? said.date, timeMs: word.timeMs ?? said.timeMs };
    rest = rest.slice(word.length).replace(/^(?:\s+|-|T(?=\d))+/i, "");
  }
  return said.date === null && said.timeMs === null ? expected(WHAT[passed], text) : resolve(said, nowMs, zone, passed);
}

/** `now`, `now+2hours`, `now-30`, and `uts` with seconds since 1970; `undefined` for everything else. */
function parseAbsolute(text: string, nowMs: number, whole: string, what: string): Parsed<number> | undefined {
  const seconds = /^uts(\d{1,12})$/i.exec(text)?.[1];
  if (seconds !== undefined) {
    return Number(seconds) < UTS_MIN ? expected(what, whole) : { value: Number(seconds) * SECOND_MS };
  }
  const match = /^now(?:\s*([+-])\s*(\d{1,12})\s*([a-z]*))?$/i.exec(text);
  if (!match) return undefined;
  const [, sign, count, unitText = ""] = match;
  const nowS = Math.floor(nowMs / SECOND_MS) * SECOND_MS;
  if (count === undefined) return { value: nowS };
  const unit = unitText === "" ? "second" : unitText.toLowerCase().replace(/s$/, "");
  const unitMs = Object.hasOwn(UNITS_MS, unit) ? UNITS_MS[unit] : undefined;
  if (unitMs === undefined) return expected("seconds, minutes, hours, days or weeks", unitText);
  const deltaMs = Number(count) * unitMs;
  if (deltaMs > DELTA_MS_MAX) return { problem: `${quote(whole)} is more than 100 years away` };
  return { value: sign === "-" ? nowS - deltaMs : nowS + deltaMs };
}

type Word = Said & { readonly length: number };

/** The date or time of day that a text begins with; a problem if its numbers are out of range. */
function readWord(text: string, today: CivilDate, passed: Passed): Word | { readonly problem: string } | undefined {
  const name = /^(today|tomorrow|yesterday|midnight|elevenses|noon|fika|teatime)(?=$|[^a-z]|T\d)/i.exec(text)?.[1];
  if (name === undefined) return /^\d{1,2}:/.test(text) ? readTime(text) : readDate(text);
  const word = name.toLowerCase();
  if (word === "yesterday") {
    return passed === "past" ? { date: dayAfter(today, -1), timeMs: null, length: name.length } : undefined;
  }
  if (word === "today") return { date: today, timeMs: null, length: name.length };
  if (word === "tomorrow") return { date: dayAfter(today), timeMs: null, length: name.length };
  return { date: null, timeMs: (HOURS[word] ?? 0) * HOUR_MS, length: name.length };
}

/** `HH:MM[:SS] [AM|PM]`. */
function readTime(text: string): Word | { readonly problem: string } | undefined {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*([ap])m)?(?![\w:.])/i.exec(text);
  if (!match) return undefined;
  const [whole, hourText, minuteText, secondText = "0", half] = match;
  const hour = hourOf(Number(hourText), half?.toLowerCase());
  const minute = Number(minuteText);
  const second = Number(secondText);
  if (hour === undefined || minute > 59 || second > 59) return { problem: `there is no time of day "${whole}"` };
  return { date: null, timeMs: hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS, length: whole.length };
}

/** 0 to 23; `undefined` for an hour that there is not. 12 AM is midnight, 12 PM and 0 PM are noon. */
function hourOf(hour: number, half: string | undefined): number | undefined {
  if (half === undefined) return hour > 23 ? undefined : hour;
  if (hour > 12) return undefined;
  return (hour % 12) + (half === "p" ? 12 : 0);
}

/** `YYYY-MM-DD`, `MMDD[YY]`, `MM/DD[/YY]` or `MM.DD[.YY]`; two digits of a year are of this century. */
function readDate(text: string): Word | { readonly problem: string } | undefined {
  const long = /^(\d{4})-(\d{1,2})-(\d{1,2})(?![\d/.:])/.exec(text);
  if (long) return dateWord(long[0], Number(long[1]), long[2], long[3]);
  const short =
    /^(\d{2})(\d{2})(\d{2})?(?![\d/.:])/.exec(text) ??
    /^(\d{1,2})\/(\d{1,2})(?:\/(\d{2}))?(?![\d/.:])/.exec(text) ??
    /^(\d{1,2})\.(\d{1,2})(?:\.(\d{2}))?(?![\d/.:])/.exec(text);
  if (!short) return undefined;
  return dateWord(short[0], short[3] === undefined ? null : CENTURY + Number(short[3]), short[1], short[2]);
}

function dateWord(
  word: string,
  year: number | null,
  monthText: string | undefined,
  dayText: string | undefined,
): Word | { readonly problem: string } {
  const month = Number(monthText);
  const day = Number(dayText);
  // Without a year 29 February may be meant: resolve looks at the year that it finds.
  if (!isDate({ year: year ?? CENTURY, month, day })) return { problem: `there is no date "${word}"` };
  return { date: { year, month, day }, timeMs: null, length: word.length };
}

/** The moment that the words mean together. */
function resolve({ date, timeMs }: Said, nowMs: number, zone: UtcOffset, passed: Passed): Parsed<number> {
  const today = localDate(nowMs, zone);
  const at = (day: CivilDate) => fromLocal(civilMs(day) + (timeMs ?? 0), zone);
  if (date === null) {
    const value = at(today);
    return { value: passed === "next" && value < nowMs ? at(dayAfter(today)) : value };
  }
  const { year, month, day } = date;
  if (year !== null) return { value: at({ year, month, day }) };
  const thisYear = { year: today.year, month, day };
  // Looking back, a day later in this month is still this year's, so that `-S 11/01 -E 11/30` works in November.
  const isWanted = passed === "next" ? at(thisYear) >= nowMs : month <= today.month;
  const found = isWanted ? thisYear : { ...thisYear, year: today.year + (passed === "next" ? 1 : -1) };
  return isDate(found) ? { value: at(found) } : { problem: `there is no 29 February in ${found.year}` };
}

/** The moment when clocks of the zone show a local time. A time that summer time skips is read an hour later. */
function fromLocal(localMs: number, zone: UtcOffset): number {
  const guess = localMs - zone(localMs) * MINUTE_MS;
  const better = localMs - zone(guess) * MINUTE_MS;
  if (zone(better) === zone(guess)) return better;
  return localMs - Math.min(zone(better), zone(guess)) * MINUTE_MS;
}

function localDate(atMs: number, zone: UtcOffset): CivilDate {
  return civilDate(atMs + zone(atMs) * MINUTE_MS);
}

function dayAfter(date: CivilDate, days = 1): CivilDate {
  return civilDate(civilMs(date) + days * DAY_MS);
}

/** Whether the calendar has such a day. */
function isDate(date: CivilDate): boolean {
  const { year, month, day } = civilDate(civilMs(date));
  return year === date.year && month === date.month && day === date.day;
}
