/** Nodes as lines of slurm.conf and gres.conf. */

import { fold } from "../../core/hostlist.ts";
import { type Gpu, WHOLE_GPU } from "../../core/resources.ts";
import type { NodeRow } from "../../protocol/procedures.ts";
import { formatRanges } from "../../util/ranges.ts";
import { nodeGres } from "../../view/node-record.ts";
import { topologyOf } from "../../view/node-topology.ts";
import { printable } from "../../view/printf.ts";

/** Slurm's first port of node daemons, and that of one of several on a machine. */
const SLURMD_PORT = 6818;

export interface NodeLines {
  readonly slurm: readonly string[];
  readonly gres: readonly string[];
  /** What to look at before the files are used. */
  readonly notes: readonly string[];
}

/** Shards of a GPU that are tried, from few to many: the first that all parts in use are multiples of. */
const SHARDS = [2, 4, 5, 8, 10, 16, 20, 25, 40, 50];
const SHARDS_MAX = 100;

/** Of limits alone, which are rounded up. */
const SHARDS_OF_LIMITS = 4;

/**
 * How many shards each GPU is to have; 0 where nobody uses parts of GPUs.
 * @param parts thousandths of GPUs
 * @param hasLimits whether limits name parts
 */
export function shardsPerGpu(parts: readonly number[], hasLimits: boolean): number {
  if (parts.length === 0) return hasLimits ? SHARDS_OF_LIMITS : 0;
  return SHARDS.find((count) => parts.every((part) => (part * count) % WHOLE_GPU === 0)) ?? SHARDS_MAX;
}

/** Parts of divided GPUs are what they are. */
const canShare = ({ inventory: { gpus } }: NodeRow): boolean => gpus.length > 0 && !gpus.some(isMig);

/** Lines for all nodes; those that are alike share one. @param perGpu shards of each GPU, 0 for none */
export function nodeLines(nodes: readonly NodeRow[], perGpu: number): NodeLines {
  const shapeText = (node: NodeRow): string => shapeWords(node, perGpu);
  const shared = new Set(nodes.map(hostOf).filter((host, at, all) => all.indexOf(host) !== at));
  const isShared = (node: NodeRow): boolean => shared.has(hostOf(node));
  const groups = grouped(nodes, (node) => (isShared(node) ? node.name : shapeText(node) + stateText(node)));
  const port = (node: NodeRow): string => (isShared(node) ? ` Port=${SLURMD_PORT + nodes.indexOf(node)}` : "");
  const slurm = groups.map(([first, ...more]) => {
    const all = [first, ...more];
    return `NodeName=${fold(names(all))}${placesText(all)}${port(first)} ${shapeText(first)} ${stateText(first)}`;
  });
  const wordsOf = (node: NodeRow): string[] => {
    const shards = perGpu > 0 && canShare(node) ? [`Name=shard Count=${node.inventory.gpus.length * perGpu}`] : [];
    return [...gresWords(node), ...shards];
  };
  const gres = grouped(
    nodes.filter(({ inventory }) => inventory.gpus.length > 0),
    (node) => JSON.stringify(wordsOf(node)),
  ).flatMap((group) => wordsOf(group[0]).map((words) => `NodeName=${fold(names(group))} ${words}`));
  return { slurm, gres, notes: notesOf(nodes, shared) };
}

type Group = readonly [NodeRow, ...NodeRow[]];

const names = (nodes: readonly NodeRow[]): string[] => nodes.map(({ name }) => name);

const hostOf = ({ inventory: { hostname } }: NodeRow): string => hostname;

function grouped(nodes: readonly NodeRow[], keyOf: (node: NodeRow) => string): Group[] {
  const groups = new Map<string, [NodeRow, ...NodeRow[]]>();
  for (const node of nodes) {
    const group = groups.get(keyOf(node));
    if (group) group.push(node);
    else groups.set(keyOf(node), [node]);
  }
  return [...groups.values()];
}

