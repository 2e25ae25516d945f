/**
 * srun: runs a program with resources of its own. Outside of a job it submits one, waits with the user for its start
 * and relays its streams; within a job (SLURM_JOB_ID, --jobid) it makes a step there. It ends with the highest exit
 * code of its tasks.
 */

import { asComponent } from "../../core/het-variables.ts";
import type { JobRequest, PtySpec, StepOrder, TaskProgram } from "../../core/jobspec.ts";
import { DESKTOP } from "../../core/notice.ts";
import { errnoText } from "../../util/errno.ts";
import { broadcastFile } from "../attach/broadcast.ts";
import { createStep, type StepWish } from "../attach/create-step.ts";
import { withConnectionTimeout } from "../attach/deadline.ts";
import { DEFAULT_PREFIX } from "../attach/detach-keys.ts";
import { AT_ONCE_S } from "../attach/immediate.ts";
import { followJob } from "../attach/session.ts";
import type { SessionPlan } from "../attach/session-plan.ts";
import { silencePlan } from "../attach/silence.ts";
import { SESSION_SIGNALS, type SessionSignal } from "../attach/steering.ts";
import { distinct, readComponents, splitPrograms } from "../components.ts";
import { isSlurmName } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { CPU_BIND_HELP } from "../cpu-bind-help.ts";
import { absolutePath, baseName, draftJob, draftStep, type StepFacts, submitterOf } from "../jobspec.ts";
import { withModel } from "../model.ts";
import { parseMultiProgram } from "../multi-prog.ts";
import type { ParsedOptions } from "../option.ts";
import { readSubmit, type Wishes } from "../options/reading.ts";
import { submissionEnvironment } from "../options/submission-environment.ts";
import { type SubmitValues, submitOptions } from "../options/submit.ts";
import { submitJob, testSubmission } from "../submission.ts";
import { chooseGroups } from "./srun/groups.ts";

const OPTIONS = submitOptions("srun");

