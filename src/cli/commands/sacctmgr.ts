/**
 * sacctmgr: accounts, users, associations and QoS. One command on the command line, or, without any, one after the
 * other from standard input.
 */

import { NO_POLICY } from "../../core/policy/records.ts";
import { policyFrom } from "../../core/policy/state.ts";
import { byPrefix } from "../../core/policy/words.ts";
import type { Result } from "../../protocol/procedures.ts";
import type { Connected } from "../../rpc/types.ts";
import { errnoText } from "../../util/errno.ts";
import type { TableStyle } from "../../view/account-table.ts";
import { SLURM_VERSION } from "../../view/slurm-version.ts";
import { connectAsSlurm, isSlurmName } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { absolutePath } from "../jobspec.ts";
import { createLineReader, type LineReader } from "../lines.ts";
import type { Option, ParsedOptions } from "../option.ts";
import { didYouMean } from "../usage.ts";
import { addAccounts, deleteAccounts, modifyAccounts } from "./sacctmgr/accounts.ts";
import { modifyCluster, weightTexts } from "./sacctmgr/cluster.ts";
import { addCoordinators, deleteCoordinators } from "./sacctmgr/coordinators.ts";
import { createDraft, type Draft, type Edit } from "./sacctmgr/draft.ts";
import { loadText } from "./sacctmgr/dump.ts";
import { list } from "./sacctmgr/list.ts";
import { addQos, deleteQos, modifyQos } from "./sacctmgr/qos.ts";
import { readSpecs, type Specs } from "./sacctmgr/specs.ts";
import { addUsers, deleteUsers, modifyUsers } from "./sacctmgr/users.ts";

const flag = (long: string, short: string, help: string): Option => ({ long, short, argument: "none", help });

const OPTIONS: readonly Option[] = [
  flag("associations", "s", "with list: show the associations of each account or user"),
  flag("immediate", "i", "make changes without asking"),
  flag("noheader", "n", "print no line of column names"),
  flag("parsable", "p", "print columns with | between them and at the end"),
  flag("parsable2", "P", "print columns with | between them"),
  flag("quiet", "Q", "say nothing but errors"),
  flag("readonly", "r", "make no changes"),
  flag("verbose", "v", "no effect: errors say all there is to say"),
];

export const command: Command = {
  name: "sacctmgr",
  summary: "Show and change accounts, users, associations, QoS and the weights of priorities",
  synopsis: "[OPTIONS...] [COMMAND...]",
  options: OPTIONS,
  operands: "permute",
  examples: [
    "mgpu-sacctmgr -i add account vision Description='computer vision'",
    "mgpu-sacctmgr -i add user ada account=vision",
    "mgpu-sacctmgr -i modify account vision set GrpTRES=gres/gpu=4",
    "mgpu-sacctmgr list associations format=account,user,grptres%30",
  ],
  run,
};

interface Scope {
  readonly context: CommandContext;
  readonly style: TableStyle;
  readonly hasHeader: boolean;
  readonly withAssoc: boolean;
  readonly isImmediate: boolean;
  readonly isReadOnly: boolean;
  readonly isQuiet: boolean;
  /** Answers to questions, and commands of a session. */
  reader(): LineReader;
  peer(): Promise<Connected["peer"]>;
}

/** No controller, and the user was told. */
class Unreachable extends Error {}

const EDITS: Readonly<Record<string, (draft: Draft, specs: Specs, cluster: string) => Edit>> = {
  "add account": addAccounts,
  "add user": addUsers,
  "add qos": addQos,
  "add coordinator": addCoordinators,
  "modify account": modifyAccounts,
  "modify user": modifyUsers,
  "modify qos": modifyQos,
  "modify cluster": modifyCluster,
  "delete account": deleteAccounts,
  "delete user": deleteUsers,
  "delete qos": deleteQos,
  "delete coordinator": deleteCoordinators,
};

const ENTITIES = [
  ...["Account", "Association", "Cluster", "Configuration", "Coordinator", "Event", "Federation", "Problem", "QOS"],
  ...["Resource", "Reservation", "RunAwayJobs", "Stats", "Transaction", "TRES", "User", "WCKey"],
] as const;

