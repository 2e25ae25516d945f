/**
 * srun: submits a job of one step, waits with the user for its start, relays its streams, and ends with its exit
 * code. Inside of a job it submits a job of its own; steps within a job's allocation are not there yet.
 */

import type { JobRequest, PtySpec } from "../../core/jobspec.ts";
import { followJob, type SessionPlan } from "../attach/session.ts";
import { SESSION_SIGNALS, type SessionSignal } from "../attach/steering.ts";
import { isSlurmName } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { baseName, draftJob } from "../jobspec.ts";
import type { ParsedOptions } from "../option.ts";
import { EXPORT_ALL, jobEnvironment } from "../options/export.ts";
import { commandLineLayer, environmentLayer, isInsideJob } from "../options/layers.ts";
import { readSubmitOptions, type SubmitValues } from "../options/reading.ts";
import { submitOptions } from "../options/submit.ts";
import { submitJob } from "../submission.ts";

export const command: Command = {
  name: "srun",
  summary: "Run a program on GPUs and CPUs that are its own: waits for them, shows its output, returns its exit code",
  synopsis: "[OPTIONS...] program [args...]",
  options: submitOptions("srun"),
  operands: "stop",
  examples: [
    "mgpu-srun --gpus 2 python3 train.py",
    "mgpu-srun -n 4 --gpus 4 --label ./worker",
    "mgpu-srun --gpus 1 --time 2:00:00 bash",
  ],
  run,
};

/** What a system call that can't run a program would return, and its words. */
const EXECVE_PROBLEMS = {
  missing: { code: 2, words: "No such file or directory" },
  "not executable": { code: 13, words: "Permission denied" },
  "a folder": { code: 13, words: "Permission denied" },
} as const;

/** A terminal that does not say how large it is. */
const DEFAULT_SIZE: PtySpec = { columns: 80, rows: 24 };

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const layers = [commandLineLayer(parsed), environmentLayer("srun", context.environment)];
  const { values: wishes, problems } = readSubmitOptions(layers);
  const values = withoutForeignKeys(wishes, context);
  const [program] = parsed.operands;
  if (program === undefined) throw new UserError([...problems, "No command given to execute."]);
  const pty = terminalFor(values, context);
  const facts = { kind: "run", defaultName: baseName(program), argv: parsed.operands, pty } as const;
  const { job, problems: jobProblems } = draftJob(values, facts, context);
  const environment = environmentFor(values, job, context);
  const missing = programProblem(program, job.workDir, environment.PATH ?? "", context);
  const others = [...problems, ...jobProblems, ...terminalProblems(values, job)];
  if (missing) throw new UserError([...others, missing.text], undefined, others.length > 0 ? 1 : missing.code);
  if (others.length > 0) throw new UserError(others);
  warnInsideJob(values, context);
  return submitAndFollow(values, job, environment, context);
}

async function submitAndFollow(
  values: SubmitValues,
  job: JobRequest,
  environment: Record<string, string>,
  context: CommandContext,
): Promise<number> {
  const early = catchSignals(context);
  try {
    const submission = { job, script: null, environment };
    const submitted = await submitJob(context, submission, "Unable to allocate resources", early.start);
    if (submitted === null) return 1;
    const plan: SessionPlan = {
      jobId: submitted.jobId,
      tasks: job.request.tasks,
      label: job.io.label,
      pty: job.pty,
      isReasonStreamed: isReasonStreamed(job),
      input: inputOf(job),
      quiet: values.quiet ?? false,
      verbose: (values.verbose ?? 0) > 0,
    };
    return await followJob(plan, submitted.connected, context, early.caught);
  } finally {
    early.stop();
  }
}

/**
 * Signals from the moment on when the job may exist: they must not end us before it is known which job to end. The
 * session installs its own handlers, and is told of those that came before.
 */
function catchSignals({ session }: CommandContext) {
  const caught: SessionSignal[] = [];
  let undo: readonly (() => void)[] = [];
  return {
    caught,
    start: (): void => {
      if (undo.length > 0) return;
      const names = Object.keys(SESSION_SIGNALS) as SessionSignal[];
      undo = names.map((name) => session.onSignal(name, () => void caught.push(name)));
    },
    stop: (): void => {
      for (const end of undo) end();
    },
  };
}

