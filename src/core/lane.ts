/**
 * One lane of the queue: waiting jobs in the order of their places. A job's place is its number; that of an array's
 * record the array's, so that tasks that were split off don't fall behind jobs that came later.
 */

import { EventHeap } from "../util/heap.ts";
import type { JobId } from "./ids.ts";
import type { Job } from "./job.ts";

/** Most jobs out of order that are sorted for each reader; from then on, as many as are a quarter of the others. */
const LATE_MAX = 256;

/** A job that must not start before some time. */
interface Early {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly rank: JobId;
  readonly place: JobId;
}

/** The number by which a job stands among its equals. */
export function placeOf({ id, array }: Pick<Job, "id" | "array">): JobId {
  return array?.jobId ?? id;
}

/** Iterates over numbers of jobs, by ascending place; of one place by ascending number. */
export class Lane implements Iterable<JobId> {
  /** Places of jobs, ascending. */
  readonly #ordered = new Map<JobId, JobId>();
  /** Those that came (back) when jobs of later places were there. */
  readonly #late = new Map<JobId, JobId>();
  #last: readonly [JobId, JobId] = [0, 0];
  /** Those whose time had not come when somebody last asked who is {@link ready}; and the same by their times. */
  readonly #early = new Map<JobId, Early>();
  #times = new EventHeap<Early>();

  get size(): number {
    return this.#ordered.size + this.#late.size + this.#early.size;
  }

  /** When the next of those who are not ready is; milliseconds since 1970, Infinity for none. */
  get nextAt(): number {
    this.#dropStale();
    return this.#times.first?.at ?? Number.POSITIVE_INFINITY;
  }

  /**
   * False if it is in already.
   * @param at before which it must not start, in milliseconds since 1970; 0 for at once
   */
  add(id: JobId, place: JobId, at = 0): boolean {
    if (this.#ordered.has(id) || this.#late.has(id)) return false;
    const before = this.#early.get(id);
    if (before?.at === at) return false;
    if (at > 0) {
      const early = { at, rank: id, place };
      this.#early.set(id, early);
      this.#times.push(early);
    } else {
      this.#early.delete(id);
      this.#insert(id, place);
    }
    return before === undefined;
  }

  #insert(id: JobId, place: JobId): void {
    if (byPlace(this.#last, [id, place]) < 0) {
      this.#ordered.set(id, place);
      this.#last = [id, place];
      return;
    }
    this.#late.set(id, place);
    if (this.#late.size > Math.max(LATE_MAX, this.#ordered.size / 4)) this.#sort();
  }

  /** False if it was not in. */
  delete(id: JobId): boolean {
    if (this.#early.delete(id)) {
      if (this.#early.size === 0) this.#times = new EventHeap();
      return true;
    }
    return this.#ordered.delete(id) || this.#late.delete(id);
  }

  [Symbol.iterator](): Iterator<JobId> {
    const early = [...this.#early.values()].map(({ rank, place }) => [rank, place] as const);
    return this.#late.size + early.length === 0 ? this.#ordered.keys() : this.#merged([...this.#late, ...early]);
  }

  /** Those whose time has come, and some whose time had come already if the clock was set back. */
  ready(now: number): Iterator<JobId> {
    for (this.#dropStale(); (this.#times.first?.at ?? now + 1) <= now; this.#dropStale()) {
      const due = this.#times.pop();
      if (!due) break;
      this.#early.delete(due.rank);
      this.#insert(due.rank, due.place);
    }
    return this.#late.size === 0 ? this.#ordered.keys() : this.#merged([...this.#late]);
  }

  /** Jobs that left, or that have another time now. */
  #dropStale(): void {
    for (let first = this.#times.first; first && this.#early.get(first.rank) !== first; first = this.#times.first) {
      this.#times.pop();
    }
  }

  *#merged(others: (readonly [JobId, JobId])[]): Generator<JobId, undefined> {
    const late = others.sort(byPlace);
    let at = 0;
    for (const one of this.#ordered) {
      for (let other = late[at]; other && byPlace(other, one) < 0; other = late[++at]) yield other[0];
      yield one[0];
    }
    for (; at < late.length; at++) yield late[at]?.[0] ?? 0;
  }

  #sort(): void {
    const all = [...this.#ordered, ...this.#late].sort(byPlace);
    this.#ordered.clear();
    this.#late.clear();
    for (const [id, place] of all) this.#ordered.set(id, place);
    this.#last = all.at(-1) ?? this.#last;
  }
}

function byPlace(a: readonly [JobId, JobId], b: readonly [JobId, JobId]): number {
  return a[1] - b[1] || a[0] - b[0];
}
