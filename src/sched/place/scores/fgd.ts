/**
 * Fragmentation gradient descent: the node whose free GPUs lose the least of their use to typical jobs (Weng et al.,
 * USENIX ATC 2023). The change is squeezed into whole per cent, as the published simulator does: nodes that differ
 * by little are equals, and of equals the first is taken, which keeps whole nodes free.
 */

import type { Candidate } from "../../../core/node-set.ts";
import type { Typical } from "../workload.ts";
import { Fragments } from "./fragments.ts";
import { PACK } from "./pack.ts";
import type { Rate, Scoring } from "./score.ts";

const STEPS = 100;

/** @param typical what jobs are like now; while nobody knows, nodes are packed */
export function fgdScore(typical: () => Typical): Scoring {
  return fragmentScore("fgd", typical, (fragments) => (spot) => [-squeeze(-fragments.growth(spot), STEPS)]);
}

/** A score that rests on fragments; these are kept from pass to pass, until the workload is another. */
export function fragmentScore(
  name: string,
  typical: () => Typical,
  rateOf: (fragments: Fragments, candidates: readonly Candidate[]) => Rate,
): Scoring {
  let fragments: Fragments | null = null;
  let rates = new WeakMap<readonly Candidate[], Rate>();
  return {
    name,
    isAlike: true,
    prepare(candidates) {
      const kinds = typical();
      if (kinds.length === 0) return PACK.prepare(candidates);
      if (fragments?.typical !== kinds) {
        fragments = new Fragments(kinds);
        rates = new WeakMap();
      }
      const rate = rates.get(candidates) ?? rateOf(fragments, candidates);
      rates.set(candidates, rate);
      return rate;
    },
  };
}

/** Thousandths of a GPU (gained above 0) to whole steps from 0 to `steps`, the finest around 0. */
export function squeeze(gain: number, steps: number): number {
  return Math.trunc(steps / (1 + Math.exp(-gain / 1000)));
}
