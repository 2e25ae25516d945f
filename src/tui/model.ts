/** All that the screen is drawn from, and what may happen to it. */

import type { UtcOffset } from "../core/time.ts";
import type { NodeRow } from "../protocol/procedures.ts";
import { NO_FILTER } from "./filter.ts";
import type { Samples } from "./gpus.ts";
import { type Entry, entriesOf, type Row, type SortKey } from "./rows.ts";

export type View = "jobs" | "job" | "nodes" | "log" | "history" | "help";

/** Columns of the list of jobs, as :columns takes them. */
export const COLUMN_NAMES = [
  ...(["id", "partition", "name", "user", "state", "time", "left", "limit", "priority", "nodes", "cpus"] as const),
  ...(["gpus", "account", "qos", "submitted", "place"] as const),
] as const;

export type ColumnName = (typeof COLUMN_NAMES)[number];

/** What a sign of the maps of GPUs tells. */
export type GpuMap = "jobs" | "use" | "memory";

export const GPU_MAPS: readonly GpuMap[] = ["jobs", "use", "memory"];

/** A change that is asked for; each is confirmed first. */
export type Action =
  | { readonly type: "cancel"; readonly signal: number | null }
  | { readonly type: "hold" | "release" | "requeue" }
  | { readonly type: "nice" | "limit" | "priority"; readonly value: number }
  | { readonly type: "drain" | "pause"; readonly reason: string }
  | { readonly type: "resume" | "unpause" };

/** What is done once it is confirmed: to jobs by number, to a node by name, or to GPUs of it. */
export interface Deed {
  readonly action: Action;
  readonly jobIds: readonly number[];
  readonly node: string;
  /** By index. */
  readonly gpus: readonly number[];
  /** `job 12 (train)`, `3 jobs`. */
  readonly target: string;
}

/** A line that is being typed. */
export interface Prompt {
  readonly kind: "filter" | "command" | "nice" | "limit" | "priority" | "drain" | "pause" | "signal" | "search";
  readonly text: string;
  /** What the answer is for. */
  readonly deed: Deed | null;
  /** The filter before, to go back to. */
  readonly before: string;
  /** What may follow, to choose from. */
  readonly choices: readonly string[];
}

export interface LogState {
  readonly jobId: number;
  readonly label: string;
  readonly stream: "stdout" | "stderr";
  /** Where it is, once that is known. */
  readonly path: string;
  readonly lines: readonly string[];
  /** Why there is nothing to see; empty if there is. */
  readonly problem: string;
  readonly isFollowing: boolean;
  /** First line that is shown, when not following. */
  readonly top: number;
  readonly isWrapped: boolean;
  /** What was looked for last; empty for nothing. */
  readonly search: string;
}

/** The queue at a moment of the past. */
export interface PastState {
  readonly atMs: number;
  readonly isLoading: boolean;
  /** Why there is nothing to see; empty if there is. */
  readonly problem: string;
  readonly rows: readonly Row[];
  readonly entries: readonly Entry[];
  readonly selected: number | null;
  readonly cursor: number;
  readonly top: number;
}

/** Text about one job. */
export interface DetailState {
  readonly jobId: number;
  readonly lines: readonly string[];
  readonly top: number;
}

export interface Model {
  readonly columns: number;
  readonly rows: number;
  readonly nowMs: number;
  readonly user: { readonly uid: number; readonly name: string };
  readonly isReadOnly: boolean;
  readonly isAscii: boolean;
  readonly isDemo: boolean;
  /** Why there is nothing new; empty while the controller answers. */
  readonly trouble: string;
  readonly isLoaded: boolean;
  readonly jobs: ReadonlyMap<number, Row>;
  readonly nodes: readonly NodeRow[];
  /** How busy each GPU was since this was opened. */
  readonly samples: Samples;
  readonly entries: readonly Entry[];
  readonly view: View;
  /** Where Esc leads. */
  readonly back: readonly View[];
  /** Key of the entry under the cursor, and where it was last. */
  readonly selected: number | null;
  readonly cursor: number;
  readonly top: number;
  readonly marked: ReadonlySet<number>;
  readonly filterText: string;
  readonly sort: SortKey;
  readonly isReversed: boolean;
  readonly isMine: boolean;
  readonly hasEnded: boolean;
  readonly unfolded: ReadonlySet<number>;
  readonly isSorting: boolean;
  /** Columns of the list; `null` for those that the width has room for. */
  readonly shownColumns: readonly ColumnName[] | null;
  /** Where a range of marks begins, by the entry's key. */
  readonly anchor: number | null;
  readonly nodeCursor: number;
  readonly nodeTop: number;
  /** Of the node's GPUs, by position. */
  readonly gpuCursor: number;
  readonly gpuMap: GpuMap;
  readonly helpTop: number;
  readonly prompt: Prompt | null;
  readonly confirm: Deed | null;
  readonly log: LogState | null;
  readonly detail: DetailState | null;
  readonly past: PastState | null;
  /** Local time, to read and to show moments. */
  readonly utcOffset: UtcOffset;
  readonly message: { readonly text: string; readonly isError: boolean } | null;
}