const VERBS = [
  ...["add", "archive", "associations", "clear", "create", "delete", "dump", "exit", "help", "list", "load", "modify"],
  ...["quit", "reconfigure", "remove", "show", "shutdown", "version", "!!"],
] as const;

/** What Slurm has and mgpu has not, and what to do instead. */
const ABSENT: Readonly<Record<string, string>> = {
  archive: "mgpu's accounting files are archives already: mgpu-sacct reads them",
  clear: "mgpu-sdiag -r clears the statistics",
  Cluster: "a controller has one cluster: MGPU_CLUSTER_NAME names it",
  Event: "mgpu-scontrol update NodeName=... State=RESUME takes a node back",
  Federation: "mgpu knows no federations of clusters",
  Resource: "mgpu-scontrol show licenses shows licenses",
  Reservation: "mgpu-scontrol create reservation makes reservations",
  Stats: "mgpu-sdiag shows statistics",
  Transaction: "every change is in the controller's journal",
  WCKey: "wckeys need no adding: a job may have any --wckey, and mgpu-sreport counts by them",
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  let connected: Connected | null = null;
  let reader: LineReader | null = null;
  const isGiven = (long: string): boolean => parsed.values.has(long);
  const scope: Scope = {
    context,
    style: isGiven("parsable2") ? "parsable2" : isGiven("parsable") ? "parsable" : "table",
    ...{ hasHeader: !isGiven("noheader"), withAssoc: isGiven("associations"), isImmediate: isGiven("immediate") },
    ...{ isReadOnly: isGiven("readonly"), isQuiet: isGiven("quiet") },
    reader() {
      reader ??= createLineReader(context.session.input);
      return reader;
    },
    async peer() {
      connected ??= await connectAsSlurm(context, "sacctmgr: error");
      if (connected === null) throw new Unreachable();
      return connected.peer;
    },
  };
  try {
    return parsed.operands.length > 0 ? await carryOut(parsed.operands, scope) : await converse(scope);
  } catch (error) {
    if (error instanceof Unreachable) return 1;
    throw error;
  } finally {
    (reader as LineReader | null)?.stop();
    (connected as Connected | null)?.peer.close();
  }
}

/** Command after command from standard input. */
async function converse(scope: Scope): Promise<number> {
  const { stdio } = scope.context;
  let exitCode = 0;
  for (;;) {
    stdio.out(stdio.stdinIsTerminal ? "sacctmgr: " : "");
    const line = await scope.reader().next();
    if (line === null) return exitCode;
    const words = (line.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []).map((word) =>
      word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"),
    );
    if (words.length === 0) continue;
    if (/^(exit|quit)$/i.test(words[0] ?? "")) return exitCode;
    exitCode = Math.max(exitCode, await carryOutTyped(words, scope));
  }
}

async function carryOutTyped(words: readonly string[], scope: Scope): Promise<number> {
  try {
    return await carryOut(words, scope);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return complain(scope, error.problems);
  }
}

async function carryOut(words: readonly string[], scope: Scope): Promise<number> {
  const [typed = "", ...rest] = words;
  const verb = byPrefix(typed, VERBS, (name) => [name]);
  const { context } = scope;
  switch (verb) {
    case "list":
    case "show":
      return listEntity(rest, scope);
    case "associations":
      return listEntity(["Association", ...rest], scope);
    case "add":
    case "create":
      return edit("add", rest, scope);
    case "modify":
      return edit("modify", rest, scope);
    case "delete":
    case "remove":
      return edit("delete", rest, scope);
    case "dump":
      return dump(rest, scope);
    case "load":
      return commit(scope, async (draft, cluster) => loadText(draft, await readDump(rest, scope), cluster));
    case "version":
      context.stdio.out(isSlurmName(context.program) ? `slurm ${SLURM_VERSION}\n` : `mgpu ${context.version}\n`);
      return 0;
    case "reconfigure":
      return 0;
    case "help":
      context.stdio.out(`${command.examples.join("\n")}\n`);
      return 0;
    case undefined:
      throw new UserError(`invalid keyword: ${typed}`, didYouMean([typed], VERBS));
    default:
      throw new UserError(`${verb}: mgpu has no such command`, ABSENT[verb] ?? "mgpu down ends the daemons");
  }
}

