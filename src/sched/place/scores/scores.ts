/** The scores by name. */

import type { ScoreName } from "../../../core/placement.ts";
import type { Typical } from "../workload.ts";
import { BEST_FIT } from "./best-fit.ts";
import { fgdScore } from "./fgd.ts";
import { PACK } from "./pack.ts";
import { randomScore } from "./random.ts";
import type { Scoring } from "./score.ts";
import { SPREAD } from "./spread.ts";
import { thriftyScore } from "./thrifty.ts";

/** What some scores need to know. */
interface ScoreInputs {
  readonly typical: () => Typical;
  readonly seed: number;
}

/** A score that begins with what it is told. */
export function scoringOf(name: ScoreName, inputs: ScoreInputs): Scoring {
  return SCORES[name](inputs);
}

const SCORES: Readonly<Record<ScoreName, (inputs: ScoreInputs) => Scoring>> = {
  "best-fit": () => BEST_FIT,
  pack: () => PACK,
  spread: () => SPREAD,
  fgd: ({ typical }) => fgdScore(typical),
  thrifty: ({ typical }) => thriftyScore(typical),
  random: ({ seed }) => randomScore(seed),
};
