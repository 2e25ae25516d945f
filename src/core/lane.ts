/**
 * One lane of the queue: waiting jobs in the order of their places. A job's place is its number; that of an array's
 * record the array's, so that tasks that were split off don't fall behind jobs that came later.
 */

import type { JobId } from "./ids.ts";
import type { Job } from "./job.ts";

/** Most jobs out of order that are sorted for each reader; from then on, as many as are a quarter of the others. */
const LATE_MAX = 256;

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

  get size(): number {
    return this.#ordered.size + this.#late.size;
  }

  /** False if it is in already. */
  add(id: JobId, place: JobId): boolean {
    if (this.#ordered.has(id) || this.#late.has(id)) return false;
    if (byPlace(this.#last, [id, place]) < 0) {
      this.#ordered.set(id, place);
      this.#last = [id, place];
      return true;
    }
    this.#late.set(id, place);
    if (this.#late.size > Math.max(LATE_MAX, this.#ordered.size / 4)) this.#sort();
    return true;
  }

  /** False if it was not in. */
  delete(id: JobId): boolean {
    return this.#ordered.delete(id) || this.#late.delete(id);
  }

  [Symbol.iterator](): Iterator<JobId> {
    return this.#late.size === 0 ? this.#ordered.keys() : this.#merged();
  }

  *#merged(): Generator<JobId, undefined> {
    const late = [...this.#late].sort(byPlace);
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
