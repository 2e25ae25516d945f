/** A feed's bytes as numbered lines: which encodings are understood, and what is said of others. Pure. */

import type { LineProblem } from "./feed.ts";

/** Larger files are no feeds. */
export const FEED_BYTES_MAX = 8 * 1024 * 1024;

/** Lines of a file; more can't be queued at once anyway. */
const LINES_MAX = 100_000;

/** Bytes of a line. */
const LINE_BYTES_MAX = 64 * 1024;

const LF = 10;
const CR = 13;

export interface NumberedLine {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
}

/** The lines of a file, and which of them can't be read; only a problem of line 0 where the whole can't. */
export function feedLines(bytes: Uint8Array): {
  readonly lines: readonly NumberedLine[];
  readonly problems: readonly LineProblem[];
} {
  const whole = wholeProblem(bytes);
  if (whole !== "") return { lines: [], problems: [{ line: 0, text: whole }] };
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const lines: NumberedLine[] = [];
  const problems: LineProblem[] = [];
  for (const { number, piece } of pieces(bytes)) {
    if (number > LINES_MAX) return { lines: [], problems: [{ line: 0, text: `it has more than ${LINES_MAX} lines` }] };
    if (piece.length > LINE_BYTES_MAX) {
      problems.push({ line: number, text: `it is longer than ${LINE_BYTES_MAX / 1024} KiB` });
      continue;
    }
    try {
      lines.push({ number, text: decoder.decode(piece) });
    } catch {
      problems.push({ line: number, text: "it is no UTF-8; save the file as UTF-8" });
    }
  }
  return { lines, problems };
}

/** Why none of it can be read; empty if it can. */
function wholeProblem(bytes: Uint8Array): string {
  if (bytes.length > FEED_BYTES_MAX) return `it has more than ${FEED_BYTES_MAX / 1024 / 1024} MiB`;
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return "it is UTF-16; save it as UTF-8";
  }
  return bytes.includes(0) ? "it holds zero bytes, so it is no text" : "";
}

/** Without their line breaks, of Unix or DOS; an empty last one is none. */
function* pieces(bytes: Uint8Array): Generator<{ readonly number: number; readonly piece: Uint8Array }> {
  let number = 1;
  for (let from = hasByteOrderMark(bytes) ? 3 : 0; from < bytes.length; number++) {
    const at = bytes.indexOf(LF, from);
    const end = at < 0 ? bytes.length : at;
    yield { number, piece: bytes.subarray(from, bytes[end - 1] === CR && end > from ? end - 1 : end) };
    from = end + 1;
  }
}

function hasByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
