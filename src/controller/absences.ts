/** Who has been away since when: a callback after a full wait, never after a part of one. */

import type { Cancel, Clock } from "../platform/clock.ts";

export interface Absences<K> {
  /** The wait begins, unless it runs already; `passedMs` of it are over. */
  begin(key: K, passedMs?: number): void;
  /** Back in time. */
  end(key: K): void;
}

/** `tooLong` is called once for each absence that lasted `waitMs()`, asked at its beginning; Infinity for never. */
export function createAbsences<K>(clock: Clock, waitMs: () => number, tooLong: (key: K) => void): Absences<K> {
  const waits = new Map<K, Cancel>();
  return {
    begin(key, passedMs = 0) {
      if (waits.has(key)) return;
      const ms = waitMs();
      if (ms === Number.POSITIVE_INFINITY) return;
      const cancel = clock.after(Math.max(0, ms - passedMs), () => {
        waits.delete(key);
        tooLong(key);
      });
      waits.set(key, cancel);
    },
    end(key) {
      waits.get(key)?.();
      waits.delete(key);
    },
  };
}
