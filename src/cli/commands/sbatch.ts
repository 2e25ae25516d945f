/** sbatch: puts a script into the queue and prints the job's number. The script is read now, its file may go away. */

import { taskCount } from "../../core/array-spec.ts";
import type { PtySpec } from "../../core/jobspec.ts";
import { DESKTOP } from "../../core/notice.ts";
import { createSpeaker } from "../attach/speaker.ts";
import { awaitEnd } from "../await-job.ts";
import { checkClusters } from "../clusters.ts";
import { distinct, readComponents, splitComponents } from "../components.ts";
import { connectAsSlurm } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { type Directives, readDirectives } from "../directives.ts";
import { isGiven, lastValue } from "../getopt.ts";
import { absolutePath, draftJob, submitterOf } from "../jobspec.ts";
import { withModel } from "../model.ts";
import type { ParsedOptions } from "../option.ts";
import type { Wishes } from "../options/reading.ts";
import { submissionEnvironment } from "../options/submission-environment.ts";
import { type SubmitValues, submitOptions } from "../options/submit.ts";
import { createProgress } from "../output/progress.ts";
import { loadScript } from "../script.ts";
import { inOrderOfLines, slurmNameWarnings } from "../script-messages.ts";
import { type Submitted, submitJob, testSubmission } from "../submission.ts";

const OPTIONS = submitOptions("sbatch");

/** A terminal that nobody has seen yet. */
const DEFAULT_SIZE: PtySpec = { columns: 80, rows: 24 };
const DEFAULT_TERM = "xterm-256color";

type Variables = Readonly<Record<string, string>>;

/** How a refusal is introduced. */
const REFUSAL = "Batch job submission failed";

export const command: Command = {
  name: "sbatch",
  summary: "Submit a batch script: it waits for its resources, runs without you, and writes its output to a file",
  synopsis: "[OPTIONS...] [: OPTIONS...]... [script [args...]] | [OPTIONS...] --each script... | -",
  options: OPTIONS,
  operands: "stop",
  examples: [
    "mgpu-sbatch --gpus=2 --time=4:00:00 train.sh",
    "mgpu-sbatch --gpus=1 --wrap='python3 train.py'",
    "mgpu-sbatch --array=0-99%8 --gpus=1 sweep.sh",
    "mgpu-sbatch --parsable < train.sh",
    "mgpu-sbatch --gpus=1 --each train.sh sweep.sh",
    "mgpu-sbatch -n1 --mem=64G : -n8 --gpus=8 train.sh",
  ],
  run,
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  if (parsed.values.has("each")) {
    const { submitEach } = await import("../each-script.ts");
    return submitEach(parsed, context, { prepare, clusterOf, report, refusal: REFUSAL });
  }
  const { values, submission, warnings } = await prepare(parsed, context);
  if (!values.quiet) {
    context.stdio.err(warnings.map((text) => `${context.program}: warning: ${text}\n`).join(""));
  }
  const cluster = await clusterOf(values, context);
  if (cluster === "") return 1;
  if (values.progress && !values.await) throw new UserError("--progress shows what --wait waits for: give both");
  if (values["test-only"]) return testSubmission(context, submission, REFUSAL);
  const submitted = await submitJob(context, submission, REFUSAL);
  if (submitted === null) return 1;
  report(submitted, values, cluster, context);
  const { jobId, connected } = submitted;
  try {
    if (!values.await) return 0;
    const { array } = submission.job;
    const progress = values.progress
      ? createProgress(`job ${jobId}`, array === null ? 1 : taskCount(array.tasks), createSpeaker(context, false))
      : null;
    const code = await awaitEnd(context, connected.peer, { jobId, isArray: array !== null, progress }).finally(() =>
      progress?.close(),
    );
    if (values.notify?.includes(DESKTOP)) {
      const { tellDesktop } = await import("../output/desktop.ts");
      tellDesktop(context, `job ${jobId} (${submission.job.name}) has ended, exit code ${code}`);
    }
    return code;
  } finally {
    connected.peer.close();
  }
}

