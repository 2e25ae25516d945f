/** Deals a request's tasks and GPUs out over the nodes that were chosen for it. */

import { type Picked, pickGpus } from "../../core/gpu-pick.ts";
import type { Offer } from "../../core/node-set.ts";
import { type Allocation, type GpuGrant, type NodeShare, WHOLE_GPU } from "../../core/resources.ts";
import { cpusOn, type Demand, memoryOn, wishCounts, wishedGpus } from "../../core/room.ts";
import type { Spot } from "./scores/score.ts";

/**
 * The shares of nodes that are known to suffice (`chooseNodes`), in the order of their names. `null` if the GPUs can't be
 * dealt out after all, which only pieces of several types can bring about.
 */
export function sharesOf(demand: Demand, chosen: readonly Offer[]): Allocation | null {
  const offers = [...chosen].sort((a, b) => a.position - b.position);
  const { tasks: total, tasksPerGpu } = demand.request;
  const isByJob = demand.per === "job";
  if (isByJob && demand.byGpus) {
    const gpus = dealGpus(
      demand,
      offers,
      offers.map(() => 1),
    );
    const caps = gpus.map((counts) => tasksPerGpu * sum(counts));
    const tasks = total === null ? caps : dealTasks(demand, caps, total);
    return allShares(demand, offers, tasks, gpus);
  }
  const caps = offers.map((offer) => offer.tasks);
  const tasks = total === null ? caps : dealTasks(demand, caps, total);
  const gpus = isByJob ? dealGpus(demand, offers, tasks) : tasks.map((count) => wishCounts(demand, count));
  const dealt = gpus.reduce((total, counts) => total + sum(counts), 0);
  if (isByJob && dealt < wishedGpus(demand)) return null;
  return allShares(demand, offers, tasks, gpus);
}

function allShares(
  demand: Demand,
  offers: readonly Offer[],
  tasks: readonly number[],
  gpus: readonly (readonly number[])[],
): Allocation | null {
  const shares = offers.flatMap((offer, at) => shareOn(offer, demand, tasks[at] ?? 0, gpus[at] ?? []) ?? []);
  return shares.length === offers.length ? shares : null;
}

/** Evenly where the user said how many nodes; else node after node, but at least one task on each. */
function dealTasks(demand: Demand, caps: readonly number[], total: number): number[] {
  const { nodes, spread } = demand.request;
  if (nodes || spread) return dealEvenly(caps, total);
  const least = demand.hasIdleNodes ? 0 : 1;
  let left = total - least * caps.length;
  return caps.map((cap) => {
    const more = Math.min(Math.max(0, cap - least), Math.max(0, left));
    left -= more;
    return least + more;
  });
}

/** One in turn to each node that has room. In whole rounds, so that it takes no time in the number of tasks. */
function dealEvenly(caps: readonly number[], total: number): number[] {
  const counts = caps.map(() => 0);
  let left = total;
  while (left > 0) {
    const open = caps.flatMap((cap, at) => (cap > (counts[at] ?? 0) ? [at] : []));
    if (open.length === 0) break;
    const lowest = Math.min(...open.map((at) => (caps[at] ?? 0) - (counts[at] ?? 0)));
    const rounds = Math.max(1, Math.min(lowest, Math.floor(left / open.length)));
    for (const at of open) {
      const more = Math.min(rounds, left);
      counts[at] = (counts[at] ?? 0) + more;
      left -= more;
    }
  }
  return counts;
}

/**
 * The job's GPUs over its nodes, counted by wish: one to each node, then always to the node with the fewest for its
 * tasks. A GPU that only another wish can take there is made free for it elsewhere, so all are dealt out if possible.
 */
function dealGpus(demand: Demand, offers: readonly Offer[], tasks: readonly number[]): number[][] {
  const dealt = offers.map(() => demand.wishes.map(() => 0));
  const left = demand.wishes.map((wish) => wish.count);
  const isOpen = offers.map(() => true);
  while (left.some((count) => count > 0)) {
    let next = -1;
    let load = Number.POSITIVE_INFINITY;
    for (const [at, counts] of dealt.entries()) {
      const has = sum(counts);
      const own = (has === 0 ? 0 : has + 1) / Math.max(1, tasks[at] ?? 1);
      if (isOpen[at] && own < load) [next, load] = [at, own];
    }
    if (next < 0) break;
    if (!giveOne(next, dealt, left, demand, offers)) isOpen[next] = false;
  }
  return dealt;
}

