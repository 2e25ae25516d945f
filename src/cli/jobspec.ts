/**
 * From option values to the job or step that is sent, with every check that needs no cluster. Problems are collected,
 * so that a user sees all of them at once and nothing is queued.
 */

import type { IoSpec, JobKind, JobRequest, MailSpec, PtySpec, StepOrder, TaskProgram } from "../core/jobspec.ts";
import { UNLIMITED } from "../core/jobspec.ts";
import { DESKTOP } from "../core/notice.ts";
import { PRIORITY_NICE } from "../core/priority-words.ts";
import { RLIMITS } from "../core/rlimits.ts";
import { roundUpToMinute } from "../core/time.ts";
import { errnoText } from "../util/errno.ts";
import { isSlurmName } from "./connect.ts";
import type { CommandContext } from "./context.ts";
import { jobResources, stepResources, withOpenTasks } from "./jobspec-resources.ts";
import type { Wishes } from "./options/reading.ts";
import type { SubmitName, SubmitValues } from "./options/submit.ts";

/** What the command itself knows of the program. */
export interface StepFacts {
  readonly defaultName: string;
  readonly argv: readonly string[];
  /** One a task with --multi-prog. */
  readonly programs?: readonly TaskProgram[];
  readonly pty: PtySpec | null;
}

/** The same of a job. */
export interface JobFacts extends StepFacts {
  readonly kind: JobKind;
}

/** A job ready to be sent if there are no problems, here and in the wishes. */
export interface Draft {
  readonly job: JobRequest;
  /** One sentence each, with its place; those of the wishes themselves apart. */
  readonly problems: readonly string[];
  /** What was understood otherwise than written. */
  readonly warnings: readonly string[];
}

