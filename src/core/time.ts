/** Durations and moments as Slurm writes them. Pure: local time comes in through an argument. All limits in seconds. */

import { civilDate } from "../util/civil.ts";
import { UNLIMITED } from "./jobspec.ts";
import { expected, type Parsed } from "./parse.ts";

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

/** Longest limit in seconds: 100 years, far below where Slurm's own 32-bit minutes end. */
const LIMIT_S_MAX = 100 * 365 * DAY_S;

/** How far local time is ahead of UTC at a moment, in minutes. */
export type UtcOffset = (atMs: number) => number;

/**
 * A time limit in seconds: `min`, `min:sec`, `h:m:s`, `d-h`, `d-h:m`, `d-h:m:s`. `0`, `UNLIMITED`, `INFINITE` and
 * `-1` mean none, which is {@link UNLIMITED}. Fields may exceed their range (`90:00` is an hour and a half).
 */
export function parseTimeLimit(text: string): Parsed<number> {
  if (/^(unlimited|infinite|-1)$/i.test(text)) return { value: UNLIMITED };
  const match = /^(?:(\d{1,9})-)?(\d{1,9})(?::(\d{1,9}))?(?::(\d{1,9}))?$/.exec(text);
  if (!match) return expected("a time such as 30 (minutes), 1:30:00 or 2-12 (days-hours), or UNLIMITED", text);
  const [, days, ...rest] = match;
  const fields = rest.filter((field) => field !== undefined).map(Number);
  const value = days === undefined ? withoutDays(fields) : Number(days) * DAY_S + withDays(fields);
  return value > LIMIT_S_MAX ? { problem: `"${text}" is more than 100 years; say UNLIMITED` } : { value };
}

/** Slurm keeps limits in whole minutes, rounded up. */
export function roundUpToMinute(limitS: number): number {
  return Math.ceil(limitS / MINUTE_S) * MINUTE_S;
}

/** `M:SS`, `H:MM:SS` or `D-HH:MM:SS`; `UNLIMITED` for Infinity, `INVALID` for a negative span, as squeue. */
export function formatDuration(seconds: number): string {
  if (seconds === Number.POSITIVE_INFINITY) return "UNLIMITED";
  if (!(seconds >= 0)) return "INVALID";
  const whole = Math.floor(seconds);
  const days = Math.floor(whole / DAY_S);
  const hours = Math.floor(whole / HOUR_S) % 24;
  const minutes = Math.floor(whole / MINUTE_S) % 60;
  const tail = `${twoDigits(minutes)}:${twoDigits(whole % MINUTE_S)}`;
  if (days > 0) return `${days}-${twoDigits(hours)}:${tail}`;
  return hours > 0 ? `${hours}:${tail}` : `${minutes}:${twoDigits(whole % MINUTE_S)}`;
}

/** A job's limit as squeue shows it. */
export function formatTimeLimit(limitS: number): string {
  return formatDuration(limitS === UNLIMITED ? Number.POSITIVE_INFINITY : limitS);
}

/** Local time without zone: `2026-11-21T22:00:00`. */
export function formatTimestamp(atMs: number, utcOffset: UtcOffset): string {
  const localMs = atMs + utcOffset(atMs) * MINUTE_S * 1000;
  const { year, month, day } = civilDate(localMs);
  const secondOfDay = Math.floor(localMs / 1000) - Math.floor(localMs / 1000 / DAY_S) * DAY_S;
  const time = [Math.floor(secondOfDay / HOUR_S), Math.floor(secondOfDay / MINUTE_S) % 60, secondOfDay % MINUTE_S];
  return `${[year, twoDigits(month), twoDigits(day)].join("-")}T${time.map(twoDigits).join(":")}`;
}

/** `min`, `min:sec`, `h:m:s`. */
function withoutDays(fields: readonly number[]): number {
  const [first = 0, second = 0, third = 0] = fields;
  return fields.length === 3 ? first * HOUR_S + second * MINUTE_S + third : first * MINUTE_S + second;
}

/** `h`, `h:m`, `h:m:s` after the days. */
function withDays(fields: readonly number[]): number {
  const [hours = 0, minutes = 0, seconds = 0] = fields;
  return hours * HOUR_S + minutes * MINUTE_S + seconds;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
