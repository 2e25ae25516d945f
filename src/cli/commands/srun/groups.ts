/** Which components of a heterogeneous job a step of srun's is for: --het-group, and the colons between programs. */

import type { ParsedOptions } from "../../option.ts";
import type { Wishes } from "../../options/reading.ts";
import { type ReadingContext, readSubmit } from "../../options/reading.ts";

/** A part of the step: what was typed for it, and the position of its component; none where the job is an ordinary one. */
export interface GroupEntry {
  readonly typed: ParsedOptions;
  readonly group: number | undefined;
}

/**
 * The parts of a step, in the order of the components. Without --het-group a program alone is the first component's;
 * of several programs the first is for component 0, the second for 1, and so on.
 * @param first the wishes of the first program, as they are read for an ordinary step
 */
export function chooseGroups(
  typed: readonly [ParsedOptions, ...ParsedOptions[]],
  first: Wishes,
  jobId: number,
  context: ReadingContext,
): { readonly entries: readonly GroupEntry[]; readonly problems: readonly string[] } {
  const { environment } = context;
  const isOwn = environment.SLURM_JOB_ID === String(jobId);
  const size = isOwn && environment.SLURM_HET_SIZE !== undefined ? Number(environment.SLURM_HET_SIZE) : null;
  const given = typed.map((one, at) => (at === 0 ? first : readSubmit("srun", one, context)).values["het-group"]);
  const isPlain = typed.length === 1 && (given[0] === undefined || (size === null && isOwn && given[0].join() === "0"));
  if (isPlain) return { entries: [{ typed: typed[0], group: undefined }], problems: [] };
  const entries = typed
    .flatMap((one, at) => (given[at] ?? [at]).map((group) => ({ typed: one, group })))
    .sort((a, b) => a.group - b.group);
  return { entries, problems: groupProblems(entries, typed.length > 1, size, isOwn) };
}

/** Slurm's words for groups that there are not, and for those named twice. */
function groupProblems(
  entries: readonly { readonly typed: ParsedOptions; readonly group: number }[],
  isList: boolean,
  size: number | null,
  isOwn: boolean,
): string[] {
  const problems: string[] = [];
  const groups = entries.map(({ group }) => group);
  const most = Math.max(...groups);
  if (size === null && isOwn) problems.push("this job is not a heterogeneous one: it has one component, 0");
  else if (size !== null && most >= size) {
    problems.push(
      isList
        ? `Attempt to run a job step with het group value of ${most}, but the job allocation has maximum value of ${size - 1}`
        : `Requested het-group offset exceeds highest hetjob index (${most} > ${size - 1})`,
    );
  }
  if (new Set(groups).size < groups.length) problems.push("Duplicate het groups in single srun not supported");
  const isShared = entries.some((one, at) => entries.findIndex((other) => other.typed === one.typed) < at);
  if (isShared && entries.some(({ typed }) => typed.values.has("multi-prog"))) {
    problems.push("--multi-prog option not supported with multiple het groups");
  }
  return problems;
}
