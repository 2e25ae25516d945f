/**
 * What is in use on each node from now on: what runs is held until its time limit, and what is promised to waiting jobs
 * is taken from its time on. Between two promises usage only falls, so the most of a stretch of time is found by a look
 * at its beginning and at each promise that begins in it.
 */

import type { JobId, NodeName } from "../core/ids.ts";
import type { LicenseWish } from "../core/licenses.ts";
import type { Candidate } from "../core/node-set.ts";
import { addShare, type NodeUsage } from "../core/resources.ts";
import {
  countUpTo,
  type Ending,
  type Holding,
  HoldingBook,
  type Line,
  lineOf,
  lineOn,
  type OnNode,
  usageAt,
} from "./book.ts";

export type { Holding } from "./book.ts";

/** What is promised to a waiting job. */
export interface Promised extends Holding {
  readonly jobId: JobId;
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface Slot extends Ending {
  readonly at: number;
}

/** Nodes as they are now, and as somebody wants to see them of a later time. */
export interface Ahead {
  readonly own: readonly Candidate[];
  readonly seen: readonly Candidate[];
  readonly indices: ReadonlyMap<NodeName, number>;
  /** The nodes in the book that was used last. */
  book: HoldingBook | null;
  nodes: readonly OnNode[];
}

/** Lines of nodes that are made before others have their turn. */
const LINES_A_STEP = 64;

const NO_SLOTS: readonly Slot[] = [];

/** One for each pass. */
export class Profile {
  readonly #now: number;
  readonly #holdings: HoldingBook | Iterable<Holding>;
  #book: HoldingBook | null = null;
  readonly #started: Holding[] = [];
  readonly #promised: Promised[] = [];
  readonly #slots = new Map<NodeName, Slot[]>();
  /** By node: usage from now until behind so many of its slots' beginnings. */
  readonly #windows = new Map<NodeName, { base: NodeUsage; readonly upTo: NodeUsage[] }>();
  /** Lines of nodes on which this pass has started or released something. */
  #own: Map<NodeName, Line> | null = null;
  /** Holdings that this pass has others give back earlier, by the time from which on. */
  readonly #released = new Map<JobId, number>();
  #times: readonly number[] | null = null;
  /** Another number after each change of {@link promised}. */
  promiseVersion = 0;

  /** @param holdings read when a job is blocked; what is in use and not told of never ends */
  constructor(holdings: HoldingBook | Iterable<Holding>, now: number) {
    this.#holdings = holdings;
    this.#now = now;
  }

  /** All promises made so far. */
  get promised(): readonly Promised[] {
    return this.#promised;
  }

