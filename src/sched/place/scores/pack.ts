/** The node on which the least is left over: GPUs first, so that jobs without GPUs keep away from them, then CPUs, then memory. */

import { leftOver, type Scoring } from "./score.ts";

export const PACK: Scoring = { name: "pack", isAlike: true, prepare: () => leftOver };
