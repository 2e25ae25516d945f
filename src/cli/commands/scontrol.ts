/**
 * scontrol: shows and steers jobs. One command on the command line, or, without any, one after the other from
 * standard input.
 */

import { RpcError } from "../../protocol/errors.ts";
import { SLURM_VERSION } from "../../view/slurm-version.ts";
import { checkClusters } from "../clusters.ts";
import { isSlurmName } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { optionReader } from "../filters.ts";
import { countOf } from "../getopt.ts";
import { createLineReader } from "../lines.ts";
import type { Option, ParsedOptions } from "../option.ts";
import { didYouMean } from "../usage.ts";
import { completing, errnumstr, helpText, REFUSED, reconfigure, shutdown } from "./scontrol/admin.ts";
import { createEntity } from "./scontrol/create.ts";
import { deleteEntity } from "./scontrol/delete.ts";
import { findKeyword } from "./scontrol/keywords.ts";
import { ping, waitJob, write } from "./scontrol/others.ts";
import { createScope, isBare, type Scope, Unreachable, type Verb } from "./scontrol/scope.ts";
import { show } from "./scontrol/show.ts";
import { hold, release, requeue, requeueHold, resume, suspend, top, userHold } from "./scontrol/steer.ts";
import { update } from "./scontrol/update.ts";

const OPTIONS: readonly Option[] = [
  { long: "all", short: "a", argument: "none", help: "show hidden partitions too" },
  {
    long: "clusters",
    short: "M",
    argument: "required",
    metavar: "name",
    help: "this cluster's name: there is one",
    variables: { scontrol: "SLURM_CLUSTERS" },
  },
  { long: "details", short: "d", argument: "none", help: "show more of each job; may be repeated" },
  { long: "federation", argument: "none", help: "no effect: there are no federations of clusters" },
  { long: "future", short: "F", argument: "none", help: "no effect: there are no nodes to come" },
  { long: "hide", argument: "none", help: "no effect: nothing is hidden" },
  { long: "json", argument: "optional", metavar: "version", help: "print JSON in the shape of Slurm 23.11" },
  { long: "local", argument: "none", help: "no effect: there is one cluster" },
  { long: "oneliner", short: "o", argument: "none", help: "one line a record" },
  { long: "quiet", short: "Q", argument: "none", help: "say nothing but errors" },
  { long: "sibling", argument: "none", help: "no effect: there are no federations of clusters" },
  { long: "uid", short: "u", argument: "required", metavar: "user", help: "refused: requests are your own" },
  { long: "verbose", short: "v", argument: "none", help: "no effect: errors say all there is to say" },
  { long: "yaml", argument: "optional", metavar: "version", help: "print YAML with the contents of --json" },
];

/** What the user may type, by full name. */
const VERBS: Readonly<Record<string, Verb>> = {
  completing,
  create: createEntity,
  delete: deleteEntity,
  errnumstr,
  help: showHelp,
  hold,
  holdu: userHold,
  listpids: async (words, scope) => (await import("./scontrol/processes.ts")).listPids(words, scope),
  notify: async (words, scope) => (await import("./scontrol/processes.ts")).notify(words, scope),
  pidinfo: async (words, scope) => (await import("./scontrol/processes.ts")).pidInfo(words, scope),
  ping,
  reconfigure,
  release,
  requeue,
  requeuehold: requeueHold,
  resume,
  show,
  shutdown,
  suspend,
  top,
  uhold: userHold,
  update,
  version: showVersion,
  wait_job: waitJob,
  write,
  ...REFUSED,
};

/** Words that only change how an interactive session shows things. */
const SETTINGS: Readonly<Record<string, (scope: Scope) => void>> = {
  all: ({ show }) => {
    show.all = true;
  },
  details: ({ show }) => void show.details++,
  hide: ({ show }) => {
    show.all = false;
  },
  oneliner: ({ show }) => {
    show.oneLine = true;
  },
  quiet: ({ show }) => {
    show.quiet = true;
  },
  verbose: ({ show }) => {
    show.quiet = false;
  },
};

