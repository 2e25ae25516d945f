/**
 * The nodes that jobs of one place may use in a pass, with what the pass has granted.
 *
 * Places may share nodes. Once a job waits for room, the nodes of its place are kept for it: no job behind it gets any
 * of them, from whatever partition it is.
 */

import type { NodeName } from "../core/ids.ts";
import type { Node } from "../core/node.ts";
import type { Candidate } from "../core/node-set.ts";
import {
  type Allocation,
  addShare,
  type NodeShare,
  type NodeUsage,
  type ResourceRequest,
  WHOLE_GPU,
} from "../core/resources.ts";
import { createPlacer } from "./place/place.ts";
import { PACK } from "./place/scores/pack.ts";
import type { Scoring } from "./place/scores/score.ts";
import { take } from "./place/together.ts";
import type { Place } from "./places.ts";
import type { SchedulerPolicy } from "./policy.ts";
import type { Profile } from "./profile.ts";

export interface Pool {
  readonly candidates: readonly Candidate[];
  /** With those that are kept for jobs before: for questions about what could ever run there. */
  readonly own: readonly Candidate[];
  place(request: ResourceRequest): Allocation | null;
}

export interface Pools {
  /** What a job of a place may use from now until a time; `null` if all of it is kept for jobs before it. */
  of(place: Place, until: number): Pool | null;
  /** What it could use from a later time on, by what is known now. */
  at(place: Place, from: number, until: number): Pool;
  /** The same with the nodes that reservations keep from it, and without regard to what is promised to others. */
  freedBy(place: Place, at: number): Pool;
  /** What a job could use now if some shares were given back, on nodes that are promised to nobody. */
  without(place: Place, until: number, given: readonly NodeShare[]): Pool;
  /** Keeps the nodes of a place for the job that waits for them. */
  keep(place: Place): void;
  /** Grants to a job (of a user, by number) of a place what was found for it. */
  take(place: Place, allocation: Allocation, uid: number): void;
  /** Grants to nobody of a place. */
  hold(allocation: Allocation): void;
  /** Counts for a place what was taken from {@link all} already. */
  note(place: Place, allocation: Allocation, uid: number): void;
  /** All nodes that take new work, with what the pass has granted. */
  readonly all: readonly Candidate[];
  /** Whether every node is kept for somebody. */
  readonly isDone: boolean;
}

/** Pools of nodes that take new work. */
export function createPools(
  open: readonly Candidate[],
  profile: Profile,
  now: number,
  scoringOf: SchedulerPolicy["scoringOf"] = () => PACK,
): Pools {
  return new PassPools(open, profile, now, scoringOf);
}

class PassPools implements Pools {
  readonly all: readonly Candidate[];
  readonly #profile: Profile;
  readonly #now: number;
  readonly #scoringOf: (partition: string) => Scoring;
  readonly #pools = new Map<string, Pool | null>();
  readonly #kept = new Set<NodeName>();
  readonly #granted = new Map<string, Map<NodeName, number>>();
  /** Of the jobs that this pass starts. */
  readonly #users = new Map<NodeName, Set<number>>();
  /** How long the job at hand may run: no pool looks further. */
  #horizon = Number.POSITIVE_INFINITY;

  constructor(open: readonly Candidate[], profile: Profile, now: number, scoringOf: (partition: string) => Scoring) {
    this.all = open;
    this.#profile = profile;
    this.#now = now;
    this.#scoringOf = scoringOf;
  }