  /** Notes what this pass starts: its shares are in the nodes' usage from now on. */
  start(holding: Holding): void {
    this.#started.push(holding);
    if (this.#own) this.#addOwn(this.#own, holding);
    this.#times = null;
  }

  /** Some of the holdings are given back at a time already. */
  release(jobIds: ReadonlySet<JobId>, at: number): void {
    for (const jobId of jobIds) this.#released.set(jobId, Math.min(at, this.#released.get(jobId) ?? at));
    this.#own = null;
    this.#times = null;
    this.#windows.clear();
  }

  promise(promised: Promised): void {
    this.#promised.push(promised);
    this.promiseVersion += 1;
    this.#times = null;
    const { at, until, partition } = promised;
    for (const share of promised.allocation) {
      const slots = this.#slots.get(share.node) ?? [];
      this.#slots.set(share.node, slots);
      slots.push({ at, until, share, partition });
      slots.sort((a, b) => a.at - b.at);
      this.#windows.delete(share.node);
    }
  }

  /** Takes back what {@link promise} was given: the same object. */
  withdraw(promised: Promised): void {
    const at = this.#promised.indexOf(promised);
    if (at < 0) return;
    this.#promised.splice(at, 1);
    this.promiseVersion += 1;
    this.#times = null;
    for (const share of promised.allocation) {
      const slots = (this.#slots.get(share.node) ?? []).filter((slot) => slot.share !== share);
      if (slots.length > 0) this.#slots.set(share.node, slots);
      else this.#slots.delete(share.node);
      this.#windows.delete(share.node);
    }
  }

  /** Nodes of which something is promised to somebody. */
  promisedNodes(): Iterable<NodeName> {
    return this.#slots.keys();
  }

  /** Works out what the first look ahead would have to wait for, and yields in between. */
  *prepare(nodes: readonly Candidate[]): Generator<void, void> {
    const book = this.#known();
    let made = 0;
    for (const { node } of nodes) {
      const known = book.on(node.name);
      if (known.line !== null) continue;
      lineOn(known);
      made += 1;
      if (made % LINES_A_STEP === 0) yield;
    }
  }

  /** Whether something of a node is promised to somebody. */
  isPromised(node: NodeName): boolean {
    return this.#slots.has(node);
  }

  /** The most that is in use on a node from now until a time. The same object as long as nothing changed. */
  usageUntil({ node, usage }: Candidate, until: number): NodeUsage {
    const slots = this.#slots.get(node.name);
    if (!slots) return usage;
    let known = this.#windows.get(node.name);
    if (known?.base !== usage) {
      known = { base: usage, upTo: [usage] };
      this.#windows.set(node.name, known);
    }
    let count = 0;
    for (const slot of slots) if (slot.at < until) count += 1;
    for (let done = known.upTo.length; done <= count; done++) {
      const slot = slots[done - 1];
      const before = known.upTo[done - 1] ?? usage;
      known.upTo.push(slot ? most(before, this.#levelAt(node.name, usage, slot.at)) : before);
    }
    return known.upTo[count] ?? usage;
  }

  /** The most that is in use on a node from one time until another. */
  usageBetween({ node, usage }: Candidate, from: number, until: number): NodeUsage {
    let found = this.#levelAt(node.name, usage, from);
    for (const slot of this.#slots.get(node.name) ?? NO_SLOTS) {
      if (slot.at > from && slot.at < until) found = most(found, this.#levelAt(node.name, usage, slot.at));
    }
    return found;
  }

  /** The same without what is promised: it never rises with time. */
  runningAt({ node, usage }: Candidate, at: number): NodeUsage {
    return this.#withoutEnded(node.name, usage, at);
  }

  /**
   * {@link runningAt} for many nodes, put into others of the same order; then the same of {@link usageBetween}.
   * @param until negative infinity for what runs alone
   */
  lookAhead(pool: Ahead, from: number, until: number): void {
    const { own, seen } = pool;
    const book = this.#known();
    if (pool.book !== book) {
      pool.book = book;
      pool.nodes = own.map(({ node }) => book.on(node.name));
    }
    const lines = this.#ownLines();
    for (let at = 0; at < own.length; at++) {
      const node = pool.nodes[at] as OnNode;
      const { usage } = own[at] as Candidate;
      (seen[at] as Candidate).usage = from > this.#now ? usageAt(lineOn(node), usage, from) : usage;
    }
    for (const [name] of lines) this.#lookAgain(pool, name, from, until);
    if (until !== Number.NEGATIVE_INFINITY) for (const [name] of this.#slots) this.#lookAgain(pool, name, from, until);
  }

  #lookAgain({ own, seen, indices }: Ahead, name: NodeName, from: number, until: number): void {
    const at = indices.get(name);
    if (at === undefined) return;
    const one = own[at] as Candidate;
    const isRunning = until === Number.NEGATIVE_INFINITY;
    (seen[at] as Candidate).usage = isRunning ? this.runningAt(one, from) : this.usageBetween(one, from, until);
  }

  /** CPUs of a node that jobs of a partition no longer hold then, less those promised to such jobs until some time. */
  cpusGivenBack(node: NodeName, partition: string, at: number, until: number): number {
    let cpus = 0;
    if (at > this.#now) {
      for (const ending of this.#lineOf(node).endings) {
        if (ending.until > at) break;
        if (ending.partition === partition) cpus += ending.share.cpus;
      }
    }
    for (const slot of this.#slots.get(node) ?? NO_SLOTS) {
      if (slot.partition === partition && slot.at < until && slot.until > at) cpus -= slot.share.cpus;
    }
    return cpus;
  }

  /** Later times at which something is given back, ascending. */
  times(): readonly number[] {
    this.#times ??= this.#timesNow();
    return this.#times;
  }

  /** Whether so many licenses are there from one time until another. */
  hasLicenses(
    totals: ReadonlyMap<string, number>,
    wishes: readonly LicenseWish[],
    from: number,
    until: number,
  ): boolean {
    return wishes.every(({ name, count }) => {
      const free = (totals.get(name) ?? 0) - count;
      if (free < this.#licensesAt(name, from)) return false;
      return this.#promised.every(({ at }) => at <= from || at >= until || free >= this.#licensesAt(name, at));
    });
  }

  #licensesAt(name: string, at: number): number {
    let used = 0;
    const count = (wishes: readonly LicenseWish[]): void => {
      for (const wish of wishes) if (wish.name === name) used += wish.count;
    };
    for (const holding of this.#known().licensed()) if (this.#untilOf(holding) > at) count(holding.licenses);
    for (const { until, licenses } of this.#started) if (until > at) count(licenses);
    for (const one of this.#promised) if (one.at <= at && one.until > at) count(one.licenses);
    return used;
  }

  #known(): HoldingBook {
    this.#book ??= this.#holdings instanceof HoldingBook ? this.#holdings : HoldingBook.of(this.#holdings);
    return this.#book;
  }

  #untilOf({ jobId, until }: Holding): number {
    if (jobId === undefined || this.#released.size === 0) return until;
    return Math.min(until, this.#released.get(jobId) ?? until);
  }

  #timesNow(): readonly number[] {
    const known = this.#known().times();
    const later: number[] = [];
    for (const { until } of this.#started) later.push(until);
    for (const { until } of this.#promised) later.push(until);
    if (this.#released.size > 0) {
      // What is given back earlier is given back at no other time.
      for (const holding of this.#known().all()) later.push(this.#untilOf(holding));
      return ascending(later, this.#now);
    }
    return merged(known.slice(countUpTo(known, (at) => at, this.#now)), ascending(later, this.#now));
  }

  #levelAt(node: NodeName, usage: NodeUsage, at: number): NodeUsage {
    let found = this.#withoutEnded(node, usage, at);
    for (const slot of this.#slots.get(node) ?? NO_SLOTS) {
      if (slot.at <= at && slot.until > at) found = addShare(found, slot.share, 1);
    }
    return found;
  }

  #withoutEnded(node: NodeName, usage: NodeUsage, at: number): NodeUsage {
    return at > this.#now ? usageAt(this.#lineOf(node), usage, at) : usage;
  }

  #lineOf(node: NodeName): Line {
    return this.#ownLines().get(node) ?? this.#known().lineOf(node);
  }

  #ownLines(): ReadonlyMap<NodeName, Line> {
    if (!this.#own) {
      this.#own = new Map();
      for (const holding of this.#started) this.#addOwn(this.#own, holding);
      for (const [jobId] of this.#released) this.#moveEnds(this.#own, jobId);
    }
    return this.#own;
  }

  #addOwn(own: Map<NodeName, Line>, { allocation, until, partition }: Holding): void {
    for (const share of allocation) {
      const line = own.get(share.node) ?? this.#known().lineOf(share.node);
      own.set(share.node, lineOf([...line.endings, { until, share, partition }]));
    }
  }

  #moveEnds(own: Map<NodeName, Line>, jobId: JobId): void {
    const holding = this.#known().get(jobId);
    if (!holding) return;
    const until = this.#untilOf(holding);
    for (const share of holding.allocation) {
      const line = own.get(share.node) ?? this.#known().lineOf(share.node);
      const endings = line.endings.map((one) => (one.share === share ? { ...one, until } : one));
      own.set(share.node, lineOf(endings));
    }
  }
}

/** Finite times after now, each once. */
function ascending(times: readonly number[], now: number): number[] {
  const all = new Set(times.filter((at) => at > now && Number.isFinite(at)));
  return [...Float64Array.from(all).sort()];
}

function merged(some: readonly number[], others: readonly number[]): readonly number[] {
  if (others.length === 0) return some;
  const all: number[] = [];
  let at = 0;
  for (const other of others) {
    for (; at < some.length && (some[at] as number) < other; at++) all.push(some[at] as number);
    if (some[at] !== other) all.push(other);
  }
  for (; at < some.length; at++) all.push(some[at] as number);
  return all;
}

/** Of each resource the larger amount. */
function most(one: NodeUsage, other: NodeUsage): NodeUsage {
  const gpus: Record<number, number> = { ...one.gpus };
  for (const [index, thousandths] of Object.entries(other.gpus)) {
    const at = Number(index);
    gpus[at] = Math.max(gpus[at] ?? 0, thousandths);
  }
  return {
    cpus: Math.max(one.cpus, other.cpus),
    memoryMiB: Math.max(one.memoryMiB, other.memoryMiB),
    gpus,
  };
}
