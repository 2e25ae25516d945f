/**
 * What passes remember from one to the next, so that a pass looks only at what has changed: nodes in order, what requests
 * would cost on them, and until when jobs hold what. It decides nothing: a pass without it comes to the same plan.
 */

import type { Node } from "../core/node.ts";
import { type Candidate, candidatesOf } from "../core/node-set.ts";
import type { NodeUsage } from "../core/resources.ts";
import { HoldingsKeeper } from "./holdings.ts";
import { KeptPool } from "./kept-pool.ts";
import type { Scoring } from "./place/scores/score.ts";
import { Shapes } from "./place/shapes.ts";

/** Wishes of which is remembered when there was room; then all are forgotten. */
const HINTS_MAX = 1000;

/** Pools that are remembered; then all are forgotten. */
const POOLS_MAX = 256;

/** For one cluster and one policy. */
export class PassMemory {
  readonly shapes = new Shapes();
  readonly holdings = new HoldingsKeeper();
  /** By wish: when there was room last time, as a first guess. In milliseconds since 1970. */
  readonly hints = new Hints();
  /** In the order of names. */
  #all: Candidate[] = [];
  /** Where each node of the view's order is in {@link #all}. */
  #places: readonly number[] = [];
  #names: readonly string[] = [];
  #open: readonly Candidate[] = [];
  /** Where each node is in the list of {@link open}. */
  indexOf: ReadonlyMap<string, number> = new Map();
  #isOpen: boolean[] = [];
  #synced: { readonly node: Node; readonly usage: NodeUsage }[] = [];
  readonly #pools = new Map<string, { readonly pool: KeptPool; readonly scoring: Scoring }>();

  /** Nodes that take work, in the order of their names, with their usage of now. The same list while they are the same nodes. */
  open(nodes: readonly Node[], takesWork: (node: Node) => boolean): readonly Candidate[] {
    let isSame = this.#hasNames(nodes);
    if (!isSame) this.#arrange(nodes);
    for (let index = 0; index < nodes.length; index++) {
      const at = this.#places[index] as number;
      const node = nodes[index] as Node;
      if (!this.#sync(at, node)) isSame = false;
      const isOpen = takesWork(node);
      if (isOpen !== this.#isOpen[at]) isSame = false;
      this.#isOpen[at] = isOpen;
    }
    if (!isSame) {
      this.#open = this.#all.filter((_, at) => this.#isOpen[at]);
      this.indexOf = new Map(this.#open.map(({ node }, at) => [node.name, at]));
      this.#pools.clear();
    }
    return this.#open;
  }

  /** The pool of some of the open nodes that is remembered under a key; a new one if it was of others. */
  pool(key: string, own: readonly Candidate[], scoring: Scoring, nodeOf: (one: Candidate) => Node): KeptPool {
    const known = this.#pools.get(key);
    if (known?.scoring === scoring && known.pool.isOf(own)) {
      known.pool.renew();
      return known.pool;
    }
    if (this.#pools.size >= POOLS_MAX) this.#pools.clear();
    const pool = new KeptPool(own, scoring, this.shapes, nodeOf);
    this.#pools.set(key, { pool, scoring });
    return pool;
  }

  #hasNames(nodes: readonly Node[]): boolean {
    return nodes.length === this.#names.length && nodes.every(({ name }, at) => name === this.#names[at]);
  }

  #arrange(nodes: readonly Node[]): void {
    this.#all = candidatesOf(nodes);
    this.#names = nodes.map(({ name }) => name);
    const placeOf = new Map(this.#all.map(({ node }, at) => [node.name, at]));
    this.#places = nodes.map(({ name }) => placeOf.get(name) ?? 0);
    this.#isOpen = [];
    this.#synced = this.#all.map(({ node, usage }) => ({ node, usage }));
  }

  /** False if it has become another node than what is known of it. */
  #sync(at: number, node: Node): boolean {
    const candidate = this.#all[at] as Candidate;
    const synced = this.#synced[at];
    if (synced?.node === node && synced.usage === candidate.usage) return true;
    const { inventory, settings } = candidate.node;
    const isSame = inventory === node.inventory && settings === node.settings;
    if (!isSame) this.#all[at] = { node, usage: node.usage, position: candidate.position };
    else if (!isSameUsage(candidate.usage, node.usage)) candidate.usage = node.usage;
    this.#synced[at] = { node, usage: (this.#all[at] as Candidate).usage };
    return isSame;
  }
}

class Hints extends Map<string, number> {
  override set(wish: string, at: number): this {
    if (this.size >= HINTS_MAX && !this.has(wish)) this.clear();
    return super.set(wish, at);
  }
}

function isSameUsage(one: NodeUsage, other: NodeUsage): boolean {
  if (one === other) return true;
  if (one.cpus !== other.cpus || one.memoryMiB !== other.memoryMiB) return false;
  for (const index in one.gpus) if (one.gpus[index] !== other.gpus[index]) return false;
  for (const index in other.gpus) if (one.gpus[index] === undefined) return false;
  return true;
}
