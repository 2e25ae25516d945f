/**
 * sinfo's letters: what each prints for a row of nodes, and under which header.
 *
 * What mgpu does not have (weights, features, user groups ...) prints what Slurm prints where nothing is set.
 */

import { fold } from "../core/hostlist.ts";
import type { Partition } from "../core/partition.ts";
import { formatGpus } from "../core/resources.ts";
import { formatDuration } from "../core/time.ts";
import type { NodeRow } from "../protocol/procedures.ts";
import type { NodeColumn, NodeGroup } from "./node-groups.ts";
import { closedText, nodeGresUsed, nodeStateWords } from "./node-record.ts";
import { isBusy, isOut, nodeStateLong, nodeStateShort } from "./node-states.ts";
import { topologyOf } from "./node-topology.ts";
import type { MomentText } from "./time-format.ts";

/** sinfo's own formats. */
export const SINFO_FORMAT = "%#P %.5a %.10l %.6D %.6t %N";
export const SINFO_FORMAT_LONG = "%#P %.5a %.10l %.10s %.4r %.8h %.10g %.6D %.11T %N";
export const SINFO_FORMAT_SUMMARY = "%#P %.5a %.10l %.16F %N";
export const SINFO_FORMAT_NODE = "%#N %.6D %.#P %6t";
export const SINFO_FORMAT_NODE_LONG = "%#N %.6D %.#P %.11T %4c %.8z %.6m %.8d %.6w %.8f %20E";

export const SINFO_FORMAT_REASONS = "%20E %9u %19H %N";
export const SINFO_FORMAT_REASONS_LONG = "%20E %12U %19H %6t %N";

/** mgpu's own table of GPUs, with the letters of {@link GPU_COLUMNS}. */
export const GPU_FORMAT = "%#N %10T %#C %#G %#y %i";

type Columns = Readonly<Record<string, NodeColumn>>;

const NO_STATE = "n/a";

const PARTITION_COLUMNS: Columns = {
  P: ofPartition("PARTITION", ({ name, isDefault }) => (isDefault ? `${name}*` : name), true),
  R: ofPartition("PARTITION", ({ name }) => name, true),
  a: ofPartition("AVAIL", ({ state }) => (state === "INACTIVE" ? "inact" : state.toLowerCase())),
  l: ofPartition("TIMELIMIT", ({ maxTimeS }) => (maxTimeS === 0 ? "infinite" : formatDuration(maxTimeS))),
  L: ofPartition("DEFAULTTIME", ({ defaultTimeS }) => (defaultTimeS === 0 ? "n/a" : formatDuration(defaultTimeS))),
  s: ofPartition("JOB_SIZE", jobSize),
  r: ofPartition("ROOT", ({ isRootOnly }) => (isRootOnly ? "yes" : "no")),
  h: ofPartition("OVERSUBSCRIBE", ({ isExclusive }) => (isExclusive ? "EXCLUSIVE" : "NO")),
  g: constant("GROUPS", "all"),
  p: ofPartition("PRIO_TIER", ({ priorityTier }) => String(priorityTier)),
  I: ofPartition("PRIO_JOB_FACTOR", ({ priorityJobFactor }) => String(priorityJobFactor)),
  M: ofPartition("PREEMPT_MODE", ({ preemptMode = "off" }) => preemptMode.toUpperCase()),
  S: constant("ALLOCNODES", "all"),
  B: ofPartition("MAX_CPUS_PER_NODE", ({ maxCpusPerNode }) => (maxCpusPerNode ? String(maxCpusPerNode) : "UNLIMITED")),
  V: constant("CLUSTER", "N/A"),
};

const NODE_COLUMNS: Columns = {
  N: total("NODELIST", ({ nodes }) => fold(nodes.map((node) => node.name))),
  n: ofNode("HOSTNAMES", (node) => node.inventory.hostname, ""),
  o: ofNode("NODE_ADDR", ({ inventory }) => inventory.address ?? inventory.hostname, ""),
  t: { ...ofNode("STATE", nodeStateShort, NO_STATE), meaning: "state" },
  T: { ...ofNode("STATE", nodeStateLong, NO_STATE), meaning: "state" },
  E: ofNode("REASON", (node) => node.reason || closedText(node) || "none", "none"),
  G: ofNode("GRES", gresOf, "(null)"),
  v: ofNode("VERSION", (node) => node.inventory.version, "N/A"),
  e: span("FREE_MEM", ({ vitals }) => vitals?.freeMemoryMiB, String),
  O: span(
    "CPU_LOAD",
    ({ vitals }) => vitals?.loadCenti,
    (centi) => (centi / 100).toFixed(2),
  ),
  f: ofNode("AVAIL_FEATURES", ({ features }) => features.join(",") || "(null)", "(null)"),
  b: ofNode("ACTIVE_FEATURES", ({ activeFeatures }) => activeFeatures.join(",") || "(null)", "(null)"),
  u: ofNode("USER", (node) => reasonUser(node), "Unknown"),
  U: ofNode("USER", reasonUserLong, "Unknown"),
};

