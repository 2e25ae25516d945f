/**
 * Which nodes together can hold a request: a search over sets of nodes that finds one if there is one.
 *
 * What a node offers is a few numbers that add up over nodes: tasks, GPUs of the job's wishes, features that so many
 * nodes must have. A set of nodes is good when each sum reaches its target. Wishes for GPUs of several types compete for the same room, so each group of
 * wishes counts by itself; by Hall's theorem that is exactly what decides whether the GPUs can be dealt out.
 */

import { type Constraint, constraintCounts, matchesConstraint } from "./constraint.ts";
import { gpusFor, mostServed } from "./gpu-pick.ts";
import type { NodeName } from "./ids.ts";
import { activeFeatures, type Node } from "./node.ts";
import type { NodeUsage } from "./resources.ts";
import {
  type Demand,
  fits,
  mostGpus,
  mostTasks,
  type Room,
  roomOn,
  tasksLimit,
  tasksOfNode,
  wishedGpus,
} from "./room.ts";

/** A node that may be chosen. */
export interface Candidate {
  readonly node: Node;
  /** What is granted there, by the pass under way too. */
  usage: NodeUsage;
  /** Its place among all nodes of the cluster in the order of their names. */
  readonly position: number;
}

/** What a node can contribute. */
export interface Offer {
  readonly room: Room;
  readonly position: number;
  /** Most tasks; exactly so many where the request names no total. */
  readonly tasks: number;
  /** Most of the job's GPUs. */
  readonly gpus: number;
  /** The same of each wish. */
  readonly wishCaps: readonly number[];
  /** What counts towards the targets, in their order. */
  readonly gains: readonly number[];
}

/** What of an offer decides which nodes are chosen. */
export interface Part extends Pick<Offer, "position" | "gains"> {
  readonly room: Pick<Room, "node">;
}

/** Wishes (types of whole GPUs, and pieces) in one request: groups of them are counted, 2 to the power of this many. */
export const WISHES_MAX = 4;

/** Cells of the exact search (nodes times nodes wanted). Beyond, uneven nodes are only searched by rule of thumb. */
const CELLS_MAX = 5000;

/** Sums kept in a cell. The most promising stay; only uneven clusters with many GPU types come near. */
const SUMS_MAX = 64;

/** All nodes in the order of their names, with their present usage. */
export function candidatesOf(nodes: readonly Node[]): Candidate[] {
  const named = nodes.map((node) => ({ node, parts: partsOf(node.name) }));
  named.sort((a, b) => compareParts(a.parts, b.parts));
  return named.map(({ node }, position) => ({ node, usage: node.usage, position }));
}

/** Compares names of nodes so that `n2` comes before `n10`. */
export function compareNodeNames(one: string, other: string): number {
  return compareParts(partsOf(one), partsOf(other));
}

interface NameParts {
  readonly prefix: string;
  readonly digits: string;
}

function partsOf(name: NodeName): NameParts {
  const [, prefix = "", digits = ""] = /^(.*?)(\d*)$/s.exec(name) ?? [];
  return { prefix, digits };
}

function compareParts(one: NameParts, other: NameParts): number {
  if (one.prefix !== other.prefix) return one.prefix < other.prefix ? -1 : 1;
  return Number(one.digits) - Number(other.digits) || one.digits.length - other.digits.length;
}

/** What a node offers at its present usage; `null` if nothing. */
export function offerOf(candidate: Candidate, demand: Demand): Offer | null {
  const room = roomOn(candidate.node, demand, candidate.usage);
  if (!room) return null;
  const gpus = demand.per === "job" ? mostGpus(room, demand) : 0;
  if (demand.per === "job" && gpus === 0) return null;
  const tasks = offeredTasks(room, demand, gpus);
  if (tasks < (demand.hasIdleNodes ? 0 : 1)) return null;
  const wishCaps = demand.per === "job" ? capsOf(room, demand, gpus) : [];
  const together = (group: readonly number[]): number =>
    demand.hasPieces ? mostServed(room, demand, group) : sumOf(wishCaps, group);
  const gains = wishGroups(demand).map((group) => Math.min(gpus, together(group)));
  if (demand.constraint) gains.push(...featureGains(room, demand.constraint));
  if (countsTasks(demand)) gains.push(tasks);
  return { room, position: candidate.position, tasks, gpus, wishCaps, gains };
}

/** Most GPUs of each wish by itself. */
function capsOf(room: Room, demand: Demand, gpus: number): number[] {
  return demand.wishes.map((wish) => Math.min(gpusFor(room, demand.request, wish).length, gpus));
}

/**
 * The nodes of a job, or `null` if none will do.
 * @param offers the preferred ones first
 */
export function chooseNodes<T extends Part>(demand: Demand, offers: readonly T[]): T[] | null {
  const names = demand.required;
  const required = offers.filter((offer) => names.includes(offer.room.node.name));
  if (required.length < names.length || !isConsistent(demand)) return null;
  const targets = targetsOf(demand);
  const counts = nodeCounts(demand, offers.length, names.length);
  if (demand.request.contiguous) return chooseRun(offers, required, targets, counts);
  const rest = offers.filter((offer) => !required.includes(offer));
  const missing = required.reduce<readonly number[]>((left, offer) => minus(left, offer.gains), targets);
  const chosen = chooseSome(
    rest,
    missing,
    counts.map((count) => count - required.length),
  );
  return chosen && [...required, ...chosen];
}

