/**
 * Options inside of a batch script: lines that start with #SBATCH or #MGPU, in every shape that people write. They
 * are read up to the first line that is neither blank nor a comment; what follows belongs to the shell. Checked
 * against sbatch of Slurm 22.05: also that a `#` outside of quotes starts a comment wherever it stands.
 */

import { parseOptions } from "./getopt.ts";
import type { Option } from "./option.ts";
import type { Layer } from "./options/layers.ts";

/** What a script asks for. */
export interface Directives {
  /** One of each component of a heterogeneous job; just one of any other. */
  readonly components: readonly [Layer, ...Layer[]];
  /** One sentence each, with file and line. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** First line with a directive of another batch system (#PBS, #BSUB), which is not read; 0 for none. */
  readonly foreignLine: number;
}

interface Line {
  readonly number: number;
  /** `SBATCH`, `MGPU`, or `SLURM`, which Slurm takes too. */
  readonly mark: string;
  readonly text: string;
}

interface Reading {
  readonly values: Map<string, readonly string[]>;
  readonly lineOf: Map<string, number>;
  readonly problems: string[];
}

/** Options of every command that Slurm passes over in a script. */
const NO_MATTER: readonly Option[] = ["help", "usage", "version"].map((long) => ({ long, argument: "none", help: "" }));

/** What parts the components of a heterogeneous job; the second is the old word. */
const SEPARATOR = /^(hetjob|packjob)$/;

/** Reads a script's directives. `file` is the name that problems give. */
export function readDirectives(script: string, file: string, options: readonly Option[]): Directives {
  const problems: string[] = [];
  let reading: Reading = { values: new Map(), lineOf: new Map(), problems };
  const components: [Layer, ...Layer[]] = [layerOf(reading, file)];
  const warnings: string[] = [];
  const { lines, foreignLine } = directiveLines(script);
  for (const line of lines) {
    const where = `${file}: line ${line.number}`;
    if (line.mark === "SLURM") warnings.push(`${where}: #SLURM is read as #SBATCH; better write #SBATCH`);
    const { words, problem } = splitWords(line.text);
    if (problem !== "") problems.push(`${where}: ${problem}`);
    if (!SEPARATOR.test(words[0] ?? "")) {
      readLine({ ...line, words }, where, options, reading);
      continue;
    }
    if (words[0] === "packjob") warnings.push(`${where}: packjob is the old word: better write hetjob`);
    if (words.length > 1)
      problems.push(`${where}: ${words[0]} stands alone on its line, got ${words.slice(1).join(" ")}`);
    reading = { values: new Map(), lineOf: new Map(), problems };
    components.push(layerOf(reading, file));
  }
  return { components, problems, warnings, foreignLine };
}

/** The words behind one mark, of all its lines: for an engine that does not know it. */
export function markedWords(script: string, mark: string): string[] {
  return directiveLines(script).lines.flatMap((line) => (line.mark === mark ? splitWords(line.text).words : []));
}

/** The directives of one component, as far as they are read. */
function layerOf({ values, lineOf }: Reading, file: string): Layer {
  return { values, label: (long) => `${file}: line ${lineOf.get(long) ?? 0}: --${long}` };
}

/** Reads one directive. */
function readLine(
  line: Line & { readonly words: readonly string[] },
  where: string,
  options: readonly Option[],
  reading: Reading,
): void {
  const { values, lineOf, problems } = reading;
  const { words } = line;
  const parsed = parseOptions([...options, ...NO_MATTER], words, "permute");
  problems.push(...parsed.problems.map((text) => `${where}: ${text}`));
  problems.push(...parsed.operands.map((word) => `${where}: ${strayWord(word, line.text)}`));
  for (const [long, texts] of parsed.values) {
    const option = options.find((candidate) => candidate.long === long);
    if (option === undefined) continue;
    if (!option.directive) {
      problems.push(`${where}: --${long} can't stand in a script`);
      continue;
    }
    const earlier = values.get(long) ?? [];
    // Deleted first, so that the order of the map is that of the last appearances, as in parseOptions.
    values.delete(long);
    values.set(long, [...earlier, ...texts]);
    lineOf.set(long, line.number);
  }
}

function directiveLines(script: string): { readonly lines: readonly Line[]; readonly foreignLine: number } {
  const lines: Line[] = [];
  let foreignLine = 0;
  let number = 0;
  for (let start = 0; start <= script.length; ) {
    const end = script.indexOf("\n", start);
    const text = script.slice(start, end < 0 ? script.length : end);
    start = end < 0 ? script.length + 1 : end + 1;
    number += 1;
    const trimmed = text.trim();
    if (trimmed !== "" && !trimmed.startsWith("#")) break;
    const match = /^#(SBATCH|MGPU|SLURM)(.*)$/.exec(text);
    if (match) lines.push({ number, mark: match[1] ?? "", text: match[2] ?? "" });
    else if (foreignLine === 0 && /^#(PBS|BSUB)\s/.test(text)) foreignLine = number;
  }
  return { lines, foreignLine };
}

/** Words as a shell would see them: quotes and backslashes, and a comment from the first bare `#` on. */
function splitWords(text: string): { words: string[]; problem: string } {
  const words: string[] = [];
  let word: string | null = null;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (quote !== "") {
      if (character === quote) quote = "";
      else word = (word ?? "") + (character === "\\" && quote === '"' ? text.charAt(++i) : character);
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (character === "#") {
      break;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (character !== "\\") {
      word = (word ?? "") + character;
    } else if (++i < text.length) {
      word = (word ?? "") + text.charAt(i);
    }
  }
  if (word !== null) words.push(word);
  return quote === "" ? { words, problem: "" } : { words: [], problem: `Unmatched \`${quote}\` in [${text.trim()}]` };
}

function strayWord(word: string, text: string): string {
  if (word === ":") return `Unexpected \`:\` in [${text.trim()}]`;
  return `Invalid directive found in batch script: ${word}`;
}
