/**
 * The words of sacctmgr for limits and weights, and how their values are written. Names, short forms and what they
 * mean are those of Slurm's manual page; a word may be cut short as long as one name begins with it.
 */

import { type Parsed, parseMemory, quote } from "../parse.ts";
import { parseTimeLimit } from "../time.ts";
import type { LimitName, Tres } from "./records.ts";

export type LimitKind = "count" | "time" | "tres";

/** A limit as sacctmgr names it. */
export interface LimitWord {
  readonly limit: LimitName;
  readonly kind: LimitKind;
  /** Its full name, then other names. */
  readonly names: readonly string[];
  /** Old names that set one TRES of it. */
  readonly tres?: Readonly<Record<string, string>>;
}

const COMMON: readonly LimitWord[] = [
  { limit: "grpJobs", kind: "count", names: ["GrpJobs"] },
  { limit: "grpSubmit", kind: "count", names: ["GrpSubmitJobs", "GrpSubmit"] },
  {
    ...{ limit: "grpTres", kind: "tres", names: ["GrpTRES"] },
    tres: { GrpCPUs: "cpu", GrpMemory: "mem", GrpNodes: "node" },
  },
  { limit: "grpTresMins", kind: "tres", names: ["GrpTRESMins"], tres: { GrpCPUMins: "cpu" } },
  { limit: "grpTresRunMins", kind: "tres", names: ["GrpTRESRunMins"], tres: { GrpCPURunMins: "cpu" } },
  { limit: "grpWallS", kind: "time", names: ["GrpWall"] },
  {
    ...{ limit: "maxTres", kind: "tres", names: ["MaxTRESPerJob", "MaxTRES"] },
    tres: { MaxCPUsPerJob: "cpu", MaxCPUs: "cpu", MaxNodesPerJob: "node", MaxNodes: "node" },
  },
  { limit: "maxTresPN", kind: "tres", names: ["MaxTRESPerNode"] },
  {
    ...{ limit: "maxTresMins", kind: "tres", names: ["MaxTRESMinsPerJob", "MaxTRESMins"] },
    tres: { MaxCPUMinsPerJob: "cpu", MaxCPUMins: "cpu" },
  },
  { limit: "maxWallS", kind: "time", names: ["MaxWallDurationPerJob", "MaxWall"] },
];

/** Limits of associations. */
export const ASSOCIATION_LIMITS: readonly LimitWord[] = [
  ...COMMON,
  { limit: "maxJobs", kind: "count", names: ["MaxJobs"] },
  { limit: "maxSubmit", kind: "count", names: ["MaxSubmitJobs", "MaxSubmit"] },
];

/** Limits of QoS. */
export const QOS_LIMITS: readonly LimitWord[] = [
  ...COMMON,
  { limit: "maxJobsPU", kind: "count", names: ["MaxJobsPerUser", "MaxJobsPU"] },
  { limit: "maxSubmitPU", kind: "count", names: ["MaxSubmitJobsPerUser", "MaxSubmitJobsPU", "MaxSubmitPU"] },
  { limit: "maxJobsPA", kind: "count", names: ["MaxJobsPerAccount", "MaxJobsPA"] },
  { limit: "maxSubmitPA", kind: "count", names: ["MaxSubmitJobsPerAccount", "MaxSubmitJobsPA", "MaxSubmitPA"] },
  {
    ...{ limit: "maxTresPU", kind: "tres", names: ["MaxTRESPerUser", "MaxTRESPU"] },
    tres: { MaxCPUsPerUser: "cpu", MaxNodesPerUser: "node" },
  },
  { limit: "maxTresPA", kind: "tres", names: ["MaxTRESPerAccount", "MaxTRESPA"] },
  { limit: "minTres", kind: "tres", names: ["MinTRESPerJob", "MinTRES"], tres: { MinCPUs: "cpu" } },
];

/** A TRES that can be limited and weighed. */
const TRES_NAME = /^(?:cpu|mem|node|billing|gres\/gpu(?::[a-z0-9_.-]+)?)$/;

/** Most of anything: far beyond all that there is. */
const AMOUNT_MAX = 1e12;

/** A count; -1 clears it. */
export function parseLimitCount(text: string): Parsed<number> {
  if (!/^(?:-1|\d{1,9})$/.test(text)) return { problem: `expected a count, got ${quote(text)}` };
  return { value: Number(text) };
}

/** Minutes, or any form of a time limit, in seconds; -1 clears it. */
export function parseLimitTime(text: string): Parsed<number> {
  if (text === "-1") return { value: -1 };
  return parseTimeLimit(text);
}

