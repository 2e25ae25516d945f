/**
 * `--dependency`: which jobs must have started or ended before a job may start, e.g. `afterok:20:21,afterany:23`.
 *
 * A comma asks for all of the conditions, a question mark for any of them; one text never mixes the two. Every job id
 * becomes a term of its own. Sources: Slurm's manual of sbatch, and what squeue's `%E` prints.
 */

import { expected, type Parsed, quote } from "./parse.ts";

export type DependencyType = "after" | "afterany" | "afterok" | "afternotok" | "aftercorr" | "singleton";

/** One condition on one job, or `singleton`. */
export interface DependencyTerm {
  readonly type: DependencyType;
  /** 0 for singleton. */
  readonly jobId: number;
  /** One task of an array (`12_3`), all of them (`12_*`), or `null` when no task was named. */
  readonly taskId: number | "all" | null;
  /** Minutes that must pass after the job's start (`after:12+5`); 0 for every other type. */
  readonly delayMin: number;
}

export interface Dependency {
  /** Whether one fulfilled term is enough (`?`), or all must be (`,`). */
  readonly any: boolean;
  /** In the order in which they were written, each once; empty for no dependency. */
  readonly terms: readonly DependencyTerm[];
}

/** How far a term has come: waiting, given, or never to be given any more. */
export type DependencyState = "unfulfilled" | "fulfilled" | "failed";

/** No dependency at all. */
export const NO_DEPENDENCY: Dependency = { any: false, terms: [] };

/** Most terms of one job: each is looked at whenever a job ends, and workflow engines name some hundreds. */
const TERMS_MAX = 10_000;

/** Longest text that is read: {@link TERMS_MAX} ids of usual length. */
const TEXT_MAX = 200_000;

const TYPES: Readonly<Record<string, DependencyType>> = {
  after: "after",
  afterany: "afterany",
  afterok: "afterok",
  afternotok: "afternotok",
  aftercorr: "aftercorr",
  // There are no burst buffers here, so nothing is left to wait for once the job has ended.
  afterburstbuffer: "afterany",
};

/**
 * Reads `type:id[:id...]` joined by `,` or by `?`, where an id is `12`, `12_3` or `12_*`, and after `after` also
 * `12+minutes`; `singleton` stands alone. Ids without a type mean `afterany`. Empty text is no dependency.
 */
export function parseDependency(text: string): Parsed<Dependency> {
  if (text === "") return { value: NO_DEPENDENCY };
  if (text.length > TEXT_MAX) return { problem: `expected a dependency of at most ${TEXT_MAX} characters` };
  const any = text.includes("?");
  if (any && text.includes(",")) {
    return { problem: `use either "," (all of them) or "?" (any of them) between dependencies, got ${quote(text)}` };
  }
  const terms = new Map<string, DependencyTerm>();
  for (const condition of text.split(any ? "?" : ",")) {
    const some = parseCondition(condition);
    if ("problem" in some) return some;
    for (const term of some.value) terms.set(`${term.type}:${formatId(term)}`, term);
    if (terms.size > TERMS_MAX) return { problem: `more than ${TERMS_MAX} dependencies` };
  }
  return { value: { any: any && terms.size > 1, terms: [...terms.values()] } };
}

/**
 * As scontrol shows it and {@link parseDependency} reads it: `afterok:12:13,afterany:14`. Empty for none.
 * Alternatives are never joined (`afterok:12?afterok:13`): `afterok:12:13` alone would ask for both.
 */
export function formatDependency({ any, terms }: Dependency): string {
  const conditions: string[][] = [];
  let type: DependencyType | undefined;
  for (const term of terms) {
    const open = !any && term.type === type ? conditions.at(-1) : undefined;
    if (open) open.push(formatId(term));
    else conditions.push(term.type === "singleton" ? ["singleton"] : [term.type, formatId(term)]);
    type = term.type;
  }
  return conditions.map((words) => words.join(":")).join(any ? "?" : ",");
}

/**
 * As squeue's `%E` shows it: `afterok:12(unfulfilled),afterok:13(failed)`. Fulfilled terms are left out, as Slurm does.
 * Without `stateOf` every term is unfulfilled. Empty when nothing is left to wait for.
 */
export function formatDependencyState(
  { any, terms }: Dependency,
  stateOf: (term: DependencyTerm) => DependencyState = () => "unfulfilled",
): string {
  const texts: string[] = [];
  for (const term of terms) {
    const state = stateOf(term);
    const what = term.type === "singleton" ? "singleton" : `${term.type}:${formatId(term)}`;
    if (state !== "fulfilled") texts.push(`${what}(${state})`);
  }
  return texts.join(any ? "?" : ",");
}

/** One `type:id[:id...]`. */
function parseCondition(text: string): Parsed<readonly DependencyTerm[]> {
  if (/^singleton$/i.test(text)) return { value: [{ type: "singleton", jobId: 0, taskId: null, delayMin: 0 }] };
  const [word = "", ...rest] = text.split(":");
  if (/^expand$/i.test(word)) return { problem: 'the dependency type "expand" is not supported: jobs cannot grow' };
  const hasType = !/^\d/.test(word);
  const name = word.toLowerCase();
  const type = hasType ? (Object.hasOwn(TYPES, name) ? TYPES[name] : undefined) : "afterany";
  if (type === undefined || (hasType && rest.length === 0)) {
    return expected("a dependency such as afterok:12, afterany:12:13 or singleton", text);
  }
  const terms: DependencyTerm[] = [];
  for (const id of hasType ? rest : [word, ...rest]) {
    const term = parseTerm(type, id);
    if ("problem" in term) return term;
    terms.push(term.value);
  }
  return { value: terms };
}

function parseTerm(type: DependencyType, text: string): Parsed<DependencyTerm> {
  const match = /^([1-9]\d{0,14})(?:_(\d{1,9}|\*))?(?:\+(\d{1,6}))?$/.exec(text);
  if (!match) return expected("a job id such as 12, 12_3 or 12_*", text);
  const [, job, task, delay] = match;
  if (delay !== undefined && type !== "after") {
    return { problem: `only after:job+minutes takes minutes, got ${quote(`${type}:${text}`)}` };
  }
  const taskId = task === undefined ? null : task === "*" ? "all" : Number(task);
  return { value: { type, jobId: Number(job), taskId, delayMin: Number(delay ?? 0) } };
}

/** `12`, `12_3`, `12_*`, `12+5`; empty for singleton. */
function formatId({ type, jobId, taskId, delayMin }: DependencyTerm): string {
  if (type === "singleton") return "";
  const task = taskId === null ? "" : taskId === "all" ? "_*" : `_${taskId}`;
  return `${jobId}${task}${delayMin === 0 ? "" : `+${delayMin}`}`;
}
