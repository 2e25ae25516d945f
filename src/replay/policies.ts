/** Policies that a replay can compare, by name. */

import { EASY, type SchedulerPolicy } from "../sched/policy.ts";
import { slowdownRank } from "../sched/rank.ts";
import type { QueueRules } from "./queue.ts";
import type { Sharer } from "./share.ts";
import { likelySoonOver } from "./sharers/likely.ts";
import { srsf, srtf, wholeNodesFirst } from "./sharers/shortest.ts";
import { tiresiasL } from "./sharers/tiresias.ts";

interface Common {
  readonly name: string;
  /** One sentence, no full stop. */
  readonly about: string;
}

/** Jobs run to their end once they started. */
export interface QueuePolicy extends Common {
  readonly kind: "queue";
  readonly rules: QueueRules;
}

/** Jobs take turns. */
export interface SharePolicy extends Common {
  readonly kind: "share";
  /** @param nodeSize GPUs of the largest node, in thousandths */
  readonly create: (nodeSize: number) => Sharer;
}

export type Policy = QueuePolicy | SharePolicy;

/** All that wait are tried: a trace has no user who waits for the scheduler's answer. */
const DEEP: SchedulerPolicy = { ...EASY, backfillDepth: Number.POSITIVE_INFINITY };
const SHORTEST: SchedulerPolicy = { ...DEEP, backfillOrder: "shortest" };

/** Jobs that are promised a time with conservative backfill: those behind are far from their start. */
const CONSERVATIVE_DEPTH = 100;

/** In the order in which they are listed. */
export const POLICIES: readonly Policy[] = [
  {
    ...{ kind: "queue", name: "fifo", about: "first come, first served; nobody overtakes" },
    rules: { scheduler: { ...DEEP, reservations: 0 }, predicts: false },
  },
  {
    ...{ kind: "queue", name: "easy", about: "backfill: who delays not the first job that waits may overtake it" },
    rules: { scheduler: DEEP, predicts: false },
  },
  {
    ...{ kind: "queue", name: "easy-sjbf", about: "the same, those with the shortest time limits overtake first" },
    rules: { scheduler: SHORTEST, predicts: false },
  },
  {
    ...{ kind: "queue", name: "easy-predict", about: "the same, by the time that their users' last two jobs took" },
    rules: { scheduler: SHORTEST, predicts: true },
  },
  {
    ...{
      kind: "queue",
      name: "conservative",
      about: `backfill that delays none of the first ${CONSERVATIVE_DEPTH} jobs that wait`,
    },
    rules: { scheduler: { ...DEEP, reservations: CONSERVATIVE_DEPTH }, predicts: false },
  },
  {
    ...{
      kind: "queue",
      name: "slowdown",
      about: "easy-predict, whose first job is the one with the worst slowdown to expect",
    },
    rules: {
      ...{ scheduler: SHORTEST, predicts: true },
      rank: (_task, waitedS, likelyS) => slowdownRank(waitedS, likelyS),
    },
  },
  {
    ...{
      kind: "share",
      name: "srtf",
      about: "jobs take turns: the shortest remaining time first (run times are known)",
    },
    create: srtf,
  },
  {
    ...{
      kind: "share",
      name: "srsf",
      about: "jobs take turns: the least remaining GPU time first (run times are known)",
    },
    create: srsf,
  },
  {
    ...{ kind: "share", name: "srsf-whole", about: "srsf that favours jobs of whole nodes, which leave no crumbs" },
    create: wholeNodesFirst,
  },
  {
    ...{
      kind: "share",
      name: "tiresias-l",
      about: "jobs take turns: the least attained GPU time first, in three queues",
    },
    create: tiresiasL,
  },
  {
    ...{
      kind: "share",
      name: "likely",
      about: "jobs take turns: those that are likely to be over soon first, as learned from jobs before",
    },
    create: likelySoonOver,
  },
];

/** Compared where none is named. */
export const DEFAULT_POLICIES: readonly string[] = ["fifo", "easy", "easy-predict", "slowdown"];

/** The policy of that name. */
export function findPolicy(name: string): Policy | undefined {
  return POLICIES.find((one) => one.name === name);
}
