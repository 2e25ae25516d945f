/**
 * --export: which of the user's variables a job gets. `ALL`, `NONE`, names, NAME=value, and mixtures; a value may be
 * quoted as in a shell, so that it can hold commas. Also what mgpu's own launchers put into the environment is taken
 * out again here.
 */

import type { Environment } from "../../config/places.ts";
import type { Parsed } from "../../core/parse.ts";

/** What the text asks for. */
export interface ExportSpec {
  readonly all: boolean;
  /** Names whose values the user's environment has. */
  readonly names: readonly string[];
  /** Values given in the option itself; they win. */
  readonly assignments: Readonly<Record<string, string>>;
  /** Values given before ALL: they count where the user's environment has none. */
  readonly fallbacks: Readonly<Record<string, string>>;
}

export const EXPORT_ALL: ExportSpec = { all: true, names: [], assignments: {}, fallbacks: {} };

type Variables = Record<string, string>;

/** Variables by which the launchers in bin/ talk to the programs; no business of a user's job. */
const LAUNCHER_VARIABLES = ["MGPU_PROGRAM", "MGPU_NODE_EXTRA_CA_CERTS"];

/** Where the command was typed, whatever --chdir says: the job's node takes it from the job's environment. */
const SUBMIT_FOLDER = "SLURM_SUBMIT_DIR";

/** What any program may rely on, also when nothing is exported: Slurm takes these from the login shell. */
const LOGIN_VARIABLES = ["HOME", "USER", "LOGNAME", "SHELL"];

/** Where programs are looked for when the user's PATH is not exported. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Reads the option's text. */
export function parseExport(text: string): Parsed<ExportSpec> {
  const items = splitQuoted(text);
  if (items === undefined) return { problem: `a quote is not closed in ${text}` };
  let all = false;
  const names: string[] = [];
  let assignments: Variables = {};
  let fallbacks: Variables = {};
  for (const item of items) {
    const equals = item.indexOf("=");
    if (equals === 0) return { problem: `expected NAME=value, got "${item}"` };
    if (equals > 0) assignments[item.slice(0, equals)] = item.slice(equals + 1);
    else if (/^all$/i.test(item)) {
      all = true;
      fallbacks = { ...fallbacks, ...assignments };
      assignments = {};
    } else if (/^(none|nil)$/i.test(item)) {
      if (items.length > 1) return { problem: "NONE can't be mixed with other variables" };
    } else names.push(item);
  }
  return { value: { all, names, assignments, fallbacks } };
}

/** Variables that count before or instead of the user's. */
export interface OtherVariables {
  /** What a login shell sets: where nothing else says otherwise. */
  readonly login?: Readonly<Variables> | null;
  /** What --export-file holds: instead of the user's. */
  readonly file?: Readonly<Variables> | null;
}

/**
 * The environment of a job. Without ALL it has SLURM_* (Slurm's rule), what was asked for, and the few variables
 * that a login shell would set.
 */
export function jobEnvironment(
  spec: ExportSpec,
  environment: Environment,
  cwd: string,
  { login = null, file = null }: OtherVariables = {},
): Variables {
  const user = userEnvironment(environment);
  const own = [...LOGIN_VARIABLES, ...spec.names];
  const some = Object.entries(user).filter(([name]) => name.startsWith("SLURM_") || own.includes(name));
  const isWhole = spec.all && file === null;
  return {
    ...(isWhole ? {} : { PATH: DEFAULT_PATH }),
    ...login,
    ...spec.fallbacks,
    ...(isWhole ? user : Object.fromEntries(some)),
    ...file,
    ...spec.assignments,
    [SUBMIT_FOLDER]: cwd,
  };
}

/** Pairs of a file that --export-file names: each ended by a NUL byte, or by a line break where there is none. */
export function parsePairs(text: string): Variables {
  const variables: Variables = {};
  for (const pair of text.split(text.includes("\0") ? "\0" : "\n")) {
    const equals = pair.indexOf("=");
    const name = pair.slice(0, Math.max(0, equals)).replace(/^\n+/, "");
    if (name !== "") variables[name] = pair.slice(equals + 1);
  }
  return variables;
}

/** The environment as the user's shell has it: the launchers' changes undone. */
function userEnvironment(environment: Environment): Variables {
  const result: Variables = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !LAUNCHER_VARIABLES.includes(name)) result[name] = value;
  }
  const certificates = environment.MGPU_NODE_EXTRA_CA_CERTS;
  if (certificates) result.NODE_EXTRA_CA_CERTS = certificates;
  return result;
}

/** Splits at commas outside of quotes and takes the quotes off, as a shell does. `undefined`: a quote is left open. */
function splitQuoted(text: string): string[] | undefined {
  const items: string[] = [];
  let item = "";
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (quote !== "") {
      if (character === quote) quote = "";
      else if (character === "\\" && quote === '"' && /["\\$`]/.test(text.charAt(i + 1))) item += text.charAt(++i);
      else item += character;
    } else if (character === "'" || character === '"') {
      quote = character;
    } else if (character === ",") {
      items.push(item);
      item = "";
    } else {
      item += character;
    }
  }
  if (quote !== "") return undefined;
  return [...items, item].filter((word) => word !== "");
}
