/** The list of jobs: squeue's columns, and GPUs. */

import { bodyRows, type Model } from "../model.ts";
import type { Entry } from "../rows.ts";
import { type Line, line, piece, reversed, type Segment, sized } from "../text.ts";
import { type Column, columnsFor } from "./columns.ts";
import { padded } from "./parts.ts";

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
