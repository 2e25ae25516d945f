/** What `mgpu feed` asks for: what the jobs of a file have in common, from options of mgpu-sbatch. */

import type { Params } from "../../protocol/procedures.ts";
import { distinct, readComponents } from "../components.ts";
import { type CommandContext, UserError } from "../context.ts";
import { baseName, draftJob } from "../jobspec.ts";
import type { ParsedOptions } from "../option.ts";
import type { SubmitOption } from "../options/record.ts";
import { submissionEnvironment } from "../options/submission-environment.ts";
import { type SubmitValues, submitOptions } from "../options/submit.ts";

/** Options of mgpu-sbatch that are of use for all jobs of a file. What a line says goes above them. */
const TAKEN: ReadonlySet<string> = new Set([
  ...["partition", "time", "gpus", "gpu-mem", "mem", "cpus-per-task", "constraint", "account", "qos", "reservation"],
  ...["chdir", "output", "error", "comment", "export", "retries", "retry-wait", "venv", "hold", "begin", "exclude"],
  ...["mail-type", "mail-user", "notify", "wait", "progress", "quiet"],
]);

/** Those options. */
export const FEED_SUBMIT_OPTIONS: readonly SubmitOption[] = submitOptions("sbatch").filter(({ long }) =>
  TAKEN.has(long),
);

/** Everything about a feed but its lines. */
export interface FeedOrder {
  readonly call: Omit<Params<"feed.watch">, "path">;
  readonly values: SubmitValues;
}

/** Bytes of a random request id. */
const REQUEST_ID_BYTES = 16;

/** @throws UserError with every problem of the options */
export async function feedOrder(parsed: ParsedOptions, file: string, context: CommandContext): Promise<FeedOrder> {
  const [wishes] = readComponents("sbatch", [{ ...parsed, operands: [] }], context);
  const name = baseName(file);
  const draft = draftJob(wishes, { kind: "batch", defaultName: name, argv: [name], pty: null }, context);
  const problems = [...wishes.problems, ...draft.problems];
  if (problems.length > 0) throw new UserError(distinct(problems));
  const { environment, ...found } = await submissionEnvironment(wishes, context);
  if (found.problems.length > 0) throw new UserError(found.problems);
  for (const text of [...draft.warnings, ...found.warnings]) {
    context.stdio.err(`${context.program}: warning: ${text}\n`);
  }
  return {
    values: wishes.values,
    call: {
      requestId: context.random.hex(REQUEST_ID_BYTES),
      // One line is one job, whatever the environment says of arrays.
      job: { ...draft.job, array: null, submitLine: `${context.program} ${file}` },
      environment,
      again: parsed.values.has("resubmit"),
    },
  };
}
