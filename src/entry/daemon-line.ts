/** The command lines of the daemons: a few options over the settings from the environment. */

import { hostname } from "node:os";
import { buildText } from "../cli/build-text.ts";
import { parseOptions } from "../cli/getopt.ts";
import type { Option } from "../cli/option.ts";
import { loadConfig } from "../config/load.ts";
import { type Environment, type Places, placesFrom } from "../config/places.ts";
import { givenSettings, SETTINGS, type Settings, settingsFrom } from "../config/settings.ts";
import { VERSION } from "../config/version.ts";
import { realFiles } from "../platform/files.ts";
import { canHoldFolder } from "../platform/folders.ts";
import { shortHostname } from "../platform/host.ts";
import type { LogLimits } from "../platform/plain-log.ts";
import { makePrivateFolder } from "../platform/runtime-folder.ts";
import { settleEnvironment } from "./environment.ts";
import { fail, messageOf } from "./fail.ts";

/** What every daemon knows from its command line and environment. */
export interface DaemonLine {
  readonly settings: Settings;
  /** The variables that the settings came from, options included; not what the configuration file says. */
  readonly givenSettings: Readonly<Record<string, string>>;
  readonly places: Places;
  /** Whether a node daemon would be a program of its own, rather than part of the controller's. */
  readonly isOwnProgram: boolean;
  /** The configuration file; `null` where there is none. */
  readonly configPath: string | null;
  /** Reads the configuration file again. */
  reload(): { readonly settings: Settings } | { readonly problems: readonly string[] };
  has(long: string): boolean;
  value(long: string): string | undefined;
}

/** Options that stand for settings, by their long name. */
const SETTING_OPTIONS: Readonly<Record<string, keyof Settings>> = {
  "node-id": "nodeName",
  address: "nodeAddress",
  "gpu-count": "fakeGpus",
  cpus: "cpus",
  memory: "memoryMiB",
  features: "features",
  controller: "controllerSocket",
  listen: "listen",
};

export const NODE_OPTIONS: readonly Option[] = [
  { long: "node-id", argument: "required", metavar: "name", help: "name of this node; the short host name otherwise" },
  {
    long: "address",
    argument: "required",
    metavar: "host",
    help: "where other nodes reach this one; the address of its way out otherwise",
  },
  { long: "cpus", argument: "required", metavar: "count", help: "CPUs to offer instead of all" },
  { long: "memory", argument: "required", metavar: "MiB", help: "memory to offer instead of all" },
  {
    long: "gpu-count",
    argument: "required",
    metavar: "count",
    help: "offer so many fake GPUs instead of the real ones",
  },
  {
    long: "features",
    argument: "required",
    metavar: "word,...",
    help: "what jobs may ask this node for with --constraint",
  },
];

/** Of a node daemon that is a program of its own. */
export const CONTROLLER_OPTION: Option = {
  long: "controller",
  argument: "required",
  metavar: "socket",
  help: "socket of the controller; that of the state folder otherwise",
};

/** Of one that another batch system's job starts (controller/elastic/slurm-text.ts). */
export const ALLOCATION_OPTION: Option = {
  long: "allocation",
  argument: "required",
  metavar: "slurm",
  help: "run within a job of that batch system: offer what it gave, end what runs here when it ends (mgpu alloc)",
};

/** Reads them, or ends the process with every problem. */
export function readDaemonLine(program: string, summary: string, options: readonly Option[]): DaemonLine {
  const all: readonly Option[] = [
    ...options,
    { long: "verbose", short: "v", argument: "none", help: "log more" },
    { long: "help", short: "h", argument: "none", help: "show this text" },
    { long: "version", short: "V", argument: "none", help: "show the version" },
  ];
  const parse = () => parseDaemonLine(all, process.argv.slice(2), settleEnvironment(), findConfig);
  const { values, settings, given, configPath, problems, lineProblems } = parse();
  const has = (long: string): boolean => values.has(long);
  const value = (long: string): string | undefined => values.get(long)?.at(-1);
  if (lineProblems.length === 0 && has("help")) answer(helpOf(program, summary, all));
  if (lineProblems.length === 0 && has("version")) answer(`${buildText(program, VERSION)}\n`);
  if (problems.length > 0) fail(program, problems.join(`\n${program}: error: `));
  const places = placesFrom(process.env, process.getuid?.() ?? 0, canHoldFolder);
  const isOwnProgram = program !== "mgpuctld";
  const reload = () => {
    const again = parse();
    return again.problems.length > 0 ? { problems: again.problems } : { settings: again.settings };
  };
  return { settings, givenSettings: givenSettings(given), configPath, reload, isOwnProgram, has, value, places };
}

