/**
 * srun: runs a program with resources of its own. Outside of a job it submits one, waits with the user for its start
 * and relays its streams; within a job (SLURM_JOB_ID, --jobid) it makes a step there. It ends with the highest exit
 * code of its tasks.
 */

import { asComponent } from "../../core/het-variables.ts";
import type { JobRequest, StepOrder } from "../../core/jobspec.ts";
import { DESKTOP } from "../../core/notice.ts";
import { errnoText } from "../../util/errno.ts";
import { broadcastFile } from "../attach/broadcast.ts";
import { createStep, type StepWish } from "../attach/create-step.ts";
import { withConnectionTimeout } from "../attach/deadline.ts";
import { followJob } from "../attach/session.ts";
import { SESSION_SIGNALS, type SessionSignal } from "../attach/steering.ts";
import { distinct, readComponents, splitPrograms } from "../components.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { CPU_BIND_HELP } from "../cpu-bind-help.ts";
import { absolutePath, baseName, draftJob, draftStep, submitterOf } from "../jobspec.ts";
import { withModel } from "../model.ts";
import type { ParsedOptions } from "../option.ts";
import { readSubmit, type Wishes } from "../options/reading.ts";
import { type SubmitValues, submitOptions } from "../options/submit.ts";
import { submitJob, testSubmission } from "../submission.ts";
import { chooseGroups } from "./srun/groups.ts";
import { type Plan, planAll } from "./srun/plan.ts";
import { sessionPlan } from "./srun/session-wish.ts";

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

const REFUSAL = "Unable to allocate resources";

/** A sentence, and the exit code that it asks for. */
interface Problem {
  readonly text: string;
  readonly code: number;
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

/** A terminal is for one task: what the allocation has in all is not meant by who did not say more. */
function withOneTask(step: StepOrder, { values }: Wishes): StepOrder {
  if (values.ntasks !== undefined || values.nodes !== undefined) return step;
  return { ...step, request: { ...step.request, tasks: 1, tasksPerNode: 0, nodes: { min: 1, max: 1 } } };
}

function programProblem(program: string, workDir: string, path: string, context: CommandContext): Problem | undefined {
  const state = context.files.findProgram(program, workDir, path);
  if (state === "found") return undefined;
  const { code, words } = EXECVE_PROBLEMS[state];
  return { text: `execve(): ${program}: ${words}`, code };
}
