/**
 * What every command does alike: --help, --usage and --version, reading its command line, and turning whatever goes
 * wrong into sentences on stderr and an exit code. Nothing that a user does ends in a stack trace.
 */

import { type ErrorCode, RpcError } from "../protocol/errors.ts";
import { SLURM_VERSION } from "../view/slurm-version.ts";
import { advised } from "./advice.ts";
import { buildText } from "./build-text.ts";
import { isSlurmName } from "./connect.ts";
import { type Command, type CommandContext, UserError } from "./context.ts";
import { isGiven, parseOptions } from "./getopt.ts";
import { helpText, usageText } from "./help.ts";
import type { Option, ParsedOptions } from "./option.ts";
import { unknownOptionHint } from "./options/unknown.ts";
import { readProfiles } from "./target.ts";

/** What a shell reports for a program that ended because its reader was gone: 128 + SIGPIPE. */
const EXIT_READER_GONE = 141;

/** `mgpu` follows the convention of most programs for wrong usage; Slurm's commands use 1. */
const EXIT_USAGE_MGPU = 2;

/** Names of the errors of platform/stdio.ts, whose classes can't be had from there. */
const OUTPUT_CLOSED = "OutputClosed";
const OUTPUT_FAILED = "OutputFailed";

/** Errors of a call whose bare message would not say whose trouble it is. */
const RPC_PREFIXES: Partial<Record<ErrorCode, string>> = {
  LOST_CONTACT: "lost contact with the controller",
  DEADLINE: "the controller did not answer in time",
  INTERNAL: "the controller failed",
  BAD_PARAMS: "the controller did not accept the request",
  BAD_RESULT: "the controller's answer can't be read",
  UNKNOWN_METHOD: "the controller does not know this request",
  MALFORMED: "the connection to the controller carried nonsense",
  STORAGE: "the controller can't store anything",
};

/** Runs a command to its exit code. Never rejects. */
export async function runCommand(command: Command, argv: readonly string[], context: CommandContext): Promise<number> {
  try {
    const options = withCommonOptions(command.options);
    const parsed = parseOptions(options, argv, command.operands);
    const handed = await handedOver({ ...command, options }, parsed, argv, context);
    if (handed !== null) return errorExit(command, handed, context);
    if (parsed.problems.length > 0) {
      return errorExit(command, reportUsage(command, parsed.problems, context), context);
    }
    const answer = commonAnswer({ ...command, options }, parsed, context);
    if (answer !== undefined) {
      context.stdio.out(answer);
      return 0;
    }
    return await runAt(command, parsed, context);
  } catch (error) {
    return errorExit(command, reportFailure(error, context), context);
  }
}

/** Commands that Slurm has itself, and that are its own where the cluster is Slurm's; squeue under Slurm's name alone. */
const SLURMS: ReadonlySet<string> = new Set([
  ...["srun", "sbatch", "salloc", "scancel", "scontrol", "sattach", "sacct", "sacctmgr", "sbcast", "sdiag", "sinfo"],
  ...["sprio", "squeue", "sreport", "sshare", "sstat", "strigger"],
]);

/** Commands that start sessions, and come back to them. */
const OF_SESSIONS: ReadonlySet<string> = new Set(["srun", "sattach"]);

/** The exit code of Slurm's own command, where the cluster that is meant is Slurm's and has it; `null` where not. */
export async function handedOver(
  command: Command,
  parsed: ParsedOptions,
  argv: readonly string[],
  context: CommandContext,
): Promise<number | null> {
  if (!SLURMS.has(command.name) || (command.name === "squeue" && !isSlurmName(context.program))) return null;
  if (isGiven(parsed, "help") || isGiven(parsed, "usage") || isGiven(parsed, "version")) return null;
  const own = command.options.find(isClusterOption)?.long ?? CLUSTER_OPTION.long;
  const named = parsed.values.get(own)?.at(-1) ?? "";
  const isProfile = named !== "" && (named === "local" || Object.hasOwn(readProfiles(context).clusters, named));
  if (isProfile) context.chooseCluster(named);
  const slurm = context.slurm();
  if (slurm === null) return null;
  const order = { command, parsed, argv, profile: isProfile ? named : "" };
  if (OF_SESSIONS.has(command.name)) {
    const { isOwnAttachment, isSession, runSession } = await import("./slurm-session.ts");
    if (isOwnAttachment(slurm, order, context)) return null;
    if (isSession(order, context)) {
      return runSession(slurm, order, isProfile ? { ...context, namedCluster: named } : context);
    }
  }
  const { runSlurm } = await import("./hand-over.ts");
  return runSlurm(slurm, order, context);
}