export type Message =
  | { readonly type: "key"; readonly key: string }
  | { readonly type: "size"; readonly columns: number; readonly rows: number }
  | { readonly type: "tick"; readonly nowMs: number }
  | {
      readonly type: "jobs";
      readonly isReset: boolean;
      readonly isPartial: boolean;
      readonly rows: readonly Row[];
      readonly gone: readonly number[];
      readonly nowMs: number;
    }
  | {
      readonly type: "nodes";
      readonly isReset: boolean;
      /** Those that are new or changed. */
      readonly nodes: readonly NodeRow[];
      readonly gone: readonly string[];
    }
  | { readonly type: "trouble"; readonly text: string }
  | { readonly type: "told"; readonly text: string; readonly isError: boolean }
  | { readonly type: "detail"; readonly jobId: number; readonly text: string }
  /** The queue at a moment that was asked for. */
  | { readonly type: "past"; readonly atMs: number; readonly rows: readonly Row[]; readonly problem: string }
  | {
      readonly type: "log";
      readonly jobId: number;
      readonly path: string;
      /** Lines that came; the first continues the last one that is there. */
      readonly text: string;
      /** What was shown before is no longer right. */
      readonly isReset: boolean;
      readonly problem: string;
    };

/** What the shell is to do. */
export type Effect =
  | { readonly type: "quit" | "suspend" | "repaint" }
  | { readonly type: "do"; readonly deed: Deed }
  | { readonly type: "detail"; readonly jobId: number }
  | { readonly type: "past"; readonly atMs: number }
  /** Follow this output; `null` for none any more. */
  | { readonly type: "log"; readonly job: { readonly jobId: number; readonly stream: "stdout" | "stderr" } | null }
  | { readonly type: "attach"; readonly label: string };

/** What a step leads to. */
export interface Step {
  readonly model: Model;
  readonly effects: readonly Effect[];
}

export interface Start {
  readonly columns: number;
  readonly rows: number;
  readonly nowMs: number;
  readonly user: Model["user"];
  readonly isReadOnly: boolean;
  readonly isAscii: boolean;
  readonly isDemo: boolean;
  readonly utcOffset: UtcOffset;
}

/** An empty cluster, before anything came. */
export function createModel(start: Start): Model {
  return {
    ...start,
    ...{ trouble: "", isLoaded: false, jobs: new Map(), nodes: [], samples: new Map(), entries: [] },
    ...{ view: "jobs", back: [], selected: null, cursor: 0, top: 0, marked: new Set() },
    ...{ filterText: "", sort: "id", isReversed: false, isMine: false, hasEnded: false, unfolded: new Set() },
    ...{
      isSorting: false,
      shownColumns: null,
      anchor: null,
      nodeCursor: 0,
      nodeTop: 0,
      gpuCursor: 0,
      gpuMap: "jobs",
      helpTop: 0,
    },
    ...{ prompt: null, confirm: null, log: null, detail: null, past: null, message: null },
  };
}

/** Lines of the screen that are not the header, the column titles, or the two of the footer. */
const FRAME_ROWS = 4;

/** Rows that a view may fill. */
export function bodyRows({ rows }: Pick<Model, "rows">): number {
  return Math.max(1, rows - FRAME_ROWS);
}

/** Screens of fewer rows show the nodes alone. */
const GPU_BODY_MIN = 9;

/** Rows of the nodes view for the GPUs of the node under the cursor, with their heading; 0 where there is no room. */
export function gpuRows(model: Pick<Model, "rows" | "nodes">): number {
  const body = bodyRows(model);
  const most = Math.max(0, ...model.nodes.map(({ inventory }) => inventory.gpus.length));
  return body < GPU_BODY_MIN ? 0 : Math.min(Math.max(1, most) + 1, Math.ceil(body / 2));
}

/** Rows of the nodes view for nodes. */
export function nodeRows(model: Pick<Model, "rows" | "nodes">): number {
  return bodyRows(model) - gpuRows(model);
}

/** The list made anew; the cursor stays on its job, or where it was if that is gone. */
export function relist(model: Model, filter = NO_FILTER): Model {
  const entries = entriesOf(model.jobs.values(), {
    filter,
    ...{ sort: model.sort, isReversed: model.isReversed, unfolded: model.unfolded, hasEnded: model.hasEnded },
    uid: model.isMine ? model.user.uid : null,
    nowMs: model.nowMs,
  });
  const found = entries.findIndex(({ key }) => key === model.selected);
  const keys = new Set(entries.map(({ key }) => key));
  const marked = [...model.marked].every((key) => keys.has(key))
    ? model.marked
    : new Set([...model.marked].filter((key) => keys.has(key)));
  return moveTo({ ...model, entries, marked }, found >= 0 ? found : model.cursor);
}

/** The cursor at an entry, and the list scrolled so that it is seen. */
export function moveTo(model: Model, position: number): Model {
  const cursor = Math.max(0, Math.min(position, model.entries.length - 1));
  return {
    ...model,
    cursor,
    selected: model.entries[cursor]?.key ?? null,
    top: scrolled(model.top, cursor, model.entries.length, bodyRows(model)),
  };
}

/** The first row to show so that `cursor` is among `visible`, and no row is left empty without need. */
export function scrolled(top: number, cursor: number, length: number, visible: number): number {
  const near = Math.min(Math.max(top, cursor - visible + 1), cursor);
  return Math.max(0, Math.min(near, length - visible));
}
