/** Time averages of a replay: how much was in use, and how much lay idle while somebody waited. */

export interface Metered {
  /** Share of the cluster in use, from the first submission to the last end; 0 to 1. */
  readonly utilisation: number;
  /** Share of the cluster that was free while a job waited: crumbs, and what was kept for others; 0 to 1. */
  readonly idleWhileWaiting: number;
  /** Seconds of the trace: the first submission, the last event. */
  readonly beginS: number;
  readonly endS: number;
  /** Share in use over time, for a chart: as many as {@link SAMPLES}, equally long. */
  readonly load: readonly number[];
}

/** Points of a chart. */
const SAMPLES = 240;

interface Stretch {
  readonly from: number;
  readonly used: number;
}

export class Meter {
  readonly #capacity: number;
  #begin: number | null = null;
  #last = 0;
  #used = 0;
  #idle = 0;
  readonly #stretches: Stretch[] = [];

  /** @param capacity in any unit */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** From the last call until `at` (seconds) so much was free. */
  advance(at: number, free: number, isWaiting: boolean): void {
    if (this.#begin === null) {
      this.#begin = at;
      this.#last = at;
      return;
    }
    const seconds = at - this.#last;
    if (seconds <= 0) return;
    this.#used += (this.#capacity - free) * seconds;
    if (isWaiting) this.#idle += free * seconds;
    this.#stretches.push({ from: this.#last, used: 1 - free / this.#capacity });
    this.#last = at;
  }

  result(): Metered {
    const begin = this.#begin ?? 0;
    const whole = (this.#last - begin) * this.#capacity;
    const share = (sum: number): number => (whole > 0 ? sum / whole : 0);
    const times = { beginS: begin, endS: this.#last, load: this.#loads(begin) };
    return { utilisation: share(this.#used), idleWhileWaiting: share(this.#idle), ...times };
  }

  #loads(begin: number): number[] {
    const width = (this.#last - begin) / SAMPLES;
    const sums = new Array<number>(SAMPLES).fill(0);
    if (width <= 0) return [];
    for (const [index, { from, used }] of this.#stretches.entries()) {
      const until = this.#stretches[index + 1]?.from ?? this.#last;
      for (let at = Math.floor((from - begin) / width); at < SAMPLES; at++) {
        const [left, right] = [begin + at * width, begin + (at + 1) * width];
        if (left >= until) break;
        sums[at] = (sums[at] ?? 0) + used * Math.max(0, Math.min(until, right) - Math.max(from, left));
      }
    }
    return sums.map((sum) => sum / width);
  }
}