const COUNT_COLUMNS: Columns = {
  D: { ...total("NODES", ({ nodes }) => String(nodes.length)), meaning: "count" },
  A: total("NODES(A/I)", ({ nodes }) => nodesByState(nodes).slice(0, 2).join("/")),
  F: total("NODES(A/I/O/T)", ({ nodes }) => nodesByState(nodes).join("/")),
  C: total("CPUS(A/I/O/T)", ({ nodes }) => cpusByState(nodes).join("/")),
  c: { ...range("CPUS", (node) => node.inventory.cpus), meaning: "count" },
  m: { ...range("MEMORY", (node) => node.inventory.memoryMiB), meaning: "count" },
  d: range("TMP_DISK", () => 0),
  w: range("WEIGHT", ({ weight }) => weight),
  X: range("SOCKETS", (node) => topologyOf(node).sockets),
  Y: range("CORES", (node) => topologyOf(node).coresPerSocket),
  Z: range("THREADS", (node) => topologyOf(node).threadsPerCore),
  z: { ...total("S:C:T", socketsCoresThreads), kind: "range" },
};

/** Columns by letter. @param moment how times are written */
export function sinfoColumns(moment: MomentText): Columns {
  const reasonTime = ({ reasonAt }: NodeRow): string => (reasonAt === 0 ? "Unknown" : moment(reasonAt));
  return { ...PARTITION_COLUMNS, ...NODE_COLUMNS, ...COUNT_COLUMNS, H: ofNode("TIMESTAMP", reasonTime, "Unknown") };
}

/** Columns by the names of --Format, in lower case. */
export function sinfoFields(moment: MomentText): Columns {
  const letters = sinfoColumns(moment);
  const columns: Record<string, NodeColumn> = {};
  for (const [name, letter] of Object.entries(FIELD_LETTERS)) {
    const same = letters[letter];
    if (same) columns[name] = same;
  }
  return {
    ...columns,
    allocmem: ofNode("ALLOCMEM", ({ usage }) => String(usage.memoryMiB), "0"),
    comment: ofNode("COMMENT", ({ comment }) => comment || "(null)", "(null)"),
    extra: ofNode("EXTRA", ({ extra }) => extra || "(null)", "(null)"),
    gresused: ofNode("GRES_USED", (node) => nodeGresUsed(node) || "(null)", "(null)"),
    // Node daemons dial the controller and listen nowhere.
    port: constant("PORT", "0"),
    statecomplete: ofNode("STATECOMPLETE", (node) => nodeStateWords(node).join("+").toLowerCase(), NO_STATE),
  };
}

const FIELD_LETTERS: Readonly<Record<string, string>> = {
  allocnodes: "S",
  available: "a",
  cluster: "V",
  cores: "Y",
  cpus: "c",
  cpusload: "O",
  cpusstate: "C",
  defaulttime: "L",
  disk: "d",
  features: "f",
  features_act: "b",
  freemem: "e",
  gres: "G",
  groups: "g",
  maxcpuspernode: "B",
  memory: "m",
  nodeaddr: "o",
  nodeai: "A",
  nodeaiot: "F",
  nodehost: "n",
  nodelist: "N",
  nodes: "D",
  oversubscribe: "h",
  partition: "P",
  partitionname: "R",
  preemptmode: "M",
  priority: "p",
  priorityjobfactor: "I",
  prioritytier: "p",
  reason: "E",
  root: "r",
  share: "h",
  size: "s",
  socketcorethread: "z",
  sockets: "X",
  statecompact: "t",
  statelong: "T",
  threads: "Z",
  time: "l",
  timestamp: "H",
  user: "u",
  userlong: "U",
  version: "v",
  weight: "w",
};

/** Columns of the table of GPUs; one row a node. */
export const GPU_COLUMNS: Columns = {
  N: total("NODELIST", ({ nodes }) => fold(nodes.map((node) => node.name))),
  T: ofNode("STATE", nodeStateLong, NO_STATE),
  C: ofNode("CPUS(A/T)", ({ usage, inventory }) => `${usage.cpus}/${inventory.cpus}`, "0/0"),
  G: ofNode("GPUS(A/T)", ({ usage, inventory }) => `${grantedGpus(usage)}/${inventory.gpus.length}`, "0/0"),
  y: ofNode("GPU_TYPE", ({ inventory }) => gpuTypes(inventory).join(",") || "-", "-"),
  i: ofNode("GPU_IDS_FREE", (node) => freeGpuIds(node).join(",") || "-", "-"),
};

