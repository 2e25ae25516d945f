/** The node on which the most is left over: load is spread, and each job has as much of its node to itself as can be. */

import { leftOver, type Rate, type Scoring } from "./score.ts";

const takenMost: Rate = (spot) => leftOver(spot).map((left) => -left);

export const SPREAD: Scoring = {
  name: "spread",
  isAlike: true,
  prepare: () => takenMost,
};
