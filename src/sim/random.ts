/** Chance from a seed: the same seed, the same world. */

export interface SimRandom {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** So many random bytes in hexadecimal. */
  hex(byteCount: number): string;
  /** One of the given. */
  pick<T>(values: readonly T[]): T;
}

/** mulberry32: small, fast, good enough to choose faults. */
export function createSimRandom(seed: number): SimRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    chance: (probability) => next() < probability,
    hex: (byteCount) => Array.from({ length: byteCount * 2 }, () => below(16).toString(16)).join(""),
    pick: (values) => values[below(values.length)] as (typeof values)[number],
  };
}
