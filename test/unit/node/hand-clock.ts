/** Time that passes only when a test says so; pending promises are worked off between any two timers. */

import type { Clock } from "../../../src/platform/clock.ts";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

export interface HandClock extends Clock {
  /** Lets time pass. */
  advance(ms: number): Promise<void>;
  /** Lets time pass until the condition holds; false if it does not within `ms`. */
  until(condition: () => boolean, ms: number): Promise<boolean>;
}

const EPOCH = 1_700_000_100_000;

export function createHandClock(): HandClock {
  const timers = new Set<Timer>();
  let time = 0;

  const next = (): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) if (!first || timer.at < first.at) first = timer;
    return first;
  };

  const clock: HandClock = {
    now: () => EPOCH + time,
    monotonic: () => time,
    after(ms, run) {
      const timer = { at: time + Math.max(0, ms), run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms) {
      await clock.until(() => false, ms);
    },
    async until(condition, ms) {
      const end = time + ms;
      await settle();
      for (;;) {
        if (condition()) return true;
        const timer = next();
        if (!timer || timer.at > end) break;
        timers.delete(timer);
        time = timer.at;
        timer.run();
        await settle();
      }
      time = end;
      return condition();
    },
  };
  return clock;
}

/** Resolves when no promise can go on without time passing; what others do after {@link soon} included. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await soon();
}

/** Resolves once everything that is due now is done. */
export function soon(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