/** A step ready to be asked for if there are no problems. */
export interface StepDraft {
  readonly step: StepOrder;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Slurm's word for the client's stream instead of a file. */
const ALL = "all";

/** Slurm's name for the output of batch jobs. */
const BATCH_OUTPUT = "slurm-%j.out";

/** Seconds before a job that failed is first started again, where the user did not say. */
const RETRY_WAIT_S = 10;

/** Slurm's words, which scripts look for. */
const TIME_MIN_PROBLEM = "Invalid time-min specification (exceeds job's time or other limits)";
const BEGIN_PROBLEM = "Incompatible begin and deadline time specification";
const DEADLINE_PROBLEM = "Requested time limit is invalid (missing or exceeds some limit): it is over";

/** Puts a job together and checks it against this machine. */
export function draftJob(wishes: Wishes, facts: JobFacts, context: CommandContext): Draft {
  const { values } = wishes;
  const resources = jobResources(wishes, context);
  const job: JobRequest = {
    ...program(wishes, facts, facts.kind, context),
    distribution: resources.distribution,
    kind: facts.kind,
    request: facts.pty === null ? withOpenTasks(resources.request, wishes) : resources.request,
    ...identity(values, context),
    ...queueing(values, facts.kind, context),
    submitHost: context.hostname,
    submitLine: wishes.line,
  };
  const problems = [
    ...resources.problems,
    ...userProblems(wishes, facts.kind, context),
    ...timeProblems(job, wishes, context),
    ...activationProblems(wishes),
    ...inputProblems(job, facts.kind, job.request.tasks, wishes),
    ...fileProblems(job, facts.kind, wishes, context),
  ];
  return { job, problems, warnings: [...resources.warnings, ...bindWarnings(job), ...noticeWarnings(wishes, facts)] };
}

/** Puts a step within a job together. */
export function draftStep(wishes: Wishes, facts: StepFacts, context: CommandContext): StepDraft {
  const { values, inherited } = wishes;
  const resources = stepResources(wishes, context);
  const step: StepOrder = {
    ...program(wishes, facts, "run", context),
    distribution: resources.distribution,
    gpuBind: gpuBind(values) ?? inherited["gpu-bind"] ?? null,
    request: resources.request,
    timeLimitS: timeLimit(values, context.program) ?? UNLIMITED,
    submitHost: context.hostname,
  };
  const problems = [
    ...resources.problems,
    ...activationProblems(wishes),
    ...inputProblems(step, "run", step.request.tasks, wishes),
    ...fileProblems(step, "run", wishes, context),
  ];
  return { step, problems, warnings: [...resources.warnings, ...bindWarnings(step)] };
}

/** A terminal can show a notice as long as a command of ours is there. */
function noticeWarnings({ values, place }: Wishes, { kind }: JobFacts): string[] {
  if (!values.notify?.includes(DESKTOP) || kind !== "batch" || values.await) return [];
  return [`${place("notify")}: ${DESKTOP} has no effect: nobody waits at this terminal, as mgpu-srun does, and --wait`];
}

function bindWarnings({ gpuBind: bind, cpuBind }: Program): string[] {
  if (bind?.kind !== "closest" || (cpuBind?.kind ?? "none") !== "none") return [];
  return ["--gpu-bind=closest: each task sees all GPUs of its step, unless it is bound to CPUs (--cpu-bind=cores)"];
}

/** A path made absolute. `..` stays: what it means depends on links. */
export function absolutePath(path: string, folder: string): string {
  const full = path.startsWith("/") ? path : `${folder}/${path}`;
  const parts = full.split("/").filter((part) => part !== "" && part !== ".");
  return `/${parts.join("/")}`;
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.replace(/\/+$/, "").replace(/^.*\//, "") || path;
}

type Program = Omit<StepOrder, "request" | "timeLimitS" | "submitHost" | "distribution">;

function program({ values }: Wishes, facts: StepFacts, kind: JobKind, context: CommandContext): Program {
  return {
    name: values["job-name"] ?? facts.defaultName,
    workDir: absolutePath(values.chdir ?? ".", context.cwd),
    io: streams(values, kind),
    argv: facts.argv,
    programs: facts.programs ?? [],
    pty: facts.pty,
    ...disconnection(values),
    umask: umask(context),
    rlimits: kind === "alloc" ? {} : rlimits(values, context),
    gpuBind: gpuBind(values),
    ...(values["cpu-bind"] === undefined ? {} : { cpuBind: values["cpu-bind"] }),
    ...(values["task-prolog"] === undefined ? {} : { taskProlog: values["task-prolog"] }),
    ...(values["task-epilog"] === undefined ? {} : { taskEpilog: values["task-epilog"] }),
    ...activation(values, context),
  };
}

/** A path is meant as it is typed here; a conda environment's name is looked up on the node. */
function activation(values: SubmitValues, { cwd }: CommandContext): Pick<Program, "activation"> {
  const { venv } = values;
  const conda = values["conda-env"];
  if (venv !== undefined) return { activation: { kind: "venv", name: absolutePath(venv, cwd) } };
  if (conda === undefined) return {};
  return { activation: { kind: "conda", name: conda.includes("/") ? absolutePath(conda, cwd) : conda } };
}

function activationProblems({ values, place }: Wishes): string[] {
  if (values.venv === undefined || values["conda-env"] === undefined) return [];
  return [`${place("conda-env")} and ${place("venv")}: a program runs in one environment, name one of them`];
}

/** Who wants to be let go of a quiet job does not want it ended for that. */
function disconnection(values: SubmitValues): Pick<Program, "onDisconnect"> {
  const said = values["on-disconnect"];
  const isLeft = values["exit-on-silence"] || values["max-consecutive-timeouts"] || values["max-wait-time"];
  const wish = said ?? (isLeft ? "detach" : undefined);
  return wish === undefined ? {} : { onDisconnect: wish };
}

function gpuBind(values: SubmitValues): Program["gpuBind"] {
  return values["gpu-bind"] ?? values["tres-bind"] ?? null;
}

/** SLURM_UMASK stands for the shell's own, unless an enclosing job has set it. */
function umask({ environment, shell }: CommandContext): number {
  const text = environment.SLURM_UMASK;
  const isWish = text !== undefined && /^[0-7]{1,4}$/.test(text) && !environment.SLURM_JOB_ID;
  return isWish ? Number.parseInt(text, 8) & 0o777 : shell.umask();
}

/** All soft limits of the shell unless told otherwise, as Slurm's default is. */
function rlimits({ propagate = RLIMITS }: SubmitValues, { shell }: CommandContext): Record<string, number> {
  if (propagate.length === 0) return {};
  const limits = shell.limits();
  return Object.fromEntries(
    propagate.flatMap((name) => (limits[name] === undefined ? [] : [[name, limits[name]] as const])),
  );
}

type Identity =
  | "partition"
  | "partitions"
  | "account"
  | "comment"
  | "wckey"
  | "qos"
  | "reservation"
  | "licenses"
  | "mail";

function identity(values: SubmitValues, { user }: CommandContext): Pick<JobRequest, Identity> {
  const { partition: partitions = [], account = null, qos = null, reservation = null } = values;
  const { comment = "", wckey = "", licenses = [] } = values;
  const mail = mailSpec(values, user.name);
  const partition = partitions[0] ?? null;
  const named = { partition, ...(partitions.length > 1 ? { partitions } : {}) };
  return { ...named, account, qos, reservation, comment, wckey, licenses, mail };
}

/** Without --mail-type only the web addresses are told, and only of the end. */
function mailSpec(values: SubmitValues, userName: string): MailSpec | null {
  const notify = values.notify?.filter((one) => one !== DESKTOP);
  const types = values["mail-type"];
  if (notify?.length && (types ?? []).length === 0) return { types: ["END", "FAIL"], user: "", notify };
  if (!types || types.length === 0) return null;
  return { types, user: values["mail-user"] ?? userName, ...(notify?.length ? { notify } : {}) };
}

type Queueing = Pick<
  JobRequest,
  | "timeLimitS"
  | "timeMinS"
  | "beginAt"
  | "deadlineAt"
  | "requeue"
  | "retries"
  | "retryWaitS"
  | "hold"
  | "priority"
  | "nice"
  | "dependency"
  | "killOnInvalidDep"
  | "signal"
  | "array"
  | "het"
  | "noKill"
>;

function queueing(values: SubmitValues, kind: JobKind, { program: name }: CommandContext): Queueing {
  const { priority: wish = null, dependency = null } = values;
  const priority = typeof wish === "string" ? null : wish;
  const distance = typeof wish === "string" ? PRIORITY_NICE[wish] : 0;
  return {
    timeLimitS: timeLimit(values, name),
    timeMinS: asSlurm(values["time-min"], name) ?? null,
    beginAt: values.begin ?? 0,
    deadlineAt: values.deadline ?? 0,
    requeue: kind === "batch" && values["no-requeue"] === undefined,
    retries: values.retries ?? 0,
    retryWaitS: values["retry-wait"] ?? RETRY_WAIT_S,
    // A priority of 0 is Slurm's other word for a hold.
    hold: values.hold === true || priority === 0,
    priority: priority === 0 ? null : priority,
    nice: (values.nice ?? 0) + distance,
    dependency: dependency !== null && dependency.terms.length > 0 ? dependency : null,
    killOnInvalidDep: values["kill-on-invalid-dep"] ?? false,
    signal: values.signal ?? null,
    array: values.array ?? null,
    het: null,
    noKill: values["no-kill"] ?? false,
  };
}

/** Under Slurm's names limits are whole minutes, as Slurm keeps them; under mgpu's they are exact. */
function timeLimit(values: SubmitValues, program: string): number | null {
  const sessionS = values["session-timeout"];
  const limitS = asSlurm(values.time, program);
  if (sessionS === undefined) return limitS ?? null;
  return limitS === undefined || limitS === UNLIMITED ? sessionS : Math.min(limitS, sessionS);
}

/** Under Slurm's names times are whole minutes. */
function asSlurm(limitS: number | undefined, program: string): number | undefined {
  return limitS === undefined || !isSlurmName(program) ? limitS : roundUpToMinute(limitS);
}

function streams(values: SubmitValues, kind: JobKind): IoSpec {
  const stdout = outputName(values.output, "/dev/stdout");
  const stderr = outputName(values.error, "/dev/stderr");
  return {
    stdin: streamName(values.input) ?? (kind === "run" ? ALL : "none"),
    stdout: stdout === ALL ? null : stdout,
    // A batch script has no client; srun's stderr goes where its stdout does unless it is told to come here.
    stderr: stderr === ALL && kind === "batch" ? null : stderr,
    openMode: values["open-mode"] ?? "truncate",
    label: values.label ?? false,
  };
}

/** `all` and `none` in any case, as Slurm takes them. */
function streamName(text: string | undefined): string | undefined {
  return text !== undefined && /^(all|none)$/i.test(text) ? text.toLowerCase() : text;
}

/** A file, `all` for the client, `null` if nothing was said. On the job's node `own` would be somebody else's stream. */
function outputName(text: string | undefined, own: string): string | null {
  const name = streamName(text);
  if (name === undefined) return null;
  if (name === own) return ALL;
  return name === "none" ? "/dev/null" : name;
}

/** Slurm's words for whoever is not root. The program of salloc runs here, as whoever calls it. */
function userProblems({ values, place }: Wishes, kind: JobKind, { user }: CommandContext): string[] {
  const problems: string[] = [];
  const { uid, gid } = values;
  const isOther = uid !== undefined && uid !== user.name && uid !== String(user.uid);
  const isOtherGroup = gid !== undefined && gid !== String(user.gid);
  if (isOther && user.uid !== 0) problems.push(`${place("uid")} only permitted by root user`);
  if (isOtherGroup && user.uid !== 0) problems.push(`${place("gid")} only permitted by root user; use newgrp or sg`);
  if (kind === "alloc" && user.uid === 0) {
    if (isOther) problems.push(`${place("uid")}: the command of salloc runs here as root; use sudo -u ${uid}`);
    if (isOtherGroup) problems.push(`${place("gid")}: the command of salloc runs here with your own group; use sg`);
  }
  return problems;
}

/** The part of a submission by which root says whose job it is. */
export function submitterOf({ values: { uid, gid } }: Wishes, { user }: CommandContext) {
  const isAsked = user.uid === 0 && (uid !== undefined || gid !== undefined);
  return isAsked ? { as: { user: uid ?? "", group: gid ?? "" } } : {};
}

function timeProblems(job: JobRequest, { place }: Wishes, { clock }: CommandContext): string[] {
  const { timeLimitS, timeMinS, beginAt, deadlineAt } = job;
  const problems: string[] = [];
  const most = timeLimitS === null || timeLimitS === UNLIMITED ? Number.POSITIVE_INFINITY : timeLimitS;
  const least = timeMinS === UNLIMITED ? Number.POSITIVE_INFINITY : (timeMinS ?? 0);
  if (least > most) problems.push(`${place("time-min")}: ${TIME_MIN_PROBLEM}`);
  // Moments are whole seconds: `now` itself lies up to one second back.
  if (deadlineAt > 0 && deadlineAt <= clock.now() - 1000) problems.push(`${place("deadline")}: ${DEADLINE_PROBLEM}`);
  else if (deadlineAt > 0 && beginAt > deadlineAt) problems.push(`${place("deadline")}: ${BEGIN_PROBLEM}`);
  return problems;
}

function inputProblems({ io }: Program, kind: JobKind, tasks: number | null, { place }: Wishes): string[] {
  if (!/^\d+$/.test(io.stdin) || kind !== "run" || tasks === null || Number(io.stdin) < tasks) return [];
  return [`${place("input")}: there is no task ${io.stdin}, tasks are numbered from 0 to ${tasks - 1}`];
}

function fileProblems({ io, workDir }: Program, kind: JobKind, { place }: Wishes, { files }: CommandContext): string[] {
  if (!files.isFolder(workDir)) return [`${place("chdir")}: ${workDir} is not a folder that exists`];
  const outputs: [SubmitName, string | null][] = [
    ["output", io.stdout ?? (kind === "batch" ? BATCH_OUTPUT : null)],
    ["error", io.stderr],
  ];
  const missing = kind === "run" ? missingInput(io.stdin, workDir, files) : [];
  const unwritable = outputs.flatMap(([name, pattern]) => {
    // A number is one of srun's tasks.
    if (pattern === null || pattern === ALL || (kind === "run" && /^\d+$/.test(pattern))) return [];
    const problem = files.writeProblem(probePath(pattern, workDir));
    return problem === "" ? [] : [`${place(name)}: ${pattern}: ${problem}`];
  });
  return [...missing, ...unwritable];
}

/** As Slurm's, srun looks for its input where it is typed; what a pattern stands for is seen on the node. */
function missingInput(stdin: string, workDir: string, files: CommandContext["files"]): string[] {
  if (stdin === ALL || stdin === "none" || /^\d+$|%/.test(stdin)) return [];
  try {
    files.stat(absolutePath(stdin, workDir));
    return [];
  } catch (error) {
    return [`Could not open stdin file: ${errnoText(error)}: ${stdin}`];
  }
}

/**
 * A path that can be written exactly if the pattern's file can, as far as is known before the job has a number: the
 * name itself, or some name in the last folder before the first `%`.
 */
function probePath(pattern: string, workDir: string): string {
  const percent = pattern.indexOf("%");
  if (percent < 0) return absolutePath(pattern, workDir);
  const known = pattern.slice(0, percent);
  return absolutePath(`${known.slice(0, known.lastIndexOf("/") + 1)}slurm-output`, workDir);
}
