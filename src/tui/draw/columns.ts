/** The columns of the list of jobs: squeue's, and GPUs. Which are shown goes by the width, or by :columns. */

import { stateCode } from "../../view/job-states.ts";
import type { ColumnName, Model } from "../model.ts";
import { momentText } from "../past.ts";
import { cellText, type Entry, entryLabel, gpusText, labelOf, type Row } from "../rows.ts";
import { clean, type Role } from "../text.ts";
import { stateRole } from "./parts.ts";

export interface Column {
  readonly header: string;
  readonly cells: number;
  readonly align: "left" | "right";
  text(entry: Entry): string;
  role?(row: Row): Role;
}

const LABEL_CELLS_MIN = 7;
const LABEL_CELLS_MAX = 18;

/** Widths below which less, and from which more columns are shown. */
const NARROW = 60;
const WIDE = 100;
const WIDER = 130;

/** Cells that the job's name gets where there is room: what is left beside a list of nodes of this width. */
const PLACE_CELLS = 26;
const NAME_CELLS_MAX = 40;

/** The columns for a width, the last one as wide as there is room. */
export function columnsFor(model: Model, columns: number, shown: readonly Entry[]): Column[] {
  const labels = shown.map((entry) => entryLabel(entry).length);
  const labelCells = Math.min(LABEL_CELLS_MAX, Math.max(LABEL_CELLS_MIN, ...labels));
  const names = model.shownColumns ?? namesFor(columns);
  const table = names.map((name) => ({ name, ...columnOf(name, model, labelCells) }));
  const hasPlace = names.at(-1) === "place";
  const fixed = table.filter(({ name }) => !(hasPlace && name === "place"));
  const used = fixed.reduce((sum, { cells }) => sum + cells + 1, 1);
  const spare = columns - used - (hasPlace ? PLACE_CELLS : 0);
  const widened = fixed.map((one) =>
    one.name === "name" && spare > 0 ? { ...one, cells: Math.min(NAME_CELLS_MAX, one.cells + spare) } : one,
  );
  if (!hasPlace) return widened;
  const rest = Math.max(1, columns - widened.reduce((sum, { cells }) => sum + cells + 1, 1));
  return [...widened, { ...columnOf("place", model, labelCells), cells: rest }];
}

function namesFor(columns: number): ColumnName[] {
  const isNarrow = columns < NARROW;
  return [
    ...(["id", ...(isNarrow ? [] : ["partition" as const]), "name", "user", "state", "time"] as const),
    ...(columns >= WIDE ? (["left"] as const) : []),
    ...(columns >= WIDER ? (["priority"] as const) : []),
    ...(isNarrow ? [] : (["nodes"] as const)),
    ...(columns >= WIDER ? (["cpus"] as const) : []),
    ...(["gpus", "place"] as const),
  ];
}

const SQUEUE_LETTERS: Readonly<Partial<Record<ColumnName, readonly [Parameters<typeof cellText>[0], string, number]>>> =
  {
    partition: ["P", "PARTITION", 9],
    name: ["j", "NAME", 8],
    user: ["u", "USER", 8],
    time: ["M", "TIME", 10],
    left: ["L", "TIME_LEFT", 10],
    limit: ["l", "TIME_LIMIT", 11],
    priority: ["Q", "PRIORITY", 10],
    nodes: ["D", "NODES", 5],
  };

const ON_THE_RIGHT: ReadonlySet<ColumnName> = new Set(["time", "left", "limit", "priority", "nodes"]);

function columnOf(name: ColumnName, model: Model, labelCells: number): Column {
  const squeue = SQUEUE_LETTERS[name];
  if (squeue) {
    const [letter, header, cells] = squeue;
    const text = cellText(letter, model.nowMs);
    const align = ON_THE_RIGHT.has(name) ? "right" : "left";
    return { header, cells, align, text: (entry) => clean(text(entry.row)) };
  }
  switch (name) {
    case "state":
      return {
        ...{ header: "ST", cells: 2, align: "left", text: ({ row }) => stateCode(row.state) },
        role: (row) => stateRole(row.state),
      };
    case "cpus":
      return { header: "CPUS", cells: 5, align: "right", text: cpusOf };
    case "gpus":
      return { header: "GPUS", cells: 4, align: "right", text: gpusOf, role: () => "accent" };
    case "account":
      return { header: "ACCOUNT", cells: 10, align: "left", text: ({ row }) => clean(row.account) };
    case "qos":
      return { header: "QOS", cells: 8, align: "left", text: ({ row }) => clean(row.qos) };
    case "submitted":
      return { header: "SUBMITTED", cells: 19, align: "left", text: ({ row }) => momentText(model, row.submitAt) };
    case "place":
      return placeColumn(model.nowMs);
    default:
      return { header: "JOBID", cells: labelCells, align: "right", text: entryLabel };
  }
}

function gpusOf({ members }: Entry): string {
  return gpusText(members.reduce((sum, { gpus }) => sum + gpus, 0));
}

function cpusOf({ members }: Entry): string {
  return String(members.reduce((sum, { cpus }) => sum + cpus, 0));
}

/** Where it runs or why it waits; how many of a folded array do which. */
function placeColumn(nowMs: number): Column {
  const text = cellText("R", nowMs);
  return {
    header: "NODELIST(REASON)",
    cells: PLACE_CELLS,
    align: "left",
    text: ({ row, members }) => (members.length > 1 ? countsText(members) : clean(text(row))),
    role: (row) => (row.state === "PENDING" ? "dim" : "plain"),
  };
}

/** `3 R, 12_[4-9] PD`: a waiting array is one record, whose tasks its label names. */
function countsText(members: readonly Row[]): string {
  const counts = new Map<string, number>();
  for (const { state } of members) if (state !== "PENDING") counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].map(([state, count]) => `${count} ${stateCode(state)}`);
  const waiting = members.filter(({ state }) => state === "PENDING");
  const names = waiting.map((row) => labelOf(row).replace(/^\d+_/, ""));
  return [...parts, ...(names.length > 0 ? [`${names.join(",")} PD`] : [])].join(", ");
}
