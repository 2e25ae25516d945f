/** The node on which the most is left over: load is spread, and each job has as much of its node to itself as can be. */

import { leftOver, type Scoring } from "./score.ts";

export const SPREAD: Scoring = {
  name: "spread",
  isAlike: true,
  prepare: () => (spot) => leftOver(spot).map((left) => -left),
};