async function listEntity(words: readonly string[], scope: Scope): Promise<number> {
  const [typed = "", ...rest] = words;
  const entity = typed === "" ? undefined : byPrefix(typed, ENTITIES, (name) => [name, `${name}s`]);
  if (entity === undefined || entity === "Coordinator") return complain(scope, entityProblem("list"));
  const { stdio } = scope.context;
  if (entity === "RunAwayJobs") {
    const cluster = (await policyOf(scope)).clusterName;
    stdio.out(`Runaway Jobs: No runaway jobs found on cluster ${cluster}\n`);
    return 0;
  }
  const { moreList } = await import("./sacctmgr/more-lists.ts");
  const more = await moreList(entity, scope.peer, scope.context, scope);
  if (more !== undefined) {
    stdio.out(more);
    return 0;
  }
  const absent = entity === "Cluster" ? undefined : ABSENT[entity];
  if (absent !== undefined) throw new UserError(`list ${typed}: mgpu keeps no such list`, absent);
  const { policy, clusterName, gpuTypes, now } = await policyOf(scope);
  if (entity === "Configuration") {
    stdio.out(await configText({ policy, clusterName, now }, scope));
    return 0;
  }
  const listed = { stored: policy.version === 0 ? NO_POLICY : policy, cluster: clusterName, tres: tresRows(gpuTypes) };
  const found = list(entity.toLowerCase(), rest, listed, scope);
  if ("problems" in found) return complain(scope, found.problems);
  stdio.out(found.text);
  return 0;
}

async function configText(
  { policy, clusterName, now }: Pick<Result<"policy.list">, "policy" | "clusterName" | "now">,
  { context }: Scope,
): Promise<string> {
  const { formatTimestamp } = await import("../../core/time.ts");
  const { policyFrom } = await import("../../core/policy/state.ts");
  const lines: [string, string][] = [["ClusterName", clusterName], ...weightTexts(policyFrom(policy).config)];
  const at = formatTimestamp(now, (atMs) => context.utcOffsetMinutes(atMs));
  return `Configuration data as of ${at}\n${lines.map(([name, text]) => `${name.padEnd(23)}= ${text}\n`).join("")}`;
}

const TRES: readonly (readonly [type: string, name: string, id: number])[] = [
  ["cpu", "", 1],
  ["mem", "", 2],
  ["node", "", 4],
  ["billing", "", 5],
  ["gres", "gpu", 1001],
];

function tresRows(gpuTypes: readonly string[]) {
  const types = gpuTypes.map((type, index) => ["gres", `gpu:${type}`, 1002 + index] as const);
  return [...TRES, ...types].map(([type, name, id]) => ({ type, name, id }));
}

async function edit(verb: "add" | "modify" | "delete", words: readonly string[], scope: Scope): Promise<number> {
  const [typed = "", ...rest] = words;
  const entity = typed === "" ? undefined : byPrefix(typed, ENTITIES, (name) => [name, `${name}s`]);
  const editor = entity === undefined ? undefined : EDITS[`${verb} ${entity.toLowerCase()}`];
  if (scope.isReadOnly) return complain(scope, ["Can't run this command in readonly mode."]);
  if (!editor) {
    const absent = entity === undefined ? undefined : ABSENT[entity];
    if (absent !== undefined) throw new UserError(`${verb} ${typed}: not possible with mgpu`, absent);
    return complain(scope, entityProblem(verb));
  }
  return commit(scope, async (draft, cluster) => editor(draft, readSpecs(rest), cluster));
}