/** Whether one node alone is tried first; then it is the preferred one of those that suffice. */
export function mayBeAlone(demand: Demand): boolean {
  const { nodes, spread } = demand.request;
  if (!isConsistent(demand) || demand.required.length > 1) return false;
  return nodes === null ? !spread : nodes.min <= 1 && nodes.max === 1;
}

/** Whether a node's offer meets all of a demand. */
export function suffices(demand: Demand, targets: readonly number[], { room, gains }: Offer): boolean {
  if (demand.required.length > 0 && !demand.required.includes(room.node.name)) return false;
  for (let at = 0; at < targets.length; at++) if ((gains[at] ?? 0) < (targets[at] ?? 0)) return false;
  return true;
}

/** Numbers of nodes that a job may have, in the order in which they are tried. */
function nodeCounts(demand: Demand, available: number, required: number): number[] {
  const { request } = demand;
  const { nodes, tasks, contiguous } = request;
  const needsFeatures = demand.constraint !== null && constraintCounts(demand.constraint).length > 0;
  const least = Math.max(nodes?.min ?? 1, required);
  const byTasks = Math.max(least, tasks ?? available);
  const byGpus = demand.per === "job" ? wishedGpus(demand) : available;
  // Without a number of tasks more nodes only mean more tasks, unless they are needed for something else.
  const needsMore =
    nodes !== null || tasks !== null || demand.per === "job" || needsFeatures || (contiguous && required > 1);
  const most = needsMore ? Math.min(nodes?.max ?? available, available, byTasks, byGpus) : least;
  const counts = [];
  for (let count = least; count <= Math.min(most, available); count++) counts.push(count);
  // A range asks for as many nodes as there are now; without one the fewest do.
  return nodes || request.spread ? counts.reverse() : counts;
}

function isConsistent(demand: Demand): boolean {
  const { tasks, tasksPerGpu } = demand.request;
  if (demand.wishes.length > WISHES_MAX) return false;
  return !demand.byGpus || tasks === null || tasks <= tasksPerGpu * wishedGpus(demand);
}

/** Whether tasks are a target: where they follow from nodes or GPUs they need not be counted. */
function countsTasks(demand: Demand): boolean {
  return demand.request.tasks !== null && !demand.byGpus;
}

function offeredTasks(room: Room, demand: Demand, gpus: number): number {
  const { name } = room.node;
  if (demand.byGpus) return demand.request.tasksPerGpu * gpus;
  if (demand.request.tasks !== null) return mostTasks(room, demand, tasksLimit(demand, name));
  const tasks = tasksOfNode(demand, name);
  return fits(room, demand, tasks) ? tasks : -1;
}

/** What the sum of gains must reach. */
export function targetsOf(demand: Demand): number[] {
  const { wishes, constraint, request } = demand;
  const counts = wishes.map((wish) => wish.count);
  return [
    ...wishGroups(demand).map((group) => sumOf(counts, group)),
    ...(constraint ? constraintCounts(constraint).map(({ count }) => count) : []),
    ...(countsTasks(demand) ? [request.tasks ?? 0] : []),
  ];
}

/** 1 for each feature of which so many nodes must have it, and this one has. */
function featureGains({ node }: Room, constraint: Constraint): number[] {
  const features = new Set(activeFeatures(node));
  return constraintCounts(constraint).map(({ of }) => (matchesConstraint(of, features) ? 1 : 0));
}

/** Every group of the job's wishes, by their positions. */
function wishGroups({ per, wishes }: Demand): readonly (readonly number[])[] {
  return per === "job" ? (GROUPS[wishes.length] ?? []) : [];
}

/** For each number of wishes all groups of them. */
const GROUPS: readonly (readonly (readonly number[])[])[] = Array.from({ length: WISHES_MAX + 1 }, (_, count) => {
  const groups: number[][] = [];
  for (let bits = 1; bits < 1 << count; bits++) groups.push(positionsIn(bits));
  return groups;
});

function positionsIn(bits: number): number[] {
  const positions: number[] = [];
  for (let at = 0; bits >> at > 0; at++) if ((bits >> at) & 1) positions.push(at);
  return positions;
}

function sumOf(values: readonly number[], positions: readonly number[]): number {
  return positions.reduce((sum, at) => sum + (values[at] ?? 0), 0);
}