/** What is typed while we are in the background is the shell's: the tasks get no input unless told where from. */
function withoutForeignKeys(values: SubmitValues, { stdio, session }: CommandContext): SubmitValues {
  if (values.input !== undefined || values.pty || !stdio.stdinIsTerminal) return values;
  return session.terminal.isForeground() ? values : { ...values, input: "none" };
}

/** The terminal of the task: asked for, or under mgpu's name where one task is run from a terminal. */
function terminalFor(values: SubmitValues, context: CommandContext): PtySpec | null {
  const { stdio, session, program } = context;
  if (values["no-pty"]) return null;
  if (values.pty && !stdio.stdinIsTerminal) {
    context.stdio.err(`${program}: error: Not using a pseudo-terminal, disregarding --pty option\n`);
    return null;
  }
  const hasOwnStreams = [values.output, values.error, values.input].some((value) => value !== undefined);
  const isNatural =
    !isSlurmName(program) &&
    (values.ntasks ?? 1) === 1 &&
    stdio.stdinIsTerminal &&
    stdio.stdoutIsTerminal &&
    !hasOwnStreams &&
    !values.label;
  return values.pty || isNatural ? (session.terminal.size() ?? DEFAULT_SIZE) : null;
}

function terminalProblems(values: SubmitValues, { pty, request }: JobRequest): string[] {
  if (pty === null || !values.pty) return [];
  const problems: string[] = [];
  if (request.tasks > 1) problems.push(`--pty: one task can have the terminal, got --ntasks=${request.tasks}`);
  for (const long of ["output", "error", "input", "label"] as const) {
    if (values[long] !== undefined) problems.push(`--${long} can't be used with --pty`);
  }
  return problems;
}

function environmentFor(values: SubmitValues, job: JobRequest, context: CommandContext): Record<string, string> {
  const spec = values.export ?? EXPORT_ALL;
  const environment = jobEnvironment(spec, context.environment, context.cwd);
  // Through a pipe Python would keep its output until it has kilobytes of it.
  if (job.pty === null && spec.all) environment.PYTHONUNBUFFERED ??= "1";
  return environment;
}

function programProblem(
  program: string,
  workDir: string,
  path: string,
  context: CommandContext,
): { text: string; code: number } | undefined {
  const state = context.files.findProgram(program, workDir, path);
  if (state === "found") return undefined;
  const { code, words } = EXECVE_PROBLEMS[state];
  return { text: `execve(): ${program}: ${words}`, code };
}

/** Whether the first task's stderr comes here, where its holder says why it is ended. A terminal is not told. */
function isReasonStreamed({ io, pty }: JobRequest): boolean {
  const target = io.stderr ?? io.stdout ?? "all";
  return pty === null && (target === "all" || target === "0");
}

/** Who reads our input: tasks whose input is a file or nothing don't. */
function inputOf({ io }: JobRequest): SessionPlan["input"] {
  if (io.stdin === "all") return "all";
  return /^\d+$/.test(io.stdin) ? Number(io.stdin) : null;
}

/**
 * In Slurm an srun inside of a job runs within its allocation. A script that counts on its job's GPUs must not find
 * itself without any and not know why.
 */
function warnInsideJob(values: SubmitValues, { environment, program, stdio }: CommandContext): void {
  if (!isInsideJob(environment)) return;
  const wantsGpus = values.gpus !== undefined || values.gres !== undefined;
  const jobHasGpus = Boolean(environment.SLURM_JOB_GPUS || environment.SLURM_GPUS || environment.CUDA_VISIBLE_DEVICES);
  if (!values.verbose && (wantsGpus || !jobHasGpus)) return;
  const what = `inside of job ${environment.SLURM_JOB_ID}: submitting a job of its own`;
  stdio.err(`${program}: warning: ${what}, without the GPUs of that one (this version has no steps in a job)\n`);
}
