/**
 * Where a request goes: best fit, so that large holes stay whole. Nodes of lower weight come first; of equals those
 * on which the least is left over are preferred, GPUs first, so a job without GPUs keeps away from them; and as few nodes as will do, unless the user
 * asked otherwise.
 */

import { weightOf } from "../../core/node.ts";
import { type Candidate, chooseNodes, type Offer, offerOf } from "../../core/node-set.ts";
import { type Allocation, type NodeUsage, type ResourceRequest, WHOLE_GPU } from "../../core/resources.ts";
import {
  alternativesOf,
  cpusOn,
  type Demand,
  demandOf,
  memoryOn,
  thousandthsOf,
  wishCounts,
  wishedGpus,
} from "../../core/room.ts";
import { sharesOf } from "./shares.ts";

/**
 * Shares for the whole request on nodes that have room now, in the order of their names; `null` if there is no room.
 * The lowest free GPU indices are granted.
 */
export function place(candidates: readonly Candidate[], request: ResourceRequest): Allocation | null {
  return createPlacer(candidates)(request);
}

/** {@link place} for one request after the other. What nodes offer is worked out anew only where it changed. */
export function createPlacer(candidates: readonly Candidate[]): (request: ResourceRequest) => Allocation | null {
  let lastShape: string | null = null;
  let ways: Way[] = [];
  return (request) => {
    const shape = shapeOf(request);
    if (shape !== lastShape) {
      lastShape = shape;
      ways = alternativesOf(demandOf(request)).map((demand) => ({ demand, ranked: [] }));
    }
    for (const way of ways) {
      const chosen = chooseNodes(way.demand, preferredFirst(way, candidates));
      const shares = chosen && sharesOf(way.demand, chosen);
      if (shares) return shares;
    }
    return null;
  };
}

/** Requests with the same shape fit in the same places. */
export function shapeOf(request: ResourceRequest): string {
  let shape = shapes.get(request);
  if (shape === undefined) {
    shape = JSON.stringify(request);
    shapes.set(request, shape);
  }
  return shape;
}

/** Requests never change and are kept as long as their jobs. */
const shapes = new WeakMap<ResourceRequest, string>();

/** One way to meet a request, with what each candidate offered when it was last looked at. */
interface Way {
  readonly demand: Demand;
  readonly ranked: Ranked[];
}

interface Ranked {
  /** The usage for which this holds. */
  readonly usage: NodeUsage;
  readonly offer: Offer | null;
  readonly left: readonly number[];
}

function preferredFirst({ demand, ranked }: Way, candidates: readonly Candidate[]): Offer[] {
  const offered: { readonly offer: Offer; readonly left: readonly number[] }[] = [];
  for (const [at, candidate] of candidates.entries()) {
    let known = ranked[at];
    if (known?.usage !== candidate.usage) {
      const offer = offerOf(candidate, demand);
      known = {
        usage: candidate.usage,
        offer,
        left: offer ? [weightOf(candidate.node), ...leftOver(offer, demand)] : [],
      };
      ranked[at] = known;
    }
    if (known.offer) offered.push({ offer: known.offer, left: known.left });
  }
  offered.sort((a, b) => compareLeft(a.left, b.left) || a.offer.position - b.offer.position);
  return offered.map(({ offer }) => offer);
}

/** GPUs, CPUs and memory that would stay free if the node took as much of the job as it can. */
function leftOver({ room, tasks, gpus }: Offer, demand: Demand): readonly number[] {
  const { request } = demand;
  const { inventory } = room.node;
  const most = Math.min(tasks, request.tasks ?? tasks);
  const mostGpus =
    demand.per === "job" ? jobThousandths(demand, gpus) : thousandthsOf(demand, wishCounts(demand, most));
  const cpus = cpusOn(request, most, mostGpus);
  return [
    room.freeGpus - mostGpus,
    room.cpus - cpus,
    room.memoryMiB - memoryOn(request, cpus, mostGpus, inventory.memoryMiB),
  ];
}

/** Thousandths that so many of the job's GPUs come to; the pieces are not told from the others if it is not all. */
function jobThousandths(demand: Demand, gpus: number): number {
  const all = wishedGpus(demand);
  const counts = demand.wishes.map(({ count }) => count);
  return gpus >= all ? thousandthsOf(demand, counts) : gpus * WHOLE_GPU;
}

function compareLeft(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
