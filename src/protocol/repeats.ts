/**
 * What arrives again and again byte for byte is one object: the job that is submitted under other request ids, the environment of one
 * shell. Who remembers by object what it made of it (a check, a digest, a text) need not do so again.
 *
 * Such values are shared by whoever receives them: nobody may change them.
 */

import type { Reading } from "./codec.ts";

/** Shorter ones are decoded sooner than found. */
const BYTES_MIN = 64;

/** Longer ones are rare, and few of them would fill the memory. */
const BYTES_MAX = 64 * 1024;

/** Of one generation; there are two. */
const KEPT_BYTES_MAX = 256 * 1024;

/** The calls whose parameters are looked at one by one. */
const METHOD = [..."job.submit"].map((letter) => letter.charCodeAt(0));

const CALL_OF_FOUR = 0x94;
const CALL = 0x00;
const SHORT_TEXT = 0xa0;
const SHORT_TEXT_MASK = 0xe0;
const SHORT_MAP = 0x80;
const SHORT_MAP_MASK = 0xf0;

let young = new Map<string, unknown>();
let old = new Map<string, unknown>();
let youngBytes = 0;

/**
 * The envelope of a call whose parameters repeat; `null` for any other body, which is to be decoded as ever.
 * @param body well formed
 */
export function decodeRepeating(body: Uint8Array, reading: Reading): readonly unknown[] | null {
  if (body[0] !== CALL_OF_FOUR || body[1] === undefined || body[1] !== CALL) return null;
  const idEnd = reading.skip(body, 2);
  const start = idEnd + 1 + METHOD.length;
  if (body[idEnd] !== SHORT_TEXT + METHOD.length || !METHOD.every((letter, at) => body[idEnd + 1 + at] === letter)) {
    return null;
  }
  const map = body[start] ?? 0;
  if ((map & SHORT_MAP_MASK) !== SHORT_MAP) return null;
  const params: Record<string, unknown> = {};
  let at = start + 1;
  for (let left = map & ~SHORT_MAP_MASK; left > 0; left--) {
    const name = shortText(body, at);
    if (name === null || name === "__proto__") return null;
    const from = at + 1 + name.length;
    at = reading.skip(body, from);
    params[name] = paramOf(body.subarray(from, at), reading);
  }
  return [CALL, reading.decode(body.subarray(2, idEnd)), "job.submit", params];
}

function paramOf(bytes: Uint8Array, { decode }: Reading): unknown {
  if (bytes.length < BYTES_MIN || bytes.length > BYTES_MAX) return decode(bytes);
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const recent = young.get(key);
  if (recent !== undefined) return recent;
  // A copy: decoded bytes are views, and must not keep all that came with them.
  const value = old.get(key) ?? decode(bytes.slice());
  if (typeof value === "object" && value !== null) keep(key, value, bytes.length);
  return value;
}

function keep(key: string, value: object, bytes: number): void {
  if (youngBytes + bytes > KEPT_BYTES_MAX) {
    old = young;
    young = new Map();
    youngBytes = 0;
  }
  young.set(key, value);
  youngBytes += bytes;
}

/** A short text of ASCII; `null` for anything else. */
function shortText(body: Uint8Array, at: number): string | null {
  const token = body[at] ?? 0;
  if ((token & SHORT_TEXT_MASK) !== SHORT_TEXT) return null;
  let text = "";
  for (let left = at + 1; left <= at + (token & ~SHORT_TEXT_MASK); left++) {
    const letter = body[left] ?? 0x80;
    if (letter >= 0x80) return null;
    text += String.fromCharCode(letter);
  }
  return text;
}