/** Commands whose own failures a script may want to tell from those of what they run. */
const SUBMITTERS: readonly string[] = ["srun", "sbatch", "salloc"];

/** SLURM_EXIT_ERROR stands for the plain 1 of a submitting command. */
function errorExit({ name }: Command, code: number, { environment }: CommandContext): number {
  const text = environment.SLURM_EXIT_ERROR ?? "";
  const isWanted = code === 1 && SUBMITTERS.includes(name) && /^\d{1,3}$/.test(text) && Number(text) <= 255;
  return isWanted ? Number(text) : code;
}

/** `PROGRAM: error: TEXT` on stderr, one line for each text. */
function printErrors(context: CommandContext, texts: readonly string[]): void {
  context.stdio.err(texts.map((text) => `${context.program}: error: ${text}\n`).join(""));
}

/** A user's mistake, in Slurm's manner where Slurm's name was called. */
function printUserError({ problems, hint, severity }: UserError, context: CommandContext): void {
  const { program, stdio } = context;
  const isSlurm = isSlurmName(program);
  const kind = isSlurm ? severity : "error";
  const prefix = kind === "bare" ? "" : `${program}: ${kind}: `;
  stdio.err(problems.map((text) => `${prefix}${text}\n`).join(""));
  // Slurm gives no hints; a refusal of ours stays without an answer otherwise.
  const isOurs = problems.some((text) => text.includes("mgpu"));
  if (hint !== undefined && (!isSlurm || isOurs)) stdio.err(`${program}: hint: ${hint}\n`);
}

/** What went wrong with a call, in words: whose trouble it is, then the message. */
function describeRpcError(error: RpcError): string {
  const prefix = isOfSlurm(error) ? undefined : RPC_PREFIXES[error.code];
  if (prefix === undefined) return error.message;
  return error.message === "" || error.message === prefix ? prefix : `${prefix}: ${error.message}`;
}

/** Whether a message says itself that the trouble is Slurm's (backend/slurm). */
function isOfSlurm({ message }: RpcError): boolean {
  return /^(Slurm\b|the cluster is Slurm)/.test(message);
}

/** Whether an error says that the reader of our stdout is gone (platform/stdio.ts). */
function isOutputClosed(error: unknown): boolean {
  return error instanceof Error && error.name === OUTPUT_CLOSED;
}

/** A command's options and those that all commands have. A letter that the command uses itself stays its own. */
export function withCommonOptions(options: readonly Option[]): readonly Option[] {
  const taken = new Set(options.map(({ short }) => short));
  const letter = (short: string): { short?: string } => (taken.has(short) ? {} : { short });
  const common: readonly Option[] = [
    { long: "help", ...letter("h"), argument: "none", help: "show this text" },
    { long: "usage", argument: "none", help: "show a short reminder of the usage" },
    { long: "version", ...letter("V"), argument: "none", help: "show the version" },
    ...(options.some(isClusterOption) ? [] : [{ ...CLUSTER_OPTION, ...letter("M") }]),
  ];
  return [...options, ...common.filter(({ long }) => !options.some((option) => option.long === long))];
}

/** The option of Slurm's that names clusters: every command has one. */
const CLUSTER_OPTION = {
  long: "clusters",
  argument: "required",
  metavar: "name",
  help: "speak to that cluster of mgpu login; local is this machine",
} as const;

function isClusterOption({ long }: Option): boolean {
  return long === "clusters" || long === "cluster";
}

/** Commands that list, and can do so for one cluster after the other. */
const LISTINGS: readonly string[] = ["squeue", "sinfo", "sacct", "sprio", "sshare", "sdiag"];

/** What goes on for ever, or is one document, can't be followed by another cluster's. */
const ALONE: readonly string[] = ["iterate", "json", "yaml"];

