/** Lines of an output as rows of the screen. */

import type { LogState } from "./model.ts";
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
