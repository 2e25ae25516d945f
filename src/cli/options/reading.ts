/**
 * From texts to values. An option's text may come from the command line, a variable, or a script's directive; the
 * first of these that has it wins, and all values that can't be read are reported together.
 */

import {
  expected,
  type Parsed,
  parseCount,
  parseGpus,
  parseGres,
  parseMemory,
  parseNodeRange,
} from "../../core/parse.ts";
import { parseTimeLimit } from "../../core/time.ts";
import { parseExport } from "./export.ts";
import type { SubmitLong } from "./submit.ts";

/** One place where options may stand. Layers are given in order of precedence. */
export interface Layer {
  /** Texts by long name, in the order of {@link parseOptions}. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** How a problem names the option there: `--gpus`, `SBATCH_GPUS`, `train.sh: line 3: --gpus`. */
  readonly label: (long: string) => string;
}

/** How each option's text is read. A flag's text is empty. */
const READERS = {
  "job-name": someText("a name"),
  ntasks: (text: string) => parseCount(text),
  "cpus-per-task": (text: string) => parseCount(text),
  nodes: parseNodeRange,
  mem: parseMemory,
  gpus: parseGpus,
  gres: parseGres,
  time: parseTimeLimit,
  partition: readPartition,
  chdir: someText("a folder"),
  output: readOutputFile,
  error: readOutputFile,
  input: someText("a file, none, all or a task's number"),
  "open-mode": readOpenMode,
  export: parseExport,
  requeue: flag,
  "no-requeue": flag,
  label: flag,
  unbuffered: flag,
  pty: flag,
  "no-pty": flag,
  wrap: (text: string): Parsed<string> => ({ value: text }),
  parsable: flag,
  quiet: flag,
  verbose: readVerbosity,
} as const satisfies Record<SubmitLong, (text: string) => Parsed<unknown>>;

type ValueOf<R> = R extends (text: string) => Parsed<infer T> ? T : never;

/** What was asked for; absent where nobody said anything. */
export type SubmitValues = { readonly [L in SubmitLong]?: ValueOf<(typeof READERS)[L]> };

/** Options that speak of the same thing: a layer that has one of them overrules the others in all later layers. */
const RIVALS: readonly { readonly longs: readonly SubmitLong[]; readonly lastTypedWins: boolean }[] = [
  { longs: ["requeue", "no-requeue"], lastTypedWins: true },
  { longs: ["pty", "no-pty"], lastTypedWins: true },
  // Both in one layer: jobspec.ts checks that they agree.
  { longs: ["gpus", "gres"], lastTypedWins: false },
];

/** Reads what holds after precedence. `problems` is empty if all of it could be read. */
export function readSubmitOptions(layers: readonly Layer[]): { values: SubmitValues; problems: readonly string[] } {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const long of Object.keys(READERS) as SubmitLong[]) {
    const layer = layers.find((candidate) => candidate.values.has(long));
    if (layer === undefined || isOverruled(long, layer, layers)) continue;
    const texts = layer.values.get(long) ?? [];
    const parsed: Parsed<unknown> = READERS[long](long === "verbose" ? sumOf(texts) : (texts.at(-1) ?? ""));
    if ("value" in parsed) values[long] = parsed.value;
    else problems.push(`${layer.label(long)}: ${parsed.problem}`);
  }
  return { values: values as SubmitValues, problems };
}

function isOverruled(long: SubmitLong, layer: Layer, layers: readonly Layer[]): boolean {
  const group = RIVALS.find(({ longs }) => longs.includes(long));
  if (group === undefined) return false;
  const isRival = (key: string): boolean => group.longs.some((rival) => rival === key);
  if (layers.find(({ values }) => [...values.keys()].some(isRival)) !== layer) return true;
  return group.lastTypedWins && [...layer.values.keys()].findLast(isRival) !== long;
}

function flag(): Parsed<true> {
  return { value: true };
}

/** Each `-v` counts one; a variable holds a number. */
function sumOf(texts: readonly string[]): string {
  return texts.length > 1 || texts[0] === "" ? String(texts.length) : (texts[0] ?? "");
}

function readVerbosity(text: string): Parsed<number> {
  return parseCount(text, 0);
}

function someText(what: string): (text: string) => Parsed<string> {
  return (text) => (text === "" ? expected(what, text) : { value: text });
}

function readPartition(text: string): Parsed<string> {
  if (text.includes(",")) return { problem: `this version of mgpu takes one partition, got "${text}"` };
  return text === "" || text.length > 256 ? expected("a name", text) : { value: text };
}

function readOutputFile(text: string): Parsed<string> {
  if (/^\d+$/.test(text)) {
    return { problem: `this version of mgpu can't choose one task's output, got "${text}"; ./${text} is a file` };
  }
  return text === "" ? expected("a file", text) : { value: text };
}

function readOpenMode(text: string): Parsed<"append" | "truncate"> {
  if (/^a(ppend)?$/i.test(text)) return { value: "append" };
  if (/^t(runcate)?$/i.test(text)) return { value: "truncate" };
  return expected("append or truncate", text);
}