/** Turns to the cluster that -M names. Commands that have the option of their own see names that are no profiles. */
async function runAt(command: Command, parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const own = command.options.find(isClusterOption);
  const long = own?.long ?? CLUSTER_OPTION.long;
  const variables: Readonly<Record<string, string>> = own?.variables ?? {};
  const variable = variables[command.name] ?? "";
  const typed = parsed.values.get(long)?.at(-1);
  if (typed === "") throw new UserError(`--${long}: expected the name of a cluster, got ""`);
  const text = typed ?? context.environment[variable];
  if (!text) return command.run(parsed, context);
  const profiles = Object.keys(readProfiles(context).clusters);
  const isProfile = (name: string): boolean => name === "local" || profiles.includes(name);
  const listed = text === "all" && profiles.length > 0 ? profiles : [...new Set(text.split(","))];
  if (own && !listed.some(isProfile)) return command.run(parsed, context);
  const [name = "", ...more] = listed;
  const rest = { ...parsed, values: new Map([...parsed.values].filter(([key]) => key !== long)) };
  const there = variable === "" ? context : { ...context, environment: { ...context.environment, [variable]: "" } };
  if (more.length > 0) return runAtEach(command, rest, there, listed);
  context.chooseCluster(name);
  if (own && LISTINGS.includes(command.name) && isSlurmName(context.program)) sayCluster(name, rest, context);
  return command.run(rest, { ...there, namedCluster: name });
}

/** The same for several clusters, one after the other, each under its name as Slurm's listings do it. */
async function runAtEach(
  command: Command,
  parsed: ParsedOptions,
  context: CommandContext,
  names: readonly string[],
): Promise<number> {
  if (!LISTINGS.includes(command.name)) {
    const hint = `name one of them; ${LISTINGS.map((one) => `mgpu-${one}`).join(", ")} take several`;
    throw new UserError(`-M ${names.join(",")}: this command speaks to one cluster at a time`, hint);
  }
  const alone = ALONE.find((long) => parsed.values.has(long));
  if (alone) throw new UserError(`--${alone} is for one cluster at a time, -M names ${names.length}`);
  let worst = 0;
  for (const [index, name] of names.entries()) {
    context.chooseCluster(name);
    if (index > 0 && !parsed.values.has("noheader")) context.stdio.out("\n");
    sayCluster(name, parsed, context);
    const code = await command.run(parsed, context).catch((error: unknown) => reportFailure(error, context));
    worst = Math.max(worst, code);
  }
  return worst;
}

function sayCluster(name: string, { values }: ParsedOptions, { stdio }: CommandContext): void {
  if (!values.has("noheader")) stdio.out(`CLUSTER: ${name}\n`);
}

function commonAnswer(command: Command, parsed: ParsedOptions, context: CommandContext): string | undefined {
  if (isGiven(parsed, "help")) return helpText(command, context.program);
  if (isGiven(parsed, "usage")) return usageText(command, context.program);
  if (isGiven(parsed, "version")) return `${versionText(context)}\n`;
  return undefined;
}

/** Under Slurm's names the line has Slurm's shape: a word, a blank, a.b.c. */
function versionText(context: CommandContext): string {
  return isSlurmName(context.program) ? `slurm ${SLURM_VERSION}` : buildText("mgpu", context.version);
}

function reportUsage(command: Command, problems: readonly string[], context: CommandContext): number {
  // Under Slurm's names the lines are those of getopt, which Slurm leaves to say it.
  if (isSlurmName(context.program)) context.stdio.err(problems.map((text) => `${context.program}: ${text}\n`).join(""));
  else printErrors(context, problems);
  const hint = unknownOptionHint(problems, withCommonOptions(command.options));
  if (hint !== undefined && !isSlurmName(context.program)) context.stdio.err(`${context.program}: hint: ${hint}\n`);
  context.stdio.err(`Try "${context.program} --help" for more information\n`);
  return /^mgpu( |$)/.test(command.name) ? EXIT_USAGE_MGPU : 1;
}

function reportFailure(error: unknown, context: CommandContext): number {
  if (isOutputClosed(error)) return EXIT_READER_GONE;
  const { program, stdio } = context;
  if (error instanceof UserError) {
    printUserError(error, context);
    return error.exitCode;
  }
  if (error instanceof RpcError) {
    const { hint } = isOfSlurm(error) ? error : advised(error, null);
    printErrors(context, [describeRpcError(error)]);
    if (hint !== undefined) stdio.err(`${program}: hint: ${hint}\n`);
    return 1;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === OUTPUT_FAILED) {
    printErrors(context, [message]);
    return 1;
  }
  printErrors(context, [`internal error: ${message}`]);
  if (context.environment.MGPU_DEBUG === "1" && error instanceof Error) stdio.err(`${error.stack ?? ""}\n`);
  else stdio.err(`${program}: hint: set MGPU_DEBUG=1 to see where it happened, and report it\n`);
  return 1;
}
