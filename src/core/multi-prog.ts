/**
 * Configuration files of `srun --multi-prog`: which program each task runs. A line is `ranks program [argument ...]`:
 *
 *     # comment
 *     4-6    hostname
 *     1,7    echo task:%t
 *     *      echo offset:%o
 *
 * `%t` becomes the task's number, `%o` its place among the ranks of its line. Single quotes keep everything as it
 * stands, a backslash the next character; at a line's end it joins the next line. `*`, on the last line, stands for
 * all other tasks. Source: Slurm's manual of srun.
 */

import { quote } from "./parse.ts";

/** One argument list a task, or everything that is wrong with the file, a sentence each. */
export type ParsedMultiProg =
  | { readonly value: readonly (readonly string[])[] }
  | { readonly problems: readonly string[] };

/** Longest file that is read: every task's own line for thousands of tasks. */
const TEXT_MAX = 1_048_576;

/** Most problems that are told at once, and most runs of tasks that one of them names. */
const PROBLEMS_MAX = 20;
const RUNS_MAX = 10;

/** Most characters that the arguments of all tasks have together: they are all held in memory. */
const SIZE_MAX = 67_108_864;

/** Most tasks of a step. */
const TASKS_MAX = 1_000_000;

/** A piece of an argument: text, or what is different for each task. */
type Piece = string | { readonly number: "task" | "offset" };

interface Line {
  /** Where it starts, from 1. */
  readonly number: number;
  /** `null` for `*`. */
  readonly ranks: readonly (readonly [first: number, last: number])[] | null;
  readonly words: readonly (readonly Piece[])[];
  /** Characters, about as many as each of its tasks needs for its arguments. */
  readonly size: number;
}

/**
 * The argument list of each task.
 * @param tasks number of tasks; `null` when the user did not say: as many as the file names, which takes no `*`
 * @param extra arguments from the command line, added to every task's own
 */
export function parseMultiProg(text: string, tasks: number | null, extra: readonly string[] = []): ParsedMultiProg {
  if (text.length > TEXT_MAX) return { problems: [`the file is longer than ${TEXT_MAX} characters`] };
  const problems: string[] = [];
  const lines: Line[] = [];
  for (const { number, words } of logicalLines(text)) {
    const line = readLine(number, words);
    if (typeof line === "string") problems.push(`line ${number}: ${line}`);
    else lines.push(line);
  }
  if (lines.length === 0 && problems.length === 0) return { problems: ["the file names no program"] };
  const owners = assign(lines, tasks ?? countOf(lines, problems), problems);
  const missing = problems.length === 0 ? missingTasks(owners) : null;
  if (missing !== null) problems.push(`no program for ${missing}`);
  if (sizeOf(lines, owners, extra) > SIZE_MAX) problems.push("the arguments of all tasks together are too long");
  if (problems.length > 0) return { problems: shortened(problems) };
  return { value: argumentLists(lines, owners, extra) };
}

/** Lines that say something, with continued ones joined. */
function logicalLines(text: string): { number: number; words: string }[] {
  const lines: { number: number; words: string }[] = [];
  let open: { number: number; parts: string[] } | null = null;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/\r$/, "");
    open ??= { number: index + 1, parts: [] };
    const isComment = open.parts.length === 0 && /^\s*(?:#|$)/.test(line);
    const continues = !isComment && endsInBackslash(line);
    if (!isComment) open.parts.push(continues ? line.slice(0, -1) : line);
    if (continues) continue;
    if (!isComment) lines.push({ number: open.number, words: open.parts.join("") });
    open = null;
  }
  if (open !== null) lines.push({ number: open.number, words: open.parts.join("") });
  return lines;
}

/** Whether the last backslash of a line is itself not escaped. */
function endsInBackslash(line: string): boolean {
  let at = line.length;
  while (at > 0 && line.charAt(at - 1) === "\\") at -= 1;
  return (line.length - at) % 2 === 1;
}

/** A line, or what is wrong with it. */
function readLine(number: number, text: string): Line | string {
  const [, rankText = "", rest = ""] = /^\s*(\S+)\s*(.*)$/s.exec(text) ?? [];
  const ranks = rankText === "*" ? null : readRanks(rankText);
  if (typeof ranks === "string") return ranks;
  const words = readWords(rest);
  if (words === undefined) return "a single quote is not closed";
  return words.length === 0 ? `no program after ${quote(rankText)}` : { number, ranks, words, size: rest.length };
}

function readRanks(text: string): (readonly [number, number])[] | string {
  const ranks: (readonly [number, number])[] = [];
  for (const part of text.split(",")) {
    const [, first, last = first] = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(part) ?? [];
    if (first === undefined) return `expected ranks such as 4-6 or 0,2-3, or *, got ${quote(text)}`;
    if (Number(last) < Number(first)) return `expected the lower rank first, got ${quote(part)}`;
    ranks.push([Number(first), Number(last)]);
  }
  return ranks;
}

