/**
 * Wishes for GPUs and other trackable resources: `--gres`, `--gpus`, `--gpus-per-*` and `--tres-per-*`. The only
 * generic resource is `gpu`; its count may be a fraction in thousandths. Source: Slurm's manual of sbatch.
 */

import { expected, type Parsed, parseCount, parseMemory, quote, splitList } from "./parse.ts";
import { formatGpus, WHOLE_GPU } from "./resources.ts";

/** GPUs of one type. */
export interface GpuWish {
  /** As the user wrote it, compared without regard to case; `null` for any type. */
  readonly type: string | null;
  /** More than 0; 2500 is two and a half GPUs. */
  readonly thousandths: number;
}

/** What `--tres-per-task` and its like may ask for. */
export interface TresWish {
  readonly gpus: readonly GpuWish[];
  /** `null` when not asked for. */
  readonly cpus: number | null;
  readonly memoryMiB: number | null;
}

/** Most GPUs that one wish counts. */
const GPUS_MAX = 1_000_000;

/** Most members of one list: more GPU types than any cluster has. */
const MEMBERS_MAX = 256;

const SUFFIXES: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 * 1024 };

const GPUS = "a count of GPUs or type:count, such as 2 or a100:2";
const GRES = "gpu, gpu:count or gpu:type:count";
const BAD_GRES = "Invalid generic resource (gres) specification";
const BAD_TRES = "Invalid Trackable RESource (TRES) specification";

/** `--gpus`, `--gpus-per-node` and the like: `2`, `0.5`, `a100:2,v100:1`, `gpu:2`. Empty for `0` and `none`. */
export function parseGpuWishes(text: string): Parsed<readonly GpuWish[]> {
  return parseList(text, parseGpusMember);
}

/** `--gres`: `gpu`, `gpu:2`, `gpu:a100:2`, `gres/gpu:a100=2`, in lists too. Empty for `none` and for counts of 0. */
export function parseGresWishes(text: string): Parsed<readonly GpuWish[]> {
  return parseList(text, parseGresMember);
}

/** `--tres-per-task` and the like: `cpu=4,mem=10G,gres/gpu:a100=2`; a colon may stand for the equals sign. */
export function parseTresWish(text: string): Parsed<TresWish> {
  const gpus: string[] = [];
  let cpus: number | null = null;
  let memoryMiB: number | null = null;
  const members = splitList(text, MEMBERS_MAX);
  if ("problem" in members) return members;
  for (const member of members.value) {
    const [, name, count = ""] = /^(cpu|mem)[=:](.*)$/i.exec(member) ?? [];
    if (name === undefined) {
      if (!/^gres[/:]|^gpu(?:[=:]|$)/i.test(member)) return { problem: `${BAD_TRES}: ${quote(member)}` };
      gpus.push(member);
      continue;
    }
    const isCpu = /^cpu$/i.test(name);
    if ((isCpu ? cpus : memoryMiB) !== null) return { problem: `${BAD_TRES}: ${name} is named twice` };
    const amount = isCpu ? parseCount(count) : parseMemory(count);
    if ("problem" in amount) return { problem: `${name}: ${amount.problem}` };
    if (isCpu) cpus = amount.value;
    else memoryMiB = amount.value;
  }
  const wishes = gpus.length === 0 ? { value: [] } : parseGresWishes(gpus.join(","));
  return "problem" in wishes ? wishes : { value: { gpus: wishes.value, cpus, memoryMiB } };
}

/** The inverse of {@link parseGpuWishes}: `2`, `a100:2,v100:1`; `0` for none. */
export function formatGpuWishes(wishes: readonly GpuWish[]): string {
  return wishes.length === 0 ? "0" : wishes.map(formatWish).join(",");
}

/** The inverse of {@link parseGresWishes}: `gpu:2`, `gpu:a100:2,gpu:v100:1`; `none` for none. */
export function formatGresWishes(wishes: readonly GpuWish[]): string {
  return wishes.length === 0 ? "none" : wishes.map((wish) => `gpu:${formatWish(wish)}`).join(",");
}