/** Neighbours in the order of names: of the first number of nodes that will do, those preferred most. */
function chooseRun<T extends Part>(
  offers: readonly T[],
  required: readonly T[],
  targets: readonly number[],
  counts: readonly number[],
): T[] | null {
  const rank = new Map(offers.map((offer, index) => [offer, index]));
  const inOrder = [...offers].sort((a, b) => a.position - b.position);
  for (const count of counts) {
    let best: T[] | null = null;
    let bestRank = Number.POSITIVE_INFINITY;
    for (let start = 0; start + count <= inOrder.length; start++) {
      const run = inOrder.slice(start, start + count);
      if ((run.at(-1)?.position ?? 0) - (run[0]?.position ?? 0) !== count - 1) continue;
      if (!required.every((offer) => run.includes(offer)) || !reaches(run, targets)) continue;
      const runRank = run.reduce((sum, offer) => sum + (rank.get(offer) ?? 0), 0);
      if (runRank < bestRank) [best, bestRank] = [run, runRank];
    }
    if (best) return best;
  }
  return null;
}

/** Any of the offers, for the first of the counts for which there are enough good ones. */
function chooseSome<T extends Part>(
  offers: readonly T[],
  targets: readonly number[],
  counts: readonly number[],
): T[] | null {
  const most = Math.max(0, ...counts);
  const tops = targets.map((_, at) => topSums(offers, at));
  let search: ((count: number) => T[] | null) | null = null;
  for (const count of counts) {
    if (count > offers.length) continue;
    const first = offers.slice(0, count);
    if (reaches(first, targets)) return first;
    if (targets.some((target, at) => (tops[at]?.[count] ?? 0) < target)) continue;
    if (count === 1) {
      const one = offers.find((offer) => reaches([offer], targets));
      if (one) return [one];
      continue;
    }
    if (offers.length * most > CELLS_MAX) {
      const rough = chooseRoughly(offers, targets, count);
      if (rough) return rough;
      continue;
    }
    search ??= exactSearch(offers, targets, most);
    const chosen = search(count);
    if (chosen) return chosen;
  }
  return null;
}

/** For each number of nodes the largest sum of one gain that so many can reach. */
function topSums(offers: readonly Part[], at: number): number[] {
  const sums = [0];
  const gains = offers.map((offer) => offer.gains[at] ?? 0).sort((a, b) => b - a);
  for (const gain of gains) sums.push((sums.at(-1) ?? 0) + gain);
  return sums;
}

/** The strongest nodes in one respect after the other; for clusters too large for the exact search. */
function chooseRoughly<T extends Part>(offers: readonly T[], targets: readonly number[], count: number): T[] | null {
  for (const at of targets.keys()) {
    const strongest = [...offers].sort((a, b) => (b.gains[at] ?? 0) - (a.gains[at] ?? 0)).slice(0, count);
    if (reaches(strongest, targets)) return strongest;
  }
  return null;
}

/**
 * Tables of what any so many of the last offers can reach together; then a walk from the first offer on that takes
 * each one with which the rest can still be reached.
 */
function exactSearch<T extends Part>(
  offers: readonly T[],
  targets: readonly number[],
  most: number,
): (count: number) => T[] | null {
  const none = targets.map(() => 0);
  // reachable[i][k]: sums of k offers out of those from i on, no higher than the targets.
  const reachable: (readonly (readonly number[])[])[][] = [];
  reachable[offers.length] = [[none]];
  for (let at = offers.length - 1; at >= 0; at--) {
    const after = reachable[at + 1] ?? [];
    const gains = offers[at]?.gains ?? none;
    const cells: (readonly (readonly number[])[])[] = [[none]];
    for (let count = 1; count <= Math.min(most, offers.length - at); count++) {
      const taken = (after[count - 1] ?? []).map((sums) =>
        targets.map((target, index) => Math.min(target, (sums[index] ?? 0) + (gains[index] ?? 0))),
      );
      cells.push(best([...taken, ...(after[count] ?? [])]));
    }
    reachable[at] = cells;
  }
  return (count) => {
    const chosen: T[] = [];
    let missing: readonly number[] = targets;
    for (const [at, offer] of offers.entries()) {
      const left = count - chosen.length;
      if (left === 0) break;
      const after = minus(missing, offer.gains);
      if (!isReached(reachable[at + 1]?.[left - 1], after)) continue;
      chosen.push(offer);
      missing = after;
    }
    return chosen.length === count && missing.every((amount) => amount <= 0) ? chosen : null;
  };
}

function isReached(cell: readonly (readonly number[])[] | undefined, amounts: readonly number[]): boolean {
  return (cell ?? []).some((sums) => amounts.every((amount, index) => (sums[index] ?? 0) >= amount));
}

/** Sums of which none is beaten by another in all respects; the largest in total first. */
function best(sums: (readonly number[])[]): (readonly number[])[] {
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  sums.sort((a, b) => total(b) - total(a));
  const kept: (readonly number[])[] = [];
  for (const one of sums) {
    if (kept.length === SUMS_MAX) break;
    if (!isReached(kept, one)) kept.push(one);
  }
  return kept;
}

function reaches(offers: readonly Part[], targets: readonly number[]): boolean {
  return offers
    .reduce<readonly number[]>((left, offer) => minus(left, offer.gains), targets)
    .every((amount) => amount <= 0);
}

function minus(amounts: readonly number[], gains: readonly number[]): readonly number[] {
  return amounts.map((amount, at) => amount - (gains[at] ?? 0));
}