/** Where they are, as far as their names don't say it. */
function placesText(nodes: readonly NodeRow[]): string {
  const hosts = nodes.map(({ inventory }) => inventory.hostname);
  const addresses = nodes.map(({ inventory }) => inventory.address ?? inventory.hostname);
  const isNamed = (list: readonly string[]): boolean => list.every((one, at) => one === nodes[at]?.name);
  return (
    (isNamed(hosts) ? "" : ` NodeHostname=${fold(hosts)}`) + (isNamed(addresses) ? "" : ` NodeAddr=${fold(addresses)}`)
  );
}

function shapeWords(node: NodeRow, perGpu: number): string {
  const { sockets, coresPerSocket, threadsPerCore } = topologyOf(node);
  const shards = perGpu > 0 && canShare(node) ? `,shard:${node.inventory.gpus.length * perGpu}` : "";
  const gres = `${nodeGres(node)}${shards}`;
  return [
    `CPUs=${node.inventory.cpus} Sockets=${sockets} CoresPerSocket=${coresPerSocket} ThreadsPerCore=${threadsPerCore}`,
    `RealMemory=${node.inventory.memoryMiB}`,
    ...(gres === "" ? [] : [`Gres=${gres}`]),
    ...(node.features.length > 0 ? [`Feature=${node.features.join(",")}`] : []),
    ...(node.weight === 1 ? [] : [`Weight=${node.weight}`]),
  ].join(" ");
}

function stateText({ flags, reason }: NodeRow): string {
  if (!flags.includes("DRAIN")) return "State=UNKNOWN";
  return `State=DRAIN Reason="${printable(reason).replaceAll(/["\\#]/g, "'") || "drained"}"`;
}

/** A line for GPUs of one type; one for each GPU where they are linked. */
function gresWords({ inventory: { gpus } }: NodeRow): string[] {
  if (gpus.some(isMig)) return ["AutoDetect=nvml"];
  if (gpus.some(({ links }) => links?.some((link) => link.startsWith("NV")))) return gpus.map(linkedWords);
  const types = [...new Set(gpus.map(({ type }) => type))];
  return types.map((type) => {
    const indices = gpus.filter((gpu) => gpu.type === type).map(({ index }) => index);
    return `Name=gpu${typeWord(type)} File=/dev/nvidia${indices.length === 1 ? indices[0] : `[${formatRanges(indices)}]`}`;
  });
}

const typeWord = (type: string): string => (type === "" ? "" : ` Type=${type}`);

const isMig = ({ uuid }: Gpu): boolean => uuid.startsWith("MIG-");

/** Numbers of NVLinks to each GPU, -1 for itself, as gres.conf wants them. */
function linkedWords({ index, type, links = [] }: Gpu): string {
  const numbers = links.map((link) => (link === "X" ? -1 : Number(/^NV(\d+)$/.exec(link)?.[1] ?? 0)));
  return `Name=gpu${typeWord(type)} File=/dev/nvidia${index} Links=${numbers.join(",")}`;
}

function notesOf(nodes: readonly NodeRow[], shared: ReadonlySet<string>): string[] {
  const having = (is: (node: NodeRow) => boolean): string => fold(names(nodes.filter(is)));
  const fake = having(({ inventory }) => inventory.gpuProvider === "fake" && inventory.gpus.length > 0);
  const mig = having(({ inventory }) => inventory.gpus.some(isMig));
  const alone = having((node) => shared.has(hostOf(node)));
  const paused = having(({ pausedGpus = {} }) => Object.keys(pausedGpus).length > 0);
  return [
    ...(fake
      ? [`${fake}: the GPUs are pretended: their files /dev/nvidia... are not there, and slurmd will say so`]
      : []),
    ...(mig ? [`${mig}: parts of divided GPUs (MIG) are found by a slurmd with NVML only; Debian's has none`] : []),
    ...(alone ? [`${alone}: several nodes on one machine need a slurmd that was built for that`] : []),
    ...(paused ? [`${paused}: some GPUs are paused; Slurm knows no such state`] : []),
  ];
}
