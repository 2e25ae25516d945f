/**
 * Options inside of a batch script: lines that start with #SBATCH or #MGPU, in every shape that people write. They
 * are read up to the first line that is neither blank nor a comment; what follows belongs to the shell.
 */

import { parseOptions } from "./getopt.ts";
import type { Option } from "./option.ts";
import type { Layer } from "./options/reading.ts";

/** What a script asks for. */
export interface Directives extends Layer {
  /** One sentence each, with file and line. */
  readonly problems: readonly string[];
}

interface Line {
  readonly number: number;
  readonly words: readonly string[];
  /** What is wrong with its quotes; empty otherwise. */
  readonly problem: string;
}

/** Reads a script's directives. `file` is the name that problems give. */
export function readDirectives(script: string, file: string, options: readonly Option[]): Directives {
  const values = new Map<string, readonly string[]>();
  const lineOf = new Map<string, number>();
  const problems: string[] = [];
  for (const { number, words, problem } of directiveLines(script)) {
    const where = `${file}: line ${number}`;
    if (problem !== "") problems.push(`${where}: ${problem}`);
    const parsed = parseOptions(options, words, "permute");
    problems.push(...parsed.problems.map((text) => `${where}: ${text}`));
    problems.push(...parsed.operands.map((word) => `${where}: ${strayWord(word)}`));
    for (const [long, texts] of parsed.values) {
      if (!options.find((option) => option.long === long)?.directive) {
        problems.push(`${where}: --${long} can't stand in a script`);
        continue;
      }
      const earlier = values.get(long) ?? [];
      // Deleted first, so that the order of the map is that of the last appearances, as in parseOptions.
      values.delete(long);
      values.set(long, [...earlier, ...texts]);
      lineOf.set(long, number);
    }
  }
  return { values, label: (long) => `${file}: line ${lineOf.get(long) ?? 0}: --${long}`, problems };
}

function directiveLines(script: string): Line[] {
  const lines: Line[] = [];
  for (const [index, text] of script.split("\n").entries()) {
    const trimmed = text.trim();
    if (trimmed !== "" && !trimmed.startsWith("#")) break;
    const match = /^#(?:SBATCH|MGPU)(?=[\s-]|$)(.*)$/.exec(text);
    if (match) lines.push({ number: index + 1, ...splitWords(match[1] ?? "") });
  }
  return lines;
}

/** Words as a shell would see them: quotes and backslashes, and a comment from a word that starts with `#`. */
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
    } else if (character === "#" && word === null) {
      break;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else {
      word = (word ?? "") + (character === "\\" ? text.charAt(++i) : character);
    }
  }
  if (word !== null) words.push(word);
  return quote === "" ? { words, problem: "" } : { words: [], problem: `unmatched \`${quote}\` in [${text.trim()}]` };
}

function strayWord(word: string): string {
  return /^(hetjob|packjob)$/.test(word)
    ? "this version of mgpu does not run heterogeneous jobs"
    : `invalid directive: ${word}`;
}
