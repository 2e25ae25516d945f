/** One way to meet a request on certain candidates, with what it would cost on each when that was last looked at. */

import { weightOf } from "../../core/node.ts";
import { type Candidate, chooseNodes, type Offer, offerOf, type Part, suffices } from "../../core/node-set.ts";
import type { Allocation } from "../../core/resources.ts";
import { type Cursor, newCursor } from "../../util/change-log.ts";
import type { Board } from "./board.ts";
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
  #cursor: Cursor = newCursor();
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
      this.#cursor = newCursor();
      this.#failedAt = -1;
    }
    const { version } = this.#board;
    if (this.#failedAt === version) return null;
    const found = this.#find(rate);
    if (!found) this.#failedAt = version;
    return found;
  }

  #find(rate: Rate): Allocation | null {
    const { demand, isForOne, inAll } = this.#asked;
    if (this.#board.gpusInAll < inAll.gpus || this.#board.cpusInAll < inAll.cpus) return null;
    const one = isForOne ? this.#bestAlone(rate) : null;
    const alone = one && sharesOf(demand, [one]);
    if (alone) return alone;
    if (demand.request.nodes?.max === 1 || !this.#mayReach()) return null;
    const chosen = chooseNodes(demand, this.#preferredFirst(rate));
    const offers = chosen?.flatMap(({ at }) => offerOf(this.#board.candidates[at] as Candidate, demand) ?? []);
    return offers ? sharesOf(demand, offers) : null;
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
      for (const at of news.length > 1 ? new Set(news) : news) this.#rateAt(at, rate);
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

  /** Costs of running all of it on one node; none if that can't be. */
  #costsAt(at: number, rate: Rate): readonly number[] {
    if (!this.#isAlike) return this.#lookAt(this.#board.candidates[at] as Candidate, rate);
    const gains = this.#gainsAt(at);
    if (gains === null) return NO_COSTS;
    const { targets } = this.#asked;
    for (let index = 0; index < targets.length; index++) {
      if ((gains[index] as number) < (targets[index] as number)) return NO_COSTS;
    }
    return this.#spotCostsAt(at, rate);
  }

  /** Costs of what a node would give to the request: all of it, or a part. */
  #spotCostsAt(at: number, rate: Rate): readonly number[] {
    const byClass = this.#asked.costsBy(rate);
    const number = this.#board.classAt(at);
    let costs = byClass.get(number);
    if (!costs) {
      const offer = offerOf(this.#board.candidates[at] as Candidate, this.#asked.demand);
      costs = offer ? rate(spotOf(offer, this.#asked.demand)) : NO_COSTS;
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
    const { demand, targets, isNamed } = this.#asked;
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

  /** What nodes offer, the preferred ones first. */
  #preferredFirst(rate: Rate): Preferred[] {
    const { demand } = this.#asked;
    const { candidates } = this.#board;
    const offered: Preferred[] = [];
    for (let at = 0; at < candidates.length; at++) {
      const candidate = candidates[at] as Candidate;
      const offer = this.#isAlike ? null : offerOf(candidate, demand);
      const gains = this.#isAlike ? this.#gainsAt(at) : (offer?.gains ?? null);
      if (gains === null) continue;
      const costs = offer ? rate(spotOf(offer, demand)) : this.#spotCostsAt(at, rate);
      offered.push({
        at,
        room: candidate,
        position: candidate.position,
        gains,
        costs,
        first: firstOf(candidate, costs),
      });
    }
    offered.sort((a, b) => a.first - b.first || compare(a.costs, b.costs) || a.position - b.position);
    return offered;
  }
}

interface Preferred extends Part {
  readonly at: number;
  readonly costs: readonly number[];
  /** As of {@link firstOf}. */
  readonly first: number;
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
