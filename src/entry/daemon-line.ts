/** The command lines of the daemons: a few options over the settings from the environment. */

import { parseOptions } from "../cli/getopt.ts";
import type { Option } from "../cli/option.ts";
import { type Places, placesFrom } from "../config/places.ts";
import { givenSettings, SETTINGS, type Settings, settingsFrom } from "../config/settings.ts";
import { VERSION } from "../config/version.ts";
import { makePrivateFolder } from "../platform/runtime-folder.ts";
import { settleEnvironment } from "./environment.ts";
import { fail, messageOf } from "./fail.ts";

/** What every daemon knows from its command line and environment. */
export interface DaemonLine {
  readonly settings: Settings;
  /** The variables that the settings came from, options included. */
  readonly givenSettings: Readonly<Record<string, string>>;
  readonly places: Places;
  has(long: string): boolean;
  value(long: string): string | undefined;
}

/** Options that stand for settings, by their long name. */
const SETTING_OPTIONS: Readonly<Record<string, keyof Settings>> = {
  "node-id": "nodeName",
  "gpu-count": "fakeGpus",
  cpus: "cpus",
  memory: "memoryMiB",
};

export const NODE_OPTIONS: readonly Option[] = [
  { long: "node-id", argument: "required", metavar: "name", help: "name of this node; the short host name otherwise" },
  { long: "cpus", argument: "required", metavar: "count", help: "CPUs to offer instead of all" },
  { long: "memory", argument: "required", metavar: "MiB", help: "memory to offer instead of all" },
  {
    long: "gpu-count",
    argument: "required",
    metavar: "count",
    help: "offer so many fake GPUs instead of the real ones",
  },
];

/** Reads them, or ends the process with every problem. */
export function readDaemonLine(program: string, summary: string, options: readonly Option[]): DaemonLine {
  const all: readonly Option[] = [
    ...options,
    { long: "verbose", short: "v", argument: "none", help: "log more" },
    { long: "help", short: "h", argument: "none", help: "show this text" },
    { long: "version", short: "V", argument: "none", help: "show the version" },
  ];
  const parsed = parseOptions(all, process.argv.slice(2), "permute");
  const has = (long: string): boolean => parsed.values.has(long);
  const value = (long: string): string | undefined => parsed.values.get(long)?.at(-1);
  const problems = [...parsed.problems, ...parsed.operands.map((word) => `unexpected argument "${word}"`)];
  if (problems.length === 0 && has("help")) answer(helpOf(program, summary, all));
  if (problems.length === 0 && has("version")) answer(`${program} ${VERSION}\n`);
  const environment = { ...settleEnvironment(), ...settingVariables(value) };
  if (has("verbose")) environment.MGPU_LOG_LEVEL = "debug";
  const { settings, problems: bad } = settingsFrom(environment);
  problems.push(...bad.map((problem) => namingOption(problem, has)));
  if (problems.length > 0) fail(program, problems.join(`\n${program}: error: `));
  const places = placesFrom(process.env, process.getuid?.() ?? 0);
  return { settings, givenSettings: givenSettings(environment), has, value, places };
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
