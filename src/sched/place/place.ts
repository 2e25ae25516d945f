/**
 * Where a request goes: to nodes of lower weight first, of those to the one that the score prefers, of equals to the
 * first by name; and to as few nodes as will do, unless the user asked otherwise.
 */

import type { Candidate } from "../../core/node-set.ts";
import type { Allocation, ResourceRequest } from "../../core/resources.ts";
import { Board } from "./board.ts";
import { PACK } from "./scores/pack.ts";
import type { Rate, Scoring } from "./scores/score.ts";
import { Shapes, shapeOf } from "./shapes.ts";
import { Way } from "./way.ts";

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

/**
 * {@link place} for one request after the other. What nodes offer, and what it costs, is worked out anew only where it changed.
 * @param shapes what is known of requests already
 */
export function createPlacer(
  candidates: readonly Candidate[],
  scoring: Scoring = PACK,
  shapes: Shapes = new Shapes(),
): Placer {
  const placer = new KeptPlacer(candidates, scoring, shapes);
  return (request) => placer.place(request);
}

/** A placer for longer than one pass. */
export class KeptPlacer {
  readonly candidates: readonly Candidate[];
  readonly #scoring: Scoring;
  readonly #shapes: Shapes;
  readonly #board: Board;
  readonly #ways = new Map<string, readonly Way[]>();
  #rate: Rate | null = null;

  constructor(candidates: readonly Candidate[], scoring: Scoring, shapes: Shapes) {
    this.candidates = candidates;
    this.#scoring = scoring;
    this.#shapes = shapes;
    this.#board = new Board(candidates, shapes.classes);
  }

  /** What costs rest on may be another from now on: what jobs are like, say. */
  renew(): void {
    this.#rate = null;
  }

  /** Works out what the first request would have to wait for, and yields in between. */
  prepare(): Generator<void, void> {
    return this.#board.prepare();
  }

  /** @param news candidates whose usage is another one than before; `null` if that may be all of them */
  place(request: ResourceRequest, news: readonly number[] | null = null): Allocation | null {
    this.#rate ??= this.#scoring.prepare(this.candidates);
    this.#board.refresh(news);
    for (const way of this.#waysOf(request)) {
      const shares = way.place(this.#rate);
      if (shares) return shares;
    }
    return null;
  }

  #waysOf(request: ResourceRequest): readonly Way[] {
    const shape = shapeOf(request);
    const known = this.#ways.get(shape);
    if (known) return known;
    if (this.#ways.size * this.candidates.length > KEPT_MAX) this.#ways.clear();
    const { isAlike } = this.#scoring;
    const made = this.#shapes.waysOf(request).map((asked) => new Way(asked, this.#board, isAlike));
    this.#ways.set(shape, made);
    return made;
  }
}