export const command: Command = {
  name: "srun",
  summary: "Run a program on GPUs and CPUs that are its own: waits for them, shows its output, returns its exit code",
  synopsis: "[OPTIONS...] program [args...] [: [OPTIONS...] program [args...]]...",
  options: OPTIONS,
  operands: "stop",
  examples: [
    "mgpu-srun --gpus 2 python3 train.py",
    "mgpu-srun -n 4 --gpus 4 --label ./worker",
    "mgpu-srun --gpus 1 --time 2:00:00 bash",
    "mgpu-srun -n 1 ./server : -n 4 --gpus 4 ./worker",
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

const REFUSAL = "Unable to allocate resources";

/** A sentence, and the exit code that it asks for. */
interface Problem {
  readonly text: string;
  readonly code: number;
}

/** What is to run, checked as far as it can be here. */
interface Plan {
  readonly wishes: Wishes;
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

async function run(parsed: ParsedOptions, plain: CommandContext): Promise<number> {
  const typed = splitPrograms(parsed, OPTIONS);
  const wishes = readSubmit("srun", typed[0], plain);
  const context = withConnectionTimeout(plain, wishes.values["connection-timeout"]);
  if (wishes.values.mpi === "list") {
    context.stdio.out("MPI plugin types are...\n\tnone\n");
    return 0;
  }
  if (wishes.values["cpu-bind"]?.kind === "help") {
    context.stdio.out(CPU_BIND_HELP);
    return 0;
  }
  // As in Slurm: the last component has a program, and those without one run that of the next.
  if (typed.at(-1)?.operands[0] === undefined)
    throw new UserError([...wishes.problems, "No command given to execute."]);
  const { jobid } = wishes.values;
  return jobid === undefined ? runOutside(typed, context) : runInside(typed, jobid, wishes, context);
}

/** A job of our own: with several components, one whose parts start together. */
async function runOutside(
  typed: readonly [ParsedOptions, ...ParsedOptions[]],
  context: CommandContext,
): Promise<number> {
  const [read, ...more] = readComponents("srun", typed, context);
  const wished = await withModel(read, typed[0].operands, context);
  const parts = await planAll([wished, ...more], typed, context);
  const drafts = parts.map(({ plan, facts }) => ({
    plan,
    ...draftJob(plan.wishes, { ...facts, kind: "run" }, context),
  }));
  const [first, ...others] = drafts;
  if (!first) throw new UserError("No command given to execute.");
  const { wishes } = first.plan;
  const isCopied = wishes.values.bcast !== undefined;
  const outside = isCopied && others.length > 0 ? [`${wishes.place("bcast")}: ${BCAST_MANY}`] : [];
  const checked = drafts.map((one) => ({ ...one, drafted: one.job }));
  check(checked, outside, context);
  if (isCopied) return (await import("./srun/own-allocation.ts")).runThroughAllocation(typed[0], context);
  if (wishes.values["het-group"] !== undefined) {
    context.stdio.err(`${context.program}: warning: --het-group has no effect: this is not within a job\n`);
  }
  const followers = others.map(({ plan, job }) => ({ job, environment: plan.environment }));
  return withLocalPrograms(first.plan, context, () => runJob(first.plan, first.job, followers, context));
}

/** A step within a job, in one or several of its components. */
async function runInside(
  typed: readonly [ParsedOptions, ...ParsedOptions[]],
  jobId: number,
  first: Wishes,
  context: CommandContext,
): Promise<number> {
  const { entries, problems: groupProblems } = chooseGroups(typed, first, jobId, context);
  const [head, ...tail] = entries;
  if (!head || groupProblems.length > 0) throw new UserError(groupProblems);
  const contextOf = (at: number): CommandContext => {
    const group = entries[at]?.group;
    return group === undefined ? context : { ...context, environment: asComponent(context.environment, group) };
  };
  const chosen: [ParsedOptions, ...ParsedOptions[]] = [head.typed, ...tail.map((one) => one.typed)];
  const parts = await planAll(readComponents("srun", chosen, contextOf), chosen, context);
  const drafts = parts.map(({ plan, facts }, at) => {
    const { step, problems, warnings } = draftStep(plan.wishes, facts, contextOf(at));
    const whole = facts.pty === null ? step : withOneTask(step, plan.wishes);
    return { plan, group: entries[at]?.group, drafted: whole, problems, warnings };
  });
  const [own, ...others] = drafts;
  if (!own) throw new UserError("No command given to execute.");
  const { wishes } = own.plan;
  const many =
    others.length > 0 && wishes.values.bcast !== undefined ? [`${wishes.place("bcast")}: ${BCAST_MANY}`] : [];
  check(drafts, many, context);
  const place = {
    jobId,
    ...(own.group === undefined ? {} : { component: own.group }),
    ...(others.length === 0
      ? {}
      : {
          others: others.map(({ plan, group = 0, drafted }) => {
            return { component: group, step: drafted, environment: plan.environment };
          }),
        }),
  };
  return withLocalPrograms(own.plan, context, () => runStep(own.plan, place, own.drafted, context));
}

const BCAST_MANY = "copies go to one component at a time: use mgpu-sbcast for each";

/** What each component is to run, as far as its wishes tell. */
async function planAll(
  wishes: readonly Wishes[],
  typed: readonly ParsedOptions[],
  context: CommandContext,
): Promise<readonly { readonly plan: Plan; readonly facts: StepFacts }[]> {
  const isAlone = wishes.length === 1;
  return Promise.all(
    wishes.map(async (read, at) => {
      const own = withoutForeignKeys(read, context);
      const operands = typed[at]?.operands ?? [];
      const [program = ""] = operands;
      const multi = readPrograms(own, operands, context);
      const { environment, problems, warnings } = await submissionEnvironment(own, context);
      const pty = isAlone ? terminalFor(own, context) : null;
      const noPty = !isAlone && own.values.pty ? ["--pty: one task can have the terminal, not several components"] : [];
      const plan: Plan = {
        ...{ wishes: own, program, environment: unbuffered(environment, own.values, pty), warnings },
        problems: [...own.problems, ...multi.problems, ...problems, ...noPty, ...terminalProblems(own, pty)],
      };
      return { plan, facts: { defaultName: baseName(program), argv: operands, pty, programs: multi.programs } };
    }),
  );
}

/** One component's part of what is asked for, checked so far. */
interface Checked {
  readonly plan: Plan;
  readonly drafted: JobRequest | StepOrder;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Says all that is wrong with any component at once; the exit code is that of a missing program if that is all. */
function check(parts: readonly Checked[], more: readonly string[], context: CommandContext): void {
  const { stdio, program } = context;
  const all = [...more, ...parts.flatMap(({ plan, problems }) => [...plan.problems, ...problems])];
  const missing = parts.flatMap(({ plan, drafted }) => {
    const isOneProgram = drafted.programs.length === 0 && !plan.wishes.values["multi-prog"];
    const path = plan.environment.PATH ?? "";
    return (isOneProgram ? programProblem(plan.program, drafted.workDir, path, context) : undefined) ?? [];
  });
  const [first] = missing;
  const told = distinct([...all, ...missing.map(({ text }) => text)]);
  if (first) throw new UserError(told, undefined, all.length > 0 ? 1 : first.code);
  if (told.length > 0) throw new UserError(told);
  const warnings = distinct(parts.flatMap(({ plan, warnings: own }) => [...plan.warnings, ...own]));
  for (const text of warnings) stdio.err(`${program}: warning: ${text}\n`);
}

async function runJob(
  plan: Plan,
  job: JobRequest,
  followers: readonly { readonly job: JobRequest; readonly environment: Plan["environment"] }[],
  context: CommandContext,
): Promise<number> {
  const { wishes, environment } = plan;
  const others = followers.map((one) => ({ ...one, environment: { ...one.environment } }));
  const submission = {
    job,
    script: null,
    environment,
    ...(others.length > 0 ? { followers: others } : {}),
    ...submitterOf(wishes, context),
  };
  if (wishes.values["test-only"]) return testSubmission(context, submission, REFUSAL);
  const early = catchSignals(context);
  try {
    const submitted = await submitJob(context, submission, REFUSAL, early.start);
    if (submitted === null) return 1;
    const session = {
      ...sessionPlan(wishes.values, job, context),
      jobId: submitted.jobId,
      // The components of a job have numbers in a row.
      otherJobIds: others.map((_, at) => submitted.jobId + at + 1),
      stepId: null,
      tasks: job.request.tasks,
    };
    const code = await followJob(session, submitted.connected, context, early.caught);
    await tellEnd(wishes.values.notify, submitted.jobId, job, code, context);
    return code;
  } finally {
    early.stop();
  }
}

/** --notify=desktop */
async function tellEnd(
  notify: SubmitValues["notify"],
  jobId: number,
  { name }: JobRequest,
  code: number,
  context: CommandContext,
): Promise<void> {
  if (!notify?.includes(DESKTOP)) return;
  const { tellDesktop } = await import("../output/desktop.ts");
  tellDesktop(context, `job ${jobId} (${name}) has ended, exit code ${code}`);
}

async function runStep(
  plan: Plan,
  place: Pick<StepWish, "jobId" | "component" | "others">,
  step: StepOrder,
  context: CommandContext,
): Promise<number> {
  const { jobId } = place;
  const { values } = plan.wishes;
  const { environment } = plan;
  const copied = values.bcast === undefined ? step : await copyProgram(plan, jobId, step, values.bcast, context);
  if (typeof copied === "number") return copied;
  const wish = {
    ...place,
    step: copied,
    environment,
    immediateS: values.immediate ?? null,
    quiet: values.quiet ?? false,
  };
  const made = await createStep(wish, context);
  if (typeof made === "number") return made;
  const { stepId, tasks, connected } = made;
  const [first = jobId, ...otherJobIds] = made.jobIds ?? [];
  const session = { ...sessionPlan(values, step, context), jobId: first, otherJobIds, stepId, tasks, immediateS: null };
  return followJob(session, connected, context, []);
}

/** --bcast: the step runs the copy. Answers with the exit code if there is none. */
async function copyProgram(
  { program, environment }: Plan,
  jobId: number,
  step: StepOrder,
  path: string,
  context: CommandContext,
): Promise<StepOrder | number> {
  const source = context.files.programPath(program, step.workDir, environment.PATH ?? "");
  const name = `slurm_bcast_${jobId}.${context.random.hex(4)}_${baseName(program)}`;
  const file = path === "" || path.endsWith("/") ? `${path}${name}` : path;
  const target = absolutePath(file, step.workDir);
  const copy = { jobId, stepId: null, source, target, workDir: step.workDir, force: true, preserve: false };
  const code = await broadcastFile(copy, context);
  return code === 0 ? { ...step, argv: [target, ...step.argv.slice(1)] } : code;
}

/** --prolog and --epilog: programs run here, before and after; what becomes of them does not count. */
async function withLocalPrograms(
  { wishes: { values }, environment }: Plan,
  context: CommandContext,
  work: () => Promise<number>,
): Promise<number> {
  const runHere = async (program: string | undefined): Promise<void> => {
    if (program === undefined || /^none$/i.test(program)) return;
    try {
      const child = await context.session.startChild({ argv: [program], environment, isApart: false });
      await child.exited;
    } catch (error) {
      context.stdio.err(`${context.program}: error: ${program}: ${errnoText(error)}\n`);
    }
  };
  await runHere(values.prolog);
  try {
    return await work();
  } finally {
    await runHere(values.epilog);
  }
}

/** What the session needs to know beyond the names of what it follows. */
function sessionPlan(
  values: SubmitValues,
  { io, pty, onDisconnect }: Pick<JobRequest, "io" | "pty" | "onDisconnect">,
  { program }: CommandContext,
): Omit<SessionPlan, "jobId" | "stepId" | "tasks"> {
  const { immediate } = values;
  // Slurm's own has no such keys, and passes every signal on.
  const isSlurm = isSlurmName(program);
  const { byte: detachKey } = values["detach-keys"] ?? { byte: isSlurm ? null : DEFAULT_PREFIX };
  return {
    label: io.label,
    terminal: pty && { size: pty, mode: "write", scrollback: 0, fromStart: true, detachKey },
    silence: silencePlan(values),
    warnsBeforeEnd: values["session-timeout"] !== undefined,
    ownsJob: true,
    onDisconnect: onDisconnect ?? (isSlurm ? "kill" : "detach"),
    isReasonStreamed: isReasonStreamed({ io, pty }),
    input: inputOf(io),
    quiet: values.quiet ?? false,
    verbose: (values.verbose ?? 0) > 0,
    lastTasks: { killOnBadExit: values["kill-on-bad-exit"] ?? false, waitS: values.wait ?? 0 },
    interrupt: values["quit-on-interrupt"] ? "quit" : values["disable-status"] ? "pass" : "status",
    immediateS: immediate === undefined ? null : Math.max(AT_ONCE_S, immediate),
  };
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
function withoutForeignKeys(wishes: Wishes, { stdio, session }: CommandContext): Wishes {
  const { values } = wishes;
  if (values.input !== undefined || values.pty || !stdio.stdinIsTerminal) return wishes;
  return session.terminal.isForeground() ? wishes : { ...wishes, values: { ...values, input: "none" } };
}

/** --multi-prog: the first operand is the file, the others are arguments of every program. */
function readPrograms(
  { values, inherited }: Wishes,
  [file = "", ...extra]: readonly string[],
  { files }: CommandContext,
): { readonly programs: readonly TaskProgram[]; readonly problems: readonly string[] } {
  if (!values["multi-prog"]) return { programs: [], problems: [] };
  try {
    const text = new TextDecoder().decode(files.read(file));
    return parseMultiProgram(text, file, values.ntasks ?? inherited.ntasks ?? null, extra);
  } catch (error) {
    return {
      programs: [],
      problems: [`--multi-prog: Could not open multi_prog config file ${file}: ${errnoText(error)}`],
    };
  }
}

/** The terminal of the task: asked for, or under mgpu's name where one task is run from a terminal. */
function terminalFor({ values, inherited }: Wishes, context: CommandContext): PtySpec | null {
  const { stdio, session, program } = context;
  if (values["no-pty"]) return null;
  if (values.pty && !stdio.stdinIsTerminal) {
    context.stdio.err(`${program}: error: Not using a pseudo-terminal, disregarding --pty option\n`);
    return null;
  }
  const all = { ...inherited, ...values };
  const hasOwnStreams = [values.output, values.error, values.input].some((value) => value !== undefined);
  const isNatural =
    !isSlurmName(program) &&
    // Of a job that was only named it is not known how many tasks it makes.
    (all.ntasks ?? (values.jobid === undefined ? 1 : 0)) === 1 &&
    (all.nodes?.min ?? 1) === 1 &&
    (all["ntasks-per-node"] ?? 1) === 1 &&
    stdio.stdinIsTerminal &&
    stdio.stdoutIsTerminal &&
    !hasOwnStreams &&
    !values["multi-prog"] &&
    !values.label;
  if (!values.pty && !isNatural) return null;
  const inactivityS = values["inactivity-timeout"];
  return { ...(session.terminal.size() ?? DEFAULT_SIZE), ...(inactivityS === undefined ? {} : { inactivityS }) };
}

function terminalProblems({ values }: Wishes, pty: PtySpec | null): string[] {
  if (pty === null || !values.pty) return [];
  const problems: string[] = [];
  const { ntasks = 1 } = values;
  if (ntasks > 1) problems.push(`--pty: one task can have the terminal, got --ntasks=${ntasks}`);
  for (const long of ["output", "error", "input", "label", "multi-prog"] as const) {
    if (values[long] !== undefined) problems.push(`--${long} can't be used with --pty`);
  }
  return problems;
}

/** A terminal is for one task: what the allocation has in all is not meant by who did not say more. */
function withOneTask(step: StepOrder, { values }: Wishes): StepOrder {
  if (values.ntasks !== undefined || values.nodes !== undefined) return step;
  return { ...step, request: { ...step.request, tasks: 1, tasksPerNode: 0, nodes: { min: 1, max: 1 } } };
}

/** Through a pipe Python would keep its output until it has kilobytes of it. */
function unbuffered(
  environment: Readonly<Record<string, string>>,
  values: SubmitValues,
  pty: PtySpec | null,
): Readonly<Record<string, string>> {
  if (pty !== null || values.export?.all === false) return environment;
  return { PYTHONUNBUFFERED: "1", ...environment };
}

function programProblem(program: string, workDir: string, path: string, context: CommandContext): Problem | undefined {
  const state = context.files.findProgram(program, workDir, path);
  if (state === "found") return undefined;
  const { code, words } = EXECVE_PROBLEMS[state];
  return { text: `execve(): ${program}: ${words}`, code };
}

/** Whether the first task's stderr comes here, where its holder says why it is ended. A terminal is not told. */
function isReasonStreamed({ io, pty }: Pick<JobRequest, "io" | "pty">): boolean {
  const target = io.stderr ?? io.stdout ?? "all";
  return pty === null && (target === "all" || target === "0");
}

/** Who reads our input: tasks whose input is a file or nothing don't. */
function inputOf(io: JobRequest["io"]): SessionPlan["input"] {
  if (io.stdin === "all") return "all";
  return /^\d+$/.test(io.stdin) ? Number(io.stdin) : null;
}
