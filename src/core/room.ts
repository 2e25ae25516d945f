/**
 * How much of a request fits on one node: arithmetic over the node's inventory and usage.
 *
 * CPUs and memory of a share grow with its tasks and with its GPUs, but as the larger of two needs, never as their
 * sum. So the most tasks and the most GPUs that a node can take are found apart from each other.
 */

import { type Constraint, constraintAlternatives, matchesConstraint, parseConstraint } from "./constraint.ts";
import { gpusFor, mostServed, pickGpus } from "./gpu-pick.ts";
import type { NodeName } from "./ids.ts";
import { activeFeatures, type Node } from "./node.ts";
import { type Gpu, type NodeUsage, type ResourceRequest, WHOLE_GPU } from "./resources.ts";

/** A number of GPUs of one type, or of equal pieces of such GPUs. */
export interface Wish {
  /** Lower case; `null` for any type. */
  readonly type: string | null;
  readonly count: number;
  /** Size of each in thousandths: {@link WHOLE_GPU}, or less for a piece of a GPU that others may share. */
  readonly thousandths: number;
}

/** A request with its tasks and GPUs sorted out. */
export interface Demand {
  readonly request: ResourceRequest;
  /** What {@link wishes} are counted for. */
  readonly per: "job" | "node" | "task";
  /** Typed ones first, pieces before whole ones of a type; empty for no GPUs and for GPUs by index. */
  readonly wishes: readonly Wish[];
  /** Some of the wishes are for pieces. */
  readonly hasPieces: boolean;
  /** Tasks that share what is wished per task: above 1 only with --ntasks-per-gpu. */
  readonly tasksPerWish: number;
  /** The tasks of a node follow from the GPUs it gets: --ntasks-per-gpu with --gpus. */
  readonly byGpus: boolean;
  readonly indices: ReadonlyMap<NodeName, readonly number[]>;
  /** Features that each node must have; `null` for none. */
  readonly constraint: Constraint | null;
  /** Nodes that must be among the job's, each once. */
  readonly required: readonly NodeName[];
  /** Some nodes get no task: more are asked for than there are tasks. */
  readonly hasIdleNodes: boolean;
}

/** What a node has left for a request that may use it. */
export interface Room {
  readonly node: Node;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** GPUs of which something is free, and that are large enough, by index. */
  readonly gpus: readonly Gpu[];
  /** Thousandths of all GPUs that are free. */
  readonly freeGpus: number;
  readonly usage: NodeUsage;
}

/** Reads a request once for all nodes. 2.5 GPUs are two whole ones and a piece of a third. */
export function demandOf(request: ResourceRequest): Demand {
  const { gpus, gpuIds, tasks, tasksPerGpu } = request;
  const indices = new Map<NodeName, readonly number[]>();
  for (const ids of gpuIds) indices.set(ids.node, [...new Set([...(indices.get(ids.node) ?? []), ...ids.indices])]);
  const constraint = readConstraint(request.constraint);
  const required = [...new Set([...request.nodeList, ...indices.keys()])];
  const hasIdleNodes = tasks !== null && tasks < Math.max(request.nodes?.min ?? 1, required.length);
  const wishes = mergeWishes(request);
  const hasPieces = wishes.some((wish) => isPiece(request, wish));
  const common = { request, tasksPerWish: 1, byGpus: false, indices, constraint, required, hasIdleNodes, hasPieces };
  if (gpus && wishes.length > 0 && indices.size === 0) {
    return { ...common, per: gpus.per, wishes, byGpus: gpus.per === "job" && tasksPerGpu > 0 };
  }
  if (gpus || indices.size > 0 || tasks === null || tasksPerGpu === 0) return { ...common, per: "node", wishes: [] };
  return {
    ...common,
    per: "task",
    wishes: [{ type: null, count: 1, thousandths: WHOLE_GPU }],
    tasksPerWish: tasksPerGpu,
  };
}

/** One demand for each of the features of which all nodes must have the same (`[rack1|rack2]`); else itself alone. */
export function alternativesOf(demand: Demand): Demand[] {
  if (!demand.constraint) return [demand];
  return constraintAlternatives(demand.constraint).map((constraint) => ({ ...demand, constraint }));
}

/** All GPUs that the wishes name, once; a piece counts as one. */
export function wishedGpus(demand: Demand): number {
  return demand.wishes.reduce((sum, wish) => sum + wish.count, 0);
}

