/** What tasks want of a node's CPUs: `--cpu-bind`, `--hint` and `--extra-node-info`. Source: Slurm's manual of srun. */

import { expected, type Parsed, quote } from "./parse.ts";
import { formatRepeats, parseRepeats } from "./repeats.ts";

const PLAIN = ["none", "rank", "rank_ldom", "sockets", "cores", "threads", "ldoms", "help"] as const;
const LISTED = ["map_cpu", "mask_cpu", "map_ldom", "mask_ldom"] as const;
/** Every kind of binding. */
export const CPU_BIND_KINDS = [...PLAIN, ...LISTED] as const;

const HINTS = ["compute_bound", "memory_bound", "multithread", "nomultithread", "help"] as const;

/** How tasks are bound to CPUs. `help` asks for the list of kinds; `null` leaves the binding to the cluster. */
export interface CpuBind {
  /** Whether each task reports its binding; `null` when the user did not say. */
  readonly verbose: boolean | null;
  readonly kind: (typeof PLAIN)[number] | (typeof LISTED)[number] | null;
  /** For `map_*` and `mask_*`: one member a task, decimal for maps and `0x...` for masks; else empty. */
  readonly list: readonly string[];
}

export type Hint = (typeof HINTS)[number];

/** Fewest and most of a thing; `max` is `null` for no upper end. */
export interface Bounds {
  readonly min: number;
  readonly max: number | null;
}

/** Shape of the nodes that a job accepts; `null` where it takes any. */
export interface ExtraNodeInfo {
  readonly sockets: Bounds | null;
  readonly cores: Bounds | null;
  readonly threads: Bounds | null;
}

/** Longest text that is read. */
const TEXT_MAX = 1_000_000;

/** Most digits of a mask: 1,024 CPUs. */
const MASK_DIGITS_MAX = 256;

/** Reads `[{quiet|verbose},]type`; `q`, `v` and `no` are short forms. */
export function parseCpuBind(text: string): Parsed<CpuBind> {
  if (text.length > TEXT_MAX) return { problem: `expected at most ${TEXT_MAX} characters` };
  const report = /^(?:(q(?:uiet)?)|v(?:erbose)?)(?:,|$)/i.exec(text);
  const verbose = report ? report[1] === undefined : null;
  const rest = text.slice(report?.[0].length ?? 0);
  if (report && rest === "") return { value: { verbose, kind: null, list: [] } };
  const [, word = "", list] = /^(\w+)(?::(.*))?$/.exec(rest) ?? [];
  const name = word.toLowerCase();
  const plain = name === "no" ? "none" : PLAIN.find((one) => one === name);
  if (plain !== undefined && list === undefined) return { value: { verbose, kind: plain, list: [] } };
  const kind = LISTED.find((one) => one === name);
  if (kind === undefined || list === undefined) {
    return LISTED.some((one) => one === name) && list === undefined
      ? { problem: `missing list for "--cpu-bind=${name}:<list>"` }
      : expected(`quiet, verbose, ${PLAIN.join(", ")}, or ${LISTED.join(", ")} with a list`, text);
  }
  const members = parseRepeats(list, kind.startsWith("mask") ? parseMask : parseId);
  return "problem" in members ? members : { value: { verbose, kind, list: members.value } };
}

/** The inverse of {@link parseCpuBind}: `verbose,map_cpu:0*4,3`. Empty when nothing was said. */
export function formatCpuBind({ verbose, kind, list }: CpuBind): string {
  const words = verbose === null ? [] : [verbose ? "verbose" : "quiet"];
  if (kind !== null) words.push(list.length === 0 ? kind : `${kind}:${formatRepeats(list)}`);
  return words.join(",");
}

/** `--hint`: one of its words. */
export function parseHint(text: string): Parsed<Hint> {
  const hint = HINTS.find((one) => one === text.toLowerCase());
  return hint === undefined ? expected(HINTS.join(", "), text) : { value: hint };
}

/** `--extra-node-info`: `sockets[:cores[:threads]]`, each a count, a range `2-4`, or `*` for any. */
export function parseExtraNodeInfo(text: string): Parsed<ExtraNodeInfo> {
  const parts = text.split(":", 4);
  if (parts.length > 3) return expected("sockets[:cores[:threads]]", text);
  const bounds: (Bounds | null)[] = [];
  for (const part of parts) {
    const parsed = parseBounds(part);
    if ("problem" in parsed) return parsed;
    bounds.push(parsed.value);
  }
  const [sockets = null, cores = null, threads = null] = bounds;
  return { value: { sockets, cores, threads } };
}

/** The inverse of {@link parseExtraNodeInfo}, as scontrol shows it: `2:4-8:*`. */
export function formatExtraNodeInfo({ sockets, cores, threads }: ExtraNodeInfo): string {
  return [sockets, cores, threads].map(formatBounds).join(":");
}

function parseBounds(text: string): Parsed<Bounds | null> {
  if (text === "*") return { value: null };
  const [, minText, maxText] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text) ?? [];
  const min = Number(minText);
  if (minText === undefined || min < 1) return expected("a count of at least 1, a range such as 2-4, or *", text);
  if (maxText === undefined) return { value: { min, max: null } };
  const max = Number(maxText);
  return max < min ? { problem: `expected the lower count first, got ${quote(text)}` } : { value: { min, max } };
}

function formatBounds(bounds: Bounds | null): string {
  if (bounds === null) return "*";
  return bounds.max === null ? String(bounds.min) : `${bounds.min}-${bounds.max}`;
}

/** Number of a CPU or locality domain: decimal, or hexadecimal after `0x`. */
function parseId(text: string): Parsed<string> {
  return /^(?:0x[0-9a-f]{1,6}|\d{1,6})$/i.test(text)
    ? { value: String(Number(text)) }
    : expected("a number such as 3", text);
}

/** A hexadecimal mask, with or without `0x`; without leading zeros. */
function parseMask(text: string): Parsed<string> {
  const digits = /^(?:0x)?([0-9a-f]+)$/i.exec(text)?.[1]?.toLowerCase().replace(/^0+/, "");
  if (digits === undefined || digits === "" || digits.length > MASK_DIGITS_MAX) {
    return expected("a hexadecimal mask such as 0xf", text);
  }
  return { value: `0x${digits}` };
}
