/** Several requests at once, for the components of a heterogeneous job: all of them find room, or nothing is taken. */

import type { Candidate } from "../../core/node-set.ts";
import { type Allocation, addShare, NO_USAGE, type NodeUsage, type ResourceRequest } from "../../core/resources.ts";
import { createPlacer } from "./place.ts";

/** A request, and what finds room for it on those of the candidates that it may use. */
export interface Wish {
  readonly request: ResourceRequest;
  readonly place: (request: ResourceRequest) => Allocation | null;
}

/** Grants an allocation to those who look at the candidates next. */
export function take(candidates: readonly Candidate[], allocation: Allocation): void {
  for (const share of allocation) {
    const candidate = candidates.find(({ node }) => node.name === share.node);
    if (candidate) candidate.usage = addShare(candidate.usage, share, 1);
  }
}

/**
 * An allocation for each request, in their order, taken from the candidates; `null`, and the candidates as they were, if
 * they don't all find room. Components may share nodes. Two orders are tried, as given and the largest first: which
 * component is placed first may decide whether the others still fit.
 */
export function placeTogether(candidates: readonly Candidate[], wishes: readonly Wish[]): Allocation[] | null {
  const asGiven = wishes.map((_, at) => at);
  const largest = largestFirst(wishes.map(({ request }) => request));
  return tryOrder(candidates, wishes, asGiven) ?? tryOrder(candidates, wishes, largest);
}

/** Whether all requests, each on nodes of its own choice, could be met at the same time if nothing ran there. */
export function couldRunTogether(
  components: readonly { readonly candidates: readonly Candidate[]; readonly request: ResourceRequest }[],
): boolean {
  const empty = new Map<string, Candidate>();
  const wishes = components.map(({ candidates, request }): Wish => {
    const own = candidates.map((candidate) => {
      const one = empty.get(candidate.node.name) ?? { ...candidate, usage: NO_USAGE };
      empty.set(candidate.node.name, one);
      return one;
    });
    return { request, place: createPlacer(own) };
  });
  return placeTogether([...empty.values()], wishes) !== null;
}

function tryOrder(
  candidates: readonly Candidate[],
  wishes: readonly Wish[],
  order: readonly number[],
): Allocation[] | null {
  const before: readonly NodeUsage[] = candidates.map(({ usage }) => usage);
  const found: Allocation[] = [];
  for (const at of order) {
    const wish = wishes[at];
    const allocation = wish ? wish.place(wish.request) : null;
    if (allocation === null) {
      for (const [index, candidate] of candidates.entries()) candidate.usage = before[index] ?? candidate.usage;
      return null;
    }
    take(candidates, allocation);
    found[at] = allocation;
  }
  return found;
}

/** Whole nodes first, then by nodes, GPUs and tasks: what has the fewest places to go. */
function largestFirst(requests: readonly ResourceRequest[]): readonly number[] {
  const sizeOf = ({ exclusive, nodeList, nodes, gpus, tasks, cpusPerTask }: ResourceRequest): readonly number[] => [
    nodeList.length,
    exclusive ? 1 : 0,
    nodes?.min ?? 1,
    gpus?.wishes.reduce((sum, { thousandths }) => sum + thousandths, 0) ?? 0,
    (tasks ?? 1) * (cpusPerTask ?? 1),
  ];
  const sizes = requests.map(sizeOf);
  return requests.map((_, at) => at).sort((a, b) => compare(sizes[b] ?? [], sizes[a] ?? []) || a - b);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) if (value !== b[index]) return value - (b[index] ?? 0);
  return 0;
}
