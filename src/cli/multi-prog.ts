/**
 * The file of --multi-prog: which task runs which program. Lines of task numbers, a program and its arguments, as
 * Slurm's manual of srun describes them.
 */

import type { TaskProgram } from "../core/jobspec.ts";

/** Programs by task, or what is wrong with the file, one sentence a line of it. */
export interface MultiProgram {
  readonly programs: readonly TaskProgram[];
  readonly problems: readonly string[];
}

/** Most tasks of a step. */
const TASKS_MAX = 1_000_000;

/**
 * Reads a file.
 * @param file how problems name it
 * @param tasks number of tasks of the step; `null` if that is not known yet: then `*` can't be used
 * @param extra arguments that follow those of the file, for every task
 */
export function parseMultiProgram(
  text: string,
  file: string,
  tasks: number | null,
  extra: readonly string[],
): MultiProgram {
  const programs = new Map<number, TaskProgram>();
  const problems: string[] = [];
  for (const [index, line] of joinLines(text).entries()) {
    const where = `${file}: line ${index + 1}`;
    const [ranks = "", ...words] = splitWords(line);
    if (ranks === "" || ranks.startsWith("#")) continue;
    if (words.length === 0) {
      problems.push(`${where}: expected a program after ${ranks}`);
      continue;
    }
    const members = ranks === "*" ? othersThan(programs, tasks) : expandRanks(ranks);
    if (members === null) {
      problems.push(`${where}: ${ranks === "*" ? "* needs the number of tasks: say it with -n" : badRanks(ranks)}`);
      continue;
    }
    for (const [offset, task] of members.entries()) {
      if (programs.has(task)) problems.push(`${where}: task ${task} has a program already`);
      const argv = [...words, ...extra].map((word) => fill(word, task, offset));
      programs.set(task, { task, argv });
    }
  }
  const count = tasks ?? Math.max(1, programs.size);
  for (let task = 0; task < count && problems.length === 0; task++) {
    if (!programs.has(task)) problems.push(`Configuration file ${file} invalid, no record for task id ${task}`);
  }
  const chosen = [...programs.values()].filter(({ task }) => task < count).sort((a, b) => a.task - b.task);
  return { programs: chosen, problems };
}

/** A backslash at a line's end continues it on the next; the numbers of lines stay. */
function joinLines(text: string): string[] {
  const lines: string[] = [];
  let open = "";
  for (const line of text.split("\n")) {
    const isContinued = line.endsWith("\\");
    open += isContinued ? line.slice(0, -1) : line;
    lines.push(isContinued ? "" : open);
    if (!isContinued) open = "";
  }
  return open === "" ? lines : [...lines, open];
}

/** Words between blanks; quotes keep blanks together. */
function splitWords(line: string): string[] {
  const words = line.match(/(?:[^\s"']|"[^"]*"|'[^']*'|["'])+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single));
}

function othersThan(programs: ReadonlyMap<number, TaskProgram>, tasks: number | null): number[] | null {
  if (tasks === null) return null;
  return Array.from({ length: tasks }, (_, task) => task).filter((task) => !programs.has(task));
}

/** `4-6`, `1,7`, `0,2-3`; `null` for anything else. */
function expandRanks(ranks: string): number[] | null {
  const tasks: number[] = [];
  for (const range of ranks.split(",")) {
    const match = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(range);
    if (!match) return null;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last >= TASKS_MAX) return null;
    for (let task = first; task <= last; task++) tasks.push(task);
  }
  return tasks;
}

function badRanks(ranks: string): string {
  return `expected task numbers such as 0,2-3 or *, got "${ranks}"`;
}

/** `%t` is the task's number, `%o` its position within its line. */
function fill(word: string, task: number, offset: number): string {
  return word.replace(/%([to])/g, (_, letter: string) => String(letter === "t" ? task : offset));
}
