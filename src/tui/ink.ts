/**
 * Ink lays the rows out; what it makes goes to a painter of ours, row by row. Its own way to the terminal knows no
 * alternate screen, and writes everything again where a frame is as high as the terminal.
 */

import { Box, render, Text } from "ink";
import { createElement } from "react";

/** A frame that was laid out, as rows with escape sequences. */
export type OnFrame = (rows: readonly string[]) => void;

export interface InkScreen {
  /** Shows these rows; `onFrame` is called before it returns. */
  show(rows: readonly string[], columns: number): void;
  close(): void;
}

/** Starts Ink without a terminal of its own. */
export function createInkScreen(onFrame: OnFrame): InkScreen {
  const out = {
    columns: 80,
    rows: 24,
    isTTY: false,
    write(text: string): boolean {
      onFrame(text.split("\n"));
      return true;
    },
    on: () => out,
    off: () => out,
    removeListener: () => out,
  };
  const silent = { ...out, write: () => true };
  const options = {
    // With `debug` Ink hands over every frame whole, at once, and adds nothing.
    ...{ debug: true, exitOnCtrlC: false, patchConsole: false },
    stdout: out as never,
    stderr: silent as never,
    stdin: { isTTY: false, on: () => {}, off: () => {}, setEncoding: () => {} } as never,
  };
  const instance = render(createElement(Frame, { rows: [] }), options);
  return {
    show(rows, columns) {
      out.columns = columns;
      instance.rerender(createElement(Frame, { rows }));
    },
    close: () => instance.unmount(),
  };
}

/** One text a row: a row that changes is the only one that is laid out anew. */
function Frame({ rows }: { readonly rows: readonly string[] }) {
  const lines = rows.map((row, at) => createElement(Text, { key: at, wrap: "truncate" }, row === "" ? " " : row));
  return createElement(Box, { flexDirection: "column" }, ...lines);
}