/** What is left on a node at this usage; `null` if the request may not use the node, or not now. */
export function roomOn(node: Node, demand: Demand, usage: NodeUsage = node.usage): Room | null {
  const { request, indices, constraint } = demand;
  const { inventory } = node;
  if (request.excluded.includes(node.name)) return null;
  if (constraint && !matchesConstraint(constraint, new Set(activeFeatures(node)))) return null;
  if (request.exclusive && isBusy(usage)) return null;
  const gpus: Gpu[] = [];
  let freeGpus = 0;
  for (const gpu of inventory.gpus) {
    const free = WHOLE_GPU - (usage.gpus[gpu.index] ?? 0);
    if (free <= 0) continue;
    freeGpus += free;
    if (gpu.memoryMiB >= request.gpuMemoryMiB && (request.gpuAllowed?.includes(gpu.index) ?? true)) gpus.push(gpu);
  }
  const exact = indices.get(node.name) ?? [];
  const isFree = (index: number): boolean => gpus.some((gpu) => gpu.index === index) && !usage.gpus[index];
  if (!exact.every(isFree)) return null;
  const [cpus, memoryMiB] = [inventory.cpus - usage.cpus, inventory.memoryMiB - usage.memoryMiB];
  return { node, cpus, memoryMiB, gpus, freeGpus, usage };
}

/** CPUs that so many tasks and thousandths of GPUs of a request get on a node; at least 1. */
export function cpusOn(request: ResourceRequest, tasks: number, gpuThousandths: number): number {
  const each = request.cpusPerTask ?? 1;
  const forTasks = request.overcommit ? Math.min(tasks, 1) * each : tasks * each;
  const forGpus = Math.ceil((gpuThousandths * request.cpusPerGpu) / WHOLE_GPU);
  return Math.max(1, forTasks, forGpus, request.cpusMin);
}

/**
 * Memory in MiB that goes with so many CPUs and thousandths of GPUs on a node; 0 when the request names none.
 * @param nodeMiB all memory of the node: what a wish of 0 for each node (`--mem=0`) stands for
 */
export function memoryOn({ memory }: ResourceRequest, cpus: number, gpuThousandths: number, nodeMiB: number): number {
  if (!memory) return 0;
  if (memory.per === "node") return memory.mib === 0 ? nodeMiB : memory.mib;
  return memory.per === "cpu" ? memory.mib * cpus : Math.ceil((memory.mib * gpuThousandths) / WHOLE_GPU);
}

/** Thousandths that so many of each wish come to. */
export function thousandthsOf({ wishes }: Pick<Demand, "wishes">, counts: readonly number[]): number {
  return wishes.reduce((sum, { thousandths }, at) => sum + thousandths * (counts[at] ?? 0), 0);
}

/** GPUs of each wish that so many tasks get on a node. None where the whole job shares its GPUs out. */
export function wishCounts({ per, wishes, tasksPerWish }: Demand, tasks: number): number[] {
  const times = { job: 0, node: 1, task: Math.ceil(tasks / tasksPerWish) }[per];
  return wishes.map((wish) => wish.count * times);
}

/** Whether a wish leaves something of a GPU to others. */
function isPiece({ gpus }: ResourceRequest, { thousandths }: Wish): boolean {
  return thousandths < WHOLE_GPU || gpus?.byMemory === true;
}

/** Tasks on each node when no total is given: --ntasks-per-node, or what --ntasks-per-gpu makes of its GPUs, or 1. */
export function tasksOfNode(demand: Demand, name: NodeName): number {
  const { tasksPerGpu, tasksPerNode } = demand.request;
  const gpus = demand.per === "node" ? wishedGpus(demand) + (demand.indices.get(name)?.length ?? 0) : 0;
  return tasksPerGpu * gpus || tasksPerNode || 1;
}

/** Whether so many tasks fit into a room, with the GPUs that go with them. */
export function fits(room: Room, demand: Demand, tasks: number): boolean {
  const counts = wishCounts(demand, tasks);
  const exact = demand.indices.get(room.node.name)?.length ?? 0;
  if (!hasMatter(room, demand, tasks, thousandthsOf(demand, counts) + exact * WHOLE_GPU)) return false;
  if (demand.hasPieces) return pickGpus(room, demand, counts) !== null;
  const gpus = counts.reduce((sum, count) => sum + count, 0);
  if (gpus > room.gpus.length) return false;
  return counts.every((count, index) => count <= capOf(room, demand, index));
}

