/**
 * scancel: ends or signals jobs and steps.
 *
 * Without --signal a job that is over or unknown is no error: whoever cancels wants it gone, and it is. With --signal
 * each job that did not get it is reported. A signal of KILL ends the job itself, as in Slurm.
 */

import { expand } from "../../core/hostlist.ts";
import { parseSignal } from "../../core/signals.ts";
import { errnoText } from "../../util/errno.ts";
import { parseJobStates } from "../../view/job-states.ts";
import { checkClusters } from "../clusters.ts";
import { connectAsSlurm } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import {
  type JobTarget,
  type OptionReader,
  optionReader,
  parseJobTarget,
  splitJobIds,
  unknownUsers,
} from "../filters.ts";

import type { Option, ParsedOptions } from "../option.ts";
import { carryOut, type Outcome } from "./scancel/carry-out.ts";
import { chooseTargets } from "./scancel/look.ts";
import { type LocalCriteria, needsLook, type Order } from "./scancel/order.ts";

const OPTIONS: readonly Option[] = [
  {
    long: "account",
    short: "A",
    argument: "required",
    metavar: "accounts",
    help: "only jobs charged to these accounts",
    variables: { scancel: "SCANCEL_ACCOUNT" },
  },
  {
    long: "batch",
    short: "b",
    argument: "none",
    help: "signal the shell of the batch script, not the steps",
    variables: { scancel: "SCANCEL_BATCH" },
  },
  {
    long: "clusters",
    short: "M",
    argument: "required",
    metavar: "names",
    help: "this cluster's name or all: there is one",
    variables: { scancel: "SLURM_CLUSTERS" },
  },
  {
    long: "ctld",
    argument: "none",
    help: "no effect: all requests go through the controller",
    variables: { scancel: "SCANCEL_CTLD" },
  },
  {
    long: "full",
    short: "f",
    argument: "none",
    help: "signal the steps, the batch script and all of its children",
    variables: { scancel: "SCANCEL_FULL" },
  },
  {
    long: "hurry",
    short: "H",
    argument: "none",
    help: "no effect: there are no burst buffers to empty",
    variables: { scancel: "SCANCEL_HURRY" },
  },
  {
    long: "interactive",
    short: "i",
    argument: "none",
    help: "ask before each job or step",
    variables: { scancel: "SCANCEL_INTERACTIVE" },
  },
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
    long: "nodelist",
    short: "w",
    argument: "required",
    metavar: "nodes",
    help: "only jobs that run on one of these nodes; a name with a / is a file that lists them",
  },
  {
    long: "partition",
    short: "p",
    argument: "required",
    metavar: "partitions",
    help: "only jobs in these partitions",
    variables: { scancel: "SCANCEL_PARTITION" },
  },
  {
    long: "qos",
    short: "q",
    argument: "required",
    metavar: "names",
    help: "only jobs with these qualities of service",
    variables: { scancel: "SCANCEL_QOS" },
  },
  { long: "quiet", short: "Q", argument: "none", help: "report nothing, whatever happens" },
  {
    long: "reservation",
    short: "R",
    argument: "required",
    metavar: "names",
    help: "only jobs in these reservations",
  },
  { long: "sibling", argument: "required", metavar: "cluster", help: "refused: there are no federations of clusters" },
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
  {
    long: "wckey",
    argument: "required",
    metavar: "keys",
    help: "only jobs with these workload keys",
    variables: { scancel: "SCANCEL_WCKEY" },
  },
];

/** Options that select jobs: one of them must be given, or an id. */
const SELECTING = "account me name nodelist partition qos reservation state user wckey".split(" ");

