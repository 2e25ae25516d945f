/** Node by node: could a job go there now, and if not, what does the node lack. Pure. */

import { matchesConstraint } from "../../core/constraint.ts";
import type { Amounts, NodeVerdict } from "../../core/explanation.ts";
import { freeOn, gpusFor, takenOf } from "../../core/gpu-pick.ts";
import type { Node } from "../../core/node.ts";
import { compareNodeNames } from "../../core/node-set.ts";
import {
  formatGpus,
  type Gpu,
  NO_USAGE,
  type NodeUsage,
  type ResourceRequest,
  WHOLE_GPU,
} from "../../core/resources.ts";
import {
  cpusOn,
  type Demand,
  demandOf,
  memoryOn,
  type Room,
  roomOn,
  tasksOfNode,
  thousandthsOf,
  type Wish,
  wishCounts,
  wishedGpus,
} from "../../core/room.ts";

/** What a node must have for one job's share. */
interface Need {
  /** As in the demand, counted for this node. */
  readonly gpus: readonly Wish[];
  readonly cpus: number;
  readonly memoryMiB: number;
}

/** What stands against nodes besides their resources. */
export interface NodeBars {
  /** Whether a node's daemon is connected. */
  readonly isConnected: (node: string) => boolean;
  /** Why a job may not use a node that would do (its partition, a reservation); empty if it may. */
  readonly bar: (node: Node) => string;
}

/** A verdict a node, in the order of their names. A job of several nodes is looked at by an even share of it. */
export function nodeVerdicts(nodes: readonly Node[], request: ResourceRequest, bars: NodeBars): NodeVerdict[] {
  const demand = demandOf(request);
  return [...nodes]
    .sort((a, b) => compareNodeNames(a.name, b.name))
    .map((node) => ({
      node: node.name,
      ...judge(node, demand, bars),
      free: freeAmounts(node, node.usage),
      total: freeAmounts(node, NO_USAGE),
    }));
}

function judge(node: Node, demand: Demand, bars: NodeBars): Pick<NodeVerdict, "finding" | "lacks"> {
  const away = awayText(node, bars);
  if (away !== "") return { finding: "away", lacks: [away] };
  const barred = barredTexts(node, demand, bars);
  if (barred.length > 0) return { finding: "barred", lacks: barred };
  const need = needOn(node, demand);
  const small = lacks(node, demand, need, NO_USAGE);
  if (small.length > 0) return { finding: "small", lacks: small };
  const busy = demand.request.exclusive && isBusy(node.usage) ? ["it is in use, and whole nodes are asked for"] : [];
  const lacking = lacks(node, demand, need, node.usage);
  const closed = lacking.some((text) => text.includes("GPU")) ? closedTexts(node) : [];
  const missing = [...busy, ...lacking, ...closed];
  return { finding: missing.length > 0 ? "busy" : "free", lacks: missing };
}

function closedTexts({ closedGpus = {} }: Node): string[] {
  return Object.entries(closedGpus).map(([index, why]) => `GPU ${index} gets no new jobs: ${why}`);
}

function awayText({ name, down, drain }: Node, { isConnected }: NodeBars): string {
  if (down) return `down: ${down.reason}`;
  if (drain) return `drained: ${drain.reason}`;
  return isConnected(name) ? "" : "its daemon is not connected";
}

function barredTexts(node: Node, { request, constraint, required }: Demand, { bar }: NodeBars): string[] {
  const texts: string[] = [];
  const other = bar(node);
  if (other !== "") texts.push(other);
  if (request.excluded.includes(node.name)) texts.push("the job excludes it (-x)");
  const most = request.nodes?.max ?? (request.tasks === 1 ? 1 : Number.POSITIVE_INFINITY);
  if (required.length >= most && !required.includes(node.name)) texts.push(`the job names ${required.join(",")} (-w)`);
  if (constraint && !matchesConstraint(constraint, new Set(node.inventory.features))) {
    texts.push(`it is not ${request.constraint} (-C)`);
  }
  return texts;
}

/** An even share of the request, if the job is to run on several nodes. */
function needOn(node: Node, demand: Demand): Need {
  const { request, wishes, per } = demand;
  const share = Math.max(1, request.nodes?.min ?? 1, demand.required.length);
  const tasks =
    request.tasks === null
      ? tasksOfNode(demand, node.name)
      : Math.min(Math.ceil(request.tasks / share), request.tasksPerNode || Number.POSITIVE_INFINITY);
  const counts = per === "job" ? wishes.map(({ count }) => Math.ceil(count / share)) : wishCounts(demand, tasks);
  const exact = demand.indices.get(node.name)?.length ?? 0;
  const total = thousandthsOf(demand, counts) + exact * WHOLE_GPU;
  const cpus = cpusOn(request, tasks, total);
  return {
    gpus: wishes.map((wish, at) => ({ ...wish, count: counts[at] ?? 0 })),
    cpus,
    memoryMiB: memoryOn(request, cpus, total, node.inventory.memoryMiB),
  };
}

