/**
 * What jobs hold, and until when: by node in the order of the ends, and all ends in order. It is kept from pass to pass,
 * and changed only where a job has started, ended or got another limit.
 */

import type { JobId, NodeName } from "../core/ids.ts";
import type { LicenseWish } from "../core/licenses.ts";
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

export interface Ending {
  readonly until: number;
  readonly share: NodeShare;
  readonly partition: string;
}

/** What ends on a node, in order; and its usage after each end, for one usage at the beginning. */
export interface Line {
  readonly endings: readonly Ending[];
  base: NodeUsage | null;
  steps: NodeUsage[];
  /** The last time that was asked for was behind so many ends: from one time until before another. */
  last: { readonly from: number; readonly until: number; readonly usage: NodeUsage } | null;
}

/** An end, and what its holding is noted under. */
interface Held extends Ending {
  readonly key: unknown;
}

/** One node of a book. The same object for as long as there is the book. */
export interface OnNode {
  readonly name: NodeName;
  held: Held[];
  /** `null` until somebody asks. */
  line: Line | null;
}

/** So many changes of ends are made one by one; of more all are sorted anew. */
const SINGLY_MAX = 64;

export class HoldingBook {
  readonly #holdings = new Map<unknown, Holding>();
  readonly #nodes = new Map<NodeName, OnNode>();
  readonly #licensed = new Map<unknown, Holding>();
  /** Finite ends, ascending; as many of one time as there are holdings that end then. */
  #ends: number[] = [];
  /** Ends that came (1) or went (-1) since. */
  #changes: (readonly [until: number, sign: 1 | -1])[] = [];
  #times: readonly number[] = [];

  /** A book of some holdings. */
  static of(holdings: Iterable<Holding>): HoldingBook {
    const book = new HoldingBook();
    for (const holding of holdings) {
      const { jobId } = holding;
      book.put(jobId === undefined || book.get(jobId) ? holding : jobId, holding);
    }
    return book;
  }

  all(): Iterable<Holding> {
    return this.#holdings.values();
  }

  /** What a job holds, if holdings are noted under the numbers of jobs. */
  get(key: JobId): Holding | undefined {
    return this.#holdings.get(key);
  }

  /** Those with licenses. */
  licensed(): Iterable<Holding> {
    return this.#licensed.values();
  }

  /** Notes a holding, in place of what was noted under the same key. */
  put(key: unknown, holding: Holding): void {
    if (this.#holdings.has(key)) this.drop(key);
    this.#holdings.set(key, holding);
    if (holding.licenses.length > 0) this.#licensed.set(key, holding);
    const { until, partition } = holding;
    for (const share of holding.allocation) {
      const node = this.on(share.node);
      node.held.push({ key, until, share, partition });
      node.line = null;
    }
    this.#count(until, 1);
  }

  /** Forgets a holding. */
  drop(key: unknown): void {
    const holding = this.#holdings.get(key);
    if (!holding) return;
    this.#holdings.delete(key);
    this.#licensed.delete(key);
    for (const share of holding.allocation) {
      const node = this.#nodes.get(share.node);
      if (!node) continue;
      node.held = node.held.filter((one) => one.key !== key);
      node.line = null;
    }
    this.#count(holding.until, -1);
  }

  on(name: NodeName): OnNode {
    let node = this.#nodes.get(name);
    if (!node) {
      node = { name, held: [], line: null };
      this.#nodes.set(name, node);
    }
    return node;
  }

  lineOf(name: NodeName): Line {
    return lineOn(this.on(name));
  }

  /** Ends that are known, ascending, each once. */
  times(): readonly number[] {
    if (this.#changes.length === 0) return this.#times;
    const changes = this.#changes;
    this.#changes = [];
    if (changes.length > SINGLY_MAX) {
      const ends = this.#sorted();
      this.#ends = ends;
      this.#times = ends.filter((until, at) => until !== ends[at - 1]);
      return this.#times;
    }
    // Whoever holds the list of before keeps it.
    const times = this.#times.slice();
    for (const [until, sign] of changes) this.#change(times, until, sign);
    this.#times = times;
    return times;
  }

  #count(until: number, sign: 1 | -1): void {
    if (Number.isFinite(until) && this.#changes.length <= SINGLY_MAX) this.#changes.push([until, sign]);
  }

  #sorted(): number[] {
    const ends: number[] = [];
    for (const { until } of this.#holdings.values()) if (Number.isFinite(until)) ends.push(until);
    return [...Float64Array.from(ends).sort()];
  }

  /** @param times each of the ends once */
  #change(times: number[], until: number, sign: 1 | -1): void {
    const ends = this.#ends;
    const count = countUpTo(ends, (one) => one, until);
    const at = countUpTo(times, (one) => one, until);
    const isOthers = ends[count - (sign === 1 ? 1 : 2)] === until;
    if (sign === 1) ends.splice(count, 0, until);
    else ends.splice(count - 1, 1);
    if (isOthers) return;
    if (sign === 1) times.splice(at, 0, until);
    else times.splice(at - 1, 1);
  }
}

/** What ends on a node. */
export function lineOn(node: OnNode): Line {
  node.line ??= lineOf(node.held);
  return node.line;
}

/** A line of endings in any order. */
export function lineOf(endings: readonly Ending[]): Line {
  return { endings: [...endings].sort((a, b) => a.until - b.until), base: null, steps: [], last: null };
}

/** What is in use on a node at a time, of what is in use there now. */
export function usageAt(line: Line, usage: NodeUsage, at: number): NodeUsage {
  if (line.base !== usage) {
    line.base = usage;
    line.steps = [usage];
    line.last = null;
  }
  const { endings, steps, last } = line;
  if (last && last.from <= at && at < last.until) return last.usage;
  const count = countUpTo(endings, untilOf, at);
  for (let done = steps.length; done <= count; done++) {
    const ending = endings[done - 1];
    const before = steps[done - 1] ?? usage;
    steps.push(ending ? addShare(before, ending.share, -1) : before);
  }
  const found = steps[count] ?? usage;
  const from = endings[count - 1]?.until ?? Number.NEGATIVE_INFINITY;
  line.last = { from, until: endings[count]?.until ?? Number.POSITIVE_INFINITY, usage: found };
  return found;
}

function untilOf({ until }: Ending): number {
  return until;
}

/** How many items, which ascend by a number, are no larger than a limit. */
export function countUpTo<T>(items: readonly T[], numberOf: (item: T) => number, limit: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numberOf(items[middle] as T) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
