/** A clock that stands still until a test moves it. */

import type { Cancel, Clock } from "../../../src/platform/clock.ts";

export interface ManualClock extends Clock {
  /** Lets `ms` pass, and runs what became due, in order. */
  advance(ms: number): void;
  /** Callbacks that wait. */
  readonly pending: number;
}

export function manualClock(): ManualClock {
  let now = 1_700_000_000_000;
  const waiting = new Set<{ readonly due: number; readonly callback: () => void }>();
  return {
    now: () => now,
    monotonic: () => now,
    after(ms, callback): Cancel {
      const entry = { due: now + ms, callback };
      waiting.add(entry);
      return () => void waiting.delete(entry);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = [...waiting].sort((a, b) => a.due - b.due);
        if (next === undefined || next.due > end) break;
        now = next.due;
        waiting.delete(next);
        next.callback();
      }
      now = end;
    },
    get pending() {
      return waiting.size;
    },
  };
}
