/**
 * Command lines read exactly as getopt_long reads them, from options that are data.
 *
 * Unique prefixes of long options, clusters of short ones, optional values only when attached, `--`, and either
 * mode of operands. It never throws and never stops at a problem: the caller shows all of them together.
 */

import type { OperandMode, Option, ParsedOptions } from "./option.ts";

/** One spelling of a long option. */
interface LongName {
  readonly name: string;
  readonly option: Option;
}

/** What has been read so far; `next` is the position of the first word not looked at. */
interface Reading {
  readonly argv: readonly string[];
  next: number;
  readonly values: Map<string, string[]>;
  readonly operands: string[];
  readonly problems: string[];
}

/**
 * Reads the words after the program's name.
 *
 * Keys of `values` are the records' long names (aliases resolved), ordered by their last appearance: of two options
 * that exclude each other the one that comes later in the map was typed last.
 */
export function parseOptions(options: readonly Option[], argv: readonly string[], mode: OperandMode): ParsedOptions {
  const longNames = options.flatMap((option) =>
    [option.long, ...(option.aliases ?? [])].map((name) => ({ name, option })),
  );
  const reading: Reading = { argv, next: 0, values: new Map(), operands: [], problems: [] };
  while (reading.next < argv.length) {
    const word = argv[reading.next] ?? "";
    if (word === "--") {
      reading.operands.push(...argv.slice(reading.next + 1));
      break;
    }
    if (word === "-" || !word.startsWith("-")) {
      if (mode === "stop") {
        reading.operands.push(...argv.slice(reading.next));
        break;
      }
      reading.operands.push(word);
      reading.next++;
      continue;
    }
    reading.next++;
    if (word.startsWith("--")) readLong(word.slice(2), longNames, reading);
    else readCluster(word.slice(1), options, reading);
  }
  const { values, operands, problems } = reading;
  return { values, operands, words: argv, problems };
}

/** The last text given for an option, or `undefined`: Slurm lets a later option override an earlier one. */
export function lastValue(parsed: ParsedOptions, long: string): string | undefined {
  return parsed.values.get(long)?.at(-1);
}

/** How often a flag was given. */
export function countOf(parsed: ParsedOptions, long: string): number {
  return parsed.values.get(long)?.length ?? 0;
}

/** Whether an option was given at all. */
export function isGiven(parsed: ParsedOptions, long: string): boolean {
  return parsed.values.has(long);
}

function readLong(word: string, longNames: readonly LongName[], reading: Reading): void {
  const equals = word.indexOf("=");
  const matches = matchLong(equals < 0 ? word : word.slice(0, equals), longNames);
  const match = matches[0];
  if (match === undefined) {
    reading.problems.push(`unrecognized option '--${word}'`);
    return;
  }
  if (matches.length > 1) {
    const possibilities = matches.map(({ name }) => `'--${name}'`).join(" ");
    reading.problems.push(`option '--${word}' is ambiguous; possibilities: ${possibilities}`);
    return;
  }
  const { name, option } = match;
  if (equals >= 0) {
    if (option.argument === "none") reading.problems.push(`option '--${name}' doesn't allow an argument`);
    else keep(reading, option, word.slice(equals + 1));
  } else if (option.argument !== "required") {
    keep(reading, option, "");
  } else if (reading.next < reading.argv.length) {
    keep(reading, option, reading.argv[reading.next++] ?? "");
  } else {
    reading.problems.push(`option '--${name}' requires an argument`);
  }
}

/** The one spelling that a full name or a unique prefix means; several if it could mean different options. */
function matchLong(typed: string, longNames: readonly LongName[]): readonly LongName[] {
  const exact = longNames.find(({ name }) => name === typed);
  if (exact) return [exact];
  const fitting = longNames.filter(({ name }) => name.startsWith(typed));
  // An option and its alias are no choice to make.
  const isOneOption = fitting.every(({ option }) => option === fitting[0]?.option);
  return isOneOption ? fitting.slice(0, 1) : fitting;
}

function readCluster(letters: string, options: readonly Option[], reading: Reading): void {
  const characters = Array.from(letters);
  for (const [index, letter] of characters.entries()) {
    const option = options.find(({ short }) => short === letter);
    if (option === undefined) {
      reading.problems.push(`invalid option -- '${letter}'`);
      continue;
    }
    if (option.argument === "none") {
      keep(reading, option, "");
      continue;
    }
    const attached = characters.slice(index + 1).join("");
    if (attached !== "" || option.argument === "optional") keep(reading, option, attached);
    else if (reading.next < reading.argv.length) keep(reading, option, reading.argv[reading.next++] ?? "");
    else reading.problems.push(`option requires an argument -- '${letter}'`);
    return;
  }
}

function keep(reading: Reading, option: Option, value: string): void {
  const earlier = reading.values.get(option.long) ?? [];
  // Deleted and set again so that the map's order is that of last appearances.
  reading.values.delete(option.long);
  reading.values.set(option.long, [...earlier, value]);
}
