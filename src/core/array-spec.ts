/**
 * Sets of array tasks (`--array`), and ids of jobs and steps as users write them: `12`, `12_3`, `12_[1-5,7]`, `12+1`,
 * `12.batch`.
 *
 * A set is kept as ranges with steps, so that an array of 100,000 tasks is one range and every operation takes time
 * in the number of ranges. Equal sets have equal ranges: `fold` reads the tasks in ascending order and takes a run of
 * neighbours, or four and more that are equally far apart, as one range, and anything else singly.
 */

import { expected, type Parsed, quote } from "./parse.ts";

/** Tasks `first`, `first + step` ... `last`. A single task has step 1; `last` is always a task of the range. */
export interface TaskRange {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/** Ascending and disjoint, and canonical: equal sets are equal arrays. */
export type TaskSet = readonly TaskRange[];

export interface ArraySpec {
  readonly tasks: TaskSet;
  /** Most tasks that run at the same time (`%4`); 0 for no limit. */
  readonly limit: number;
}

/** A job, some of its array tasks, or a component of a heterogeneous job. */
export interface JobIdSpec {
  readonly jobId: number;
  /** `null` for the job as such, or all tasks of an array. */
  readonly tasks: TaskSet | null;
  /** Offset within a heterogeneous job (`12+1`), else `null`. */
  readonly het: number | null;
}

/** A job or one of its steps. */
export interface StepIdSpec extends JobIdSpec {
  /** `null` for the job itself. */
  readonly step: number | "batch" | "extern" | "interactive" | null;
}

/** Slurm's largest MaxArraySize: task numbers stay below it. */
export const ARRAY_SIZE_MAX = 4_000_000;

/** Most ranges of a set: more text than one argument of a command can hold in practice. */
const RANGES_MAX = 65_536;

/** Most runs in which overlapping ranges with steps may lie before they are folded: keeps their memory small. */
const RUNS_MAX = 4 * RANGES_MAX;

/** Longest text that is read: {@link RANGES_MAX} ranges of usual length, and far above any command line's argument. */
const TEXT_MAX = 1_000_000;

const TOO_LONG = { problem: `expected a list of at most ${TEXT_MAX} characters` } as const;
const TOO_MANY = { problem: `more than ${RANGES_MAX} ranges of tasks` } as const;

/** Fewest tasks that are kept as one range with a step above 1. */
const STEPPED_MIN = 4;

/** Ranges with a step are shown one by one up to this span, as Slurm does: `0,2,4,6` but `0-12:4`. */
const LISTED_SPAN_MAX = 10;

/** Most ids in one list of jobs. */
const IDS_MAX = 100_000;

/**
 * `--array`: `0-15`, `1,3,5-7`, `0-15:4` and mixtures, each followed by `%N` at will (`%0` is no limit).
 * Task numbers are below `maxSize`; a task that is named twice counts once.
 */
export function parseArraySpec(text: string, maxSize = ARRAY_SIZE_MAX): Parsed<ArraySpec> {
  if (text.length > TEXT_MAX) return TOO_LONG;
  const [list = "", limitText, ...more] = text.split("%", 3);
  const tasks = parseTaskSet(list, maxSize);
  if ("problem" in tasks) return list === "" ? expected("task numbers such as 0-15, 1,3,5 or 0-15%4", text) : tasks;
  if (limitText === undefined) return { value: { tasks: tasks.value, limit: 0 } };
  if (more.length > 0 || !/^\d{1,9}$/.test(limitText))
    return expected("a count of tasks after %, such as 0-15%4", text);
  return { value: { tasks: tasks.value, limit: Number(limitText) } };
}

/** The inverse of {@link parseArraySpec}: `0-15%4`. */
export function formatArraySpec({ tasks, limit }: ArraySpec): string {
  return limit === 0 ? formatTaskSet(tasks) : `${formatTaskSet(tasks)}%${limit}`;
}

/** A list of task numbers and ranges, without a limit. Numbers are below `maxSize`. */
export function parseTaskSet(text: string, maxSize = ARRAY_SIZE_MAX): Parsed<TaskSet> {
  if (text.length > TEXT_MAX) return TOO_LONG;
  const texts = text.split(",", RANGES_MAX + 1);
  if (texts.length > RANGES_MAX) return TOO_MANY;
  const ranges: TaskRange[] = [];
  for (const one of texts) {
    const range = parseRange(one, maxSize);
    if ("problem" in range) return range;
    ranges.push(range.value);
  }
  return union(ranges, maxSize);
}

/** `0-2`, `1,3,5-7`, `0-12:4`: as Slurm shows tasks, and as {@link parseTaskSet} reads them. Empty for no tasks. */
export function formatTaskSet(set: TaskSet): string {
  return set.map(formatRange).join(",");
}

/** Number of tasks in a set. */
export function taskCount(set: TaskSet): number {
  return set.reduce((sum, range) => sum + countOf(range), 0);
}

/** The lowest task; `undefined` for the empty set. */
export function firstTask(set: TaskSet): number | undefined {
  return set[0]?.first;
}

/** The highest task; `undefined` for the empty set. */
export function lastTask(set: TaskSet): number | undefined {
  return set.at(-1)?.last;
}

/** Whether a task belongs to a set. */
export function hasTask(set: TaskSet, task: number): boolean {
  const range = set[lastStartingAt(set, task)];
  return range !== undefined && isIn(range, task);
}

/** The set of some tasks, given in ascending order, each once; in time proportional to their number. */
export function taskSetOf(ascending: readonly number[]): TaskSet {
  return fold(ascending.map((task) => ({ first: task, last: task, step: 1 })));
}

/** The set without one task; the same set if it was not there. */
export function withoutTask(set: TaskSet, task: number): TaskSet {
  const at = lastStartingAt(set, task);
  const range = set[at];
  if (range === undefined || !isIn(range, task)) return set;
  const rest = [
    ...rangeOf(range.first, task - range.step, range.step),
    ...rangeOf(task + range.step, range.last, range.step),
  ];
  return fold([...set.slice(0, at), ...rest, ...set.slice(at + 1)]);
}

/** The tasks of one set that the other does not have. Takes time in the ranges of both, and of what is left. */
export function difference(set: TaskSet, other: TaskSet): TaskSet {
  const left: TaskRange[] = [];
  const common = overlaps(set, other);
  let next = common.next();
  for (const [at, range] of set.entries()) {
    let from = range.first;
    for (; !next.done && next.value.at === at; next = common.next()) {
      const taken = next.value.range;
      for (const one of rangeOf(from, taken.first - range.step, range.step)) left.push(one);
      for (const one of between(taken, range.step)) left.push(one);
      from = taken.last + range.step;
    }
    for (const one of rangeOf(from, range.last, range.step)) left.push(one);
  }
  return fold(left);
}

/** The tasks of a set, ascending. */
export function* tasksOf(set: TaskSet): Generator<number, void> {
  for (const { first, last, step } of set) for (let task = first; task <= last; task += step) yield task;
}

/** Tasks that two sets have in common. */
export function intersect(a: TaskSet, b: TaskSet): TaskSet {
  return fold(Array.from(overlaps(a, b), ({ range }) => range));
}

/** `12`, `12_3`, `12_[1-5,7]` (a limit as squeue shows it may follow: `12_[0-2%2]`), `12_1-5`, `12_*`, `12+1`. */
export function parseJobIdSpec(text: string): Parsed<JobIdSpec> {
  if (text.length > TEXT_MAX) return TOO_LONG;
  const match = /^([1-9]\d{0,14})(?:\+(\d{1,9})|_(.+))?$/.exec(text);
  if (!match) return expected("a job id such as 12, 12_3, 12_[1-5] or 12+1", text);
  const [, job, het, tasks] = match;
  const jobId = Number(job);
  if (tasks === undefined || tasks === "*") {
    return { value: { jobId, tasks: null, het: het === undefined ? null : Number(het) } };
  }
  const inner = /^\[([^[\]]*)\]$/.exec(tasks)?.[1];
  const parsed = inner === undefined ? parseUnbracketed(tasks, text) : parseArraySpec(inner);
  if ("problem" in parsed) return { problem: `${quote(text)} is no job id: ${parsed.problem}` };
  return { value: { jobId, tasks: parsed.value.tasks, het: null } };
}

/** The inverse of {@link parseJobIdSpec}: `12`, `12_3`, `12_[1-5,7]`, `12+1`. */
export function formatJobIdSpec({ jobId, tasks, het }: JobIdSpec): string {
  if (het !== null) return `${jobId}+${het}`;
  if (tasks === null) return String(jobId);
  const text = formatTaskSet(tasks);
  return /^\d+$/.test(text) ? `${jobId}_${text}` : `${jobId}_[${text}]`;
}

/** A job id as {@link parseJobIdSpec}, and a step at will: `12.0`, `12_3.batch`, `12.extern`, `12.interactive`. */
export function parseStepIdSpec(text: string): Parsed<StepIdSpec> {
  const dot = text.indexOf(".");
  const job = parseJobIdSpec(dot < 0 ? text : text.slice(0, dot));
  if ("problem" in job) return dot < 0 ? job : expected("a step id such as 12.0, 12_3.1 or 12.batch", text);
  if (dot < 0) return { value: { ...job.value, step: null } };
  const step = text.slice(dot + 1).toLowerCase();
  if (step === "batch" || step === "extern" || step === "interactive") return { value: { ...job.value, step } };
  if (!/^\d{1,9}$/.test(step)) return expected("a step id such as 12.0, 12_3.1 or 12.batch", text);
  return { value: { ...job.value, step: Number(step) } };
}

/** The inverse of {@link parseStepIdSpec}: `12.0`, `12_3.batch`. */
export function formatStepIdSpec(spec: StepIdSpec): string {
  return spec.step === null ? formatJobIdSpec(spec) : `${formatJobIdSpec(spec)}.${spec.step}`;
}

/** Comma-separated ids of jobs and steps. Commas within brackets belong to their id; empty members count for nothing. */
export function parseIdList(text: string): Parsed<readonly StepIdSpec[]> {
  const ids: StepIdSpec[] = [];
  if (text.length > TEXT_MAX) return TOO_LONG;
  for (const member of text.matchAll(/(?:\[[^[\]]*\]?|[^,[])+/g)) {
    if (ids.length === IDS_MAX) return { problem: `more than ${IDS_MAX} ids` };
    const id = parseStepIdSpec(member[0]);
    if ("problem" in id) return id;
    ids.push(id.value);
  }
  return { value: ids };
}

/** `3`, `1-5` or `1-5:2` after the underscore. */
function parseUnbracketed(tasks: string, text: string): Parsed<{ readonly tasks: TaskSet }> {
  if (/[,%[\]]/.test(tasks)) return expected("several tasks in brackets, such as 12_[1,3]", text);
  const parsed = parseTaskSet(tasks);
  return "problem" in parsed ? parsed : { value: { tasks: parsed.value } };
}

function parseRange(text: string, maxSize: number): Parsed<TaskRange> {
  const match = /^(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?$/.exec(text);
  if (!match) return expected("task numbers such as 5, 0-15 or 0-15:4", text);
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  const step = match[3] === undefined ? 1 : Number(match[3]);
  if (last < first) return { problem: `expected the lower task number first, got ${quote(text)}` };
  if (step === 0) return { problem: `expected a step of at least 1, got ${quote(text)}` };
  if (last >= maxSize) return { problem: `task ${last} is above the highest possible, ${maxSize - 1}` };
  const end = last - ((last - first) % step);
  return { value: { first, last: end, step: end === first ? 1 : step } };
}

function formatRange(range: TaskRange): string {
  const { first, last, step } = range;
  if (first === last) return String(first);
  if (step === 1) return `${first}-${last}`;
  return last - first <= LISTED_SPAN_MAX ? [...tasksOf([range])].join(",") : `${first}-${last}:${step}`;
}

/** Ranges in any order, overlapping at will, as a set. */
function union(ranges: readonly TaskRange[], maxSize: number): Parsed<TaskSet> {
  const sorted = [...ranges].sort((a, b) => a.first - b.first);
  const pieces: TaskRange[] = [];
  // Each mark costs time, so a list of many long interleaved ranges is refused rather than counted out.
  let marksLeft = 4 * maxSize;
  for (let at = 0; at < sorted.length; ) {
    const cluster = overlapping(sorted, at);
    at += cluster.length;
    const stepped = cluster.length === 1 ? [] : cluster.filter((range) => range.step > 1);
    const others = cluster.length === 1 ? cluster : merge(cluster.filter((range) => range.step === 1));
    marksLeft -= stepped.length === 0 ? 0 : taskCount(others) + taskCount(stepped);
    if (marksLeft < 0) return { problem: "too many ranges with steps that overlap" };
    const runs = stepped.length === 0 ? others : runsOf([...others, ...stepped]);
    for (const run of runs) pieces.push(run);
  }
  const set = pieces.length > RUNS_MAX ? [] : fold(pieces);
  return set.length === 0 || set.length > RANGES_MAX ? TOO_MANY : { value: set };
}

/** The ranges from `at` on that touch one another's span. */
function overlapping(sorted: readonly TaskRange[], at: number): TaskRange[] {
  const cluster: TaskRange[] = [];
  let last = -1;
  for (let index = at; index < sorted.length; index++) {
    const range = sorted[index];
    if (range === undefined || (cluster.length > 0 && range.first > last)) break;
    cluster.push(range);
    last = Math.max(last, range.last);
  }
  return cluster;
}

/** Sorted ranges of step 1 without overlaps. */
function merge(sorted: readonly TaskRange[]): TaskRange[] {
  const merged: { first: number; last: number; step: number }[] = [];
  for (const range of sorted) {
    const open = merged.at(-1);
    if (open && range.first <= open.last + 1) open.last = Math.max(open.last, range.last);
    else merged.push({ ...range });
  }
  return merged;
}

/** What interleaved ranges name together, as runs of neighbours; gives up soon after {@link RUNS_MAX}. */
function runsOf(ranges: readonly TaskRange[]): TaskRange[] {
  const low = ranges.reduce((least, range) => Math.min(least, range.first), Number.POSITIVE_INFINITY);
  const high = ranges.reduce((most, range) => Math.max(most, range.last), 0);
  const marks = new Uint8Array(high - low + 2);
  for (const task of tasksOf(ranges)) marks[task - low] = 1;
  const runs: TaskRange[] = [];
  for (let start = marks.indexOf(1); start >= 0 && runs.length <= RUNS_MAX; ) {
    const end = marks.indexOf(0, start);
    runs.push({ first: low + start, last: low + end - 1, step: 1 });
    start = marks.indexOf(1, end);
  }
  return runs;
}

function countOf({ first, last, step }: TaskRange): number {
  return (last - first) / step + 1;
}

function isIn({ first, last, step }: TaskRange, task: number): boolean {
  return task >= first && task <= last && (task - first) % step === 0;
}

/** `first` to `last`, or nothing when that is empty. */
function rangeOf(first: number, last: number, step: number): TaskRange[] {
  if (first > last) return [];
  return [{ first, last, step: first === last ? 1 : step }];
}

/** Position of the last range that begins at or below a task; -1 if none does. */
function lastStartingAt(set: TaskSet, task: number): number {
  let low = -1;
  let high = set.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((set[middle]?.first ?? 0) <= task) low = middle;
    else high = middle;
  }
  return low;
}

/** What each range of `a`, by its position, has in common with ranges of `b`, ascending. */
function* overlaps(a: TaskSet, b: TaskSet): Generator<{ readonly at: number; readonly range: TaskRange }, void> {
  let inA = 0;
  let inB = 0;
  for (;;) {
    const one = a[inA];
    const other = b[inB];
    if (one === undefined || other === undefined) return;
    for (const range of commonTasks(one, other)) yield { at: inA, range };
    if (one.last < other.last) inA += 1;
    else inB += 1;
  }
}

/** What a finer step finds strictly between the tasks of a range. */
function between(range: TaskRange, step: number): TaskRange[] {
  // Every other task was taken, and the rest is a range again.
  if (range.step === 2 * step) return rangeOf(range.first + step, range.last - step, range.step);
  const gaps: TaskRange[] = [];
  for (let task = range.first; task < range.last; task += range.step) {
    for (const gap of rangeOf(task + step, task + range.step - step, step)) gaps.push(gap);
    if (range.step === step) break;
  }
  return gaps;
}

/** The tasks of two ranges: none, or a range again, whose step is the least common multiple of theirs. */
function commonTasks(a: TaskRange, b: TaskRange): TaskRange[] {
  const from = Math.max(a.first, b.first);
  const to = Math.min(a.last, b.last);
  if (from > to) return [];
  const [wide, narrow] = a.step >= b.step ? [a, b] : [b, a];
  const start = wide.first + Math.ceil((from - wide.first) / wide.step) * wide.step;
  // Members of the wider range repeat their remainder in the narrower one after at most this many.
  const period = narrow.step / divisor(wide.step, narrow.step);
  const step = wide.step * period;
  for (let tries = 0, task = start; tries < period && task <= to; tries++, task += wide.step) {
    if ((task - narrow.first) % narrow.step === 0)
      return rangeOf(task, task + Math.floor((to - task) / step) * step, step);
  }
  return [];
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

interface Position {
  readonly piece: number;
  readonly task: number;
}

/** The canonical ranges of ascending pieces whose spans do not overlap. Takes time in their number. */
function fold(pieces: readonly TaskRange[]): TaskSet {
  const ranges: TaskRange[] = [];
  let at: Position | undefined = pieces[0] && { piece: 0, task: pieces[0].first };
  while (at !== undefined) {
    const next = after(pieces, at);
    const step: number = next === undefined ? 1 : next.task - at.task;
    const end = endOfRun(pieces, at, step);
    const count = (end.task - at.task) / step + 1;
    const isRun = step === 1 || count >= STEPPED_MIN;
    ranges.push({ first: at.task, last: isRun ? end.task : at.task, step: isRun ? step : 1 });
    at = isRun ? after(pieces, end) : next;
  }
  return ranges;
}

/** The task after a position. */
function after(pieces: readonly TaskRange[], { piece, task }: Position): Position | undefined {
  const range = pieces[piece];
  if (range !== undefined && task < range.last) return { piece, task: task + range.step };
  const next = pieces[piece + 1];
  return next && { piece: piece + 1, task: next.first };
}

/** The last task of the longest run with this step from a position on. */
function endOfRun(pieces: readonly TaskRange[], from: Position, step: number): Position {
  let { piece, task } = from;
  for (;;) {
    const range = pieces[piece];
    if (range !== undefined && task < range.last) {
      if (range.step !== step) return { piece, task };
      task = range.last;
    }
    const next = pieces[piece + 1];
    if (next?.first !== task + step) return { piece, task };
    piece += 1;
    task = next.first;
  }
}
