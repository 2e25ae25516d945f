/** The jobs that are listed, in order: filtered, sorted, arrays folded. Pure. */

import type { JobListRow, JobRow } from "../protocol/procedures.ts";
import { type JobColumn, jobColumns } from "../view/job-columns.ts";
import { LIVE_STATES, stateCode } from "../view/job-states.ts";
import { usedS } from "../view/job-times.ts";
import { type Filter, matchesFilter } from "./filter.ts";

/** What is asked of each job. */
export const FIELDS = [
  ...(["id", "name", "user", "uid", "partition", "state", "reason", "reasonText", "submitAt", "startAt"] as const),
  ...(["endAt", "suspendedAt", "suspendedMs", "limitS", "nodeList", "nodes", "tasks", "cpus", "gpus"] as const),
  ...(["gpuIds", "arrayJobId", "arrayTasks", "hetJobId", "hetOffset", "account", "qos", "priority"] as const),
  ...(["kind", "command", "exitCode", "exitSignal"] as const),
] satisfies readonly (keyof JobRow)[];

export type Row = Pick<JobRow, (typeof FIELDS)[number]>;

/** One line of the list: a job, or the jobs of an array. */
export interface Entry {
  /** The first job's number: stays the same while the list changes around it. */
  readonly key: number;
  readonly row: Row;
  /** Itself, or all of a folded array's jobs, by number. */
  readonly members: readonly Row[];
}

/** By what the list is ordered. */
export type SortKey = "id" | "name" | "user" | "partition" | "state" | "time" | "gpus" | "priority" | "submit";

export const SORT_KEYS: readonly SortKey[] = [
  ...(["id", "name", "user", "partition", "state"] as const),
  ...(["time", "gpus", "priority", "submit"] as const),
];

/** How the list is made. */
export interface Listing {
  readonly filter: Filter;
  readonly sort: SortKey;
  readonly isReversed: boolean;
  /** Only of this user; `null` for everybody's. */
  readonly uid: number | null;
  /** With jobs that are over. */
  readonly hasEnded: boolean;
  /** Arrays that are shown job by job. */
  readonly unfolded: ReadonlySet<number>;
  readonly nowMs: number;
}

/** Values of a row in the order of {@link FIELDS}. */
export function toRow(values: readonly unknown[]): Row {
  return Object.fromEntries(FIELDS.map((field, at) => [field, values[at]])) as Row;
}

/** The entries of the list. */
export function entriesOf(jobs: Iterable<Row>, listing: Listing): Entry[] {
  const { uid, hasEnded, filter, nowMs, unfolded } = listing;
  const groups = new Map<string, Row[]>();
  for (const row of jobs) {
    if (uid !== null && row.uid !== uid) continue;
    if (!hasEnded && !LIVE_STATES.includes(row.state)) continue;
    if (!matchesFilter(filter, row, nowMs)) continue;
    const isFolded = row.arrayJobId > 0 && !unfolded.has(row.arrayJobId);
    const group = isFolded ? `array ${row.arrayJobId}` : String(row.id);
    const members = groups.get(group);
    if (members) members.push(row);
    else groups.set(group, [row]);
  }
  const entries = [...groups.values()].map(toEntry);
  return sorted(entries, listing);
}

function toEntry(members: readonly Row[]): Entry {
  const ordered = members.length > 1 ? [...members].sort((a, b) => a.id - b.id) : members;
  const [first] = ordered as [Row, ...Row[]];
  const isArray = ordered.length > 1;
  const running = isArray ? ordered.find(({ state }) => state === "RUNNING") : undefined;
  // A folded array is found again by its own number, whichever of its jobs are left.
  return { key: isArray ? first.arrayJobId : first.id, row: running ?? first, members: ordered };
}

function sorted(entries: Entry[], { sort, isReversed, nowMs }: Listing): Entry[] {
  const sign = isReversed ? -1 : 1;
  const value = sortValue(sort, nowMs);
  const keyed = entries.map((entry) => ({ entry, key: value(entry.row) }));
  keyed.sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : a.entry.key - b.entry.key));
  return keyed.map(({ entry }) => entry);
}

/** What is largest first where a person looks for the large ones. */
function sortValue(sort: SortKey, nowMs: number): (row: Row) => number | string {
  switch (sort) {
    case "id":
      return (row) => row.arrayJobId || row.id;
    case "name":
    case "user":
    case "partition":
      return (row) => row[sort];
    case "state":
      return (row) => stateCode(row.state);
    case "time":
      return (row) => -usedS(row, nowMs);
    case "gpus":
      return (row) => -row.gpus;
    case "priority":
      return (row) => -row.priority;
    case "submit":
      return (row) => row.submitAt;
  }
}

const UNUSED_MOMENT = (): string => "";

/** Made anew for another moment only: a screen asks for them hundreds of times. */
let latest: { readonly nowMs: number; readonly columns: Readonly<Record<string, JobColumn>> } | null = null;

/** squeue's columns at a moment. */
function columnsAt(nowMs: number): Readonly<Record<string, JobColumn>> {
  if (latest?.nowMs !== nowMs) latest = { nowMs, columns: makeColumns(nowMs) };
  return latest.columns;
}

function makeColumns(nowMs: number): Readonly<Record<string, JobColumn>> {
  return jobColumns({
    nowMs,
    moment: UNUSED_MOMENT,
    groupName: String,
    clusterName: () => "",
    tasksLengthMax: 12,
    isUnconverted: false,
  });
}

/** squeue's text of one of its letters; the columns that are asked for here need {@link FIELDS} only. */
export function cellText(
  letter: "i" | "j" | "u" | "P" | "t" | "M" | "l" | "L" | "D" | "R" | "Q",
  nowMs: number,
): (row: Row) => string {
  const column = columnsAt(nowMs)[letter];
  return (row) => column?.text(row as JobListRow) ?? "";
}

const labelColumn = makeColumns(0).i;

/** `12`, `12_3`, `12_[4-9]`. */
export function labelOf(row: Row): string {
  return labelColumn?.text(row as JobListRow) ?? "";
}

/** An entry's name: `12_*` for a folded array. */
export function entryLabel({ row, members }: Entry): string {
  return members.length > 1 ? `${row.arrayJobId}_*` : labelOf(row);
}

/** GPUs as people write them: `2`, `0.5`. */
export function gpusText(thousandths: number): string {
  return thousandths === 0 ? "-" : String(thousandths / 1000);
}
