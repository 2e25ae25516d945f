/**
 * The nodes that jobs of one place may use in a pass, with what the pass has granted.
 *
 * Places may share nodes. Once a job waits for room, the nodes of its place are kept for it: no job behind it gets any
 * of them, from whatever partition it is.
 */

import { couldRun } from "../core/fit.ts";
import type { NodeName } from "../core/ids.ts";
import type { Node } from "../core/node.ts";
import type { Candidate } from "../core/node-set.ts";
import { type Allocation, addShare, type NodeShare, type NodeUsage, type ResourceRequest } from "../core/resources.ts";
import { ChangeLog } from "../util/change-log.ts";
import { KeptPool } from "./kept-pool.ts";
import type { PassMemory } from "./memory.ts";
import { createPlacer } from "./place/place.ts";
import { PACK } from "./place/scores/pack.ts";
import type { Scoring } from "./place/scores/score.ts";
import type { Place } from "./places.ts";
import type { SchedulerPolicy } from "./policy.ts";
import type { Profile } from "./profile.ts";
import { capped, cappedUsage, full, Sight } from "./sight.ts";

export interface Pool {
  readonly candidates: readonly Candidate[];
  /** With those that are kept for jobs before: for questions about what could ever run there. */
  readonly own: readonly Candidate[];
  place(request: ResourceRequest): Allocation | null;
  /** Whether its nodes could run a request if nothing ran on them. */
  couldRun(request: ResourceRequest): boolean;
  /** What the first {@link place} would have to wait for; yields in between. */
  prepare(): Generator<void, void>;
}

/** Grants that are remembered for pools that have not looked since; who missed more looks at all nodes. */
const CHANGES_MAX = 4096;

/** A pool of another time than now. */
export type LaterPool = Pick<Pool, "candidates" | "place">;

export interface Pools {
  /** What a job of a place may use from now until a time; `null` if all of it is kept for jobs before it. */
  of(place: Place, until: number): Pool | null;
  /** What it could use from a later time on, by what is known now. */
  at(place: Place, from: number, until: number): LaterPool;
  /** The same with the nodes that reservations keep from it, and without regard to what is promised to others. */
  freedBy(place: Place, at: number): LaterPool;
  /** {@link at}, for one request. */
  placeAt(place: Place, request: ResourceRequest, from: number, until: number): Allocation | null;
  /** {@link freedBy}, for one request. */
  placeFreed(place: Place, request: ResourceRequest, at: number): Allocation | null;
  /** Whether no request of this kind loses its room by what is given back. */
  isMonotonic(request: ResourceRequest): boolean;
  /** What a job could use now if some shares were given back, on nodes that are promised to nobody. */
  without(place: Place, until: number, given: readonly NodeShare[]): LaterPool;
  /** Keeps the nodes of a place for the job that waits for them. */
  keep(place: Place): void;
  /** Grants to a job (of a user, by number) of a place what was found for it. */
  take(place: Place, allocation: Allocation, uid: number): void;
  /** What a job of a place would have to wait for if its pool were made when it is looked at; yields in between. */
  prepare(place: Place, until: number): Generator<void, void>;
  /** The same for {@link placeAt} and {@link placeFreed}. */
  prepareLater(place: Place): Generator<void, void>;
  /** The usage of {@link all} may have been changed by others. */
  touch(): void;
  /** Grants to nobody of a place. */
  hold(allocation: Allocation): void;
  /** Counts for a place what was taken from {@link all} already. */
  note(place: Place, allocation: Allocation, uid: number): void;
  /** All nodes that take new work, with what the pass has granted. */
  readonly all: readonly Candidate[];
  /** Whether every node is kept for somebody. */
  readonly isDone: boolean;
}

/**
 * Pools of nodes that take new work.
 * @param memory what is known of them from other passes
 */
export function createPools(
  open: readonly Candidate[],
  profile: Profile,
  now: number,
  scoringOf: SchedulerPolicy["scoringOf"],
  memory: PassMemory,
): Pools {
  return new PassPools(open, profile, now, scoringOf ?? (() => PACK), memory);
}

class PassPools implements Pools {
  readonly all: readonly Candidate[];
  readonly #profile: Profile;
  readonly #now: number;
  readonly #scoringOf: (partition: string) => Scoring;
  readonly #memory: PassMemory;
  readonly #pools = new Map<string, Pool | null>();
  readonly #laterPools = new Map<string, KeptPool>();
  readonly #kept = new Set<NodeName>();
  readonly #granted = new Map<string, Map<NodeName, number>>();
  /** Of the jobs that this pass starts. */
  readonly #users = new Map<NodeName, Set<number>>();
  /** How long the job at hand may run: no pool looks further. */
  #horizon = Number.POSITIVE_INFINITY;
  /** Where something was granted, by the places in {@link all}. */
  readonly #changes = new ChangeLog(CHANGES_MAX);

