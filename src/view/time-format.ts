/**
 * SLURM_TIME_FORMAT: how Slurm's commands write moments. `standard` (or nothing) is `2026-11-21T22:00:00`, `relative`
 * says `22:00:00`, `Ystday 22:00`, `Mon 22:00`, `25 Nov 22:00` or `6 Jun 2012`; anything else is a format of strftime.
 */

import { formatTimestamp, type UtcOffset } from "../core/time.ts";
import { civilDate, civilMs } from "../util/civil.ts";

const DAYS = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"] as const;
const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July", "August", "September"],
  ...["October", "November", "December"],
] as const;
const DAY_MS = 86_400_000;

/** Longest result of a format that is printed, as in Slurm, whose buffer has 256 bytes. */
const TEXT_MAX = 255;

/** Milliseconds since 1970 as text. */
export type MomentText = (atMs: number) => string;

/** @param format the variable's value; empty for standard */
export function momentText(format: string, nowMs: number, utcOffset: UtcOffset): MomentText {
  if (format === "" || format === "standard") return (atMs) => formatTimestamp(atMs, utcOffset);
  if (format === "relative") return (atMs) => relative(localTime(atMs, utcOffset), localTime(nowMs, utcOffset));
  return (atMs) => strftime(format, localTime(atMs, utcOffset)).slice(0, TEXT_MAX);
}

interface LocalTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Days since 1970. */
  readonly dayNumber: number;
  /** Seconds since 1970. */
  readonly epoch: number;
  readonly offsetMinutes: number;
}

function localTime(atMs: number, utcOffset: UtcOffset): LocalTime {
  const offsetMinutes = utcOffset(atMs);
  const localMs = atMs + offsetMinutes * 60_000;
  const dayNumber = Math.floor(localMs / DAY_MS);
  const second = Math.floor((localMs - dayNumber * DAY_MS) / 1000);
  return {
    ...civilDate(localMs),
    ...{ hour: Math.floor(second / 3600), minute: Math.floor(second / 60) % 60, second: second % 60 },
    ...{ dayNumber, epoch: Math.floor(atMs / 1000), offsetMinutes },
  };
}

function relative(time: LocalTime, now: LocalTime): string {
  const days = time.dayNumber - now.dayNumber;
  const clock = strftime("%H:%M", time);
  if (days === 0) return strftime("%H:%M:%S", time);
  if (days === -1) return `Ystday ${clock}`;
  if (days === 1) return `Tomorr ${clock}`;
  if (time.year !== now.year) return strftime("%-d %b %Y", time);
  return days > 1 && days < 7 ? strftime("%a %H:%M", time) : strftime("%-d %b %H:%M", time);
}

function strftime(format: string, time: LocalTime): string {
  return format.replace(/%(-?)([a-zA-Z%])/g, (whole, bare: string, letter: string) => {
    const text = part(letter, time);
    if (text === undefined) return whole;
    return bare === "-" ? text.replace(/^[0 ]+(?=\d)/, "") : text;
  });
}

/** The C library's letters, in its own locale. */
function part(letter: string, time: LocalTime): string | undefined {
  const compound = COMPOUNDS[letter];
  if (compound !== undefined) return strftime(compound, time);
  return PARTS[letter]?.(time);
}

const COMPOUNDS: Readonly<Record<string, string>> = {
  T: "%H:%M:%S",
  R: "%H:%M",
  r: "%I:%M:%S %p",
  D: "%m/%d/%y",
  x: "%m/%d/%y",
  X: "%H:%M:%S",
  F: "%Y-%m-%d",
  c: "%a %b %e %H:%M:%S %Y",
  h: "%b",
};

const PARTS: Readonly<Record<string, (time: LocalTime) => string>> = {
  Y: ({ year }) => String(year),
  y: ({ year }) => two(year % 100),
  C: ({ year }) => two(Math.floor(year / 100)),
  m: ({ month }) => two(month),
  d: ({ day }) => two(day),
  e: ({ day }) => String(day).padStart(2),
  H: ({ hour }) => two(hour),
  I: ({ hour }) => two(hour % 12 || 12),
  k: ({ hour }) => String(hour).padStart(2),
  M: ({ minute }) => two(minute),
  S: ({ second }) => two(second),
  p: ({ hour }) => (hour < 12 ? "AM" : "PM"),
  a: (time) => dayName(time).slice(0, 3),
  A: dayName,
  b: (time) => monthName(time).slice(0, 3),
  B: monthName,
  j: ({ year, dayNumber }) =>
    String(dayNumber - Math.floor(civilMs({ year, month: 1, day: 1 }) / DAY_MS) + 1).padStart(3, "0"),
  s: ({ epoch }) => String(epoch),
  z: ({ offsetMinutes }) => zone(offsetMinutes),
  n: () => "\n",
  t: () => "\t",
  "%": () => "%",
};

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** 1970 began on a Thursday. */
function dayName({ dayNumber }: LocalTime): string {
  return DAYS[((dayNumber % 7) + 7) % 7] ?? "";
}

function monthName({ month }: LocalTime): string {
  return MONTHS[month - 1] ?? "";
}

/** `+0530`. */
function zone(offsetMinutes: number): string {
  const minutes = Math.abs(offsetMinutes);
  return `${offsetMinutes < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
}
