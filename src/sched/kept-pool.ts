/** The nodes of one place with what is in use there for the job at hand, for as long as they are the same nodes. */

import { couldRun } from "../core/fit.ts";
import type { NodeName } from "../core/ids.ts";
import { type Candidate, offerOf, suffices } from "../core/node-set.ts";
import { type Allocation, NO_USAGE, type ResourceRequest } from "../core/resources.ts";
import type { HoldingBook, OnNode } from "./book.ts";
import { KeptPlacer } from "./place/place.ts";
import type { Scoring } from "./place/scores/score.ts";
import { type Shapes, shapeOf } from "./place/shapes.ts";
import type { Ahead } from "./profile.ts";

/** Shapes of which is remembered whether they could ever run; then all are forgotten. */
const SHAPES_MAX = 100_000;

export class KeptPool implements Ahead {
  /** As the pass grants from them. */
  readonly own: readonly Candidate[];
  /** The same as jobs of the place see them. */
  readonly seen: readonly Candidate[];
  readonly indices: ReadonlyMap<NodeName, number>;
  book: HoldingBook | null = null;
  nodes: readonly OnNode[] = [];
  readonly #placer: KeptPlacer;
  readonly #shapes: Shapes;
  readonly #couldRun = new Map<string, boolean>();
  #kinds: readonly Candidate[] | null = null;

  /** @param nodeOf a node as jobs of the place see it */
  constructor(
    own: readonly Candidate[],
    scoring: Scoring,
    shapes: Shapes,
    nodeOf: (one: Candidate) => Candidate["node"] = ({ node }) => node,
  ) {
    this.own = own;
    this.seen = own.map((one) => ({ node: nodeOf(one), position: one.position, usage: one.usage }));
    this.indices = new Map(own.map(({ node }, at) => [node.name, at]));
    this.#shapes = shapes;
    this.#placer = new KeptPlacer(this.seen, scoring, shapes);
  }

  isOf(own: readonly Candidate[]): boolean {
    return own.length === this.own.length && own.every((one, at) => one === this.own[at]);
  }

  /** For another pass. */
  renew(): void {
    this.#placer.renew();
  }

  /** Works out what the first request would have to wait for, and yields in between. */
  prepare(): Generator<void, void> {
    return this.#placer.prepare();
  }

  /**
   * Where a request goes, by the usage that is seen.
   * @param news where that is another one than before; `null` if it may be so everywhere
   */
  place(request: ResourceRequest, news: readonly number[] | null = null): Allocation | null {
    return this.#placer.place(request, news);
  }

  /** Whether these nodes could run a request if nothing ran on them. */
  couldRun(request: ResourceRequest): boolean {
    const shape = shapeOf(request);
    let found = this.#couldRun.get(shape);
    if (found === undefined) {
      found = this.#couldOne(request) || couldRun(this.seen, request);
      if (this.#couldRun.size >= SHAPES_MAX) this.#couldRun.clear();
      this.#couldRun.set(shape, found);
    }
    return found;
  }

  /** Whether one node could run all of it, which is quickly told of nodes that are alike. */
  #couldOne(request: ResourceRequest): boolean {
    const { classes } = this.#shapes;
    this.#kinds ??= [...new Map(this.seen.map((one) => [classes.kindOf(one.node), one])).values()];
    const empty = this.#kinds.map(({ node, position }) => ({ node, position, usage: NO_USAGE }));
    return this.#shapes.waysOf(request).some(({ demand, targets, isForOne, isNamed }) => {
      if (!isForOne || isNamed) return false;
      return empty.some((one) => {
        const offer = offerOf(one, demand);
        return offer !== null && suffices(demand, targets, offer);
      });
    });
  }
}
