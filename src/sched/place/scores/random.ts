/** Any node: each draws a number when something changed there. The same seed and the same questions give the same answers. */

import type { Scoring } from "./score.ts";

/** @param seed any number */
export function randomScore(seed: number): Scoring {
  let state = Math.imul(seed | 0, 0x9e3779b1) | 0;
  // Mulberry32: 32 bits of state are plenty for choosing nodes. Costs stay below 2^31.
  const draw = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 1;
  };
  return { name: "random", isAlike: false, prepare: () => () => [draw()] };
}