/** The most tasks up to `most` that fit into a room; -1 if not even a share without tasks does. */
export function mostTasks(room: Room, demand: Demand, most: number): number {
  let low = -1;
  let high = most + 1;
  while (high - low > 1) {
    // The likeliest answers first: all of them, else none.
    const middle = high > most ? most : low < 0 ? 0 : Math.floor((low + high) / 2);
    if (fits(room, demand, middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** The most of the job's GPUs that fit into a room, with the tasks that follow from them. */
export function mostGpus(room: Room, demand: Demand): number {
  const { tasksPerGpu, tasksPerNode } = demand.request;
  const perGpu = demand.byGpus ? tasksPerGpu : 0;
  const byTasks = perGpu > 0 && tasksPerNode > 0 ? Math.floor(tasksPerNode / perGpu) : Number.MAX_SAFE_INTEGER;
  const all = wishedGpus(demand);
  const caps = demand.wishes.reduce((sum, _, at) => sum + capOf(room, demand, at), 0);
  const held = demand.hasPieces ? mostServed(room, demand, [...demand.wishes.keys()]) : caps;
  const total = thousandthsOf(
    demand,
    demand.wishes.map((wish) => wish.count),
  );
  // Of some of them only, a piece may be among them or not: then each counts as whole.
  const thousandths = (gpus: number): number => (gpus === all ? total : gpus * WHOLE_GPU);
  let gpus = Math.min(held, room.gpus.length, all, byTasks);
  while (gpus > 0 && !hasMatter(room, demand, gpus * perGpu, thousandths(gpus))) gpus -= 1;
  return gpus;
}

/** Most tasks of a request that a node could run at this usage, whatever total the request names. */
export function taskCapacity(node: Node, request: ResourceRequest, usage: NodeUsage = node.usage): number {
  const demand = demandOf(request);
  const room = roomOn(node, demand, usage);
  if (!room) return 0;
  if (demand.byGpus) return mostGpus(room, demand) * request.tasksPerGpu;
  if (request.tasks === null) {
    const tasks = tasksOfNode(demand, node.name);
    return fits(room, demand, tasks) ? tasks : 0;
  }
  return Math.max(0, mostTasks(room, demand, tasksLimit(demand, node.name)));
}

/** Most tasks that the request allows on a node, whatever the node has. */
export function tasksLimit(demand: Demand, name: NodeName): number {
  const { tasks, tasksPerNode, tasksPerGpu, tasksOn } = demand.request;
  const total = tasksOn ? (tasksOn[name] ?? 0) : (tasks ?? tasksOfNode(demand, name));
  const byGpus = demand.per === "node" && tasksPerGpu > 0 ? tasksOfNode(demand, name) : total;
  return Math.min(total, byGpus, tasksPerNode || total);
}

/** Whether CPUs and memory suffice; GPUs are counted elsewhere. */
function hasMatter(room: Room, { request }: Demand, tasks: number, gpuThousandths: number): boolean {
  const cpus = cpusOn(request, tasks, gpuThousandths);
  return cpus <= room.cpus && memoryOn(request, cpus, gpuThousandths, room.node.inventory.memoryMiB) <= room.memoryMiB;
}

function capOf(room: Room, demand: Demand, at: number): number {
  const wish = demand.wishes[at];
  return wish ? gpusFor(room, demand.request, wish).length : 0;
}

function isBusy(usage: NodeUsage): boolean {
  return usage.cpus > 0 || usage.memoryMiB > 0 || Object.keys(usage.gpus).length > 0;
}

/** What cannot be read is taken for the name of a feature, which no node has. */
function readConstraint(text: string): Constraint | null {
  if (text === "") return null;
  const parsed = parseConstraint(text);
  return "value" in parsed ? parsed.value : { kind: "feature", name: text };
}

/** For each type whole GPUs and a piece, as far as wished for. A type that is named twice is wished for twice. */
function mergeWishes({ gpus }: ResourceRequest): Wish[] {
  const sums = new Map<string | null, number>();
  for (const { type, thousandths } of gpus?.wishes ?? []) {
    const key = type?.toLowerCase() ?? null;
    sums.set(key, (sums.get(key) ?? 0) + thousandths);
  }
  const wishes = [...sums].flatMap(([type, sum]): Wish[] => [
    { type, count: sum % WHOLE_GPU === 0 ? 0 : 1, thousandths: sum % WHOLE_GPU },
    { type, count: Math.floor(sum / WHOLE_GPU), thousandths: WHOLE_GPU },
  ]);
  return wishes.filter(({ count }) => count > 0).sort((a, b) => Number(a.type === null) - Number(b.type === null));
}
