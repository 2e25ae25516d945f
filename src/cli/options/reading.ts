/**
 * From texts to values. An option's text may come from the command line, a variable, or a script's directive; the
 * first of these that has it wins, and all values that can't be read are reported together.
 */

import type { Parsed } from "../../core/parse.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedOptions } from "../option.ts";
import { inherited as inherit } from "./inheritance.ts";
import { commandLineLayer, environmentLayer, isInsideJob, type Layer, stepDefaultsLayer } from "./layers.ts";
import type { ReadingFacts, SubmitOption, Submitter } from "./record.ts";
import { isSupported, type SubmitName, type SubmitValues, submitOptions, valueName } from "./submit.ts";

/** What a user wants, after precedence. */
export interface Wishes {
  readonly submitter: Submitter;
  readonly values: SubmitValues;
  /** What the enclosing job's variables say to a step of srun within it; empty for anything else. */
  readonly inherited: SubmitValues;
  /** One sentence each, with its place. */
  readonly problems: readonly string[];
  /** What the next component of a heterogeneous job has from here: of the command line, and of the script. */
  readonly legacy: { readonly typed: Layer; readonly script: Layer };
  /** The command as it was typed. */
  readonly line: string;
  /** How a message names an option: by the place where it was given. */
  place(name: SubmitName): string;
  /** Whether it stands on the command line itself. */
  isTyped(name: SubmitName): boolean;
}

export type ReadingContext = Pick<CommandContext, "program" | "environment" | "clock" | "utcOffsetMinutes">;

/** Options that speak of the same thing: a layer that has one of them overrules the others in all later layers. */
const RIVALS: readonly { readonly longs: readonly string[]; readonly lastTypedWins: boolean }[] = [
  { longs: ["requeue", "no-requeue"], lastTypedWins: true },
  { longs: ["pty", "no-pty"], lastTypedWins: true },
  { longs: ["bell", "no-bell"], lastTypedWins: true },
  // Several of these in one layer: jobspec.ts checks that they agree, or refuses them.
  { longs: ["gpus", "gres"], lastTypedWins: false },
  { longs: ["mem", "mem-per-cpu", "mem-per-gpu"], lastTypedWins: false },
  { longs: ["cpus-per-task", "cpus-per-gpu"], lastTypedWins: false },
  { longs: ["gpus-per-task", "tres-per-task"], lastTypedWins: true },
  { longs: ["gpu-bind", "tres-bind"], lastTypedWins: true },
  { longs: ["nodelist", "nodefile"], lastTypedWins: true },
];

/** What --preserve-env takes from the variables first. */
const PRESERVED: readonly string[] = ["nodes", "ntasks"];

/** Which component of a heterogeneous job is read, where it is not the first, and what the one before it asked for. */
export interface ComponentPlace {
  readonly offset: number;
  readonly before: Wishes;
}

/** Reads what a command line, the variables and a script ask for. `problems` is empty if all of it could be read. */
export function readSubmit(
  submitter: Submitter,
  parsed: ParsedOptions,
  context: ReadingContext,
  script?: Layer,
  place?: ComponentPlace,
): Wishes {
  const { environment, clock, utcOffsetMinutes, program } = context;
  const facts = { submitter, environment, nowMs: clock.now(), utcOffset: utcOffsetMinutes };
  const typed = commandLineLayer(parsed, place?.offset);
  const before = place?.before.legacy;
  // As in Slurm: what was typed for one component overrules what the script says for the next.
  const layers = [
    ...[typed, ...(before ? [before.typed] : []), environmentLayer(submitter, environment)],
    ...[...(script ? [script] : []), ...(before ? [before.script] : [])],
  ];
  const { values, problems, places } = readLayers(layers, facts, parsed.values.has("preserve-env"));
  // Asked for in messages alone.
  let names: ReadonlyMap<string, string> | null = null;
  const longOf = (name: string): string => {
    names ??= new Map(submitOptions(submitter).map((option) => [valueName(option), option.long]));
    return names.get(name) ?? name;
  };
  const inherited = isStepOfEnclosing(values, environment) ? readLayers([stepDefaultsLayer(environment)], facts) : null;
  return {
    submitter,
    values,
    inherited: inherited?.values ?? {},
    problems,
    legacy: { typed: inherit(typed, before?.typed), script: inherit(script, before?.script) },
    line: [program, ...(parsed.words ?? [])].join(" "),
    place: (name) => places.get(name) ?? `--${longOf(name)}`,
    isTyped: (name) => typed.values.has(longOf(name)),
  };
}

/** Whether srun makes a step in the very job that its variables describe. */
function isStepOfEnclosing({ jobid }: SubmitValues, environment: ReadingContext["environment"]): boolean {
  return jobid !== undefined && isInsideJob(environment) && String(jobid) === environment.SLURM_JOB_ID;
}

interface ReadResult {
  readonly values: SubmitValues;
  readonly problems: readonly string[];
  /** How messages name what was given, by name of the value. */
  readonly places: ReadonlyMap<string, string>;
}

function readLayers(layers: readonly Layer[], facts: ReadingFacts, preserve = false): ReadResult {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  const places = new Map<string, string>();
  for (const option of submitOptions(facts.submitter)) {
    const { long } = option;
    const order = preserve && PRESERVED.includes(long) ? [...layers.slice(1), ...layers.slice(0, 1)] : layers;
    const layer = order.find((candidate) => candidate.values.has(long));
    if (layer === undefined || isOverruled(long, layer, layers)) continue;
    const parsed = readOne(option, layer.values.get(long) ?? [], facts);
    if (parsed === null) continue;
    if ("value" in parsed) values[valueName(option)] = parsed.value;
    else problems.push(`${layer.label(long)}: ${parsed.problem}`);
    places.set(valueName(option), layer.label(long));
  }
  return { values: values as SubmitValues, problems, places };
}

/** `null` for an option without effect. */
function readOne(option: SubmitOption, texts: readonly string[], facts: ReadingFacts): Parsed<unknown> | null {
  if (isSupported(option)) return option.read(option.long === "verbose" ? sumOf(texts) : (texts.at(-1) ?? ""), facts);
  if (option.refused !== undefined) return { problem: option.refused };
  const checked = "check" in option ? option.check?.(texts.at(-1) ?? "", facts) : undefined;
  return checked && "problem" in checked ? checked : null;
}

function isOverruled(long: string, layer: Layer, layers: readonly Layer[]): boolean {
  const group = RIVALS.find(({ longs }) => longs.includes(long));
  if (group === undefined) return false;
  const isRival = (key: string): boolean => group.longs.includes(key);
  if (layers.find(({ values }) => [...values.keys()].some(isRival)) !== layer) return true;
  return group.lastTypedWins && [...layer.values.keys()].findLast(isRival) !== long;
}

/** Each `-v` counts one; a variable holds a number. */
function sumOf(texts: readonly string[]): string {
  return texts.length > 1 || texts[0] === "" ? String(texts.length) : (texts[0] ?? "");
}
