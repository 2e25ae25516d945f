/** One way to meet a request on certain candidates, with what it would cost on each when that was last looked at. */

import { weightOf } from "../../core/node.ts";
import { type Candidate, chooseNodes, type Offer, offerOf, suffices } from "../../core/node-set.ts";
import type { Allocation } from "../../core/resources.ts";
import type { Board, Cursor } from "./board.ts";
import type { Rate } from "./scores/score.ts";
import type { Asked } from "./shapes.ts";
import { sharesOf, spotOf } from "./shares.ts";

const NO_COSTS: readonly number[] = [];

/** What is remembered where at least one candidate could run all of it. */
interface Costs {
  /** The first cost of each, infinite for one that can't run it by itself: what most comparisons are about. */
  readonly first: Float64Array;
  readonly all: (readonly number[])[];
}

export class Way {
  readonly #asked: Asked;
  readonly #board: Board;
  readonly #isAlike: boolean;
  readonly #cursor: Cursor = { epoch: -1, read: 0 };
  #rate: Rate | null = null;
  #costs: Costs | null = null;
  /** The version of the board on which nothing was found. */
  #failedAt = -1;

  /** @param isAlike whether candidates of one class cost the same */
  constructor(asked: Asked, board: Board, isAlike: boolean) {
    this.#asked = asked;
    this.#board = board;
    this.#isAlike = isAlike && !asked.isNamed;
  }

  /** Shares on the board as it was last refreshed; `null` if there is no room. */
  place(rate: Rate): Allocation | null {
    if (this.#rate !== rate) {
      this.#rate = rate;
      this.#cursor.epoch = -1;
      this.#failedAt = -1;
    }
    const { version } = this.#board;
    if (this.#failedAt === version) return null;
    const found = this.#find(rate);
    if (!found) this.#failedAt = version;
    return found;
  }

  #find(rate: Rate): Allocation | null {
    const { demand, isForOne } = this.#asked;
    const one = isForOne ? this.#bestAlone(rate) : null;
    const alone = one && sharesOf(demand, [one]);
    if (alone) return alone;
    if (demand.request.nodes?.max === 1 || !this.#mayReach()) return null;
    const several = chooseNodes(demand, this.#preferredFirst(rate));
    return several && sharesOf(demand, several);
  }

  /** Of the nodes that could run all of it, the one that costs least. */
  #bestAlone(rate: Rate): Offer | null {
    this.#catchUp(rate);
    if (this.#costs === null) return null;
    const { first, all } = this.#costs;
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let at = 0; at < first.length; at++) {
      const cost = first[at] as number;
      if (cost > least || cost === Number.POSITIVE_INFINITY) continue;
      if (cost === least && compare(all[at] ?? NO_COSTS, all[best] ?? NO_COSTS) >= 0) continue;
      [best, least] = [at, cost];
    }
    const candidate = this.#board.candidates[best];
    return candidate ? offerOf(candidate, this.#asked.demand) : null;
  }

  #catchUp(rate: Rate): void {
    const news = this.#board.news(this.#cursor);
    if (news === null) {
      this.#costs = null;
      for (let at = 0; at < this.#board.candidates.length; at++) this.#rateAt(at, rate);
    } else {
      for (const at of news) this.#rateAt(at, rate);
    }
  }

  #rateAt(at: number, rate: Rate): void {
    const costs = this.#board.has(at, this.#asked.needs) ? this.#costsAt(at, rate) : NO_COSTS;
    if (this.#costs === null) {
      if (costs === NO_COSTS) return;
      const { length } = this.#board.candidates;
      const first = new Float64Array(length).fill(Number.POSITIVE_INFINITY);
      this.#costs = { first, all: Array.from({ length }, () => NO_COSTS) };
    }
    const candidate = this.#board.candidates[at] as Candidate;
    this.#costs.first[at] = costs === NO_COSTS ? Number.POSITIVE_INFINITY : firstOf(candidate, costs);
    this.#costs.all[at] = costs;
  }

  #costsAt(at: number, rate: Rate): readonly number[] {
    const candidate = this.#board.candidates[at] as Candidate;
    if (!this.#isAlike) return this.#lookAt(candidate, rate);
    const byClass = this.#asked.costsBy(rate);
    const number = this.#board.classAt(at);
    let costs = byClass.get(number);
    if (!costs) {
      costs = this.#lookAt(candidate, rate);
      byClass.set(number, costs);
    }
    return costs;
  }

  #lookAt(candidate: Candidate, rate: Rate): readonly number[] {
    const { demand, targets } = this.#asked;
    const offer = offerOf(candidate, demand);
    return offer && suffices(demand, targets, offer) ? rate(spotOf(offer, demand)) : NO_COSTS;
  }

  /** Whether all nodes together might do: sums that are quickly looked at before sets of nodes. */
  #mayReach(): boolean {
    const { demand, targets, inAll, isNamed } = this.#asked;
    if (this.#board.gpusInAll < inAll.gpus || this.#board.cpusInAll < inAll.cpus) return false;
    if (isNamed || targets.length === 0) return true;
    const most = demand.request.nodes?.max ?? Number.POSITIVE_INFINITY;
    const [sums, highest] = [targets.map(() => 0), targets.map(() => 0)];
    for (let at = 0; at < this.#board.candidates.length; at++) {
      const gains = this.#gainsAt(at);
      if (gains === null) continue;
      for (let index = 0; index < targets.length; index++) {
        const gain = gains[index] as number;
        sums[index] = (sums[index] as number) + gain;
        if (gain > (highest[index] as number)) highest[index] = gain;
      }
    }
    return targets.every((target, at) => Math.min(sums[at] ?? 0, (highest[at] ?? 0) * most) >= target);
  }

  #gainsAt(at: number): readonly number[] | null {
    const look = (): Offer | null => offerOf(this.#board.candidates[at] as Candidate, this.#asked.demand);
    return this.#asked.gainsOf(this.#board.classAt(at), look);
  }

  #preferredFirst(rate: Rate): Offer[] {
    const { demand } = this.#asked;
    const offered = this.#board.candidates.flatMap((candidate) => {
      const offer = offerOf(candidate, demand);
      if (!offer) return [];
      const costs = rate(spotOf(offer, demand));
      return [{ offer, costs, first: firstOf(candidate, costs) }];
    });
    offered.sort((a, b) => a.first - b.first || compare(a.costs, b.costs) || a.offer.position - b.offer.position);
    return offered.map(({ offer }) => offer);
  }
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