/** Finds the configuration file, for a node of that name; empty for the host's name. */
type FindConfig = (env: Environment, node: string) => ReturnType<typeof loadConfig>;

const findConfig: FindConfig = (env, name) =>
  loadConfig(env, realFiles(), { name, hostname: shortHostname(hostname()) });

/**
 * What a command line, the environment and the configuration file come to: options go above variables, those above the
 * file. Pure but for `find`.
 */
export function parseDaemonLine(
  options: readonly Option[],
  args: readonly string[],
  variables: Environment,
  find: FindConfig,
) {
  const parsed = parseOptions(options, [...args], "permute");
  const typed = settingVariables((long) => parsed.values.get(long)?.at(-1));
  const level = parsed.values.has("verbose") ? { MGPU_LOG_LEVEL: "debug" } : {};
  const given: Environment = { ...variables, ...typed, ...level };
  const config = find(variables, given.MGPU_NODE_ID ?? "");
  const { path, file, problems: ofFile } = { ...NO_CONFIG, ...config };
  // An empty variable says nothing.
  const said = Object.fromEntries(Object.entries(given).filter(([, text]) => text !== ""));
  const { settings, problems: bad } = settingsFrom({ ...file.texts, ...said });
  const lineProblems = [...parsed.problems, ...parsed.operands.map((word) => `unexpected argument "${word}"`)];
  const named = bad.map((problem) => namingOption(problem, (long) => parsed.values.has(long)));
  const problems = [...lineProblems, ...ofFile, ...named];
  return { values: parsed.values, settings, given, configPath: path, lineProblems, problems };
}

const NO_CONFIG = { path: null, file: { texts: {} }, problems: [] };

/** How large a daemon's log may grow, and how many older ones are kept. */
export function logLimits({ logMaxMB, logBackups }: Settings): LogLimits {
  return { bytesMax: logMaxMB * 1_000_000, backups: logBackups };
}

/** Makes the folder of our sockets, or ends the process with the reason. */
export function prepareRuntime(program: string, places: Places): void {
  try {
    makePrivateFolder(places.runtime);
  } catch (error) {
    fail(program, `the folder of mgpu's sockets can't be used: ${messageOf(error)}`);
  }
}

function settingVariables(value: (long: string) => string | undefined): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [option, setting] of Object.entries(SETTING_OPTIONS)) {
    const text = value(option);
    if (text !== undefined) variables[SETTINGS[setting].variable] = text;
  }
  return variables;
}

/** A user who typed an option did not set its variable. */
function namingOption(problem: string, has: (long: string) => boolean): string {
  for (const [option, setting] of Object.entries(SETTING_OPTIONS)) {
    const { variable } = SETTINGS[setting];
    if (has(option) && problem.startsWith(`${variable}: `)) return `--${option}${problem.slice(variable.length)}`;
  }
  return problem;
}

function helpOf(program: string, summary: string, options: readonly Option[]): string {
  const rows = options.map(({ long, short, metavar, help }) => {
    const name = `${short ? `-${short}, ` : "    "}--${long}${metavar ? `=<${metavar}>` : ""}`;
    return `  ${name.padEnd(28)}${help}\n`;
  });
  return `Usage: ${program} [OPTIONS...]\n${summary}\n\n${rows.join("")}`;
}

function answer(text: string): never {
  process.stdout.write(text);
  process.exit(0);
}
