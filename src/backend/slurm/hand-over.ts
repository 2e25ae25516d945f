/** Commands that Slurm has itself: its own run in their place, with our terminal, after what only mgpu has was translated. */

import { loadConfig } from "../../config/load.ts";
import { SETTINGS } from "../../config/settings.ts";
import { type ModelTable, NO_MODELS, parseModels } from "../../core/models.ts";
import { parseMemory } from "../../core/parse.ts";
import { Refusal, type SlurmPorts } from "./ports.ts";
import type { Slurm } from "./slurm.ts";
import { type Facts, needsModels, needsShares, type Plan, sharesOf, type Translated, translate } from "./translate.ts";
import { type Token, takeApart } from "./words.ts";
import { activated, activationCode, wrapScript } from "./wrapper.ts";

/** An option as far as its words are to be told apart. */
export interface OptionShape {
  readonly long: string;
  readonly short?: string;
  readonly aliases?: readonly string[];
  readonly argument: "none" | "required" | "optional";
  /** Environment variable that sets it, by command. */
  readonly variables?: Readonly<Partial<Record<string, string>>>;
}

/** The script of sbatch. */
export interface OrderScript {
  readonly text: string;
  /** Whether it is a file that Slurm can read for itself. */
  readonly isFile: boolean;
  /** What the job is called that nobody named. */
  readonly jobName: string;
  /** Words behind #MGPU in it. */
  readonly directives: readonly string[];
  /** Words behind #SBATCH, which Slurm reads for itself. */
  readonly slurmDirectives: readonly string[];
}

/** A command as it was typed. */
export interface Order {
  /** Slurm's name of it: `srun`. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly options: readonly OptionShape[];
  /** Whether the first operand ends the options. */
  readonly stops: boolean;
  /** The cluster's profile, whose -M is not for Slurm; empty where there is none. */
  readonly profile: string;
  /** `null` for other commands than sbatch. */
  readonly script: OrderScript | null;
  /** Of the command; it may have more than the process. */
  readonly environment: Variables;
}

/** What is to be run instead. */
export interface Replacement {
  /** Where {@link SCRIPT_PATH} stands, the path of a file with `script` is wanted. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** A script in the place of the user's; `null` if that goes as it is. */
  readonly script: string | null;
  /** What is said on stderr. */
  readonly notes: readonly string[];
}

/** Stands for the path of the script's file. */
export const SCRIPT_PATH = "\0script";

/** Commands whose options are looked through. */
const SUBMITTERS: ReadonlySet<string> = new Set(["srun", "sbatch", "salloc"]);

/** Options of ours that a variable may set: Slurm's own variables are Slurm's to read. */
const OF_VARIABLES: ReadonlySet<string> = new Set(["retries", "retry-wait"]);

/** Options of Slurm's that say how many tasks a node has: a translation looks at them. */
const GEOMETRY: ReadonlySet<string> = new Set(["ntasks", "nodes", "ntasks-per-node"]);

const PLAIN: Plan = { retries: 0, notices: [], activation: null };

/** Works out what to run. @throws Refusal for what can't be said in Slurm, all of it at once */
export async function handOver(slurm: Slurm, order: Order): Promise<Replacement> {
  const file = slurm.command(order.name);
  const { tokens, rest } = takeApart(order);
  const typed = withoutProfile(tokens, order);
  const { words, plan, problems, notes } = SUBMITTERS.has(order.name)
    ? await translatedOrder(slurm, order, typed)
    : { words: typed.flatMap((token) => token.words), plan: PLAIN, problems: [], notes: [] };
  if (problems.length > 0) throw new Refusal(problems, "man mgpu-slurm tells what Slurm can be told");
  const { operands, script } = around(order, words, rest, plan);
  const environment = usersEnvironment(slurm.environmentOf(order.environment));
  // What comes of it is not known here.
  slurm.changed();
  return { argv: withHangup([file, ...operands], order.environment), environment, script, notes };
}

/** Without the name of a profile of ours, of which Slurm knows nothing. */
export function withoutProfile(tokens: readonly Token[], { profile }: Order): Token[] {
  return tokens.filter(({ long, value }) => !(/^clusters?$/.test(long) && value === profile && value !== ""));
}

/** The options of a submitting command in Slurm's words. */
export async function translatedOrder(slurm: Slurm, order: Order, typed: readonly Token[]): Promise<Translated> {
  const { name, options, script } = order;
  const directives = takeApart({ argv: script?.directives ?? [], options, stops: false }).tokens;
  const tokens = lastOfEach([...fromVariables(order, OF_VARIABLES), ...directives, ...typed]);
  const slurms = takeApart({ argv: script?.slurmDirectives ?? [], options, stops: false }).tokens;
  const beside = lastOfEach([...fromVariables(order, GEOMETRY), ...slurms]);
  return translate(name, tokens, await factsFor(slurm, order, tokens), beside);
}

/** An option of ours that comes again goes above the earlier one; those without a name stay where they are. */
function lastOfEach(tokens: readonly Token[]): Token[] {
  return tokens.filter(({ long }, at) => long === "" || !tokens.slice(at + 1).some((later) => later.long === long));
}

