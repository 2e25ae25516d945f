/** Lines of an output as rows of the screen. */

import type { DetailState, LogState, Model } from "./model.ts";
import { cellsOf, clean, cut } from "./text.ts";

/** The rows of a log: one a line, or as many as the line needs. A line break at the very end begins no line. */
export function logRows(
  { lines, isWrapped }: Pick<LogState, "lines" | "isWrapped">,
  columns: number,
): readonly string[] {
  const shown = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
  return isWrapped ? shown.flatMap((text) => wrapText(clean(text), columns)) : shown;
}

/** A text in pieces of at most so many cells; an empty one is one piece. */
function wrapText(text: string, columns: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (columns > 1 && cellsOf(rest) > columns) {
    const head = cut(rest, columns);
    pieces.push(head);
    rest = rest.slice(head.length);
  }
  return [...pieces, rest];
}

/** Columns from which the details of a job stand beside the list. */
const SIDE_COLUMNS_MIN = 150;

/** The list keeps this share of a wide screen, the details get the rest. */
const LIST_SHARE = 0.58;

/** Cells of the list beside the details; 0 on a screen that shows one of them only. */
export function listCells({ columns }: Pick<Model, "columns">): number {
  return columns >= SIDE_COLUMNS_MIN ? Math.floor(columns * LIST_SHARE) : 0;
}

/** The rows of a job's details; a long line goes on under its own beginning. */
export function detailRows(detail: DetailState, model: Pick<Model, "columns">): readonly string[] {
  const side = listCells(model);
  const cells = Math.max(1, model.columns - (side === 0 ? 0 : side + 1) - 1);
  return detail.lines.flatMap((raw) => {
    const text = clean(raw);
    if (cellsOf(text) <= cells) return [text];
    const indent = `${/^ */.exec(text)?.[0] ?? ""}  `.slice(0, Math.floor(cells / 2));
    const [first = "", ...rest] = wrapWords(text, cells, indent.length);
    return [first, ...rest.map((part) => indent + part)];
  });
}

/** Broken at blanks where there are some, lines after the first shorter by `less` cells. */
function wrapWords(text: string, cells: number, less: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  for (let room = cells; cellsOf(rest) > room; room = cells - less) {
    const head = cut(rest, room);
    const blank = head.lastIndexOf(" ");
    const end = blank > room / 2 ? blank : head.length;
    pieces.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...pieces, rest];
}