export const command: Command = {
  name: "scancel",
  summary: "End or signal jobs",
  synopsis: "[OPTIONS...] [job_id[_task_id][.step_id]...]",
  options: OPTIONS,
  operands: "permute",
  examples: ["mgpu-scancel 12 13_[4-9]", "mgpu-scancel --me --state=PENDING", "mgpu-scancel --signal=USR1 12.0"],
  run,
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const options = optionReader("scancel", OPTIONS, parsed, context);
  const order = readOrder(options, parsed, context);
  const [first] = order.targets;
  const complaint = first
    ? `${context.program}: error: Kill job error on job id ${first.text}`
    : "slurm_load_jobs error";
  const connected = await connectAsSlurm(context, complaint);
  if (connected === null) return 1;
  try {
    const { peer } = connected;
    await checkClusters(peer, options.last("clusters"));
    if (!needsLook(order)) return report(await carryOut(peer, order.targets, order), order, context);
    const targets = await chooseTargets(peer, order, context);
    return report(targets.length > 0 ? await carryOut(peer, targets, order) : [], order, context);
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
  if (parsed.operands.length === 0 && !SELECTING.some((long) => options.isGiven(long))) {
    problems.push("No job identification provided");
  }
  if (options.isGiven("sibling")) problems.push("--sibling: mgpu has no federations of clusters");
  const nodes = readNodes(options, context, problems);
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
    local: { ...localCriteria(options), nodes },
    signal: signal ?? null,
    audience: options.isGiven("full") ? "full" : options.isGiven("batch") ? "batch" : "steps",
    isInteractive: options.isGiven("interactive"),
    isQuiet: options.isGiven("quiet"),
    isVerbose: options.isGiven("verbose"),
  };
}

function localCriteria(options: OptionReader): Omit<LocalCriteria, "nodes"> {
  const list = (long: string): readonly string[] | null => options.list(long) ?? null;
  return {
    accounts: list("account"),
    qos: list("qos"),
    reservations: list("reservation"),
    wckeys: list("wckey"),
  };
}

/** Names of nodes, from the option itself or from the file that it names. */
function readNodes(options: OptionReader, { files }: CommandContext, problems: string[]): readonly string[] | null {
  const text = options.last("nodelist");
  if (text === undefined) return null;
  try {
    const list = text.includes("/")
      ? new TextDecoder()
          .decode(files.read(text))
          .trim()
          .split(/[\s,]+/)
          .join(",")
      : text;
    const nodes = expand(list);
    if (nodes === undefined) problems.push(`--nodelist: expected node names such as n[1-3], got "${list}"`);
    return nodes ?? null;
  } catch (error) {
    problems.push(`--nodelist: ${text}: ${errnoText(error)}`);
    return null;
  }
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

/** Says what is to be said; the exit code. */
function report(outcomes: readonly Outcome[], order: Order, { program, stdio }: CommandContext): number {
  const { signal, isQuiet, isVerbose } = order;
  // mgpu cancel is no command of Slurm's: there a job that never was is a mistake.
  const saysOnlyErrors = program.startsWith("mgpu ");
  let exitCode = 0;
  let text = "";
  for (const { name, isStep, error } of outcomes) {
    const what = isStep ? "step" : "job";
    const isUnknown = saysOnlyErrors && error?.code === "INVALID_JOB";
    if (isVerbose && !isUnknown)
      text += `${program}: ${signal === null ? "Terminating" : `Signal ${signal} to`} ${what} ${name}\n`;
    if (error === null) continue;
    const isHarmless = !isUnknown && signal === null && isHarmlessError(error, isStep);
    if (!isHarmless) exitCode = 1;
    if (isQuiet || (isHarmless && !isVerbose)) continue;
    text += `${program}: error: Kill job error on job ${isStep ? "step " : ""}id ${name}: ${error.message}\n`;
  }
  if (isVerbose && outcomes.length === 0) text += `${program}: error: No active jobs match ALL job filters\n`;
  if (text !== "") stdio.err(text);
  return exitCode;
}

/** Whether a plain scancel has what it wanted all the same. A step that never was is a mistake, though. */
function isHarmlessError({ code }: NonNullable<Outcome["error"]>, isStep: boolean): boolean {
  return code === "JOB_FINISHED" || code === (isStep ? "NOT_RUNNING" : "INVALID_JOB");
}
