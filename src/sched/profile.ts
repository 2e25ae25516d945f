/**
 * What is in use on each node from now on: what runs is held until its time limit, and what is promised to waiting jobs
 * is taken from its time on. Between two promises usage only falls, so the most of a stretch of time is found by a look
 * at its beginning and at each promise that begins in it.
 */

import type { JobId, NodeName } from "../core/ids.ts";
import type { LicenseWish } from "../core/licenses.ts";
import type { Candidate } from "../core/node-set.ts";
import { type Allocation, addShare, type NodeShare, type NodeUsage } from "../core/resources.ts";

/** What a job holds, and until when. */
export interface Holding {
  /** Whose it is; needed only where jobs make room for others. */
  readonly jobId?: JobId;
  readonly allocation: Allocation;
  /** Milliseconds since 1970; Infinity for never. */
  readonly until: number;
  readonly licenses: readonly LicenseWish[];
  /** Name of the partition in which it started; empty where that does not matter. */
  readonly partition: string;
}

/** What is promised to a waiting job. */
export interface Promised extends Holding {
  readonly jobId: JobId;
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface Ending {
  readonly until: number;
  readonly share: NodeShare;
  readonly partition: string;
}

/** What ends on a node, in order; and its usage after each end, for one usage at the beginning. */
interface Line {
  readonly endings: Ending[];
  base: NodeUsage | null;
  steps: NodeUsage[];
}

interface Slot extends Ending {
  readonly at: number;
}

const NO_SLOTS: readonly Slot[] = [];

/** One for each pass. */
export class Profile {
  readonly #now: number;
  readonly #holdings: Iterable<Holding>;
  #held: readonly Holding[] | null = null;
  readonly #started: Holding[] = [];
  readonly #promised: Promised[] = [];
  readonly #slots = new Map<NodeName, Slot[]>();
  /** By node: usage from now until behind so many of its slots' beginnings. */
  readonly #windows = new Map<NodeName, { base: NodeUsage; readonly upTo: NodeUsage[] }>();
  #lines: Map<NodeName, Line> | null = null;
  #times: readonly number[] | null = null;

  /** @param holdings read when a job is blocked; what is in use and not told of never ends */
  constructor(holdings: Iterable<Holding>, now: number) {
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
    if (this.#lines) for (const share of holding.allocation) addEnding(this.#lines, holding, share);
    this.#times = null;
  }

  /** Some of the holdings are given back at a time already. */
  release(jobIds: ReadonlySet<JobId>, at: number): void {
    const isReleased = ({ jobId }: Holding): boolean => jobId !== undefined && jobIds.has(jobId);
    this.#held = [...this.#known()].map((one) => (isReleased(one) && one.until > at ? { ...one, until: at } : one));
    this.#lines = null;
    this.#times = null;
    this.#windows.clear();
  }

  promise(promised: Promised): void {
    this.#promised.push(promised);
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
    this.#times = null;
    for (const share of promised.allocation) {
      const slots = (this.#slots.get(share.node) ?? []).filter((slot) => slot.share !== share);
      if (slots.length > 0) this.#slots.set(share.node, slots);
      else this.#slots.delete(share.node);
      this.#windows.delete(share.node);
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

  /** CPUs of a node that jobs of a partition no longer hold then, less those promised to such jobs until some time. */
  cpusGivenBack(node: NodeName, partition: string, at: number, until: number): number {
    let cpus = 0;
    if (at > this.#now) {
      for (const ending of this.#lineOf(node)?.endings ?? []) {
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
    if (this.#times) return this.#times;
    const all = new Set<number>();
    for (const { until } of this.#all()) if (until > this.#now && Number.isFinite(until)) all.add(until);
    for (const { until } of this.#promised) if (Number.isFinite(until)) all.add(until);
    this.#times = [...Float64Array.from(all).sort()];
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
    for (const { until, licenses } of this.#all()) if (until > at) count(licenses);
    for (const one of this.#promised) if (one.at <= at && one.until > at) count(one.licenses);
    return used;
  }

  #known(): readonly Holding[] {
    this.#held ??= [...this.#holdings];
    return this.#held;
  }

  *#all(): Generator<Holding> {
    yield* this.#known();
    yield* this.#started;
  }

  #levelAt(node: NodeName, usage: NodeUsage, at: number): NodeUsage {
    let found = this.#withoutEnded(node, usage, at);
    for (const slot of this.#slots.get(node) ?? NO_SLOTS) {
      if (slot.at <= at && slot.until > at) found = addShare(found, slot.share, 1);
    }
    return found;
  }

  #withoutEnded(node: NodeName, usage: NodeUsage, at: number): NodeUsage {
    const line = at > this.#now ? this.#lineOf(node) : undefined;
    if (!line) return usage;
    if (line.base !== usage) {
      line.base = usage;
      line.steps = [usage];
    }
    const { endings, steps } = line;
    let done = 0;
    for (let ending = endings[0]; ending && ending.until <= at; ending = endings[done]) {
      done += 1;
      steps[done] ??= addShare(steps[done - 1] ?? usage, ending.share, -1);
    }
    return steps[done] ?? usage;
  }

  #lineOf(node: NodeName): Line | undefined {
    if (!this.#lines) {
      this.#lines = new Map();
      for (const holding of this.#all()) {
        for (const share of holding.allocation) addEnding(this.#lines, holding, share, false);
      }
      for (const { endings } of this.#lines.values()) endings.sort((a, b) => a.until - b.until);
    }
    return this.#lines.get(node);
  }
}

function addEnding(lines: Map<NodeName, Line>, { until, partition }: Holding, share: NodeShare, isSorted = true): void {
  let line = lines.get(share.node);
  if (!line) {
    line = { endings: [], base: null, steps: [] };
    lines.set(share.node, line);
  }
  line.endings.push({ until, share, partition });
  if (isSorted) line.endings.sort((a, b) => a.until - b.until);
  line.base = null;
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