/** The program and its arguments; `undefined` if a quote is not closed. */
function readWords(text: string): Piece[][] | undefined {
  const words: Piece[][] = [];
  let word: Piece[] | null = null;
  for (const [token] of text.matchAll(/\s+|'[^']*'?|\\.|\\|%[to]|[^\s'\\%]+|%/gs)) {
    if (/^\s/.test(token)) {
      word = null;
      continue;
    }
    if (word === null) {
      word = [];
      words.push(word);
    }
    if (token === "%t" || token === "%o") word.push({ number: token === "%t" ? "task" : "offset" });
    else if (token.startsWith("'")) {
      if (token.length === 1 || !token.endsWith("'")) return undefined;
      word.push(token.slice(1, -1));
    } else word.push(token.startsWith("\\") ? token.slice(1) : token);
  }
  return words;
}

/** As many tasks as the lines name. */
function countOf(lines: readonly Line[], problems: string[]): number {
  const open = lines.find((line) => line.ranks === null);
  if (open) problems.push(`line ${open.number}: "*" needs a number of tasks (--ntasks)`);
  let count = 0;
  for (const { ranks } of lines) for (const [, last] of ranks ?? []) count = Math.max(count, last + 1);
  return Math.min(count, TASKS_MAX);
}

/** Where a task's program stands: the line's position plus 1, 0 for none, and the task's place within the line. */
interface Owners {
  readonly line: Uint32Array;
  readonly offset: Uint32Array;
}

function assign(lines: readonly Line[], count: number, problems: string[]): Owners {
  const owners: Owners = { line: new Uint32Array(count), offset: new Uint32Array(count) };
  for (const [index, { number, ranks }] of lines.entries()) {
    const isLast = index === lines.length - 1;
    const problem = ranks !== null ? take(owners, index + 1, ranks) : isLast ? null : '"*" must be on the last line';
    if (ranks === null && isLast) takeRest(owners, index + 1);
    if (problem !== null) problems.push(`line ${number}: ${problem}`);
  }
  return owners;
}

function takeRest({ line, offset }: Owners, owner: number): void {
  for (const task of line.keys()) {
    if (line[task] !== 0) continue;
    line[task] = owner;
    offset[task] = task;
  }
}

/** Stops at the first task that is wrong, so that lines which repeat one another cost nothing. */
function take({ line, offset }: Owners, owner: number, ranks: readonly (readonly [number, number])[]): string | null {
  let place = 0;
  for (const [first, last] of ranks) {
    if (last >= line.length) return `there is no task ${last}, only 0 to ${line.length - 1}`;
    for (let task = first; task <= last; task++, place++) {
      if (line[task] !== 0) return `task ${task} has a program already`;
      line[task] = owner;
      offset[task] = place;
    }
  }
  return null;
}

/** `tasks 3, 5-7` without a program; `null` if there are none. */
function missingTasks({ line }: Owners): string | null {
  const runs: string[] = [];
  for (let first = line.indexOf(0); first >= 0 && runs.length <= RUNS_MAX; ) {
    let last = first;
    while (line[last + 1] === 0) last += 1;
    runs.push(first === last ? String(first) : `${first}-${last}`);
    first = line.indexOf(0, last + 1);
  }
  if (runs.length === 0) return null;
  const shown = runs.slice(0, RUNS_MAX).join(", ") + (runs.length > RUNS_MAX ? " and more" : "");
  return `${/^\d+$/.test(shown) ? "task" : "tasks"} ${shown}`;
}

function sizeOf(lines: readonly Line[], { line }: Owners, extra: readonly string[]): number {
  const extraSize = extra.reduce((sum, word) => sum + 1 + word.length, 0);
  return line.reduce((sum, owner) => sum + (lines[owner - 1]?.size ?? 0) + extraSize, 0);
}

function shortened(problems: readonly string[]): readonly string[] {
  if (problems.length <= PROBLEMS_MAX) return problems;
  return [...problems.slice(0, PROBLEMS_MAX), `and ${problems.length - PROBLEMS_MAX} more problems`];
}

function argumentLists(lines: readonly Line[], { line, offset }: Owners, extra: readonly string[]): string[][] {
  return Array.from(line, (owner, task) => {
    const words = lines[owner - 1]?.words ?? [];
    const number = (piece: { readonly number: "task" | "offset" }) => (piece.number === "task" ? task : offset[task]);
    const own = words.map((word) => word.map((piece) => (typeof piece === "string" ? piece : number(piece))).join(""));
    return [...own, ...extra];
  });
}