/** Everything that can be said before the controller is asked; all problems at once. */
async function prepare(parsed: ParsedOptions, context: CommandContext) {
  const typed = splitComponents(parsed, OPTIONS);
  const [path, ...args] = typed.at(-1)?.operands ?? [];
  const problems: string[] = [];
  const wrap = typed.map((one) => lastValue(one, "wrap")).findLast((text) => text !== undefined);
  if (wrap !== undefined && path !== undefined) problems.push("Script arguments not permitted with --wrap option");
  const script = loadScript(wrap, path, context);
  const directives = readDirectives(script.text, script.file, OPTIONS);
  const [read, ...others] = readComponents("sbatch", typed, context, directives.components);
  const command = script.command === path ? absolutePath(path, context.cwd) : script.command;
  const wishes = await withModel(read, wrap === undefined ? args : wrap.split(/\s+/), context);
  const facts = {
    kind: "batch",
    defaultName: script.jobName,
    argv: [command, ...args],
    pty: terminalOf(wishes, context),
  } as const;
  const draft = draftJob(wishes, facts, context);
  const followers = others.map((one) => ({ ...draftJob(one, { ...facts, pty: null }, context), wishes: one }));
  problems.push(...script.problems, ...directives.problems, ...wishes.problems, ...draft.problems);
  for (const one of followers) problems.push(...one.wishes.problems, ...one.problems);
  if (problems.length > 0) {
    const { unknownOptionHint } = await import("../options/unknown.ts");
    throw new UserError(inOrderOfLines(distinct(problems), script.file), unknownOptionHint(problems, OPTIONS));
  }
  const { environment, ...found } = await submissionEnvironment(wishes, context);
  if (found.problems.length > 0) throw new UserError(found.problems);
  return {
    values: wishes.values,
    submission: {
      ...{ job: draft.job, script: script.bytes, environment: withTerminal(environment, facts.pty) },
      ...(followers.length > 0 ? { followers: followers.map(({ job }) => ({ job, environment })) } : {}),
      ...submitterOf(wishes, context),
    },
    warnings: [
      ...directives.warnings,
      ...foreignWarnings(directives, script.file, parsed, context),
      ...slurmNameWarnings(wrap === undefined ? script : { file: "--wrap", text: wrap }, context),
      ...distinct([draft, ...followers].flatMap((one) => one.warnings)),
      ...found.warnings,
    ],
  };
}

/** The terminal of a script with --pty: as large as the user's own, if there is one. */
function terminalOf({ values }: Wishes, { stdio, session }: CommandContext): PtySpec | null {
  if (!values.pty) return null;
  const size = stdio.stdoutIsTerminal ? session.terminal.size() : null;
  const inactivityS = values["inactivity-timeout"];
  return { ...(size ?? DEFAULT_SIZE), ...(inactivityS === undefined ? {} : { inactivityS }) };
}

/** Its kind is that of the user's own; who has none comes back with one of those that are common. */
function withTerminal(environment: Variables, pty: PtySpec | null): Variables {
  const { TERM = "" } = environment;
  return pty !== null && ["", "dumb", "unknown"].includes(TERM) ? { ...environment, TERM: DEFAULT_TERM } : environment;
}

/** Wishes in another batch system's words would be missed without a word. */
function foreignWarnings(
  { foreignLine }: Directives,
  file: string,
  parsed: ParsedOptions,
  { environment }: CommandContext,
): string[] {
  if (foreignLine === 0 || isGiven(parsed, "ignore-pbs") || environment.SBATCH_IGNORE_PBS !== undefined) return [];
  return [`${file}: line ${foreignLine}: #PBS and #BSUB are not read; write #SBATCH, or say --ignore-pbs`];
}

/** `null` where none was named. */
async function clusterOf({ clusters }: SubmitValues, context: CommandContext): Promise<string | null> {
  return clusters === undefined ? null : clusterName(clusters, context);
}

/** The cluster's own name, if it is among those that were named; empty after it was said that it can't be reached. */
async function clusterName(list: string, context: CommandContext): Promise<string> {
  const connected = await connectAsSlurm(context, `${context.program}: error: ${REFUSAL}`);
  if (connected === null) return "";
  try {
    await checkClusters(connected.peer, list);
    return (await connected.peer.call("controller.status", {})).clusterName;
  } finally {
    connected.peer.close();
  }
}

function report(
  { jobId, connected }: Submitted,
  values: SubmitValues,
  cluster: string | null,
  { program, stdio }: CommandContext,
): void {
  if (values.verbose) {
    const { daemon, version, pid } = connected.answer;
    stdio.err(`${program}: accepted by ${daemon} ${version} (pid ${pid})\n`);
  }
  if (values.quiet) return;
  if (values.parsable) stdio.out(cluster === null ? `${jobId}\n` : `${jobId};${cluster}\n`);
  else stdio.out(`Submitted batch job ${jobId}${cluster === null ? "" : ` on cluster ${cluster}`}\n`);
}
