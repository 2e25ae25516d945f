/**
 * The small grammars of submission: counts, ranges, memory, GPUs. Pure; each gives a value or says in a few words
 * what it expected, so that a caller can report all bad values of a command together.
 */

import { type GpuRequest, WHOLE_GPU } from "./resources.ts";

/** A value, or why the text is none: `expected a count, got "two"`. */
export type Parsed<T> = { readonly value: T } | { readonly problem: string };

/** Largest count of tasks, CPUs or nodes that the wire carries. */
const COUNT_MAX = 1_000_000;

/** Largest memory on one node in MiB: 1 EiB. */
const MEMORY_MIB_MAX = 2 ** 40;

const KIB = 1024;

/** Most characters of a user's text that a problem repeats: enough to recognise it, and it fits a terminal's line. */
const QUOTED_MAX = 80;

/** The refusal of a text. */
export function expected(what: string, text: string): { readonly problem: string } {
  return { problem: `expected ${what}, got ${quote(text)}` };
}

/** A user's text within a message: in quotes, and cut when it is long. */
export function quote(text: string): string {
  return text.length > QUOTED_MAX ? `"${text.slice(0, QUOTED_MAX - 3)}..."` : `"${text}"`;
}

/** Members of a comma-separated list, empty ones too; refused when there are more than `max`. */
export function splitList(text: string, max: number): Parsed<readonly string[]> {
  const members = text.split(",", max + 1);
  return members.length > max ? { problem: `more than ${max} members in ${quote(text)}` } : { value: members };
}

/** A whole number of at least `min`; decimal digits only, as Slurm's `--ntasks`. */
export function parseCount(text: string, min = 1): Parsed<number> {
  const value = /^\+?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min)) return expected(min === 0 ? "a count" : `a count of at least ${min}`, text);
  return value > COUNT_MAX ? { problem: `${text} is more than the ${COUNT_MAX} possible` } : { value };
}

/** Nodes: `2` or `1-3`; `k` and `m` multiply by 1024 and 1024 squared, as in Slurm. */
export function parseNodeRange(text: string): Parsed<{ readonly min: number; readonly max: number }> {
  const match = /^(\d{1,9})([km]?)(?:-(\d{1,9})([km]?))?$/i.exec(text);
  if (!match) return expected("a node count or a range such as 1-3", text);
  const min = scaled(match[1] ?? "", match[2] ?? "");
  const max = match[3] === undefined ? min : scaled(match[3], match[4] ?? "");
  if (min < 1) return expected("a node count of at least 1", text);
  if (max < min) return { problem: `maximum node count ${max} is less than minimum node count ${min}` };
  return max > COUNT_MAX ? { problem: `${text} is more than the ${COUNT_MAX} possible` } : { value: { min, max } };
}

/** Memory in MiB, rounded up: `100`, `512K`, `2G`, `1T`; without a letter it counts MiB. A `B` may follow. */
export function parseMemory(text: string): Parsed<number> {
  const match = /^(\d{1,15})(?:([kmgt])(?:i?b)?)?$/i.exec(text);
  if (!match) return expected("memory such as 500M or 16G", text);
  const amount = Number(match[1]);
  const perUnit = { k: 1 / KIB, m: 1, g: KIB, t: KIB * KIB }[(match[2] ?? "m").toLowerCase()] ?? 1;
  const value = Math.ceil(amount * perUnit);
  return value > MEMORY_MIB_MAX ? { problem: `${text} is more than any machine has` } : { value };
}

/** `--gpus`: `2` or `a100:2`; `null` for none (`0`). */
export function parseGpus(text: string): Parsed<GpuRequest | null> {
  const what = "a count or type:count";
  const match = /^(?:([A-Za-z][\w.-]*):)?([\d.]+)$/.exec(text);
  if (!match) return text.includes(",") ? oneTypeOnly(text) : expected(what, text);
  return gpuRequest(match[1] ?? null, match[2] ?? "", what, text);
}

/** `--gres`: `gpu`, `gpu:2`, `gpu:a100` or `gpu:a100:2`, GPUs on each node; `none` for none. */
export function parseGres(text: string): Parsed<GpuRequest | null> {
  if (/^none$/i.test(text)) return { value: null };
  const what = "gpu, gpu:count or gpu:type:count";
  if (text.includes(",")) return oneTypeOnly(text);
  const match = /^(?:gres[:/])?gpu(?::([A-Za-z][\w.-]*))?(?::([\d.]+))?$/i.exec(text);
  if (!match) return /^[a-z]\w*(:|$)/i.test(text) && !/^gpu/i.test(text) ? otherGres(text) : expected(what, text);
  return gpuRequest(match[1] ?? null, match[2] ?? "1", what, text);
}

function scaled(digits: string, suffix: string): number {
  const factor = { "": 1, k: KIB, m: KIB * KIB }[suffix.toLowerCase()] ?? 1;
  return Number(digits) * factor;
}

function gpuRequest(type: string | null, count: string, what: string, text: string): Parsed<GpuRequest | null> {
  if (/^\d*\.\d+$/.test(count)) {
    return { problem: `this version of mgpu grants whole GPUs only, got "${text}"` };
  }
  const parsed = parseCount(count, 0);
  if ("problem" in parsed) return /^\d+$/.test(count) ? parsed : expected(what, text);
  if (parsed.value === 0) return { value: null };
  return { value: { thousandths: parsed.value * WHOLE_GPU, type } };
}

function oneTypeOnly(text: string): { readonly problem: string } {
  return { problem: `this version of mgpu takes GPUs of one type only, got "${text}"` };
}

function otherGres(text: string): { readonly problem: string } {
  return { problem: `the only generic resource is gpu, got "${text}"` };
}
