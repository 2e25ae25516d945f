/**
 * Heterogeneous jobs on a command line: `sbatch -n1 : -n4 --gpus=4 script`, `srun -n1 a : -n4 b`. A lone colon parts the
 * components, as in Slurm wherever it stands among srun's words; a batch script's own arguments are left alone.
 */

import { parseOptions } from "./getopt.ts";
import type { Option, ParsedOptions } from "./option.ts";
import type { Layer } from "./options/layers.ts";
import { type ReadingContext, readSubmit, type Wishes } from "./options/reading.ts";
import type { Submitter } from "./options/record.ts";

/** What parts two components. */
const COLON = ":";

/** The components of sbatch's or salloc's command line; the last one's operands are the script or command. */
export function splitComponents(
  parsed: ParsedOptions,
  options: readonly Option[],
): [ParsedOptions, ...ParsedOptions[]] {
  const [first, ...rest] = parsed.operands;
  if (first !== COLON) return [parsed];
  const next = parseOptions(options, rest, "stop");
  return [{ ...parsed, operands: [] }, ...splitComponents(next, options)];
}

/** The components of srun's command line, each with its program; one without runs that of the next. */
export function splitPrograms(parsed: ParsedOptions, options: readonly Option[]): [ParsedOptions, ...ParsedOptions[]] {
  const at = parsed.operands.indexOf(COLON);
  if (at < 0) return [parsed];
  const next = parseOptions(options, parsed.operands.slice(at + 1), "stop");
  const [second, ...others] = splitPrograms(next, options);
  const operands = at === 0 ? second.operands : parsed.operands.slice(0, at);
  return [{ ...parsed, operands }, second, ...others];
}

/**
 * What each component asks for: its own words before those of the script's part, and what is not a matter of one
 * component alone from the components before it. There are as many as the command line or the script has.
 */
export function readComponents(
  submitter: Submitter,
  typed: readonly [ParsedOptions, ...ParsedOptions[]],
  context: ReadingContext | ((offset: number) => ReadingContext),
  scripts: readonly Layer[] = [],
): [Wishes, ...Wishes[]] {
  const [head] = typed;
  const contextOf = typeof context === "function" ? context : () => context;
  const first = readSubmit(submitter, head, contextOf(0), scripts[0]);
  const all: [Wishes, ...Wishes[]] = [first];
  const nothing: ParsedOptions = { values: new Map(), operands: [], words: [], problems: [] };
  const size = Math.max(typed.length, scripts.length);
  for (let offset = 1, before = first; offset < size; offset++) {
    const parsed = typed[offset] ?? nothing;
    const own = readSubmit(submitter, parsed, contextOf(offset), scripts[offset], { offset, before });
    const problems = parsed.problems.map((text) => `component ${offset}: ${text}`);
    before = { ...own, problems: [...problems, ...own.problems], line: first.line };
    all.push(before);
  }
  return all;
}

/** Each sentence once: what components have from one another is wrong in each of them. */
export function distinct(problems: readonly string[]): string[] {
  return [...new Set(problems)];
}
