/**
 * Records as scontrol prints them: `Key=Value` pairs, several a line, in Slurm's order. The long form indents all
 * lines but the first and ends a record with an empty line; the other puts a record on one line.
 */

import { formatTimestamp, type UtcOffset } from "../core/time.ts";

/** `JobId=12`. Blanks before a line's first key indent it further in the long form. */
export type Pair = readonly [key: string, value: string | number];

/** Pairs by line. */
export type RecordLines = readonly (readonly Pair[])[];

/** When and where records are read. */
export interface RecordTime {
  readonly nowMs: number;
  readonly utcOffset: UtcOffset;
}

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

/** What Slurm prints where nothing is set. */
export const UNSET = "(null)";

/** The record's text, line breaks included. */
export function recordText(lines: RecordLines, oneLine: boolean): string {
  const texts = lines.map((pairs) => pairs.map(([key, value]) => `${key}=${value}`).join(" "));
  return oneLine ? `${texts.map((text) => text.trim()).join(" ")}\n` : `${texts.join("\n   ")}\n\n`;
}

/** Seconds as `HH:MM:SS` or `D-HH:MM:SS`. */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / HOUR_S) % 24, Math.floor(whole / MINUTE_S) % 60, whole % MINUTE_S];
  const time = parts.map((part) => String(part).padStart(2, "0")).join(":");
  return whole >= DAY_S ? `${Math.floor(whole / DAY_S)}-${time}` : time;
}

/** A moment in local time; `Unknown` if there is none. */
export function moment(atMs: number | null, { utcOffset }: RecordTime): string {
  return atMs === null || !Number.isFinite(atMs) ? "Unknown" : formatTimestamp(atMs, utcOffset);
}

/** A text, or Slurm's word for none. */
export function orUnset(text: string): string {
  return text === "" ? UNSET : text;
}
