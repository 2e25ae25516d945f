/** Prints pieces of several outputs so that lines never mix: each labelled line is printed whole. */

import type { Stdio } from "../context.ts";

const LINE_FEED = 10;

/** Longest line that is waited for: beyond, its beginning is printed as a line. */
const LINE_BYTES_MAX = 64 * 1024;

export interface LinePrinter {
  print(data: Uint8Array): void;
  /** No more comes: prints a last line that has no end. */
  end(): void;
}

/** Without a label bytes are passed on as they are. */
export function createLinePrinter({ out }: Pick<Stdio, "out">, label: string): LinePrinter {
  if (label === "") return { print: (data) => data.length > 0 && out(data), end() {} };
  const prefix = new TextEncoder().encode(`${label}: `);
  let kept = new Uint8Array();
  const printLine = (line: Uint8Array): void => out(joined(prefix, line, NEWLINE));
  return {
    print(data) {
      const all = joined(kept, data);
      let from = 0;
      for (;;) {
        const end = all.indexOf(LINE_FEED, from);
        if (end < 0) break;
        printLine(all.subarray(from, end));
        from = end + 1;
      }
      kept = all.slice(from);
      if (kept.length < LINE_BYTES_MAX) return;
      printLine(kept);
      kept = new Uint8Array();
    },
    end() {
      if (kept.length > 0) printLine(kept);
      kept = new Uint8Array();
    },
  };
}

const NEWLINE = Uint8Array.of(LINE_FEED);

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
