/**
 * scancel: ends or signals jobs and steps.
 *
 * Without --signal a job that is over or unknown is no error: whoever cancels wants it gone, and it is. With --signal
 * each job that did not get it is reported. A signal of KILL ends the job itself, as in Slurm.
 */

import { parseSignal, SIGKILL } from "../../core/signals.ts";
import type { Params, Result } from "../../protocol/procedures.ts";
import type { Peer } from "../../rpc/types.ts";
import { parseJobStates } from "../../view/job-states.ts";
import { connectAsSlurm } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import {
  type JobTarget,
  jobFilter,
  type OptionReader,
  optionReader,
  parseJobTarget,
  splitJobIds,
  unknownUsers,
} from "../filters.ts";
import type { Option, ParsedOptions } from "../option.ts";

const OPTIONS: readonly Option[] = [
  { long: "me", argument: "none", help: "only my own jobs" },
  {
    long: "name",
    aliases: ["jobname"],
    short: "n",
    argument: "required",
    metavar: "names",
    help: "only jobs with these names",
    variables: { scancel: "SCANCEL_NAME" },
  },
  {
    long: "partition",
    short: "p",
    argument: "required",
    metavar: "partitions",
    help: "only jobs in these partitions",
    variables: { scancel: "SCANCEL_PARTITION" },
  },
  { long: "quiet", short: "Q", argument: "none", help: "report nothing, whatever happens" },
  {
    long: "signal",
    short: "s",
    argument: "required",
    metavar: "signal",
    help: "send this signal to the running steps instead of ending the job; a name or a number",
  },
  {
    long: "state",
    short: "t",
    argument: "required",
    metavar: "states",
    help: "only jobs in these states",
    variables: { scancel: "SCANCEL_STATE" },
  },
  {
    long: "user",
    short: "u",
    argument: "required",
    metavar: "users",
    help: "only jobs of these users, by name or number",
    variables: { scancel: "SCANCEL_USER" },
  },
  {
    long: "verbose",
    short: "v",
    argument: "none",
    help: "say what is done, and report jobs that were over already",
    variables: { scancel: "SCANCEL_VERBOSE" },
  },
];

const FILTERS = ["me", "name", "partition", "state", "user"] as const;

/** Ids sent in one call: a frame's worth, far below its limit. */
const IDS_A_CALL = 10_000;

export const command: Command = {
  name: "scancel",
  summary: "End or signal jobs",
  synopsis: "[OPTIONS...] [job_id[.step_id]...]",
  options: OPTIONS,
  operands: "permute",
  examples: ["mgpu-scancel 12 13", "mgpu-scancel --me --state=PENDING", "mgpu-scancel --signal=USR1 12.0"],
  run,
};

type Call = Params<"jobs.cancel">;
type WireError = NonNullable<Result<"jobs.cancel">["jobs"][number]["error"]>;

/** What became of one job or step. */
interface Outcome {
  /** `12` or `12.0`. */
  readonly name: string;
  readonly isStep: boolean;
  readonly error: WireError | null;
}

/** What is to be done. */
interface Order {
  readonly targets: readonly JobTarget[];
  readonly criteria: Parameters<typeof jobFilter>[0];
  /** `null` if --signal was not given. */
  readonly signal: number | null;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
}

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const order = readOrder(optionReader("scancel", OPTIONS, parsed, context), parsed, context);
  const [first] = order.targets;
  const complaint = first
    ? `${context.program}: error: Kill job error on job id ${first.text}`
    : "slurm_load_jobs error";
  const connected = await connectAsSlurm(context, complaint);
  if (connected === null) return 1;
  try {
    const outcomes = await carryOut(connected.peer, order);
    return report(outcomes, order, context);
  } finally {
    connected.peer.close();
  }
}

function readOrder(options: OptionReader, parsed: ParsedOptions, context: CommandContext): Order {
  const { user } = context;
  const problems: string[] = [];
  const named = options.list("user");
  problems.push(...unknownUsers(named ?? [], context).map((name) => `Invalid user name: ${name}`));
  const targets = readTargets(parsed.operands, problems);
  const states = readStates(options.list("state"), problems);
  const signalText = options.last("signal");
  const signal = signalText === undefined ? null : parseSignal(signalText);
  if (signal === undefined) problems.push(`Unknown job signal: ${signalText}`);
  if (parsed.operands.length === 0 && !FILTERS.some((long) => options.isGiven(long))) {
    problems.push("No job identification provided");
  }
  if (problems.length > 0) throw new UserError(problems);
  const mine = [String(user.uid)];
  // Without ids, nobody but root can mean the jobs of others.
  const others = targets.length > 0 || user.uid === 0 ? [] : mine;
  return {
    targets,
    criteria: {
      users: options.isGiven("me") ? mine : (named ?? others),
      names: options.list("name") ?? [],
      partitions: options.list("partition") ?? [],
      states,
    },
    signal: signal ?? null,
    isQuiet: options.isGiven("quiet"),
    isVerbose: options.isGiven("verbose"),
  };
}

