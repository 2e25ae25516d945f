/** Which format a file is of, by its first lines; and the file as a trace. */

import { ReplayError, type Trace, type TraceFormat } from "../trace.ts";
import { readRecords } from "./records.ts";
import { readSwf } from "./swf.ts";
import { readTable, TABLE_COLUMNS, type TableFormat } from "./tables.ts";

/** A file's name and text. */
export interface TraceFile {
  readonly name: string;
  readonly text: string;
}

const HINT =
  "known are SWF logs, tables with the columns of Muri's, openb's, Philly's and SWF's traces, and mgpu's own accounting and journal; man mgpu-sim tells more, --format names one";

/**
 * Reads a trace; several files only where all are mgpu's own.
 * @param format as the user says, or `null` to find it out
 * @throws ReplayError with what can't be read
 */
export function readTrace(files: readonly TraceFile[], format: TraceFormat | null): Trace {
  const [first] = files;
  if (first === undefined) throw new ReplayError("no trace is given", HINT);
  const known = format ?? formatOf(first);
  if (known === "mgpu") return readRecords(files);
  if (files.length > 1) {
    throw new ReplayError(
      `${files.length} files are given, but only mgpu's own may be several; ${first.name} is ${known}`,
      "replay one after the other",
    );
  }
  const trace = known === "swf" ? readSwf(first.text, first.name) : readTable(known, first.text, first.name);
  if (trace.jobs.length > 0) return trace;
  throw new ReplayError([`${first.name}: no job that could be replayed`, ...trace.notes], HINT);
}

function formatOf({ name, text }: TraceFile): TraceFormat {
  const line = firstLine(text);
  if (line.startsWith("{")) return "mgpu";
  if (line.startsWith(";") || /^-?\d+(\s+-?[\d.]+){17}$/.test(line)) return "swf";
  const columns = new Set(line.split(",").map((cell) => cell.trim()));
  const found = Object.entries(TABLE_COLUMNS).find(([, wanted]) => wanted.every((column) => columns.has(column)));
  if (found) return found[0] as TableFormat;
  const start = line.length > 60 ? `${line.slice(0, 60)}...` : line;
  throw new ReplayError(`${name}, line 1: no format that is known begins with "${start}"`, HINT);
}

function firstLine(text: string): string {
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line !== "") return line;
  }
  return "";
}