/** `1`, `2-4`, `1-infinite`: how many nodes a job may have. */
function jobSize({ minNodes, maxNodes }: Partition): string {
  const least = Math.max(1, minNodes);
  if (maxNodes === 0) return `${least}-infinite`;
  return least === maxNodes ? String(least) : `${least}-${maxNodes}`;
}

function ofPartition(header: string, value: (partition: Partition) => string, names = false): NodeColumn {
  const column: NodeColumn = { header, text: ({ partition }) => value(partition), kind: "split" };
  return names ? { ...column, namesPartition: true } : column;
}

/** A value that a row's nodes have in common; `none` stands in a row without nodes. */
function ofNode(header: string, value: (node: NodeRow) => string, none: string): NodeColumn {
  return { header, text: ({ nodes: [first] }) => (first ? value(first) : none), kind: "split" };
}

function constant(header: string, text: string): NodeColumn {
  return { header, text: () => text, kind: "split" };
}

function total(header: string, text: (group: NodeGroup) => string): NodeColumn {
  return { header, text, kind: "sum" };
}

function range(header: string, value: (node: NodeRow) => number): NodeColumn {
  return { header, text: ({ nodes }) => rangeText(nodes, value), kind: "range" };
}

/** `8`, or `8+` where some nodes have more; `0` without nodes. */
function rangeText(nodes: readonly NodeRow[], value: (node: NodeRow) => number): string {
  const values = nodes.map(value);
  const least = values.reduce((one, other) => Math.min(one, other), values[0] ?? 0);
  return values.some((one) => one > least) ? `${least}+` : String(least);
}

/** A measured value: `2.38`, `0.10-2.38` where nodes differ, `N/A` where none is known. */
function span(
  header: string,
  value: (node: NodeRow) => number | undefined,
  format: (value: number) => string,
): NodeColumn {
  const text = ({ nodes }: NodeGroup): string => {
    const values = nodes.flatMap((node) => value(node) ?? []);
    if (values.length === 0) return "N/A";
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return least === most ? format(least) : `${format(least)}-${format(most)}`;
  };
  return { header, text, kind: "range" };
}

function socketsCoresThreads({ nodes }: NodeGroup): string {
  if (nodes.length === 0) return "0:0:0";
  const part = (value: (node: NodeRow) => number): string => rangeText(nodes, value);
  return [
    part((node) => topologyOf(node).sockets),
    part((node) => topologyOf(node).coresPerSocket),
    part((node) => topologyOf(node).threadsPerCore),
  ].join(":");
}

/** Who gave the reason; the controller where nobody else did. */
function reasonUser({ reason, reasonBy }: NodeRow): string {
  return reason === "" ? "Unknown" : reasonBy || "slurm";
}

function reasonUserLong(node: NodeRow): string {
  const { reasonUid } = node;
  return reasonUid === undefined ? reasonUser(node) : `${reasonUser(node)}(${reasonUid})`;
}

/** Allocated, idle, other, total. */
export function nodesByState(nodes: readonly NodeRow[]): readonly number[] {
  const allocated = nodes.filter(isBusy).length;
  const other = nodes.filter((node) => isOut(node) && !isBusy(node)).length;
  return [allocated, nodes.length - allocated - other, other, nodes.length];
}

/** Allocated, idle, other, total: what is free on a node that takes no work is other. */
export function cpusByState(nodes: readonly NodeRow[]): readonly number[] {
  const sums = [0, 0, 0, 0] as [number, number, number, number];
  for (const node of nodes) {
    const { cpus } = node.inventory;
    const used = Math.min(node.usage.cpus, cpus);
    sums[0] += used;
    sums[isOut(node) ? 2 : 1] += cpus - used;
    sums[3] += cpus;
  }
  return sums;
}

/** `gpu:a100:4,gpu:t4:1`; `(null)` without GPUs. */
function gresOf({ inventory }: NodeRow): string {
  const parts = gpuTypes(inventory).map((type) => {
    const count = inventory.gpus.filter((gpu) => gpu.type === type).length;
    return type === "" ? `gpu:${count}` : `gpu:${type}:${count}`;
  });
  return parts.join(",") || "(null)";
}

function gpuTypes({ gpus }: NodeRow["inventory"]): string[] {
  return [...new Set(gpus.map((gpu) => gpu.type))];
}

function grantedGpus({ gpus }: NodeRow["usage"]): string {
  return formatGpus(Object.values(gpus).reduce((sum, thousandths) => sum + thousandths, 0));
}

/** GPUs of which nobody holds a part, on a node that takes work; closed ones are nobody's. */
function freeGpuIds(node: NodeRow): number[] {
  const { inventory, usage, closedGpus = {} } = node;
  if (isOut(node)) return [];
  return inventory.gpus
    .filter(({ index }) => !usage.gpus[index] && closedGpus[index] === undefined)
    .map((gpu) => gpu.index);
}
