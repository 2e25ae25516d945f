/** The names of the ways to choose among nodes that could all run a job (sched/place/scores). */

export const SCORE_NAMES = ["pack", "best-fit", "spread", "fgd", "thrifty", "random"] as const;

export type ScoreName = (typeof SCORE_NAMES)[number];
