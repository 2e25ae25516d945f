/** How nodes are chosen in a replay: the controller's scores, or simply in their order. */

import { SCORE_NAMES, type ScoreName } from "../core/placement.ts";
import { scoringOf } from "../sched/place/scores/scores.ts";
import { Workload } from "../sched/place/workload.ts";
import type { SchedulerPolicy } from "../sched/policy.ts";
import type { Task } from "./task.ts";

/** Names, as `--placement` takes them. */
export const PLACEMENTS = [...SCORE_NAMES, "first-fit"] as const;

export type PlacementName = (typeof PLACEMENTS)[number];

/** Where chance decides, it decides the same in each replay. */
const SEED = 1;

/** The choice of one replay, which knows no job yet. */
export class Placing {
  readonly #workload = new Workload();
  readonly #isLearning: boolean;
  readonly scoringOf: NonNullable<SchedulerPolicy["scoringOf"]>;

  constructor(name: PlacementName) {
    // Nodes in order have rising weights, which come before any score.
    const score: ScoreName = name === "first-fit" ? "pack" : name;
    this.#isLearning = score === "fgd" || score === "thrifty";
    const scoring = scoringOf(score, { typical: () => this.#workload.typical(), seed: SEED });
    this.scoringOf = () => scoring;
  }

  /** A job was submitted. */
  note({ record }: Task): void {
    if (this.#isLearning) this.#workload.note(record.spec.request, record.submitAt);
  }
}
