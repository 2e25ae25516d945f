/** What `key=value` words do to associations and QoS. Every bad word is found, not only the first. */

import { type Parsed, quote } from "../../../core/parse.ts";
import type { Association, LimitName, Limits, PolicyChange, Tres } from "../../../core/policy/records.ts";
import { PARENT_SHARES } from "../../../core/policy/records.ts";
import { allowedQos, associationUsageKey, chainOf, type PolicyState } from "../../../core/policy/state.ts";
import {
  ASSOCIATION_LIMITS,
  byPrefix,
  formatLimit,
  type LimitWord,
  parseLimitCount,
  parseLimitTime,
  parseTres,
} from "../../../core/policy/words.ts";
import { listOf, type Spec } from "./specs.ts";

/** Label and value of what a command sets, for `Settings`. */
export type Setting = readonly [label: string, value: string];

/** Changes of one kind of record, and the words that made them. */
export interface Patch<T> {
  apply(record: T): T;
  readonly settings: readonly Setting[];
}

/** One word's meaning, its problem, or `null` for a word of something else. */
type Read<T> = { readonly patch: Patch<T> } | { readonly problem: string } | null;

/** All words' patches in order; what nobody knows stands in `unknown`. */
export function readPatches<T>(
  specs: readonly Spec[],
  read: (spec: Spec) => Read<T>,
): { readonly patch: Patch<T>; readonly problems: string[]; readonly unknown: Spec[] } {
  const patches: Patch<T>[] = [];
  const problems: string[] = [];
  const unknown: Spec[] = [];
  for (const spec of specs) {
    const result = read(spec);
    if (result === null) unknown.push(spec);
    else if ("problem" in result) problems.push(result.problem);
    else patches.push(result.patch);
  }
  const patch: Patch<T> = {
    apply: (record) => patches.reduce((before, { apply }) => apply(before), record),
    settings: patches.flatMap(({ settings }) => settings),
  };
  return { patch, problems, unknown };
}

/** A limit's word: it sets, changes or (-1) clears one limit of any record that has limits. */
export function readLimit<T extends { readonly limits: Limits }>(words: readonly LimitWord[], spec: Spec): Read<T> {
  const names = (word: LimitWord) => [...word.names, ...Object.keys(word.tres ?? {})];
  const word = byPrefix(spec.key, words, names);
  if (!word) return null;
  const name = names(word).find((one) => one.toLowerCase().startsWith(spec.key.toLowerCase())) ?? spec.key;
  if (spec.operator !== "=") return { problem: `${name} takes no ${spec.operator}` };
  const tresName = word.tres?.[name];
  const parsed = tresName === undefined ? parse(word, spec.value) : parseTres(`${tresName}=${spec.value}`);
  if ("problem" in parsed) return { problem: `Invalid value for ${name} (${spec.value}): ${parsed.problem}` };
  const { value } = parsed;
  return {
    patch: {
      apply: (record) => ({ ...record, limits: withLimit(record.limits, word.limit, value) }),
      settings: [[tresName === undefined ? shortest(word) : name, valueText(word, value)]],
    },
  };
}

function shortest({ names }: LimitWord): string {
  return names.find((name) => name === "MaxWall" || name === "MaxTRES" || name === "MaxTRESMins") ?? names[0] ?? "";
}

function valueText(word: LimitWord, value: number | Tres): string {
  return isCleared(value) ? "NONE" : formatLimit(word.kind, value);
}

function parse({ kind }: LimitWord, text: string): Parsed<number | Tres> {
  if (kind === "tres") return text === "-1" ? { value: -1 } : parseTres(text);
  return kind === "count" ? parseLimitCount(text) : parseLimitTime(text);
}

function isCleared(value: number | Tres): boolean {
  return value === -1;
}

function withLimit(limits: Limits, name: LimitName, value: number | Tres): Limits {
  const next: Record<string, number | Tres> = { ...limits };
  if (typeof value === "number") {
    if (isCleared(value) || (value === 0 && name.endsWith("WallS"))) delete next[name];
    else next[name] = value;
    return next;
  }
  const before = limits[name];
  const merged = { ...(typeof before === "object" ? before : {}), ...value };
  const kept = Object.entries(merged).filter(([, amount]) => amount !== -1);
  if (kept.length === 0) delete next[name];
  else next[name] = Object.fromEntries(kept);
  return next;
}

/** Words of an association: share, QoS and limits. */
export function readAssociationWord(policy: PolicyState, spec: Spec): Read<Association> {
  const key = byPrefix(spec.key, ["Fairshare", "Shares", "QosLevel", "DefaultQOS"], (name) => [name]);
  if (/^defaulta/i.test(spec.key)) return null;
  if (key === "Fairshare" || key === "Shares") return readShares(spec);
  if (key === "QosLevel") return readQosList(policy, spec);
  if (key === "DefaultQOS") return readDefaultQos(policy, spec);
  return readLimit(ASSOCIATION_LIMITS, spec);
}

function readShares({ value }: Spec): Read<Association> {
  const settings: Setting[] = [["Fairshare", value]];
  if (value.toLowerCase() === PARENT_SHARES) {
    return { patch: { apply: (record) => ({ ...record, shares: PARENT_SHARES }), settings } };
  }
  if (!/^(-1|\d{1,9})$/.test(value)) return { problem: `Invalid value for Fairshare (${value})` };
  const shares = value === "-1" ? 1 : Number(value);
  return { patch: { apply: (record) => ({ ...record, shares }), settings } };
}

function readQosList(policy: PolicyState, { value, operator }: Spec): Read<Association> {
  const names = listOf(value).map((name) => name.toLowerCase());
  const bad = unknownQos(policy, names);
  if (bad) return bad;
  const settings: Setting[] = [["QOS", value]];
  const apply = (record: Association): Association => {
    const before = allowedQos(chainOf(policy, record)) ?? [];
    if (operator === "=") return { ...record, qos: names.length === 0 || value === "-1" ? null : names };
    const others = before.filter((name) => !names.includes(name));
    return { ...record, qos: operator === "+=" ? [...others, ...names] : others };
  };
  return { patch: { apply, settings } };
}

function readDefaultQos(policy: PolicyState, { value }: Spec): Read<Association> {
  const name = value === "-1" ? "" : value.toLowerCase();
  const bad = unknownQos(policy, name === "" ? [] : [name]);
  if (bad) return bad;
  return { patch: { apply: (record) => ({ ...record, defaultQos: name }), settings: [["DefQOS", value]] } };
}

/** Slurm's words for a QoS that is not there. */
export function unknownQos(policy: PolicyState, names: readonly string[]): { readonly problem: string } | null {
  const bad = names.find((name) => name !== "-1" && !policy.qos.has(name));
  if (bad === undefined) return null;
  const valid = [...policy.qos.keys()].join(",");
  return { problem: `You gave a bad qos ${quote(bad).replaceAll('"', "'")}. Valid QOS's are ${valid}` };
}

/** `RawUsage=0`: usage is forgotten; `null` if the word is another one. */
export function readUsageReset(spec: Spec): { readonly problem: string } | true | null {
  if (!/^rawu\w*$/i.test(spec.key) || !"rawusage".startsWith(spec.key.toLowerCase())) return null;
  return spec.value === "0" ? true : { problem: `RawUsage can only be set to 0, not to ${spec.value}` };
}

/** The changes that a reset of some associations' usage makes. */
export function usageResets(associations: readonly Association[]): PolicyChange[] {
  return associations.map(({ id }) => ({ drop: "usage", key: associationUsageKey(id) }));
}
