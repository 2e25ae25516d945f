/** Ways to choose among nodes that could all run a job: their names (sched/place/scores), and how they are set. */

import { type Parsed, quote } from "./parse.ts";

export const SCORE_NAMES = ["pack", "best-fit", "spread", "fgd", "thrifty", "random"] as const;

export type ScoreName = (typeof SCORE_NAMES)[number];

/** A score for all jobs, and others for those of some partitions. */
export interface Placement {
  readonly score: ScoreName;
  readonly byPartition: ReadonlyMap<string, ScoreName>;
}

/** What nobody has to set. */
export const PLACEMENT: Placement = { score: "pack", byPartition: new Map() };

/** `fgd`, or `pack,batch=fgd,web=spread`: a score, and those of partitions that have another. */
export function parsePlacement(text: string): Parsed<Placement> {
  let score: ScoreName | undefined;
  const byPartition = new Map<string, ScoreName>();
  for (const member of text.split(",").map((one) => one.trim())) {
    const [, partition, word = ""] = /^(?:([^=]+)=)?(.*)$/.exec(member) ?? [];
    const name = SCORE_NAMES.find((one) => one === word.toLowerCase());
    if (!name) return { problem: `${quote(member)} is no score: ${SCORE_NAMES.join(", ")}` };
    if (partition === undefined ? score !== undefined : byPartition.has(partition)) {
      return { problem: `${quote(member)}: ${partition === undefined ? "one score is" : partition} named twice` };
    }
    if (partition === undefined) score = name;
    else byPartition.set(partition, name);
  }
  return { value: { score: score ?? PLACEMENT.score, byPartition } };
}

/** The inverse of {@link parsePlacement}. */
export function formatPlacement({ score, byPartition }: Placement): string {
  return [score, ...[...byPartition].map(([partition, name]) => `${partition}=${name}`)].join(",");
}