  get isDone(): boolean {
    return this.all.length > 0 && this.all.every(({ node }) => this.#kept.has(node.name));
  }

  of(place: Place, until: number): Pool | null {
    this.#horizon = until;
    const known = this.#pools.get(place.key);
    if (known !== undefined) return known;
    const made = this.#make(place);
    this.#pools.set(place.key, made);
    return made;
  }

  at(place: Place, from: number, until: number): Pool {
    const usageOf = (one: Candidate): NodeUsage => this.#profile.usageBetween(one, from, until);
    return this.#later(place, usageOf, [from, until], place.allows);
  }

  freedBy(place: Place, at: number): Pool {
    const reserved = new Set(place.reserved);
    const usageOf = (one: Candidate): NodeUsage => this.#profile.runningAt(one, at);
    const isAllowed = (node: NodeName): boolean => place.allows(node) || reserved.has(node);
    return this.#later(place, usageOf, [at, Number.NEGATIVE_INFINITY], isAllowed);
  }

  without(place: Place, until: number, given: readonly NodeShare[]): Pool {
    const byNode = new Map<NodeName, NodeShare[]>();
    for (const share of given) byNode.set(share.node, [...(byNode.get(share.node) ?? []), share]);
    const isAllowed = (node: NodeName): boolean => place.allows(node) && !this.#profile.isPromised(node);
    const usageOf = ({ node, usage }: Candidate): NodeUsage =>
      (byNode.get(node.name) ?? []).reduce((left, share) => addShare(left, share, -1), usage);
    return this.#later(place, usageOf, [this.#now, until], isAllowed);
  }

  keep(place: Place): void {
    for (const { node } of this.all) if (place.allows(node.name)) this.#kept.add(node.name);
    this.#pools.clear();
  }

  take(place: Place, allocation: Allocation, uid: number): void {
    take(this.all, allocation);
    this.note(place, allocation, uid);
  }

  hold(allocation: Allocation): void {
    take(this.all, allocation);
  }

  note(place: Place, allocation: Allocation, uid: number): void {
    const given = this.#granted.get(place.partition) ?? new Map<NodeName, number>();
    this.#granted.set(place.partition, given);
    for (const { node, cpus } of allocation) {
      given.set(node, (given.get(node) ?? 0) + cpus);
      this.#users.set(node, (this.#users.get(node) ?? new Set()).add(uid));
    }
    if (place.onlyUser === null) return;
    // Its own user's jobs get what is left of these nodes in the next pass, which knows whose they are.
    for (const { node } of allocation) this.#kept.add(node);
    this.#pools.clear();
  }

  #make(place: Place): Pool | null {
    const own = this.all.filter(({ node }) => place.allows(node.name));
    const free = own.filter(({ node }) => !this.#kept.has(node.name));
    // A partition without nodes that take work has a pool all the same: its jobs are told what is missing.
    if (own.length > 0 && free.length === 0) return null;
    const heldUntil = free.map((one) => seen(one, () => this.#profile.usageUntil(one, this.#horizon)));
    const heldCpus = ({ name }: Node): number => this.#heldCpus(place, name, this.#now, this.#horizon);
    const limited = place.cpusMax > 0 ? heldUntil.map((one) => capped(one, place, heldCpus)) : heldUntil;
    const minds = place.others.size > 0 || place.onlyUser !== null;
    const candidates = minds
      ? limited.map((one) => seen(one, () => (this.#isTaken(place, one.node.name) ? full(one.node) : one.usage)))
      : limited;
    const every = (): readonly Candidate[] =>
      place.cpusMax > 0 ? own.map((one) => capped(one, place, heldCpus)) : own;
    return {
      candidates,
      get own() {
        return own.length === free.length ? candidates : every();
      },
      place: createPlacer(candidates, this.#scoringOf(place.partition)),
    };
  }

  #later(
    place: Place,
    usageOf: (one: Candidate) => NodeUsage,
    [from, until]: readonly [number, number],
    isAllowed: (node: NodeName) => boolean,
  ): Pool {
    const heldCpus = ({ name }: Node): number => this.#heldCpus(place, name, from, until);
    const candidates = this.all.flatMap((base): Candidate[] => {
      const { node, position } = base;
      if (!isAllowed(node.name) || this.#kept.has(node.name)) return [];
      const usage = usageOf(base);
      // Whose jobs are there then is not known; an empty node is nobody's.
      if (usage.cpus > 0 && this.#isTaken(place, node.name)) return [{ node, position, usage: full(node) }];
      const one = { node, position, usage };
      return [place.cpusMax > 0 ? capped(one, place, heldCpus) : one];
    });
    return { candidates, own: candidates, place: createPlacer(candidates, this.#scoringOf(place.partition)) };
  }

  /** CPUs that jobs of the partition hold on a node. */
  #heldCpus(place: Place, node: NodeName, from: number, until: number): number {
    const given = this.#granted.get(place.partition)?.get(node) ?? 0;
    return place.cpusHeld(node) + given - this.#profile.cpusGivenBack(node, place.partition, from, until);
  }

  #isTaken({ others, onlyUser }: Place, node: NodeName): boolean {
    const newcomers = this.#users.get(node);
    const isOther = onlyUser !== null && newcomers !== undefined && [...newcomers].some((uid) => uid !== onlyUser);
    return isOther || others.has(node);
  }
}

/** A node with another usage than it has, asked for anew each time. */
function seen({ node, position }: Candidate, usage: () => NodeUsage): Candidate {
  return {
    ...{ node, position },
    get usage() {
      return usage();
    },
  };
}

function full({ inventory }: Node): NodeUsage {
  return {
    ...{ cpus: inventory.cpus, memoryMiB: inventory.memoryMiB },
    gpus: Object.fromEntries(inventory.gpus.map(({ index }) => [index, WHOLE_GPU])),
  };
}

/** A node as jobs of a place see it that may hold only some of its CPUs together. */
function capped(base: Candidate, { cpusMax }: Place, heldCpus: (node: Node) => number): Candidate {
  const { node } = base;
  const cpus = Math.min(cpusMax, node.inventory.cpus);
  return seen({ ...base, node: { ...node, inventory: { ...node.inventory, cpus } } }, () => {
    const { usage } = base;
    const free = Math.min(cpus - heldCpus(node), node.inventory.cpus - usage.cpus);
    return { ...usage, cpus: cpus - Math.max(0, free) };
  });
}
