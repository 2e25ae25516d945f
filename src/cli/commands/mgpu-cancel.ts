/** mgpu cancel, mgpu list-jobs: mgpu-scancel and mgpu-squeue under the names of mgpu's predecessors. */

import { parseJobStates } from "../../view/job-states.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { lastValue } from "../getopt.ts";
import type { ParsedOptions } from "../option.ts";
import { alias, runAs, valued } from "../predecessors/verbs.ts";
import { EXIT_USAGE } from "../usage.ts";

/** Numbers of jobs as earlier programs gave them. */
const OLD_IDS: readonly RegExp[] = [/^job_\d+$/i, /^(?=.*[a-f])[0-9a-f]{8}$/i];

/** Words of earlier programs for states. */
const STATE_WORDS: Readonly<Record<string, string>> = {
  queued: "PENDING",
  waiting: "PENDING",
  done: "COMPLETED",
  finished: "COMPLETED",
  success: "COMPLETED",
  error: "FAILED",
  canceled: "CANCELLED",
};

export const cancel: Command = {
  name: "mgpu cancel",
  summary: "End jobs, as mgpu-scancel does, and say so",
  synopsis: "[OPTIONS...] JOB...",
  options: [],
  operands: "permute",
  examples: ["mgpu cancel 12", "mgpu cancel 12 13"],
  async run({ operands }, context) {
    if (operands.length === 0) throw new UserError("which job?", "mgpu queue lists the jobs", EXIT_USAGE);
    const old = operands.filter((word) => OLD_IDS.some((pattern) => pattern.test(word)));
    if (old.length > 0) {
      throw new UserError(
        old.map((word) => `${word} is a number of an earlier program's, which mgpu does not know`),
        "mgpu's jobs have whole numbers, such as 12: mgpu queue lists them",
      );
    }
    return runAs(() => import("./scancel.ts"), ["--verbose", ...operands], context);
  },
};

export const cancelJob = alias("mgpu cancel-job", cancel);

export const listJobs: Command = {
  name: "mgpu list-jobs",
  summary: "List jobs, as mgpu-squeue does",
  synopsis: "[OPTIONS...]",
  options: [
    valued("status", "states", "only jobs in these states: running, queued, completed, failed, cancelled or Slurm's"),
  ],
  operands: "permute",
  examples: ["mgpu list-jobs", "mgpu list-jobs --status running"],
  run: list,
};

async function list(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const text = lastValue(parsed, "status");
  const names = text?.split(",").map((word) => STATE_WORDS[word.trim().toLowerCase()] ?? word.trim()) ?? [];
  const { problems } = parseJobStates(names);
  if (problems.length > 0) {
    throw new UserError(
      `--status: expected running, queued, completed, failed, cancelled or a state of Slurm's, got "${text}"`,
      undefined,
      EXIT_USAGE,
    );
  }
  // With an argument it never opens the live view.
  return runAs(
    () => import("./squeue.ts"),
    [`--states=${names.join(",") || "PENDING,RUNNING,SUSPENDED,COMPLETING"}`],
    context,
  );
}