  constructor(
    open: readonly Candidate[],
    profile: Profile,
    now: number,
    scoringOf: (partition: string) => Scoring,
    memory: PassMemory,
  ) {
    this.all = open;
    this.#profile = profile;
    this.#now = now;
    this.#scoringOf = scoringOf;
    this.#memory = memory;
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

  at(place: Place, from: number, until: number): LaterPool {
    const usageOf = (one: Candidate): NodeUsage => this.#profile.usageBetween(one, from, until);
    return this.#later(place, usageOf, [from, until], place.allows);
  }

  freedBy(place: Place, at: number): LaterPool {
    const reserved = new Set(place.reserved);
    const usageOf = (one: Candidate): NodeUsage => this.#profile.runningAt(one, at);
    const isAllowed = (node: NodeName): boolean => place.allows(node) || reserved.has(node);
    return this.#later(place, usageOf, [at, Number.NEGATIVE_INFINITY], isAllowed);
  }

  placeAt(place: Place, request: ResourceRequest, from: number, until: number): Allocation | null {
    if (!this.#isPlain(place)) return this.at(place, from, until).place(request);
    const pool = this.#laterPool(place, false);
    this.#profile.lookAhead(pool, from, until);
    return pool.place(request);
  }

  placeFreed(place: Place, request: ResourceRequest, at: number): Allocation | null {
    if (!this.#isPlain(place)) return this.freedBy(place, at).place(request);
    const pool = this.#laterPool(place, true);
    this.#profile.lookAhead(pool, at, Number.NEGATIVE_INFINITY);
    return pool.place(request);
  }

  isMonotonic(request: ResourceRequest): boolean {
    return this.#memory.shapes.waysOf(request).every((asked) => asked.isMonotonic);
  }

  without(place: Place, until: number, given: readonly NodeShare[]): LaterPool {
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
    this.hold(allocation);
    this.note(place, allocation, uid);
  }

  hold(allocation: Allocation): void {
    for (const share of allocation) {
      const at = this.#memory.indexOf.get(share.node);
      const candidate = at === undefined ? undefined : this.all[at];
      if (at === undefined || !candidate) continue;
      candidate.usage = addShare(candidate.usage, share, 1);
      this.#changes.note(at);
    }
  }

  touch(): void {
    this.#changes.noteAll();
  }

  *prepare(place: Place, until: number): Generator<void, void> {
    if (this.#pools.has(place.key)) return;
    const pool = this.of(place, until);
    yield;
    yield* pool?.prepare() ?? [];
  }

  *prepareLater(place: Place): Generator<void, void> {
    if (!this.#isPlain(place)) return;
    yield* this.#profile.prepare(this.all);
    for (const withReserved of [true, false]) {
      this.#laterPool(place, withReserved);
      yield;
    }
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
    const scoring = this.#scoringOf(place.partition);
    const isAll = own.length === free.length;
    const kept = this.#keptPool(place, free, scoring, isAll);
    const every = (): readonly Candidate[] => (isAll ? kept.seen : own.map((one) => asSeen(one, place)));
    const sight = new Sight(kept, place, {
      profile: this.#profile,
      cpusOn: (node) => this.#heldCpus(place, node, this.#now, this.#horizon),
      isTaken: (node) => this.#isTaken(place, node),
      changes: this.#changes,
      nameAt: (at) => this.all[at]?.node.name ?? "",
    });
    return {
      candidates: kept.seen,
      get own() {
        return every();
      },
      couldRun: (request) => (isAll ? kept.couldRun(request) : couldRun(every(), request)),
      place: (request) => kept.place(request, sight.look(this.#horizon)),
      *prepare() {
        sight.look(Number.POSITIVE_INFINITY);
        yield* kept.prepare();
      },
    };
  }

  /** Nodes that are kept for a while are left out for this pass alone. */
  #keptPool(place: Place, free: readonly Candidate[], scoring: Scoring, isAll: boolean): KeptPool {
    const nodeOf = (one: Candidate): Node => asSeen(one, place).node;
    if (!isAll) return new KeptPool(free, scoring, this.#memory.shapes, nodeOf);
    return this.#memory.pool(`${place.key}\0${place.cpusMax}`, free, scoring, nodeOf);
  }

  #later(
    place: Place,
    usageOf: (one: Candidate) => NodeUsage,
    [from, until]: readonly [number, number],
    isAllowed: (node: NodeName) => boolean,
  ): LaterPool {
    const candidates = this.all.flatMap((base): Candidate[] => {
      const { node, position } = base;
      if (!isAllowed(node.name) || this.#kept.has(node.name)) return [];
      const usage = usageOf(base);
      // Whose jobs are there then is not known; an empty node is nobody's.
      if (usage.cpus > 0 && this.#isTaken(place, node.name)) return [{ node, position, usage: full(node) }];
      if (place.cpusMax === 0) return [{ node, position, usage }];
      const held = this.#heldCpus(place, node.name, from, until);
      return [{ node: capped(node, place.cpusMax), position, usage: cappedUsage(node, usage, place.cpusMax, held) }];
    });
    const scoring = this.#scoringOf(place.partition);
    return { candidates, place: createPlacer(candidates, scoring, this.#memory.shapes) };
  }

  /** Whether jobs of a place see all of its nodes as they are. */
  #isPlain({ cpusMax, others, onlyUser }: Place): boolean {
    return this.#kept.size === 0 && cpusMax === 0 && others.size === 0 && onlyUser === null;
  }

  /** Its usage is another with each question: only what differs from the one before is looked at. */
  #laterPool(place: Place, withReserved: boolean): KeptPool {
    const isWide = withReserved && place.reserved.length > 0;
    const key = `later\0${place.key}\0${isWide}`;
    let pool = this.#laterPools.get(key);
    if (!pool) {
      const reserved = new Set(isWide ? place.reserved : []);
      const own = this.all.filter(({ node: { name } }) => place.allows(name) || reserved.has(name));
      pool = this.#memory.pool(key, own, this.#scoringOf(place.partition), ({ node }) => node);
      this.#laterPools.set(key, pool);
    }
    return pool;
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

/** A node as jobs of a place see it that may hold only some of its CPUs together. */
function asSeen(one: Candidate, { cpusMax }: Place): Candidate {
  return cpusMax > 0 ? { ...one, node: capped(one.node, cpusMax) } : one;
}