function fromVariables({ environment, name, options }: Order, wanted: ReadonlySet<string>): Token[] {
  return options.flatMap(({ long, variables }) => {
    const value = environment[variables?.[name] ?? ""];
    return wanted.has(long) && value ? [{ long, value, words: [] }] : [];
  });
}

/** Slurm and the configuration are asked only for what is needed. */
async function factsFor(slurm: Slurm, { environment }: Order, tokens: readonly Token[]): Promise<Facts> {
  const text = environment.MGPU_SLURM_GPU_MEMORY ?? "";
  const memory = text === "" ? { value: 0 } : parseMemory(text);
  if ("problem" in memory) throw new Refusal(`MGPU_SLURM_GPU_MEMORY: ${memory.problem}`);
  return {
    shares: needsShares(tokens) ? sharesOf((await slurm.ask("scontrol", ["show", "node", "-o"])).split("\n")) : null,
    models: needsModels(tokens) ? configuredModels(slurm.ports) : NO_MODELS,
    gpuMemoryMiB: memory.value,
  };
}

/** The models of mgpu's configuration here, or of MGPU_MODELS. @throws Refusal for a file that can't be used */
export function configuredModels({ environment, files, hostname }: SlurmPorts): ModelTable {
  const { variable } = SETTINGS.models;
  const found = environment[variable] ? null : loadConfig(environment, files, { name: "", hostname });
  if (found !== null && "problems" in found) throw new Refusal(found.problems);
  const parsed = parseModels(environment[variable] ?? found?.file.texts[variable] ?? "");
  if ("problem" in parsed) throw new Refusal(`${variable}: ${parsed.problem}`);
  return parsed.value;
}

interface Around {
  readonly operands: readonly string[];
  readonly script: string | null;
}

/** Puts the plan's shell code around the program or the script. */
function around(order: Order, words: readonly string[], rest: readonly string[], plan: Plan): Around {
  const { activation, retries, notices } = plan;
  const environment = usersEnvironment(order.environment);
  const code = activation === null ? "" : activationCode(activation, environment);
  if (order.name === "srun" && code !== "") {
    const program = rest[0] === "--" ? rest.slice(1) : rest;
    return { operands: [...words, "--", ...activated(program, code)], script: null };
  }
  const { script } = order;
  const isPlain = code === "" && retries === 0 && notices.length === 0;
  if (script === null || (isPlain && script.isFile)) return { operands: [...words, ...rest], script: null };
  const isWrap = words.some((word) => /^--wrap\b/.test(word));
  if (isPlain && isWrap) return { operands: [...words, ...rest], script: null };
  const isNamed = words.some((word) => /^(-J|--job-n)/.test(word)) || /^#SBATCH.*(\s-J|--job-n)/m.test(script.text);
  const kept = isWrap ? withoutWrap(words) : words;
  const name = isNamed || environment.SBATCH_JOB_NAME ? [] : [`--job-name=${script.jobName}`];
  const requeue = retries > 0 ? ["--requeue"] : [];
  const mark = markFor(script.text);
  const text = isPlain ? script.text : wrapScript(script.text, plan, code, mark);
  return {
    operands: [...kept, ...name, ...requeue, SCRIPT_PATH, ...rest.filter((word) => word !== "--").slice(1)],
    script: text,
  };
}

function withoutWrap(words: readonly string[]): string[] {
  const at = words.indexOf("--wrap");
  return words.filter((word, index) => !/^--wrap(=|$)/.test(word) && !(at >= 0 && index === at + 1));
}

/** A line that the script does not have. */
function markFor(text: string): string {
  let mark = "MGPU_END_OF_SCRIPT";
  while (text.includes(mark)) mark += "_";
  return mark;
}

/** What nohup made ignored stays so: a shell between us and the command has to say it again. */
function withHangup(argv: readonly string[], { MGPU_HANGUP_IGNORED }: Variables): readonly string[] {
  return MGPU_HANGUP_IGNORED === undefined ? argv : ["/bin/sh", "-c", `trap '' HUP; exec "$0" "$@"`, ...argv];
}

type Variables = Readonly<Record<string, string | undefined>>;

/** What our launchers set, which is nothing of the user's. */
const LAUNCHERS: ReadonlySet<string> = new Set([
  ...["MGPU_PROGRAM", "MGPU_NODE_EXTRA_CA_CERTS", "MGPU_HANGUP_IGNORED", "MGPU_ODD_VARIABLES"],
]);

/** The environment as the user's shell had it: the launchers' changes undone, exported functions put back. */
export function usersEnvironment(environment: Variables): Record<string, string> {
  const own = Object.entries(environment).filter(([name]) => !LAUNCHERS.has(name));
  const { MGPU_NODE_EXTRA_CA_CERTS: certificates, MGPU_ODD_VARIABLES: odd } = environment;
  if (certificates) own.push(["NODE_EXTRA_CA_CERTS", certificates]);
  const bytes = Uint8Array.from(atob(odd ?? ""), (letter) => letter.charCodeAt(0));
  for (const pair of new TextDecoder().decode(bytes).split("\0")) {
    const equals = pair.indexOf("=");
    if (equals > 0) own.push([pair.slice(0, equals), pair.slice(equals + 1)]);
  }
  return Object.fromEntries(own.filter((pair): pair is [string, string] => pair[1] !== undefined));
}