/** A clause for each resource of which the node has too little at this usage. */
function lacks(node: Node, demand: Demand, need: Need, usage: NodeUsage): string[] {
  const plain = { ...demand, request: { ...demand.request, exclusive: false }, indices: new Map<string, number[]>() };
  const room = roomOn(node, plain, usage);
  if (!room) return [];
  const { inventory } = node;
  return [
    ...gpuLacks(room, need, demand),
    ...indexLacks(room, demand),
    ...lack(need.cpus, room.cpus, inventory.cpus, (count) => countText(count, "CPU")),
    ...lack(need.memoryMiB, room.memoryMiB, inventory.memoryMiB, (mib) => `${mib} MiB of memory`),
  ];
}

function gpuLacks(room: Room, need: Need, { request }: Demand): string[] {
  const texts: string[] = [];
  const all = room.node.inventory.gpus.filter(({ memoryMiB }) => memoryMiB >= request.gpuMemoryMiB);
  const large = request.gpuMemoryMiB > 0 ? ` with ${request.gpuMemoryMiB} MiB` : "";
  for (const wish of need.gpus) {
    const { type, count, thousandths } = wish;
    const has = piecesOn(room, request, wish);
    const idle = { ...room, usage: NO_USAGE, gpus: room.node.inventory.gpus };
    const total = thousandths < WHOLE_GPU ? piecesOn(idle, request, wish) : ofType(all, type).length;
    const noun = `${type === null ? "" : `${type} `}${thousandths < WHOLE_GPU ? `piece of ${formatGpus(thousandths)} GPU` : "GPU"}`;
    texts.push(...lack(count, has, total, (more) => countText(more, noun) + large));
  }
  const wished = need.gpus.reduce((sum, { count, thousandths }) => sum + (thousandths < WHOLE_GPU ? 0 : count), 0);
  // Each type suffices by itself, but not all together.
  const free = room.gpus.filter((gpu) => freeOn(room, gpu) === WHOLE_GPU).length;
  if (texts.length === 0 && wished > free)
    texts.push(...lack(wished, free, all.length, (more) => countText(more, "GPU") + large));
  return texts;
}

/** How many of a wish there is room for, if nothing else is asked for. */
function piecesOn(room: Room, request: ResourceRequest, wish: Wish): number {
  return gpusFor(room, request, wish).reduce((sum, gpu) => {
    return sum + Math.floor(freeOn(room, gpu) / takenOf(request, wish, gpu));
  }, 0);
}

function ofType(gpus: readonly Gpu[], type: string | null): readonly Gpu[] {
  return type === null ? gpus : gpus.filter((gpu) => gpu.type === type);
}

function indexLacks({ node, gpus, usage }: Room, { indices }: Demand): string[] {
  const exact = indices.get(node.name) ?? [];
  const taken = exact.filter((index) => usage.gpus[index] || !gpus.some((gpu) => gpu.index === index));
  return taken.length === 0 ? [] : [`GPU ${taken.join(",")}, which others hold`];
}

function lack(need: number, free: number, total: number, words: (missing: number) => string): string[] {
  if (need <= free) return [];
  if (need > total)
    return [total === 0 ? `${words(need)}: it has none` : `${words(need - total)}: it has only ${total}`];
  return [`${words(need - free)} more (${free} of ${total} free)`];
}

function isBusy(usage: NodeUsage): boolean {
  return usage.cpus > 0 || usage.memoryMiB > 0 || Object.keys(usage.gpus).length > 0;
}

function freeAmounts({ inventory }: Node, usage: NodeUsage): Amounts {
  const gpus: Record<string, number> = {};
  for (const { index, type } of inventory.gpus) {
    gpus[type] = (gpus[type] ?? 0) + Math.max(0, WHOLE_GPU - (usage.gpus[index] ?? 0));
  }
  for (const type of Object.keys(gpus)) gpus[type] = (gpus[type] ?? 0) / WHOLE_GPU;
  return { gpus, cpus: inventory.cpus - usage.cpus, memoryMiB: inventory.memoryMiB - usage.memoryMiB };
}

function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Whether a request is for GPUs at all. */
export function wantsGpus(request: ResourceRequest): boolean {
  return request.gpuIds.length > 0 || wishedGpus(demandOf(request)) > 0;
}