export const command: Command = {
  name: "scontrol",
  summary: "Show and steer jobs: show, hold, release, requeue, suspend, resume, update, top, write, wait_job, ping",
  synopsis: "[OPTIONS...] [COMMAND...]",
  options: OPTIONS,
  operands: "permute",
  examples: [
    "mgpu-scontrol show job 12",
    "mgpu-scontrol update JobId=12 TimeLimit=2:00:00",
    "mgpu-scontrol show hostnames $SLURM_JOB_NODELIST",
  ],
  run,
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const options = optionReader("scontrol", OPTIONS, parsed, context);
  if (options.isGiven("uid")) throw new UserError("--uid: requests are made in your own name");
  const scope = createScope(context, {
    oneLine: options.isGiven("oneliner"),
    details: countOf(parsed, "details"),
    quiet: options.isGiven("quiet"),
    document: options.isGiven("json") ? "json" : options.isGiven("yaml") ? "yaml" : null,
    all: options.isGiven("all"),
  });
  try {
    const cluster = options.last("clusters");
    if (cluster !== undefined) await checkClusters(await scope.peer("slurm_load_jobs error"), cluster);
    const { operands } = parsed;
    if (operands.length === 0) return await converse(scope);
    return await carryOut(operands, scope);
  } catch (error) {
    if (error instanceof Unreachable) return 1;
    throw inSlurmsManner(error, context);
  } finally {
    scope.close();
  }
}

function inSlurmsManner(error: unknown, { program }: CommandContext): unknown {
  if (!(error instanceof UserError) || !isSlurmName(program)) return error;
  const { problems, hint, exitCode } = error;
  return problems.every(isBare) ? new UserError(problems, hint, exitCode, "bare") : error;
}

async function carryOut(words: readonly string[], scope: Scope): Promise<number> {
  const [keyword = "", ...rest] = words;
  // On the command line they are for nothing, but right.
  if (rest.length === 0 && (keyword in SETTINGS || /^(exit|quit)$/i.test(keyword))) return 0;
  const found = findKeyword(VERBS, keyword);
  if (found === "ambiguous") throw new UserError(`${keyword} may mean several things: write more of it`);
  if (found === "unknown")
    throw new UserError(`invalid keyword: ${keyword}`, didYouMean([keyword], Object.keys(VERBS)));
  return found.value(rest, scope);
}

/** Command after command from standard input; the exit code is the highest of them. */
async function converse(scope: Scope): Promise<number> {
  const { stdio, session } = scope.context;
  const reader = createLineReader(session.input);
  const prompt = stdio.stdinIsTerminal ? "scontrol: " : "";
  let exitCode = 0;
  let last: readonly string[] = [];
  for (;;) {
    stdio.out(prompt);
    const line = await reader.next();
    if (line === null) {
      if (prompt !== "") stdio.out("\n");
      break;
    }
    const typed = splitWords(line);
    const words = typed[0] === "!!" ? last : typed;
    if (words.length === 0) continue;
    last = words;
    if (/^(exit|quit)$/i.test(words[0] ?? "")) break;
    exitCode = Math.max(exitCode, await carryOutTyped(words, scope));
  }
  reader.stop();
  return exitCode;
}

/** What goes wrong with one command does not end the session. */
async function carryOutTyped(words: readonly string[], scope: Scope): Promise<number> {
  const setting = words.length === 1 ? SETTINGS[(words[0] ?? "").toLowerCase()] : undefined;
  if (setting) {
    setting(scope);
    return 0;
  }
  try {
    return await carryOut(words, scope);
  } catch (error) {
    if (error instanceof UserError) for (const problem of error.problems) scope.error(problem);
    else if (error instanceof RpcError && error.code !== "LOST_CONTACT") scope.error(error.message);
    else throw error;
    return 1;
  }
}

/** Words between blanks; quotes keep blanks together. */
function splitWords(line: string): string[] {
  const words = line.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}

async function showVersion(_words: readonly string[], { context }: Scope): Promise<number> {
  context.stdio.out(isSlurmName(context.program) ? `slurm ${SLURM_VERSION}\n` : `mgpu ${context.version}\n`);
  return 0;
}

async function showHelp(_words: readonly string[], { context }: Scope): Promise<number> {
  context.stdio.out(helpText([...Object.keys(VERBS), ...Object.keys(SETTINGS), "exit", "quit"]));
  return 0;
}