/** Gives a node one more GPU, if need be by exchanging wishes with other nodes; `false` if it can't have one. */
function giveOne(node: number, dealt: number[][], left: number[], demand: Demand, offers: readonly Offer[]): boolean {
  if (sum(dealt[node] ?? []) >= (offers[node]?.gpus ?? 0)) return false;
  const canTake = (at: number, wish: number): boolean => {
    const [offer, counts] = [offers[at], dealt[at] ?? []];
    if (!offer || (counts[wish] ?? 0) >= (offer.wishCaps[wish] ?? 0)) return false;
    if (!demand.hasPieces || at !== node) return true;
    return pickGpus(offer.room, demand, counts.with(wish, (counts[wish] ?? 0) + 1)) !== null;
  };
  // How each wish was reached: a node that gave up the wish before, so as to take this one.
  const reached = new Map<number, { readonly node: number; readonly before: number | null }>();
  for (const wish of left.keys()) if (canTake(node, wish)) reached.set(wish, { node, before: null });
  for (const [wish] of reached) {
    if ((left[wish] ?? 0) > 0) {
      exchange(wish, reached, dealt);
      left[wish] = (left[wish] ?? 0) - 1;
      return true;
    }
    for (const [at, counts] of dealt.entries()) {
      if ((counts[wish] ?? 0) === 0) continue;
      for (const other of left.keys()) {
        if (!reached.has(other) && canTake(at, other)) reached.set(other, { node: at, before: wish });
      }
    }
  }
  return false;
}

/** Walks back from a wish with something left to the node that was to get one more. */
function exchange(
  last: number,
  reached: ReadonlyMap<number, { readonly node: number; readonly before: number | null }>,
  dealt: readonly number[][],
): void {
  for (let wish: number | null = last; wish !== null; ) {
    const step = reached.get(wish);
    const counts = step && dealt[step.node];
    if (!counts) return;
    counts[wish] = (counts[wish] ?? 0) + 1;
    if (step.before !== null) counts[step.before] = (counts[step.before] ?? 0) - 1;
    wish = step.before;
  }
}

/**
 * What a score looks at: the request's share on a node, of several nodes as much as this one can take. Which of the GPUs
 * these are is settled when the shares are dealt.
 */
export function spotOf(offer: Offer, demand: Demand): Spot {
  const { room } = offer;
  const { request } = demand;
  const tasks = Math.min(offer.tasks, request.tasks ?? offer.tasks);
  const counts = demand.per === "job" ? mostOfJob(offer, demand) : wishCounts(demand, tasks);
  const picked = request.exclusive ? room.node.inventory.gpus.map(whole) : (pickGpus(room, demand, counts) ?? []);
  const thousandths = picked.reduce((total, one) => total + one.thousandths, 0);
  const cpus = cpusOn(request, tasks, thousandths);
  return {
    ...{ node: room.node, usage: room.usage, gpus: picked },
    cpus: request.exclusive ? room.node.inventory.cpus : cpus,
    memoryMiB: memoryOn(request, cpus, thousandths, room.node.inventory.memoryMiB),
    isChoosy: request.constraint !== "" || demand.wishes.some(({ type }) => type !== null),
  };
}

/** As many of each of the job's wishes as a node can take, the first ones first. */
function mostOfJob({ gpus, wishCaps }: Offer, { wishes }: Demand): readonly number[] {
  let left = gpus;
  return wishes.map(({ count }, at) => {
    const most = Math.min(count, wishCaps[at] ?? 0, left);
    left -= most;
    return most;
  });
}

function shareOn({ room }: Offer, demand: Demand, tasks: number, counts: readonly number[]): NodeShare | null {
  const { request } = demand;
  const { name, inventory } = room.node;
  const gpus = pickGpus(room, demand, counts);
  if (gpus === null) return null;
  const thousandths = gpus.reduce((total, one) => total + one.thousandths, 0);
  const cpus = cpusOn(request, tasks, thousandths);
  return {
    node: name,
    tasks,
    cpus: request.exclusive ? inventory.cpus : cpus,
    // Of a whole node, too, only the memory that was asked for.
    memoryMiB: memoryOn(request, cpus, thousandths, inventory.memoryMiB),
    gpus: (request.exclusive ? inventory.gpus.map(whole) : gpus).map(grantOf),
  };
}

function whole(gpu: Picked["gpu"]): Picked {
  return { gpu, thousandths: WHOLE_GPU };
}

function grantOf({ gpu: { index, uuid, type }, thousandths }: Picked): GpuGrant {
  return { index, uuid, type, thousandths };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
