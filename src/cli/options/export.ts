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
}

export const EXPORT_ALL: ExportSpec = { all: true, names: [], assignments: {} };

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
  const assignments: Record<string, string> = {};
  for (const item of items) {
    const equals = item.indexOf("=");
    if (equals === 0) return { problem: `expected NAME=value, got "${item}"` };
    if (equals > 0) assignments[item.slice(0, equals)] = item.slice(equals + 1);
    else if (/^all$/i.test(item)) all = true;
    else if (/^(none|nil)$/i.test(item)) {
      if (items.length > 1) return { problem: "NONE can't be mixed with other variables" };
    } else names.push(item);
  }
  return { value: { all, names, assignments } };
}

/**
 * The environment of a job. Without ALL it has SLURM_* (Slurm's rule), what was asked for, and the few variables
 * that a login shell would set.
 */
export function jobEnvironment(spec: ExportSpec, environment: Environment, cwd: string): Record<string, string> {
  const user = userEnvironment(environment);
  const assigned: Record<string, string> = { ...spec.assignments, [SUBMIT_FOLDER]: cwd };
  if (spec.all) return { ...user, ...assigned };
  const kept = Object.entries(user).filter(
    ([name]) => name.startsWith("SLURM_") || LOGIN_VARIABLES.includes(name) || spec.names.includes(name),
  );
  return { PATH: DEFAULT_PATH, ...Object.fromEntries(kept), ...assigned };
}

/** The environment as the user's shell has it: the launchers' changes undone. */
function userEnvironment(environment: Environment): Record<string, string> {
  const result: Record<string, string> = {};
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
