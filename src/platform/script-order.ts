/** What a keeper is told of a script, in bytes (see script-program.ts). */

import * as fs from "node:fs";
import type { ScriptRequest } from "./script-forker.ts";

/** Variables that a keeper has; those of a script are told by what differs. */
export type Variables = Readonly<Record<string, string>>;

/** A keeper that has this many variables less to be told than the script has is told all anew. */
const DIFFERENT_PART = 0.5;

const LENGTH_BYTES = 4;

/** An order, and the variables that its keeper has from it on. */
export interface Order {
  readonly bytes: Buffer;
  readonly variables: Variables;
}

/**
 * The order to start a script. Fields: keeper, number, how many variables the keeper gets in place of its own (or nothing), these; folder of
 * the records, work folder, three for each stream, mask, arguments by number and one by one, variables less by number and one by one,
 * variables more.
 * @param has the keeper's variables; `null` for a new keeper
 * @returns `null` where a stream is neither a file nor /dev/null, or a text can't be told
 */
export function orderOf(keeper: number, id: number, request: ScriptRequest, has: Variables | null): Order | null {
  const { folder, workDir, argv, environment, umask = "", descriptors } = request;
  const streams = streamFields(descriptors);
  if (streams === null) return null;
  const { base, less, more } = differences(has, environment);
  const bases = base === null ? [""] : [String(base.length), ...base];
  const fields = [String(keeper), String(id), ...bases, folder, workDir, ...streams, umask];
  fields.push(String(argv.length), ...argv, String(less.length), ...less, ...more);
  const bytes = framed(fields);
  return bytes && { bytes, variables: base === null ? (has ?? {}) : environment };
}

/** The order for a keeper to end, once it has no script. */
export function dismissal(keeper: number): Buffer {
  return framed([String(keeper)]) as Buffer;
}

function framed(fields: readonly string[]): Buffer | null {
  const text = `${fields.join("\0")}\0`;
  if (text.split("\0").length !== fields.length + 1) return null;
  const bytes = Buffer.byteLength(text);
  const order = Buffer.allocUnsafe(bytes + LENGTH_BYTES);
  order.writeUInt32BE(bytes);
  order.write(text, LENGTH_BYTES);
  return order;
}

/** `base`: all, where most would differ. */
function differences(has: Variables | null, wanted: Variables) {
  const all = (): string[] => Object.entries(wanted).map(assignment);
  if (has === null) return { base: all(), less: [], more: [] };
  const less = Object.keys(has).filter((name) => !Object.hasOwn(wanted, name));
  const changed = Object.entries(wanted).filter(([name, value]) => !Object.hasOwn(has, name) || has[name] !== value);
  const isFar = less.length + changed.length > DIFFERENT_PART * Object.keys(wanted).length;
  return isFar ? { base: all(), less: [], more: [] } : { base: null, less, more: changed.map(assignment) };
}

function assignment([name, value]: readonly [string, string]): string {
  return `${name}=${value}`;
}

/** Path, device and number of each file, or the number of a stream before it that is the same. */
function streamFields(descriptors: readonly number[]): string[] | null {
  const fields: string[] = [];
  for (const [at, descriptor] of descriptors.entries()) {
    const same = descriptors.indexOf(descriptor);
    const facts = same < at ? ["", String(same), ""] : fileOf(descriptor);
    if (facts === null) return null;
    fields.push(...facts);
  }
  return fields;
}

function fileOf(descriptor: number): readonly string[] | null {
  try {
    const facts = fs.fstatSync(descriptor);
    const path = fs.readlinkSync(`/proc/self/fd/${descriptor}`);
    if (!facts.isFile() && path !== "/dev/null") return null;
    return [path, String(facts.dev), String(facts.ino)];
  } catch {
    return null;
  }
}
