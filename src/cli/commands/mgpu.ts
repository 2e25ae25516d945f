/** mgpu: what Slurm has no command for, as subcommands. Wrong usage ends with exit code 2. */

import { nearest } from "../../util/nearest.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { lastValue } from "../getopt.ts";
import { helpText } from "../help.ts";
import type { ParsedOptions } from "../option.ts";
import { valued } from "../predecessors/verbs.ts";
import { runCommand, withCommonOptions } from "../run.ts";
import { EXIT_USAGE, refuseWords } from "../usage.ts";
import { command as add } from "./mgpu-add.ts";
import { command as alloc } from "./mgpu-alloc.ts";
import { cancel, cancelJob, listJobs } from "./mgpu-cancel.ts";
import { command as completion } from "./mgpu-completion.ts";
import { command as config, sampleCommand as configSample } from "./mgpu-config.ts";
import { command as doctor } from "./mgpu-doctor.ts";
import { command as down } from "./mgpu-down.ts";
import { command as exec } from "./mgpu-exec.ts";
import { command as exporting } from "./mgpu-export.ts";
import { command as feed } from "./mgpu-feed.ts";
import { command as forward } from "./mgpu-forward.ts";
import { gpu, pause, resume } from "./mgpu-gpu.ts";
import { command as health } from "./mgpu-health.ts";
import { command as history } from "./mgpu-history.ts";
import { command as importing } from "./mgpu-import.ts";
import { join, leave } from "./mgpu-join.ts";
import { command as key } from "./mgpu-key.ts";
import { login, logout, use } from "./mgpu-login.ts";
import { command as logs } from "./mgpu-logs.ts";
import { command as metrics } from "./mgpu-metrics.ts";
import { command as nodes } from "./mgpu-nodes.ts";
import { command as queue } from "./mgpu-queue.ts";
import { command as screens } from "./mgpu-screens.ts";
import { command as seff } from "./mgpu-seff.ts";
import { addressOf, master, node, server } from "./mgpu-server.ts";
import { command as shims } from "./mgpu-shims.ts";
import { command as sim } from "./mgpu-sim.ts";
import { command as status } from "./mgpu-status.ts";
import { command as submit } from "./mgpu-submit.ts";
import { command as systemd } from "./mgpu-systemd.ts";
import { command as selfTest } from "./mgpu-test.ts";
import { command as top } from "./mgpu-top.ts";
import { command as up } from "./mgpu-up.ts";
import { command as why } from "./mgpu-why.ts";

/** Each is named `mgpu WORD`. */
const SUBCOMMANDS: readonly Command[] = [
  up,
  down,
  status,
  health,
  doctor,
  metrics,
  nodes,
  alloc,
  join,
  leave,
  key,
  login,
  logout,
  use,
  systemd,
  top,
  why,
  logs,
  history,
  seff,
  screens,
  exec,
  forward,
  shims,
  sim,
  completion,
  config,
  configSample,
  importing,
  exporting,
  submit,
  add,
  feed,
  queue,
  cancel,
  listJobs,
  cancelJob,
  server,
  master,
  node,
  gpu,
  pause,
  resume,
  selfTest,
];

/** Those that take words besides their options. */
const WITH_OPERANDS: ReadonlySet<Command> = new Set(SUBCOMMANDS.filter(({ synopsis }) => synopsis !== "[OPTIONS...]"));

/** The commands for jobs, by their names without `mgpu-`. Loaded only where their help is asked for. */
const JOB_COMMANDS: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  sacct: () => import("./sacct.ts"),
  sacctmgr: () => import("./sacctmgr.ts"),
  salloc: () => import("./salloc.ts"),
  sattach: () => import("./sattach.ts"),
  sbatch: () => import("./sbatch.ts"),
  sbcast: () => import("./sbcast.ts"),
  scancel: () => import("./scancel.ts"),
  scontrol: () => import("./scontrol.ts"),
  sdiag: () => import("./sdiag.ts"),
  seff: () => import("./seff.ts"),
  sinfo: () => import("./sinfo.ts"),
  sprio: () => import("./sprio.ts"),
  squeue: () => import("./squeue.ts"),
  sreport: () => import("./sreport.ts"),
  srun: () => import("./srun.ts"),
  sshare: () => import("./sshare.ts"),
  sstat: () => import("./sstat.ts"),
  strigger: () => import("./strigger.ts"),
};

/** Where the programs before mgpu listened. */
const PREDECESSORS_PORT = "8080";

const NAME_COLUMN = Math.max(...SUBCOMMANDS.map(({ name }) => name.length), "mgpu help COMMAND".length) + 2;