/** The inverse of {@link parseTresWish}, as Slurm shows TRES: `cpu=4,mem=10240M,gres/gpu:a100=2`. */
export function formatTresWish({ gpus, cpus, memoryMiB }: TresWish): string {
  const parts: string[] = [];
  if (cpus !== null) parts.push(`cpu=${cpus}`);
  if (memoryMiB !== null) parts.push(`mem=${memoryMiB}M`);
  for (const { type, thousandths } of gpus) {
    parts.push(`gres/gpu${type === null ? "" : `:${type}`}=${formatGpus(thousandths)}`);
  }
  return parts.length === 0 ? "gres/gpu=0" : parts.join(",");
}

/** Members of a list; those of one type are added up, those of none left out. */
function parseList(text: string, parseMember: (member: string) => Parsed<GpuWish>): Parsed<readonly GpuWish[]> {
  if (/^none$/i.test(text)) return { value: [] };
  const members = splitList(text, MEMBERS_MAX);
  if ("problem" in members) return members;
  const byType = new Map<string | null, GpuWish>();
  for (const member of members.value) {
    const parsed = parseMember(member);
    if ("problem" in parsed) return parsed;
    const { type, thousandths } = parsed.value;
    const key = type?.toLowerCase() ?? null;
    const open = byType.get(key) ?? { type, thousandths: 0 };
    if (thousandths > 0) byType.set(key, { ...open, thousandths: open.thousandths + thousandths });
  }
  const wishes = [...byType.values()];
  return wishes.some((wish) => wish.thousandths > GPUS_MAX * WHOLE_GPU) ? tooMany(text) : { value: wishes };
}

function parseGpusMember(member: string): Parsed<GpuWish> {
  if (/^gres[/:]|^gpu(?:[=:]|$)/i.test(member)) return parseGresMember(member);
  const [first = "", second, ...more] = member.split(/[:=]/, 4);
  if (second === undefined) return isCount(first) ? parseWish(null, first, member) : expected(GPUS, member);
  return isType(first) && isCount(second) && more.length === 0
    ? parseWish(first, second, member)
    : expected(GPUS, member);
}

function parseGresMember(member: string): Parsed<GpuWish> {
  const [name = "", first, second, ...more] = member.replace(/^gres[/:]/i, "").split(/[:=]/, 5);
  if (!/^gpu$/i.test(name)) return { problem: `${BAD_GRES}: expected ${GRES}, got ${quote(member)}` };
  if (first === undefined) return { value: { type: null, thousandths: WHOLE_GPU } };
  if (second === undefined && isCount(first)) return parseWish(null, first, member);
  return isType(first) && (second === undefined || isCount(second)) && more.length === 0
    ? parseWish(first, second ?? "1", member)
    : { problem: `${BAD_GRES}: expected ${GRES}, got ${quote(member)}` };
}

function parseWish(type: string | null, count: string, member: string): Parsed<GpuWish> {
  const [, whole = "", fraction = "", suffix = ""] = /^(\d{0,9})(?:\.(\d+))?([km]?)$/i.exec(count) ?? [];
  if (fraction.length > 3) return { problem: `GPUs are shared in thousandths, got ${quote(member)}` };
  const thousandths = Number(whole) * WHOLE_GPU + Number(fraction.padEnd(3, "0"));
  const value = thousandths * (SUFFIXES[suffix.toLowerCase()] ?? 1);
  return value > GPUS_MAX * WHOLE_GPU ? tooMany(member) : { value: { type, thousandths: value } };
}

/** Digits, a fraction or both; `k` and `m` count 1024 and its square. */
function isCount(text: string): boolean {
  return /^(?:\d{1,9}(?:\.\d{1,20})?|\.\d{1,20})[km]?$/i.test(text);
}

/** Names such as `a100`, `1g.10gb`, `rtx-a6000`. */
function isType(text: string): boolean {
  return /^[A-Za-z0-9][\w.-]{0,62}$/.test(text) && !isCount(text);
}

function tooMany(text: string): { readonly problem: string } {
  return { problem: `${quote(text)} is more than the ${GPUS_MAX} GPUs possible` };
}

function formatWish({ type, thousandths }: GpuWish): string {
  return type === null ? formatGpus(thousandths) : `${type}:${formatGpus(thousandths)}`;
}
