/** The lines of slurm.conf about partitions. */

import { expand, fold } from "../../core/hostlist.ts";
import { PARTITION_KEYS, parsePartitionKey, partitionEntry } from "../../core/partition-config.ts";
import { PARTITION_FIELDS } from "../../core/partition-fields.ts";
import type { ConfLine, Pair } from "./conf-text.ts";
import { givenBy, type ImportedNode } from "./node-lines.ts";
import type { Notes } from "./notes.ts";

export interface ImportedPartition {
  readonly name: string;
  /** `partitions.NAME` of the configuration, by key. */
  readonly texts: Readonly<Record<string, string>>;
}

export interface ReadPartitions {
  readonly partitions: readonly ImportedPartition[];
  /** What usage is counted by, where all partitions say the same; empty for nothing. */
  readonly billingWeights: string;
}

type Given = ReadonlyMap<string, Pair>;

/** mgpu's key by Slurm's in lower case. */
const OWN_KEY: ReadonlyMap<string, string> = new Map([
  ...PARTITION_KEYS.map((key) => [key.replaceAll("_", ""), key] as const),
  ...([
    ["priority", "priority_tier"],
    ["shared", "over_subscribe"],
  ] as const),
]);

const PER_GPU: Readonly<Record<string, string>> = { defcpupergpu: "DefCpuPerGPU", defmempergpu: "DefMemPerGPU" };

/** Those that Slurm has and scontrol here has not. */
const OTHERS = `partitionname denygroups denyqos selecttypeparameters maxcpuspersocket resumetimeout suspendtime
  suspendtimeout tresbillingweights topology allowusers denyusers`.split(/\s+/);

const KNOWN = new Set([...Object.keys(PARTITION_FIELDS), ...OWN_KEY.keys(), ...Object.keys(PER_GPU), ...OTHERS]);

const BILLING = "tresbillingweights";

/** Reads PartitionName and NodeSet lines; what PartitionName=DEFAULT says holds for those after it. */
export function readPartitions(
  lines: readonly ConfLine[],
  sets: readonly ConfLine[],
  nodes: readonly ImportedNode[],
  above: Readonly<Record<string, string>>,
  notes: Notes,
): ReadPartitions {
  const partitions: ImportedPartition[] = [];
  const billing = new Set<string>();
  const nodeSets = readSets(sets, nodes, notes);
  let defaults: Given = new Map();
  for (const line of lines) {
    const own = givenBy(line, notes, KNOWN);
    const name = line[0].value;
    tell(own, notes);
    if (/^default$/i.test(name)) {
      defaults = new Map([...defaults, ...own]);
      continue;
    }
    const given: Given = new Map([...defaults, ...own]);
    if (partitions.some((one) => one.name === name)) {
      notes.problems.push(`${line[0].place}: PartitionName ${name} is named twice`);
    }
    billing.add(given.get(BILLING)?.value ?? "");
    const texts = textsOf(given, above, nodeSets, nodes, notes);
    const entry = partitionEntry(name, texts);
    if ("problem" in entry) notes.problems.push(`${line[0].place}: PartitionName=${name}: ${entry.problem}`);
    partitions.push({ name, texts });
  }
  const [weights = ""] = billing;
  return { partitions, billingWeights: billing.size === 1 ? weights : leaveBilling(lines, notes) };
}

/** What is left out of a line, and what is wrong on it. */
function tell(own: Given, notes: Notes): void {
  for (const [key, { place, key: typed, value }] of own) {
    if (key === "nodes" || key === "partitionname" || key === BILLING || PER_GPU[key]) continue;
    const parsed = PARTITION_FIELDS[key] ? parsePartitionKey(key, value) : { problem: LEFT[key] ?? NO_SUCH };
    const what = `${typed}=${value}`;
    if ("problem" in parsed) {
      const [, why] = /^not supported by mgpu: (.*)$/.exec(parsed.problem) ?? [];
      const isRefused = why !== undefined || !PARTITION_FIELDS[key];
      if (isRefused) notes.notes.push({ place, what, kind: "left out", why: why ?? parsed.problem });
      else notes.problems.push(`${place}: ${typed}: ${parsed.problem}`);
    } else if (!OWN_KEY.has(key)) notes.notes.push({ place, what, kind: "not needed", why: "it is so anyway" });
  }
}

