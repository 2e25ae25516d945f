/** What jobs of a place see of its nodes now: more in use than there is, where something is kept from them. */

import type { NodeName } from "../core/ids.ts";
import type { Node } from "../core/node.ts";
import type { Candidate } from "../core/node-set.ts";
import { type NodeUsage, WHOLE_GPU } from "../core/resources.ts";
import { type ChangeLog, newCursor } from "../util/change-log.ts";
import type { KeptPool } from "./kept-pool.ts";
import type { Place } from "./places.ts";
import type { Profile } from "./profile.ts";

/** What is asked of the pass. */
interface Facts {
  readonly profile: Profile;
  /** CPUs that jobs of the partition hold on a node. */
  readonly cpusOn: (node: NodeName) => number;
  /** Whether a node is taken whatever room it has. */
  readonly isTaken: (node: NodeName) => boolean;
  /** Where the pass has granted something, by the numbers of nodes. */
  readonly changes: ChangeLog;
  readonly nameAt: (at: number) => NodeName;
}

/** Puts what is seen into a pool. */
export class Sight {
  readonly #pool: KeptPool;
  readonly #place: Place;
  readonly #facts: Facts;
  readonly #isPlain: boolean;
  /** Positions of nodes on which something is promised, as of a version of the promises. */
  #promised: readonly number[] = [];
  #version = 0;
  readonly #cursor = newCursor();
  /** By position: usage that was made up, and of what. */
  readonly #made = new Map<number, { readonly base: NodeUsage; readonly held: number; readonly usage: NodeUsage }>();

  constructor(pool: KeptPool, place: Place, facts: Facts) {
    this.#pool = pool;
    this.#place = place;
    this.#facts = facts;
    this.#isPlain = place.cpusMax === 0 && place.others.size === 0 && place.onlyUser === null;
  }

  /**
   * The answer tells where usage may be another one than at the last look; `null` for everywhere.
   * @param horizon until when the job at hand may run, in milliseconds since 1970
   */
  look(horizon: number): readonly number[] | null {
    const { own, seen } = this.#pool;
    const { profile } = this.#facts;
    const noted = this.#news();
    const news = this.#isPlain ? noted : null;
    if (news === null)
      for (let at = 0; at < own.length; at++) (seen[at] as Candidate).usage = (own[at] as Candidate).usage;
    else for (const at of news) (seen[at] as Candidate).usage = (own[at] as Candidate).usage;
    for (const at of this.#promised) (seen[at] as Candidate).usage = profile.usageUntil(own[at] as Candidate, horizon);
    if (!this.#isPlain) for (let at = 0; at < own.length; at++) this.#disguise(at, seen[at] as Candidate);
    return news;
  }

  /** Where something was granted, or is or was promised. */
  #news(): readonly number[] | null {
    const { indices } = this.#pool;
    const { profile, changes, nameAt } = this.#facts;
    const granted = changes.news(this.#cursor);
    const news = granted?.flatMap((at) => indices.get(nameAt(at)) ?? []) ?? null;
    news?.push(...this.#promised);
    if (this.#version !== profile.promiseVersion) {
      this.#version = profile.promiseVersion;
      this.#promised = [...profile.promisedNodes()].flatMap((name) => indices.get(name) ?? []);
      news?.push(...this.#promised);
    }
    return news;
  }

  #disguise(at: number, seen: Candidate): void {
    const { cpusMax } = this.#place;
    const { node } = this.#pool.own[at] as Candidate;
    const isTaken = this.#facts.isTaken(node.name);
    if (!isTaken && cpusMax === 0) return;
    const { usage: base } = seen;
    const held = isTaken ? Number.POSITIVE_INFINITY : this.#facts.cpusOn(node.name);
    const known = this.#made.get(at);
    if (known?.base === base && known.held === held) {
      seen.usage = known.usage;
      return;
    }
    const usage = isTaken ? full(seen.node) : cappedUsage(node, base, cpusMax, held);
    this.#made.set(at, { base, held, usage });
    seen.usage = usage;
  }
}

/** What is in use where nothing is to be had. */
export function full({ inventory }: Node): NodeUsage {
  return {
    ...{ cpus: inventory.cpus, memoryMiB: inventory.memoryMiB },
    gpus: Object.fromEntries(inventory.gpus.map(({ index }) => [index, WHOLE_GPU])),
  };
}

/** A node as jobs see it that may hold only some of its CPUs together. */
export function capped(node: Node, cpusMax: number): Node {
  return { ...node, inventory: { ...node.inventory, cpus: Math.min(cpusMax, node.inventory.cpus) } };
}

/** What is in use of such a node, as its own usage and what those jobs hold have it. */
export function cappedUsage(node: Node, usage: NodeUsage, cpusMax: number, held: number): NodeUsage {
  const cpus = Math.min(cpusMax, node.inventory.cpus);
  const free = Math.min(cpus - held, node.inventory.cpus - usage.cpus);
  return { ...usage, cpus: cpus - Math.max(0, free) };
}
