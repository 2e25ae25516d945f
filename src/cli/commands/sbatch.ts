/** sbatch: puts a script into the queue and prints the job's number. The script is read now, its file may go away. */

import { type Command, type CommandContext, UserError } from "../context.ts";
import { readDirectives } from "../directives.ts";
import { lastValue } from "../getopt.ts";
import { absolutePath, draftJob } from "../jobspec.ts";
import type { ParsedOptions } from "../option.ts";
import { EXPORT_ALL, jobEnvironment } from "../options/export.ts";
import { commandLineLayer, environmentLayer } from "../options/layers.ts";
import { readSubmitOptions } from "../options/reading.ts";
import { submitOptions } from "../options/submit.ts";
import { loadScript } from "../script.ts";
import { submitJob } from "../submission.ts";

const OPTIONS = submitOptions("sbatch");

export const command: Command = {
  name: "sbatch",
  summary: "Submit a batch script: it waits for its resources, runs without you, and writes its output to a file",
  synopsis: "[OPTIONS...] [script [args...]]",
  options: OPTIONS,
  operands: "stop",
  examples: [
    "mgpu-sbatch --gpus=2 --time=4:00:00 train.sh",
    "mgpu-sbatch --gpus=1 --wrap='python3 train.py'",
    "mgpu-sbatch --parsable < train.sh",
  ],
  run,
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const wrap = lastValue(parsed, "wrap");
  const [path, ...args] = parsed.operands;
  const problems: string[] = [];
  if (wrap !== undefined && path !== undefined) problems.push("Script arguments not permitted with --wrap option");
  const script = loadScript(wrap, path, context);
  const directives = readDirectives(script.text, script.file, OPTIONS);
  const layers = [commandLineLayer(parsed), environmentLayer("sbatch", context.environment), directives];
  const { values, problems: valueProblems } = readSubmitOptions(layers);
  const command = script.command === path ? absolutePath(path, context.cwd) : script.command;
  const facts = { kind: "batch", defaultName: script.jobName, argv: [command, ...args], pty: null } as const;
  const { job, problems: jobProblems } = draftJob(values, facts, context);
  problems.push(...script.problems, ...directives.problems, ...valueProblems, ...jobProblems);
  if (problems.length > 0) throw new UserError(problems);

  const environment = jobEnvironment(values.export ?? EXPORT_ALL, context.environment, context.cwd);
  const submission = { job, script: script.bytes, environment };
  const submitted = await submitJob(context, submission, "Batch job submission failed");
  if (submitted === null) return 1;
  const { jobId, connected } = submitted;
  connected.peer.close();
  if (values.verbose) {
    const { daemon, version, pid } = connected.answer;
    context.stdio.err(`${context.program}: accepted by ${daemon} ${version} (pid ${pid})\n`);
  }
  if (!values.quiet) context.stdio.out(values.parsable ? `${jobId}\n` : `Submitted batch job ${jobId}\n`);
  return 0;
}