/** Makes an edit, asks, and sends it. */
async function commit(scope: Scope, make: (draft: Draft, cluster: string) => Promise<Edit>): Promise<number> {
  if (scope.isReadOnly) return complain(scope, ["Can't run this command in readonly mode."]);
  const { policy, clusterName } = await policyOf(scope);
  const draft = createDraft(policy);
  const { text, problems } = await make(draft, clusterName);
  if (problems.length > 0) return complain(scope, problems);
  const { busyLines } = await import("./sacctmgr/busy.ts");
  const busy = await busyLines(await scope.peer(), draft, policyFrom(policy), clusterName);
  if (busy.length > 0) return complain(scope, busy);
  const { stdio } = scope.context;
  if (!scope.isQuiet) stdio.out(text);
  if (!(await isWanted(scope))) {
    stdio.out(" Changes Discarded\n");
    return 0;
  }
  const peer = await scope.peer();
  await peer.call("policy.change", { version: policy.version, changes: [...draft.changes] });
  return 0;
}

/** `dump [CLUSTER] [file=PATH]`: Slurm writes CLUSTER.cfg unless told otherwise; `file=-` is standard output. */
async function dump(words: readonly string[], scope: Scope): Promise<number> {
  const { policy, clusterName } = await policyOf(scope);
  const file = words.find((word) => /^file=/i.test(word))?.slice("file=".length) ?? `./${clusterName}.cfg`;
  const names = words.filter((word) => !word.includes("="));
  const wrong = names.find((name) => name !== clusterName);
  if (wrong !== undefined) return complain(scope, [` Cluster ${wrong} doesn't exist.`]);
  const { dumpText } = await import("./sacctmgr/dump.ts");
  const text = dumpText(policy.version === 0 ? NO_POLICY : policy, clusterName);
  const { stdio, files } = scope.context;
  if (file === "-") stdio.out(text);
  else {
    const problem = files.writeProblem(absolutePath(file, scope.context.cwd));
    if (problem !== "") return complain(scope, [` Unable to write "${file}": ${problem}`]);
    files.write(absolutePath(file, scope.context.cwd), new TextEncoder().encode(text));
    if (!scope.isQuiet) stdio.out(`sacctmgr: ${policy.associations.length} associations written to ${file}\n`);
  }
  return 0;
}

async function readDump(words: readonly string[], { context }: Scope): Promise<string> {
  const file =
    words.find((word) => /^file=/i.test(word))?.slice("file=".length) ?? words.find((one) => !one.includes("="));
  if (file === undefined) throw new UserError("You need to specify a file to load from", "mgpu-sacctmgr load FILE");
  try {
    return new TextDecoder().decode(context.files.read(absolutePath(file, context.cwd)));
  } catch (error) {
    throw new UserError(`Unable to read "${file}": ${errnoText(error)}`);
  }
}

/** Asks, unless -i was given. Whatever is no yes within half a minute is a no. */
async function isWanted(scope: Scope): Promise<boolean> {
  if (scope.isImmediate) return true;
  const { stdio, clock } = scope.context;
  stdio.out("Would you like to commit changes? (You have 30 seconds to decide)\n(N/y): ");
  const timeout = new Promise<null>((resolve) => clock.after(30_000, () => resolve(null)));
  const answer = await Promise.race([scope.reader().next(), timeout]);
  stdio.out("\n");
  return /^\s*y(es)?\s*$/i.test(answer ?? "");
}

async function policyOf(scope: Scope): Promise<Result<"policy.list">> {
  return (await scope.peer()).call("policy.list", {});
}

/** Slurm's words, without its program's name before them. */
function complain({ context }: Scope, problems: readonly string[]): number {
  context.stdio.err(problems.map((problem) => `${problem}\n`).join(""));
  return 1;
}

function entityProblem(verb: string): string[] {
  const word = verb === "delete" ? "delete" : verb;
  return [
    `No valid entity in ${word} command`,
    ...(verb === "list"
      ? [
          'Input line must include "Account", "Association", "Cluster", "Configuration",',
          '"Event", "Federation", "Problem", "QOS", "Resource", "Reservation",',
          '"RunAwayJobs", "Stats", "Transaction", "TRES", "User", or "WCKey"',
        ]
      : ['Input line must include "Account", "Coordinator", "QOS", or "User"']),
  ];
}
