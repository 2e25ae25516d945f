/**
 * Specifications of jobs that say the same are one object, and so are equal parts of those that differ: a long queue is mostly the
 * same few jobs again and again, and its memory is then that of its records. What remembers by object (lanes, shapes) gains too.
 */

import { keep } from "../util/keep.ts";
import type { JobRequest, JobSpec, User } from "./jobspec.ts";

/** Of whole ones and of parts each: many more kinds of jobs than one queue has at a time. */
const KNOWN_MAX = 2000;

/** Shorter texts are not worth a look. */
const TEXT_CHARS_MIN = 12;

const specs = new Map<string, JobSpec>();
/** The texts of those, by themselves. */
const texts = new Map<JobSpec, string>();
const parts = new Map<string, unknown>();
/** What was made last of a job as it was submitted: most say the same as the one before, from the same user. */
const submitted = new WeakMap<JobRequest, JobSpec>();

/** One that says the same, or itself with equal parts shared. Nobody changes it afterwards. */
export function sharedSpec(spec: JobSpec): JobSpec {
  if (texts.has(spec)) return spec;
  const text = JSON.stringify(spec);
  const known = specs.get(text);
  if (known !== undefined) return known;
  const shared = Object.fromEntries(Object.entries(spec).map(([name, value]) => [name, sharedPart(value)]));
  return keepSpec(text, shared as unknown as JobSpec);
}

/** One that says something else in some wishes, whose parts are shared as those of the base are. */
export function withParts(base: JobSpec, but: Partial<JobSpec>): JobSpec {
  const spec: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(but)) spec[name] = sharedPart(value);
  return spec as unknown as JobSpec;
}

/** A specification as JSON. */
export function specText(spec: JobSpec): string {
  return texts.get(spec) ?? JSON.stringify(spec);
}

/** A submitted job with whose it is and what was stored of it; again the same object where nothing is different. */
export function submittedSpec(
  job: JobRequest,
  user: User,
  scriptDigest: string | null,
  environmentDigest: string,
): JobSpec {
  const known = submitted.get(job);
  const isSame =
    known?.scriptDigest === scriptDigest &&
    known.environmentDigest === environmentDigest &&
    known.user.uid === user.uid &&
    known.user.gid === user.gid &&
    known.user.name === user.name;
  if (known !== undefined && isSame) return known;
  const spec = { ...job, user, scriptDigest, environmentDigest };
  submitted.set(job, spec);
  return spec;
}

function sharedPart(value: unknown): unknown {
  const isText = typeof value === "string";
  if (isText ? value.length < TEXT_CHARS_MIN : typeof value !== "object" || value === null) return value;
  // A text can't be taken for an object: JSON quotes it.
  const text = JSON.stringify(value);
  const known = parts.get(text);
  if (known === undefined) keep(parts, text, value, KNOWN_MAX);
  return known ?? value;
}

function keepSpec(text: string, spec: JobSpec): JobSpec {
  specs.set(text, spec);
  texts.set(spec, text);
  for (const [oldest, one] of specs) {
    if (specs.size <= KNOWN_MAX) break;
    specs.delete(oldest);
    texts.delete(one);
  }
  return spec;
}
