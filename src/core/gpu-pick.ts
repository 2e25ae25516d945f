/**
 * Which GPUs of a node meet the wishes of a request: whole ones, and pieces of those that are shared. A piece goes where
 * the least is left beside it, so that whole GPUs stay whole.
 */

import { bestLinked } from "./gpu-links.ts";
import { type Gpu, type ResourceRequest, WHOLE_GPU } from "./resources.ts";
import type { Demand, Room, Wish } from "./room.ts";

/** `0,2-3` as indices of GPUs, each once; `undefined` for anything else. */
export function gpuIndices(text: string): number[] | undefined {
  if (!/^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(text)) return undefined;
  const ranges = text.split(",").map((part) => part.split("-").map(Number));
  if (ranges.some(([first = 0, last = first]) => last < first)) return undefined;
  const all = ranges.flatMap(([first = 0, last = first]) =>
    Array.from({ length: last - first + 1 }, (_, at) => first + at),
  );
  return [...new Set(all)];
}

/** A GPU, and how many thousandths of it are taken. */
export interface Picked {
  readonly gpu: Gpu;
  readonly thousandths: number;
}

/**
 * So many GPUs of each wish, the best linked that are free, of equals the lowest, in the order of their indices; `null` if there are not enough.
 * Those of a certain type are picked first: a wish for any type takes what is left.
 * @param counts for each wish of the demand how many; several pieces may come from one GPU
 */
export function pickGpus(room: Room, demand: Demand, counts: readonly number[]): readonly Picked[] | null {
  const [only] = demand.wishes;
  if (only && demand.wishes.length === 1 && counts[0] === 1) return pickOne(room, demand, only);
  const exact = demand.indices.get(room.node.name) ?? [];
  const taken = new Map<Gpu, number>();
  for (const gpu of room.gpus) if (exact.includes(gpu.index)) taken.set(gpu, WHOLE_GPU);
  for (const [at, wish] of demand.wishes.entries()) {
    const fitting = gpusFor(room, demand.request, wish);
    if (wish.thousandths === WHOLE_GPU && !demand.request.gpus?.byMemory) {
      const count = counts[at] ?? 0;
      const whole = bestLinked(
        fitting.filter((gpu) => !taken.has(gpu)),
        count,
      );
      if (whole.length < count) return null;
      for (const gpu of whole) taken.set(gpu, WHOLE_GPU);
      continue;
    }
    for (let left = counts[at] ?? 0; left > 0; left--) {
      const gpu = tightest(
        fitting,
        (one) => freeOn(room, one) - (taken.get(one) ?? 0) - takenOf(demand.request, wish, one),
      );
      if (!gpu) return null;
      taken.set(gpu, (taken.get(gpu) ?? 0) + takenOf(demand.request, wish, gpu));
    }
  }
  return [...taken].map(([gpu, thousandths]) => ({ gpu, thousandths })).sort((a, b) => a.gpu.index - b.gpu.index);
}

/** Most jobs want one GPU, or a part of one. */
function pickOne(room: Room, { request }: Demand, wish: Wish): readonly Picked[] | null {
  let best: Picked | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const gpu of room.gpus) {
    if (wish.type !== null && gpu.type !== wish.type) continue;
    const thousandths = takenOf(request, wish, gpu);
    const left = freeOn(room, gpu) - thousandths;
    if (left < 0 || left >= least) continue;
    [best, least] = [{ gpu, thousandths }, left];
  }
  return best && [best];
}

/** The first GPU with the least left over; `undefined` if none has enough. */
function tightest(gpus: readonly Gpu[], leftOver: (gpu: Gpu) => number): Gpu | undefined {
  let best: Gpu | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const gpu of gpus) {
    const left = leftOver(gpu);
    if (left < 0 || left >= least) continue;
    best = gpu;
    least = left;
  }
  return best;
}

/**
 * How many of some wishes (by position) can be met in a room at the same time, each by a GPU of its own: the largest
 * matching, found by augmenting paths (H. W. Kuhn 1955).
 */
export function mostServed(room: Room, demand: Demand, group: readonly number[]): number {
  const holder = new Map<Gpu, readonly Gpu[]>();
  const place = (fitting: readonly Gpu[], seen: Set<Gpu>): boolean => {
    for (const gpu of fitting) {
      if (seen.has(gpu)) continue;
      seen.add(gpu);
      const other = holder.get(gpu);
      if (other && !place(other, seen)) continue;
      holder.set(gpu, fitting);
      return true;
    }
    return false;
  };
  let served = 0;
  for (const at of group) {
    const wish = demand.wishes[at];
    if (!wish) continue;
    const fitting = gpusFor(room, demand.request, wish);
    for (let count = 0; count < wish.count && place(fitting, new Set()); count++) served += 1;
  }
  return served;
}

/** GPUs of a room that a wish, or one piece of it, may be met with. */
export function gpusFor(room: Room, request: ResourceRequest, wish: Wish): readonly Gpu[] {
  return room.gpus.filter((gpu) => {
    if (wish.type !== null && gpu.type !== wish.type) return false;
    return freeOn(room, gpu) >= takenOf(request, wish, gpu);
  });
}

/** Thousandths of a GPU that nobody holds. */
export function freeOn({ usage }: Room, gpu: Gpu): number {
  return WHOLE_GPU - (usage.gpus[gpu.index] ?? 0);
}

/**
 * Thousandths of a GPU that one of a wish takes; more than there can be where it can't be that GPU. A piece has its part
 * of the GPU's memory, and that must be as much as the request says (--gpu-mem).
 */
export function takenOf({ gpuMemoryMiB, gpus }: ResourceRequest, { thousandths }: Wish, gpu: Gpu): number {
  if (gpuMemoryMiB === 0) return thousandths;
  const forMemory = Math.ceil((gpuMemoryMiB * WHOLE_GPU) / Math.max(1, gpu.memoryMiB));
  if (gpus?.byMemory) return forMemory;
  return forMemory > thousandths ? WHOLE_GPU + 1 : thousandths;
}