/** `cpu=4,mem=8G,gres/gpu=2`; an amount of -1 clears one, memory may have a unit. */
export function parseTres(text: string): Parsed<Tres> {
  const tres: Record<string, number> = {};
  for (const part of text.split(",").filter((one) => one !== "")) {
    const [, name = "", amount = ""] = /^([^=]*)=(.*)$/.exec(part) ?? [];
    const key = name.toLowerCase();
    if (!TRES_NAME.test(key)) return { problem: `no TRES known by type ${name === "" ? part : name}` };
    const value = key === "mem" && amount !== "-1" ? memory(amount) : number(amount);
    if (value === undefined) return { problem: `expected ${name}=amount, got ${quote(part)}` };
    tres[key] = value;
  }
  if (Object.keys(tres).length === 0) return { problem: `expected name=amount, got ${quote(text)}` };
  return { value: tres };
}

/** MiB of the units in which a weight of memory may be written: `mem=0.25G` is a quarter for each GiB. */
const WEIGHT_UNITS: Readonly<Record<string, number>> = { "": 1, k: 1 / 1024, m: 1, g: 1024, t: 1_048_576 };

/** Slurm's TRESBillingWeights: amounts may be fractions, that of memory is for each MiB or for the unit it names. */
export function parseBillingWeights(text: string): Parsed<Tres> {
  const weights: Record<string, number> = {};
  for (const part of text.split(",").filter((one) => one !== "")) {
    const [, name = "", amount = "", unit = ""] = /^([^=]*)=(\d{1,9}(?:\.\d{1,9})?)([kmgt]?)$/i.exec(part) ?? [];
    const key = name.toLowerCase();
    if (amount === "" || (unit !== "" && key !== "mem")) return { problem: `expected name=weight, got ${quote(part)}` };
    if (!TRES_NAME.test(key)) return { problem: `no TRES known by type ${name}` };
    weights[key] = Number(amount) / (WEIGHT_UNITS[unit.toLowerCase()] ?? 1);
  }
  if (Object.keys(weights).length === 0) return { problem: `expected name=weight, got ${quote(text)}` };
  return { value: weights };
}

/** The inverse. */
export function formatBillingWeights(weights: Tres): string {
  return Object.entries(weights)
    .map(([name, weight]) => `${name}=${name === "mem" && weight < 1 ? `${weight * 1024}G` : weight}`)
    .join(",");
}

/** A list as {@link parseTres} reads it; empty for none. */
export function formatTres(tres: Tres | undefined): string {
  return Object.entries(tres ?? {})
    .map(([name, amount]) => `${name}=${name === "mem" ? memoryText(amount) : amount}`)
    .join(",");
}

/** A limit's value as tables show it. */
export function formatLimit(kind: LimitKind, value: number | Tres | undefined): string {
  if (value === undefined) return "";
  if (typeof value !== "number") return formatTres(value);
  return kind === "time" ? longDuration(value) : String(value);
}

/** Slurm's form of a time here: `01:00:00`, `1-00:00:00`. */
export function longDuration(seconds: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const days = Math.floor(seconds / 86_400);
  const clock = `${two((seconds / 3600) % 24)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days > 0 ? `${days}-${clock}` : clock;
}

/** The one entry whose name begins with a word, an exact one first; case does not matter. */
export function byPrefix<T>(
  word: string,
  entries: readonly T[],
  namesOf: (entry: T) => readonly string[],
): T | undefined {
  const typed = word.toLowerCase();
  const isNamed = (entry: T, test: (name: string) => boolean) =>
    namesOf(entry).some((name) => test(name.toLowerCase()));
  return (
    entries.find((entry) => isNamed(entry, (name) => name === typed)) ??
    entries.find((entry) => typed.length > 0 && isNamed(entry, (name) => name.startsWith(typed)))
  );
}

function memory(text: string): number | undefined {
  const parsed = parseMemory(text);
  return "value" in parsed ? parsed.value : undefined;
}

function number(text: string): number | undefined {
  if (!/^(?:-1|\d+(?:\.\d{1,3})?)$/.test(text)) return undefined;
  const value = Number(text);
  return value <= AMOUNT_MAX ? value : undefined;
}

function memoryText(mib: number): string {
  if (mib !== 0 && mib % 1_048_576 === 0) return `${mib / 1_048_576}T`;
  return mib !== 0 && mib % 1024 === 0 ? `${mib / 1024}G` : `${mib}M`;
}

/** What an account, a QoS or a user may be called: one word that no list and no message breaks at. */
export function isAccountName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}$/.test(text);
}
