/**
 * What jobs hold, and until when: by node in the order of the ends, and all ends in order. It is kept from pass to pass,
 * and changed only where a job has started, ended or got another limit.
 */

import type { JobId, NodeName } from "../core/ids.ts";
import type { LicenseWish } from "../core/licenses.ts";
import type { Allocation, NodeShare, NodeUsage } from "../core/resources.ts";

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
}

interface OnNode {
  readonly held: Map<unknown, Ending[]>;
  line: Line | null;
}

/** So many new ends are put in one by one; of more all are sorted anew. */
const SINGLY_MAX = 64;

export class HoldingBook {
  readonly #holdings = new Map<unknown, Holding>();
  readonly #nodes = new Map<NodeName, OnNode>();
  /** How many holdings end at a time. */
  readonly #counts = new Map<number, number>();
  readonly #licensed = new Map<unknown, Holding>();
  #times: number[] = [];
  #changed = new Set<number>();

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
    this.drop(key);
    this.#holdings.set(key, holding);
    if (holding.licenses.length > 0) this.#licensed.set(key, holding);
    const { until, partition } = holding;
    for (const share of holding.allocation) {
      let node = this.#nodes.get(share.node);
      if (!node) {
        node = { held: new Map(), line: null };
        this.#nodes.set(share.node, node);
      }
      const own = node.held.get(key);
      if (own) own.push({ until, share, partition });
      else node.held.set(key, [{ until, share, partition }]);
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
      node?.held.delete(key);
      if (node) node.line = null;
      if (node?.held.size === 0) this.#nodes.delete(share.node);
    }
    this.#count(holding.until, -1);
  }

  lineOf(name: NodeName): Line | undefined {
    const node = this.#nodes.get(name);
    if (!node) return undefined;
    node.line ??= lineOf([...node.held.values()].flat());
    return node.line;
  }

  /** Ends that are known, ascending, each once. */
  times(): readonly number[] {
    if (this.#changed.size === 0) return this.#times;
    if (this.#changed.size > SINGLY_MAX) this.#times = [...Float64Array.from(this.#counts.keys()).sort()];
    else for (const at of this.#changed) this.#place(at);
    this.#changed = new Set();
    return this.#times;
  }

  #count(until: number, sign: 1 | -1): void {
    if (!Number.isFinite(until)) return;
    const count = (this.#counts.get(until) ?? 0) + sign;
    if (count > 0) this.#counts.set(until, count);
    else this.#counts.delete(until);
    this.#changed.add(until);
  }

  #place(time: number): void {
    const count = countUpTo(this.#times, (one) => one, time);
    const isIn = this.#times[count - 1] === time;
    if (isIn === this.#counts.has(time)) return;
    // Whoever holds the list of before keeps it.
    this.#times = isIn ? this.#times.toSpliced(count - 1, 1) : this.#times.toSpliced(count, 0, time);
  }
}

/** A line of endings in any order. */
export function lineOf(endings: readonly Ending[]): Line {
  return { endings: [...endings].sort((a, b) => a.until - b.until), base: null, steps: [] };
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
