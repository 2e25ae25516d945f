/** A real clock whose pending callbacks a test can call at once, instead of waiting for their time. */

import type { Clock } from "../../../src/platform/clock.ts";

/** Rounds of callbacks that set new ones: enough for whatever is to happen, and an end for what repeats for ever. */
const ROUNDS = 20;

/** `hurry` calls all that is pending, and what that makes pending in turn. Each callback is called once. */
export function hurriedClock(clock: Clock): Clock & { hurry(): Promise<void> } {
  const pending = new Set<() => void>();
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after(ms, callback) {
      const once = (): void => {
        if (pending.delete(once)) callback();
      };
      pending.add(once);
      const cancel = clock.after(ms, once);
      return () => {
        pending.delete(once);
        cancel();
      };
    },
    async hurry() {
      for (let round = 0; round < ROUNDS; round++) {
        for (const one of [...pending]) one();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
