/**
 * Several GPUs of one node that are well linked. What is between two of them, from near to far, in the words of
 * `nvidia-smi topo -m`: NVLinks (the more the nearer), one PCIe switch, several, the host bridge, the NUMA node, another one.
 */

import type { Gpu } from "./resources.ts";

const STEPS: Readonly<Record<string, number>> = { X: 0, PIX: 2, PXB: 3, PHB: 4, NODE: 5, SYS: 6 };

/** Farther than all that is known. */
const UNKNOWN = 7;

/** NVLinks beyond so many make no difference. */
const NVLINKS_MAX = 64;

/** So many of the GPUs with the least between them, the lowest of equals; the first ones where nothing is known of links. */
export function bestLinked(gpus: readonly Gpu[], count: number): readonly Gpu[] {
  if (count < 2 || count >= gpus.length || gpus.every(({ links }) => links === undefined)) return gpus.slice(0, count);
  let best: readonly Gpu[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const first of gpus) {
    const { set, total } = grownFrom(first, gpus, count);
    if (total < least) [best, least] = [set, total];
  }
  return best;
}

/** A set that begins with a GPU and takes the nearest one again and again. */
function grownFrom(first: Gpu, gpus: readonly Gpu[], count: number): { set: readonly Gpu[]; total: number } {
  const set = [first];
  let total = 0;
  while (set.length < count) {
    let next: Gpu | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const gpu of gpus) {
      if (set.includes(gpu)) continue;
      const sum = set.reduce((all, one) => all + distance(one, gpu), 0);
      if (sum < least) [next, least] = [gpu, sum];
    }
    if (next === null) break;
    set.push(next);
    total += least;
  }
  return { set, total };
}

/** What lies between two GPUs of a node, 0 for nothing. */
function distance(one: Gpu, other: Gpu): number {
  const word = one.links?.[other.index] ?? "";
  const nvlinks = /^NV(\d+)$/.exec(word)?.[1];
  if (nvlinks !== undefined) return 1 + (NVLINKS_MAX - Math.min(NVLINKS_MAX, Number(nvlinks))) / (NVLINKS_MAX + 1);
  return STEPS[word] ?? UNKNOWN;
}
