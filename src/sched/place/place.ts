/**
 * Where a request goes: to nodes of lower weight first, of those to the one that the score prefers, of equals to the
 * first by name; and to as few nodes as will do, unless the user asked otherwise.
 */

import { weightOf } from "../../core/node.ts";
import {
  type Candidate,
  chooseNodes,
  mayBeAlone,
  type Offer,
  offerOf,
  suffices,
  targetsOf,
} from "../../core/node-set.ts";
import type { Allocation, NodeUsage, ResourceRequest } from "../../core/resources.ts";
import { alternativesOf, type Demand, demandOf } from "../../core/room.ts";
import { PACK } from "./scores/pack.ts";
import type { Rate, Scoring } from "./scores/score.ts";
import { sharesOf, spotOf } from "./shares.ts";

/** Finds room for one request after the other; `null` where there is none. */
export type Placer = (request: ResourceRequest) => Allocation | null;

/** Most costs that are kept, shapes times nodes: some dozens of megabytes. */
const KEPT_MAX = 1_000_000;

/**
 * Shares for the whole request on nodes that have room now, in the order of their names; `null` if there is no room.
 * The lowest free GPU indices are granted.
 */
export function place(
  candidates: readonly Candidate[],
  request: ResourceRequest,
  scoring: Scoring = PACK,
): Allocation | null {
  return createPlacer(candidates, scoring)(request);
}

/** {@link place} for one request after the other. What nodes offer, and what it costs, is worked out anew only where it changed. */
export function createPlacer(candidates: readonly Candidate[], scoring: Scoring = PACK): Placer {
  const shapes = new Map<string, readonly Way[]>();
  let rate: Rate | null = null;
  return (request) => {
    rate ??= scoring.prepare(candidates);
    const shape = shapeOf(request);
    let ways = shapes.get(shape);
    if (!ways) {
      if (shapes.size * candidates.length > KEPT_MAX) shapes.clear();
      ways = alternativesOf(demandOf(request)).map((demand) => new Way(demand, candidates));
      shapes.set(shape, ways);
    }
    for (const way of ways) {
      const shares = way.place(rate);
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

/** One way to meet a request, with what it would cost on each candidate when that was last looked at. */
class Way {
  readonly #demand: Demand;
  readonly #candidates: readonly Candidate[];
  readonly #targets: readonly number[];
  readonly #isForOne: boolean;
  /** The usages for which the costs hold; `null` for a node that can't run it by itself. */
  readonly #usages: NodeUsage[] = [];
  readonly #costs: (readonly number[] | null)[] = [];

  constructor(demand: Demand, candidates: readonly Candidate[]) {
    this.#demand = demand;
    this.#candidates = candidates;
    this.#targets = targetsOf(demand);
    this.#isForOne = mayBeAlone(demand);
  }

  place(rate: Rate): Allocation | null {
    const one = this.#isForOne ? this.#bestAlone(rate) : null;
    const alone = one && sharesOf(this.#demand, [one]);
    if (alone) return alone;
    if (this.#demand.request.nodes?.max === 1) return null;
    const several = chooseNodes(this.#demand, this.#preferredFirst(rate));
    return several && sharesOf(this.#demand, several);
  }

  /** Of the nodes that could run all of it, the one that costs least. */
  #bestAlone(rate: Rate): Offer | null {
    let best: Candidate | null = null;
    let least: readonly number[] | null = null;
    for (let at = 0; at < this.#candidates.length; at++) {
      const candidate = this.#candidates[at] as Candidate;
      const { usage } = candidate;
      if (this.#usages[at] !== usage) {
        this.#usages[at] = usage;
        this.#costs[at] = this.#costAlone(candidate, rate);
      }
      const costs = this.#costs[at];
      if (costs && (least === null || isLess(costs, least))) [best, least] = [candidate, costs];
    }
    return best && offerOf(best, this.#demand);
  }

  #costAlone(candidate: Candidate, rate: Rate): readonly number[] | null {
    const offer = offerOf(candidate, this.#demand);
    return offer && suffices(this.#demand, this.#targets, offer) ? costsOf(offer, this.#demand, rate) : null;
  }

  #preferredFirst(rate: Rate): Offer[] {
    const offered = this.#candidates.flatMap((candidate) => {
      const offer = offerOf(candidate, this.#demand);
      return offer ? [{ offer, costs: costsOf(offer, this.#demand, rate) }] : [];
    });
    // In the order of their names as long as they cost the same: the sort is stable.
    offered.sort((a, b) => a.offer.position - b.offer.position);
    offered.sort((a, b) => (isLess(a.costs, b.costs) ? -1 : isLess(b.costs, a.costs) ? 1 : 0));
    return offered.map(({ offer }) => offer);
  }
}

function costsOf(offer: Offer, demand: Demand, rate: Rate): readonly number[] {
  return [weightOf(offer.room.node), ...rate(spotOf(offer, demand))];
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  for (let at = 0; at < a.length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
