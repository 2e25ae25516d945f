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
import { hasAmounts, isIdle, type Needs, needsOf, nodeKind } from "./needs.ts";
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
      ways = alternativesOf(demandOf(request)).map((demand) => new Way(demand, candidates, scoring.isAlike));
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
  readonly #needs: Needs;
  /** The usages for which the costs hold. */
  readonly #usages: (NodeUsage | null)[];
  /** The first cost of each, infinite for a node that can't run it by itself: what most comparisons are about. */
  readonly #first: Float64Array;
  readonly #costs: (readonly number[])[];
  /** Costs on idle nodes, by what these are: most clusters have few kinds of nodes. */
  readonly #idle: Map<string, readonly number[]> | null;

  constructor(demand: Demand, candidates: readonly Candidate[], isAlike: boolean) {
    this.#demand = demand;
    this.#candidates = candidates;
    this.#targets = targetsOf(demand);
    this.#isForOne = mayBeAlone(demand);
    this.#needs = needsOf(demand);
    const isNamed = demand.required.length + demand.request.excluded.length > 0;
    this.#idle = isAlike && !isNamed ? new Map() : null;
    this.#usages = candidates.map(() => null);
    this.#first = new Float64Array(candidates.length);
    this.#costs = candidates.map(() => NO_COSTS);
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
    const [candidates, usages, first, costs] = [this.#candidates, this.#usages, this.#first, this.#costs];
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let at = 0; at < candidates.length; at++) {
      const candidate = candidates[at] as Candidate;
      const { usage } = candidate;
      if (usages[at] !== usage) {
        const made = this.#costAlone(candidate, usage, rate);
        usages[at] = usage;
        first[at] = made === NO_COSTS ? Number.POSITIVE_INFINITY : firstOf(candidate, made);
        costs[at] = made;
      }
      const cost = first[at] as number;
      if (cost > least || cost === Number.POSITIVE_INFINITY) continue;
      if (cost === least && compare(costs[at] ?? NO_COSTS, costs[best] ?? NO_COSTS) >= 0) continue;
      [best, least] = [at, cost];
    }
    const candidate = candidates[best];
    return candidate ? offerOf(candidate, this.#demand) : null;
  }

  #costAlone(candidate: Candidate, usage: NodeUsage, rate: Rate): readonly number[] {
    if (!hasAmounts(candidate.node, usage, this.#needs)) return NO_COSTS;
    const kind = this.#idle && isIdle(usage) ? nodeKind(candidate.node) : null;
    const known = kind === null ? undefined : this.#idle?.get(kind);
    if (known) return known;
    const costs = this.#lookAt(candidate, rate);
    if (kind !== null) this.#idle?.set(kind, costs);
    return costs;
  }

  #lookAt(candidate: Candidate, rate: Rate): readonly number[] {
    const offer = offerOf(candidate, this.#demand);
    return offer && suffices(this.#demand, this.#targets, offer) ? costsOf(offer, this.#demand, rate) : NO_COSTS;
  }

  #preferredFirst(rate: Rate): Offer[] {
    const offered = this.#candidates.flatMap((candidate) => {
      const offer = offerOf(candidate, this.#demand);
      if (!offer) return [];
      const costs = costsOf(offer, this.#demand, rate);
      return [{ offer, costs, first: firstOf(candidate, costs) }];
    });
    offered.sort((a, b) => a.first - b.first || compare(a.costs, b.costs) || a.offer.position - b.offer.position);
    return offered.map(({ offer }) => offer);
  }
}

const NO_COSTS: readonly number[] = [];

function costsOf(offer: Offer, demand: Demand, rate: Rate): readonly number[] {
  return rate(spotOf(offer, demand));
}

/** Weight above all, then the first cost, which is below 2^31 either way. */
function firstOf({ node }: Candidate, costs: readonly number[]): number {
  return weightOf(node) * 2 ** 32 + (costs[0] ?? 0);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < a.length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
