/** `--nodes`: how many nodes a job takes. Source: Slurm's manual of sbatch; lists and steps are those of Slurm 24.05. */

import { formatTaskSet, parseTaskSet, type TaskSet } from "./array-spec.ts";
import { expected, type Parsed, parseNodeRange } from "./parse.ts";

export interface NodeCounts {
  readonly min: number;
  readonly max: number;
  /** The counts that are allowed; `null` for every count from `min` to `max`. */
  readonly sizes: TaskSet | null;
}

/** One more than the largest count, as for every count of nodes. */
const COUNTS_END = 1_000_001;

/** `4`, `2-8`, `1k-2k`, and sets of counts: `1,3-5`, `1-15:4`. Counts are at least 1. */
export function parseNodeCounts(text: string): Parsed<NodeCounts> {
  if (!/[,:]/.test(text)) {
    const range = parseNodeRange(text);
    return "problem" in range ? range : { value: { ...range.value, sizes: null } };
  }
  const sizes = parseTaskSet(text, COUNTS_END);
  if ("problem" in sizes) return expected("node counts such as 4, 2-8, 1,3-5 or 1-15:4", text);
  const min = sizes.value[0]?.first ?? 0;
  const max = sizes.value.at(-1)?.last ?? 0;
  if (min < 1) return expected("node counts of at least 1", text);
  const isWhole = sizes.value.length === 1 && sizes.value[0]?.step === 1;
  return { value: { min, max, sizes: isWhole ? null : sizes.value } };
}

/** The inverse of {@link parseNodeCounts}: `4`, `2-8`, `1,3-5`. */
export function formatNodeCounts({ min, max, sizes }: NodeCounts): string {
  if (sizes !== null) return formatTaskSet(sizes);
  return min === max ? String(min) : `${min}-${max}`;
}