const NO_SUCH = "partitions have no such key here";

const LEFT: Readonly<Record<string, string>> = {
  denygroups: "the groups of users are not known here; use DenyAccounts",
  maxcpuspersocket: "sockets are not counted; max_cpus_per_node is there",
  topology: "networks of nodes are not known here",
};

function textsOf(
  given: Given,
  above: Readonly<Record<string, string>>,
  sets: ReadonlyMap<string, readonly string[]>,
  nodes: readonly ImportedNode[],
  notes: Notes,
): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [key, { value }] of given) {
    const own = OWN_KEY.get(key);
    if (own !== undefined && key !== "nodes" && "value" in parsePartitionKey(key, value)) texts[own] = value;
  }
  const perGpu = Object.entries(PER_GPU).flatMap(([key, word]) => {
    const pair = given.get(key);
    return pair ? [`${word}=${pair.value}`] : [];
  });
  if (perGpu.length > 0) texts.job_defaults = perGpu.join(",");
  const hasDefaultMemory = "def_mem_per_cpu" in texts || "def_mem_per_node" in texts;
  const hasMaxMemory = "max_mem_per_cpu" in texts || "max_mem_per_node" in texts;
  for (const [key, value] of Object.entries(above)) {
    const isSaid = key.startsWith("def_mem")
      ? hasDefaultMemory
      : key.startsWith("max_mem")
        ? hasMaxMemory
        : key in texts;
    if (!isSaid) texts[key] = value;
  }
  return { nodes: nodesText(given.get("nodes"), sets, nodes, notes), ...texts };
}

/** `n[1-4]`, `ALL`; sets of nodes are put out in full. */
function nodesText(
  pair: Pair | undefined,
  sets: ReadonlyMap<string, readonly string[]>,
  nodes: readonly ImportedNode[],
  notes: Notes,
): string {
  if (!pair || pair.value === "") return "none";
  if (/^all$/i.test(pair.value)) return "ALL";
  const words = expand(pair.value);
  if (!words) {
    notes.problems.push(`${pair.place}: Nodes: expected node names such as n[01-10], got "${pair.value}"`);
    return "none";
  }
  const names = words.flatMap((word) => sets.get(word) ?? [word]);
  const known = new Set(nodes.map(({ name }) => name));
  const missing = [...new Set(names)].filter((name) => !known.has(name) && name.toUpperCase() !== "ALL");
  const text = `${pair.place}: Nodes: no NodeName line has ${fold(missing)}`;
  const isGone = notes.notes.some(({ what, why }) => what.startsWith("NodeName=") && /^State=/.test(why));
  if (missing.length > 0 && !isGone && !notes.problems.includes(text)) notes.problems.push(text);
  return [...new Set(names)].length === 0 ? "none" : fold([...new Set(names)]);
}

function readSets(lines: readonly ConfLine[], nodes: readonly ImportedNode[], notes: Notes): Map<string, string[]> {
  const sets = new Map<string, string[]>();
  for (const line of lines) {
    const given = givenBy(line, notes, new Set(["nodeset", "nodes", "feature"]));
    const listed = expand(given.get("nodes")?.value ?? "");
    const feature = given.get("feature")?.value;
    const [{ value, place }] = line;
    if (!listed) notes.problems.push(`${place}: NodeSet=${value}: Nodes: expected node names such as n[01-10]`);
    const featured = feature ? nodes.filter(({ features }) => features.includes(feature)).map(({ name }) => name) : [];
    const all = [...new Set([...(listed ?? []), ...featured])];
    sets.set(value, all);
    const why = `partitions name its ${all.length} nodes; features that change do not change partitions`;
    notes.notes.push({ place, what: `NodeSet=${value}`, kind: "changed", why });
  }
  return sets;
}

function leaveBilling(lines: readonly ConfLine[], notes: Notes): "" {
  for (const { place, key, value } of lines.flat().filter((pair) => pair.key.toLowerCase() === BILLING)) {
    const why = "there is one set of weights for all partitions: mgpu-sacctmgr modify cluster set TRESBillingWeights=";
    notes.notes.push({ place, what: `${key}=${value}`, kind: "left out", why });
  }
  return "";
}