function readTargets(operands: readonly string[], problems: string[]): JobTarget[] {
  const targets: JobTarget[] = [];
  for (const word of splitJobIds(operands)) {
    const target = parseJobTarget(word);
    if (target) targets.push(target);
    else problems.push(`Invalid job id ${word}`);
  }
  return targets;
}

function readStates(names: readonly string[] | undefined, problems: string[]): readonly string[] {
  const choice = parseJobStates(names ?? []);
  // "all" would turn a filter into none.
  const isAll = names?.some((name) => name.toLowerCase() === "all");
  if (isAll) problems.push("Invalid job state specified: all");
  problems.push(...choice.problems.slice(0, -1));
  if (isAll || choice.problems.length > 0) {
    problems.push("Valid job states are PENDING, RUNNING, and SUSPENDED");
  }
  return choice.states;
}

/** Makes the calls one after the other: jobs together, each step by itself. */
async function carryOut(peer: Peer, { targets, criteria, signal }: Order): Promise<Outcome[]> {
  // As in Slurm, KILL for a whole job cancels it; a step is no more than its processes.
  const jobSignal = signal === SIGKILL ? null : signal;
  const call = (ids: readonly number[], stepId: Call["stepId"], wireSignal: number | null): Promise<Outcome[]> =>
    cancel(peer, { filter: jobFilter({ ...criteria, ids }), stepId, signal: wireSignal, cause: "" });
  if (targets.length === 0) return call([], null, jobSignal);
  const outcomes = targets.filter(({ cannotExist }) => cannotExist).map(unknown);
  const real = targets.filter(({ cannotExist }) => !cannotExist);
  const jobIds = real.filter(({ stepId }) => stepId === null).map(({ jobId }) => jobId);
  for (let at = 0; at < jobIds.length; at += IDS_A_CALL) {
    outcomes.push(...(await call(jobIds.slice(at, at + IDS_A_CALL), null, jobSignal)));
  }
  for (const { jobId, stepId } of real) {
    if (stepId !== null) outcomes.push(...(await call([jobId], stepId, signal ?? SIGKILL)));
  }
  return outcomes;
}

async function cancel(peer: Peer, params: Call): Promise<Outcome[]> {
  const { jobs } = await peer.call("jobs.cancel", params);
  const { stepId } = params;
  const suffix = stepId === null ? "" : `.${stepId}`;
  return jobs.map(({ jobId, error }) => ({ name: `${jobId}${suffix}`, isStep: stepId !== null, error }));
}

function unknown({ text, stepId }: JobTarget): Outcome {
  return { name: text, isStep: stepId !== null, error: { code: "INVALID_JOB", message: "Invalid job id specified" } };
}

/** Says what is to be said; the exit code. */
function report(outcomes: readonly Outcome[], order: Order, { program, stdio }: CommandContext): number {
  const { signal, isQuiet, isVerbose } = order;
  let exitCode = 0;
  let text = "";
  for (const { name, isStep, error } of outcomes) {
    const what = isStep ? "step" : "job";
    if (isVerbose) text += `${program}: ${signal === null ? "Terminating" : `Signal ${signal} to`} ${what} ${name}\n`;
    if (error === null) continue;
    const isHarmless = signal === null && isHarmlessError(error, isStep);
    if (!isHarmless) exitCode = 1;
    if (isQuiet || (isHarmless && !isVerbose)) continue;
    text += `${program}: error: Kill job error on job ${isStep ? "step " : ""}id ${name}: ${error.message}\n`;
  }
  if (isVerbose && outcomes.length === 0) text += `${program}: error: No active jobs match ALL job filters\n`;
  if (text !== "") stdio.err(text);
  return exitCode;
}

/** Whether a plain scancel has what it wanted all the same. A step that never was is a mistake, though. */
function isHarmlessError({ code }: WireError, isStep: boolean): boolean {
  return code === "JOB_FINISHED" || code === (isStep ? "NOT_RUNNING" : "INVALID_JOB");
}
