/**
 * Specifications of jobs that say the same are one object, and so are equal parts of those that differ: a long queue is mostly the
 * same few jobs again and again, and its memory is then that of its records. What remembers by object (lanes, shapes) gains too.
 */

import type { JobSpec } from "./jobspec.ts";

/** Of whole ones and of parts each: many more kinds of jobs than one queue has at a time. */
const KNOWN_MAX = 2000;

/** Shorter texts are not worth a look. */
const TEXT_CHARS_MIN = 12;

const specs = new Map<string, JobSpec>();
const parts = new Map<string, unknown>();

/** What was given before, and the object that it became: what is read from a file names the same one again and again. */
const sharedOnes = new WeakMap<JobSpec, JobSpec>();

/** One that says the same, or itself with equal parts shared. Nobody changes it afterwards. */
export function sharedSpec(spec: JobSpec): JobSpec {
  const before = sharedOnes.get(spec);
  if (before !== undefined) return before;
  const shared = findOrShare(spec);
  sharedOnes.set(spec, shared);
  sharedOnes.set(shared, shared);
  return shared;
}

function findOrShare(spec: JobSpec): JobSpec {
  const text = JSON.stringify(spec);
  const known = specs.get(text);
  if (known !== undefined) return known;
  const shared = Object.fromEntries(Object.entries(spec).map(([name, value]) => [name, sharedPart(value)]));
  return keep(specs, text, shared as unknown as JobSpec);
}

function sharedPart(value: unknown): unknown {
  const isText = typeof value === "string";
  if (isText ? value.length < TEXT_CHARS_MIN : typeof value !== "object" || value === null) return value;
  // A text can't be taken for an object: JSON quotes it.
  const text = JSON.stringify(value);
  return parts.get(text) ?? keep(parts, text, value);
}

function keep<T>(known: Map<string, T>, text: string, value: T): T {
  known.set(text, value);
  for (const oldest of known.keys()) {
    if (known.size <= KNOWN_MAX) break;
    known.delete(oldest);
  }
  return value;
}
