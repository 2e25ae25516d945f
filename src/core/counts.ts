/** Counts a node in Slurm's short form, as in SLURM_TASKS_PER_NODE: `2(x3),1` is 2, 2, 2 and 1. */

import { runsOf } from "../util/runs.ts";
import { HOSTS_MAX } from "./hostlist.ts";
import { expected, type Parsed } from "./parse.ts";

/** `2(x3),1`: equal neighbours together. Empty for no nodes. */
export function compressCounts(counts: readonly number[]): string {
  return runsOf(counts)
    .map(({ value, times }) => (times === 1 ? String(value) : `${value}(x${times})`))
    .join(",");
}

/** The inverse of {@link compressCounts}: one count a node, for at most {@link HOSTS_MAX} nodes. */
export function parseCounts(text: string): Parsed<readonly number[]> {
  const counts: number[] = [];
  if (text === "") return { value: counts };
  for (const run of text.split(",", HOSTS_MAX + 1)) {
    const match = /^(\d{1,9})(?:\(x([1-9]\d{0,8})\))?$/.exec(run);
    if (!match) return expected("counts such as 2(x3),1", run);
    const times = Number(match[2] ?? 1);
    if (counts.length + times > HOSTS_MAX) return { problem: `counts of more than ${HOSTS_MAX} nodes` };
    for (let time = 0; time < times; time++) counts.push(Number(match[1]));
  }
  return { value: counts };
}