export const command: Command = {
  name: "mgpu",
  summary: "Start, end and look after mgpu. The commands for jobs are mgpu-srun, mgpu-sbatch, mgpu-squeue and so on",
  synopsis: "COMMAND [OPTIONS...]",
  options: [
    valued("host", "name", "speak to the controller there, with the key that mgpu login stored"),
    valued("port", "number", "its port (default that of the stored key, 8080 without one)"),
  ],
  operands: "stop",
  // The list of subcommands stands where other commands have their examples.
  examples: [
    ...SUBCOMMANDS.map(({ name, summary }) => name.padEnd(NAME_COLUMN) + summary),
    `${"mgpu help COMMAND".padEnd(NAME_COLUMN)}Show what a command does`,
    `${"man mgpu".padEnd(NAME_COLUMN)}Read the manual; each command has a page, such as mgpu-srun(1)`,
    `${"mgpu version".padEnd(NAME_COLUMN)}Show the version`,
  ],
  run,
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const [word, ...rest] = parsed.operands;
  await chooseHost(parsed, context);
  if (word === undefined) {
    context.stdio.err(ownHelp(context));
    return EXIT_USAGE;
  }
  if (word === "help") return help(rest, context);
  if (word === "version") return runCommand(command, ["--version"], context);
  // Asked by completion scripts, not by people: stands in no help.
  if (word === "__complete") return (await import("./completion/candidates.ts")).refreshCandidates(context);
  if (word === "forward-end") return runCommand((await import("./mgpu-forward-end.ts")).command, rest, context);
  const subcommand = find(word, context);
  const checked = WITH_OPERANDS.has(subcommand) ? subcommand : refuseOperands(subcommand);
  return runCommand(checked, rest, { ...context, program: subcommand.name });
}

/** `mgpu --host H --port P VERB`, as a predecessor had it. */
async function chooseHost(parsed: ParsedOptions, context: CommandContext): Promise<void> {
  const [host, port] = [lastValue(parsed, "host"), lastValue(parsed, "port")];
  if (host === undefined && port === undefined) return;
  if (host === undefined) throw new UserError("--port: of which host? --host says", undefined, EXIT_USAGE);
  const address = addressOf(host, port ?? PREDECESSORS_PORT, "");
  const { storedAddress } = await import("../target.ts");
  context.chooseCluster(port === undefined ? storedAddress(context, address) : address);
}

async function help([word]: readonly string[], context: CommandContext): Promise<number> {
  context.stdio.out(word === undefined ? ownHelp(context) : await helpFor(word, context));
  return 0;
}

async function helpFor(word: string, context: CommandContext): Promise<string> {
  const name = word.replace(/^mgpu-/, "");
  const load = Object.hasOwn(JOB_COMMANDS, name) ? JOB_COMMANDS[name] : undefined;
  if (load === undefined) return helpOf(find(word, context));
  return helpOf((await load()).command, `mgpu-${name}`);
}

function ownHelp({ program }: CommandContext): string {
  return helpText({ ...command, options: withCommonOptions(command.options) }, program);
}

function helpOf(one: Command, program = one.name): string {
  return helpText({ ...one, options: withCommonOptions(one.options) }, program);
}

/** The subcommand of that name. @throws UserError with the nearest name */
function find(word: string, { program }: CommandContext): Command {
  const found = SUBCOMMANDS.find(({ name }) => name === `mgpu ${word}`);
  if (found) return found;
  if (Object.hasOwn(JOB_COMMANDS, word)) {
    throw new UserError(`unknown command "${word}"`, `the command is mgpu-${word}, with a hyphen`, EXIT_USAGE);
  }
  const words = [...SUBCOMMANDS.map(({ name }) => name.slice("mgpu ".length)), "help", "version"];
  const guess = nearest(word, words);
  const ofJobs = nearest(word, Object.keys(JOB_COMMANDS));
  const full = guess === undefined ? ofJobs && `mgpu-${ofJobs}` : `${program} ${guess}`;
  const hint = full === undefined ? `${program} help lists the commands` : `did you mean "${full}"?`;
  throw new UserError(`unknown command "${word}"`, hint, EXIT_USAGE);
}

/** Most of the subcommands take no words besides their options. */
function refuseOperands(subcommand: Command): Command {
  return {
    ...subcommand,
    async run(parsed, context) {
      refuseWords(parsed.operands, `${context.program} --help shows what it takes`);
      return subcommand.run(parsed, context);
    },
  };
}

/** All commands, for man pages and completions. */
export async function commandsOf(): Promise<{
  readonly own: Command;
  readonly subcommands: readonly Command[];
  readonly jobCommands: readonly Command[];
}> {
  const loaded = await Promise.all(Object.values(JOB_COMMANDS).map((load) => load()));
  return { own: command, subcommands: SUBCOMMANDS, jobCommands: loaded.map((one) => one.command) };
}
