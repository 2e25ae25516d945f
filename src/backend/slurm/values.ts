/**
 * Values of Slurm's JSON, of all its shapes: 22.05 has plain numbers and words; from 23.02 on numbers that may be unset
 * are `{"set": true, "infinite": false, "number": 5}`, and states and flags are lists. Pure.
 */

export type Json = Readonly<Record<string, unknown>>;

/** An object, empty for anything else. */
export function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** A list, empty for anything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text; empty for anything else, and for Slurm's words for none. */
export function textOf(value: unknown): string {
  return typeof value !== "string" || /^\(null\)$|^N\/A$/.test(value) ? "" : value;
}

/** A number; `null` where it is not set, `Infinity` where it is infinite. */
export function numberOf(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (typeof value === "string") return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : null;
  const { set, infinite, number } = objectOf(value);
  if (infinite === true) return Number.POSITIVE_INFINITY;
  return set !== false && typeof number === "number" ? number : null;
}

/** A number above 0 that is finite, else 0. */
export function countOf(value: unknown): number {
  const number = numberOf(value);
  return number !== null && Number.isFinite(number) && number > 0 ? number : 0;
}

/** Seconds since 1970 as milliseconds; `null` for none. */
export function momentOf(value: unknown): number | null {
  const seconds = countOf(value);
  return seconds === 0 ? null : seconds * 1000;
}

/** `"RUNNING"`, `["RUNNING", "COMPLETING"]`, `"IDLE+DRAIN"`: the words, in order. */
export function wordsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return value.split(/[+ ]/).filter((word) => word !== "");
  return listOf(value).filter((word): word is string => typeof word === "string");
}

/**
 * How a program ended: the raw status of wait(2) (22.05), or `{"return_code": ..., "signal": ...}` with either shape of
 * numbers and names.
 */
export function exitOf(value: unknown): { readonly code: number; readonly signal: number } {
  const raw = numberOf(value);
  if (raw !== null) return { code: (raw >> 8) & 0xff, signal: raw & 0x7f };
  const { return_code: code, signal } = objectOf(value);
  const { id, signal_id: old } = objectOf(signal);
  return { code: countOf(code), signal: countOf(id ?? old) };
}
