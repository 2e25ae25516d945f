/** The list of jobs: squeue's columns, and GPUs. */

import { stateCode } from "../../view/job-states.ts";
import { bodyRows, type Model } from "../model.ts";
import { cellText, type Entry, entryLabel, gpusText, labelOf, type Row } from "../rows.ts";
import { clean, type Line, line, piece, type Role, reversed, type Segment, sized } from "../text.ts";
import { padded, stateRole } from "./parts.ts";

interface Column {
  readonly header: string;
  readonly cells: number;
  readonly align: "left" | "right";
  text(entry: Entry): string;
  role?(row: Row): Role;
}

const LABEL_CELLS_MIN = 7;
const LABEL_CELLS_MAX = 18;

/** Widths from which more columns are shown. */
const WIDE = 100;
const WIDER = 130;

/** Cells that the job's name gets where there is room: what is left beside a list of nodes of this width. */
const NODES_CELLS = 26;
const NAME_CELLS_MAX = 40;

/** The column titles and the rows that are seen. */
export function drawJobs(model: Model, columns: number): { readonly title: Line; readonly body: Line[] } {
  const height = bodyRows(model);
  const shown = model.entries.slice(model.top, model.top + height);
  const table = columnsFor(model, columns, shown);
  const title = line(
    piece(" ", "title"),
    ...table.map((one) => piece(`${sized(one.header, one.cells, one.align)} `, "title")),
  );
  if (model.entries.length === 0) return { title, body: padded([line(piece(`  ${emptyText(model)}`, "dim"))], height) };
  const body = shown.map((entry, at) => {
    const drawn = drawEntry(entry, table, model.marked.has(entry.key), model.isAscii);
    return model.top + at === model.cursor ? reversed(drawn) : drawn;
  });
  return { title, body: padded(body, height) };
}

function emptyText(model: Model): string {
  if (!model.isLoaded) return model.trouble === "" ? "waiting for the controller ..." : model.trouble;
  if (model.filterText !== "") return `no job matches "${model.filterText}"; Esc shows all`;
  if (model.isMine && model.jobs.size > 0) return "you have no job in the queue; m shows everybody's";
  return "the queue is empty";
}

function drawEntry(entry: Entry, table: readonly Column[], isMarked: boolean, isAscii: boolean): Line {
  const mark = piece(isMarked ? (isAscii ? "*" : "●") : " ", "mark");
  const cells = table.flatMap((one): Segment[] => {
    const role = one.role?.(entry.row) ?? "plain";
    return [piece(sized(one.text(entry), one.cells, one.align), role), piece(" ")];
  });
  return line(mark, ...cells);
}

function columnsFor(model: Model, columns: number, shown: readonly Entry[]): Column[] {
  const labels = shown.map((entry) => entryLabel(entry).length);
  const labelCells = Math.min(LABEL_CELLS_MAX, Math.max(LABEL_CELLS_MIN, ...labels));
  const fixed = fixedColumns(model, labelCells, columns);
  const used = fixed.reduce((sum, { cells }) => sum + cells + 1, 1);
  const spare = columns - used - NODES_CELLS;
  const widened = fixed.map((one) =>
    one.header === "NAME" && spare > 0 ? { ...one, cells: Math.min(NAME_CELLS_MAX, one.cells + spare) } : one,
  );
  const rest = Math.max(1, columns - widened.reduce((sum, { cells }) => sum + cells + 1, 1));
  return [...widened, placeColumn(model.nowMs, rest)];
}

function fixedColumns({ nowMs }: Model, labelCells: number, columns: number): Column[] {
  const plain = (header: string, letter: Parameters<typeof cellText>[0], cells: number, align: "left" | "right") => {
    const text = cellText(letter, nowMs);
    return { header, cells, align, text: (entry: Entry) => clean(text(entry.row)) };
  };
  const isNarrow = columns < 60;
  return [
    { header: "JOBID", cells: labelCells, align: "right", text: entryLabel },
    ...(isNarrow ? [] : [plain("PARTITION", "P", 9, "left")]),
    plain("NAME", "j", 8, "left"),
    plain("USER", "u", 8, "left"),
    {
      header: "ST",
      cells: 2,
      align: "left",
      text: ({ row }) => stateCode(row.state),
      role: (row) => stateRole(row.state),
    },
    plain("TIME", "M", 10, "right"),
    ...(columns >= WIDE ? [plain("TIME_LEFT", "L", 10, "right")] : []),
    ...(columns >= WIDER ? [plain("PRIORITY", "Q", 10, "right")] : []),
    ...(isNarrow ? [] : [plain("NODES", "D", 5, "right")]),
    ...(columns >= WIDER ? [{ header: "CPUS", cells: 5, align: "right" as const, text: cpusOf }] : []),
    { header: "GPUS", cells: 4, align: "right", text: gpusOf, role: () => "accent" },
  ];
}

function gpusOf({ members }: Entry): string {
  return gpusText(members.reduce((sum, { gpus }) => sum + gpus, 0));
}

function cpusOf({ members }: Entry): string {
  return String(members.reduce((sum, { cpus }) => sum + cpus, 0));
}

/** Where it runs or why it waits; how many of a folded array do which. */
function placeColumn(nowMs: number, cells: number): Column {
  const text = cellText("R", nowMs);
  return {
    header: "NODELIST(REASON)",
    cells,
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
