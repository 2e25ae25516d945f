/**
 * Virtual time: a heap of events by (time, order of being asked for). Nothing happens between events.
 *
 * Each simulated process sees the time through a clock of its own, which dies with it: what it had asked for never
 * happens. A process may live with a clock that is off by some constant.
 */

import type { Clock } from "../platform/clock.ts";

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

export interface SimTime {
  /** Virtual milliseconds since 1970. */
  readonly now: number;
  /** Calls back at a time from now, unless cancelled. */
  after(ms: number, run: () => void): () => void;
  /** Runs the next event; false if there is none. */
  advance(): boolean;
  /** A clock for one process. */
  clockFor(isAlive: () => boolean, skewMs?: number): Clock;
}

/** Starts at the given time. */
export function createSimTime(start: number): SimTime {
  const heap: Entry[] = [];
  let now = start;
  let order = 0;

  const after = (ms: number, run: () => void): (() => void) => {
    const entry: Entry = { at: now + Math.max(0, ms), order: order++, run, cancelled: false };
    push(heap, entry);
    return () => {
      entry.cancelled = true;
    };
  };

  return {
    get now() {
      return now;
    },
    after,
    advance() {
      for (;;) {
        const entry = pop(heap);
        if (!entry) return false;
        if (entry.cancelled) continue;
        now = entry.at;
        entry.run();
        return true;
      }
    },
    clockFor: (isAlive, skewMs = 0) => ({
      now: () => Math.round(now + skewMs),
      monotonic: () => now - start,
      after: (ms, callback) =>
        after(ms, () => {
          if (isAlive()) callback();
        }),
    }),
  };
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Entry[], entry: Entry): void {
  heap.push(entry);
  let index = heap.length - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (!above || isBefore(above, entry)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Entry[]): Entry | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (!top || !last || heap.length === 0) return top;
  let index = 0;
  for (;;) {
    const child = smallerChild(heap, index);
    const below = heap[child];
    if (!below || !isBefore(below, last)) break;
    heap[index] = below;
    index = child;
  }
  heap[index] = last;
  return top;
}

function smallerChild(heap: readonly Entry[], index: number): number {
  const left = 2 * index + 1;
  const a = heap[left];
  const b = heap[left + 1];
  return a && b && isBefore(b, a) ? left + 1 : left;
}
