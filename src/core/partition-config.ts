/**
 * Partitions as the configuration names them: `gpu nodes=n[1-4] max_time=60; cpu nodes=n5 default=yes`. Keys are
 * scontrol's, in small letters with `_` where that reads better. Pure.
 */

import type { PartitionChanges } from "./commands.ts";
import type { Parsed } from "./parse.ts";
import { PARTITION_DEFAULTS, type Partition } from "./partition.ts";
import { PARTITION_FIELDS } from "./partition-fields.ts";

/** A partition by name, with the keys that were given and what they come to. */
export interface PartitionEntry {
  readonly name: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly changes: PartitionChanges;
}

/** Keys of a partition in the configuration. */
export const PARTITION_KEYS = [
  ...(["nodes", "default", "state", "default_time", "max_time", "min_nodes", "max_nodes"] as const),
  ...(["max_cpus_per_node", "def_mem_per_cpu", "def_mem_per_node", "max_mem_per_cpu", "max_mem_per_node"] as const),
  ...(["job_defaults", "priority_tier", "priority_job_factor", "allow_accounts", "deny_accounts"] as const),
  ...(["allow_qos", "deny_qos", "qos", "hidden", "root_only", "disable_root_jobs", "over_subscribe"] as const),
  ...(["req_resv", "grace_time", "preempt_mode"] as const),
] as const;

/** What a partition may be called. */
export const PARTITION_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/;

/** Most partitions of a configuration. */
const PARTITIONS_MAX = 1000;

/** One key's text as changes, or what is wrong with it. */
export function parsePartitionKey(key: string, text: string): Parsed<PartitionChanges> {
  const field = PARTITION_FIELDS[key.replaceAll("_", "").toLowerCase()];
  return field ? field(text) : { problem: `there is no such key; known are ${PARTITION_KEYS.join(", ")}` };
}

/** A whole partition, or the first thing that is wrong with it. */
export function partitionEntry(name: string, texts: Readonly<Record<string, string>>): Parsed<PartitionEntry> {
  if (!PARTITION_NAME.test(name)) return { problem: `"${name}" is no name of a partition` };
  let changes: PartitionChanges = {};
  for (const [key, text] of Object.entries(texts)) {
    const parsed = parsePartitionKey(key, text);
    if ("problem" in parsed) return { problem: `${key}: ${parsed.problem}` };
    changes = { ...changes, ...parsed.value };
  }
  const { minNodes, maxNodes, defaultTimeS, maxTimeS } = { ...PARTITION_DEFAULTS, ...changes };
  if (maxNodes > 0 && minNodes > maxNodes) return { problem: `min_nodes ${minNodes} is above max_nodes ${maxNodes}` };
  if (maxTimeS > 0 && defaultTimeS > maxTimeS) return { problem: "default_time is above max_time" };
  return { value: { name, texts, changes } };
}

/** Reads the text of the variable. */
export function parsePartitions(text: string): Parsed<readonly PartitionEntry[]> {
  const entries: PartitionEntry[] = [];
  for (const part of text.split(";").map((one) => one.trim())) {
    if (part === "") continue;
    const [name = "", ...words] = part.split(/\s+/);
    const wrong = words.find((word) => !/^[A-Za-z_]+=/.test(word));
    if (wrong !== undefined) return { problem: `${name}: expected key=value, got "${wrong}"` };
    const texts = words.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]);
    const parsed = partitionEntry(name, Object.fromEntries(texts));
    if ("problem" in parsed) return { problem: `${name}: ${parsed.problem}` };
    if (entries.some((one) => one.name === name)) return { problem: `${name} is named twice` };
    entries.push(parsed.value);
  }
  return entries.length > PARTITIONS_MAX ? { problem: `more than ${PARTITIONS_MAX} partitions` } : { value: entries };
}

/** The inverse. */
export function formatPartitions(entries: readonly Pick<PartitionEntry, "name" | "texts">[]): string {
  return entries.map(formatEntry).join("; ");
}

function formatEntry({ name, texts }: Pick<PartitionEntry, "name" | "texts">): string {
  return [name, ...Object.entries(texts).map(([key, text]) => `${key}=${text}`)].join(" ");
}

/** The partitions that a configuration means: of all nodes where none are named; the first is the default one if none is. */
export function configuredPartitions(entries: readonly PartitionEntry[]): Partition[] {
  const hasDefault = entries.some(({ changes }) => changes.isDefault);
  return entries.map(({ name, changes }, at) => ({
    ...PARTITION_DEFAULTS,
    ...(hasDefault ? {} : { isDefault: at === 0 }),
    ...changes,
    ...(!hasDefault && at === 0 ? { isDefault: true } : {}),
    name,
    isConfigured: true,
  }));
}

/** A line for each partition that differs: `partitions.gpu: max_time=60 -> max_time=120`. */
export function partitionDiff(before: readonly PartitionEntry[], now: readonly PartitionEntry[]): string[] {
  const textOf = ({ texts }: PartitionEntry): string => formatEntry({ name: "", texts }).trim() || "defaults";
  const names = [...new Set([...before, ...now].map(({ name }) => name))];
  return names.flatMap((name) => {
    const [old, fresh] = [before, now].map((entries) => entries.find((one) => one.name === name));
    if (!old) return fresh ? [`partitions.${name}: added (${textOf(fresh)})`] : [];
    if (!fresh) return [`partitions.${name}: removed`];
    return textOf(old) === textOf(fresh) ? [] : [`partitions.${name}: ${textOf(old)} -> ${textOf(fresh)}`];
  });
}
