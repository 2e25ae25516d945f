/** Reading a journal segment: whole lines, checked one by one; what can't be read is told, never guessed. */

import { JOURNAL_VERSION, type JournalRecord } from "../../core/events.ts";

/** What a segment holds up to the first thing that can't be read. */
export interface SegmentContent {
  readonly records: readonly JournalRecord[];
  /** Bytes up to and with the last good line. */
  readonly goodBytes: number;
  /**
   * - `torn`: the last line has no end; a crash in the middle of a write, nothing acknowledged is lost
   * - `damaged`: something else
   */
  readonly trouble: null | { readonly kind: "torn" | "damaged"; readonly what: string; readonly lostBytes: number };
}

/** A journal of a version that this program does not know. */
class JournalVersionError extends Error {
  override readonly name = "JournalVersionError";
}

const NEWLINE = 10;

/**
 * Reads a segment's bytes.
 * @throws JournalVersionError when the segment was written by another major version
 */
export function readSegment(data: Uint8Array, name: string): SegmentContent {
  const records: JournalRecord[] = [];
  const decoder = new TextDecoder();
  let start = 0;
  let line = 0;
  while (start < data.length) {
    const end = data.indexOf(NEWLINE, start);
    if (end < 0) return stopped(records, start, data, "torn", `${name}: the last line is not complete`);
    line += 1;
    const value = parseLine(decoder.decode(data.subarray(start, end)));
    if (line === 1) {
      const problem = headerProblem(value, name);
      if (problem) return stopped(records, start, data, "damaged", problem);
    } else {
      const problem = recordProblem(value, records.at(-1));
      if (problem) return stopped(records, start, data, "damaged", `${name}, line ${line}: ${problem}`);
      records.push(value as JournalRecord);
    }
    start = end + 1;
  }
  return { records, goodBytes: start, trouble: null };
}

function stopped(
  records: readonly JournalRecord[],
  goodBytes: number,
  data: Uint8Array,
  kind: "torn" | "damaged",
  what: string,
): SegmentContent {
  return { records, goodBytes, trouble: { kind, what, lostBytes: data.length - goodBytes } };
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function headerProblem(value: unknown, name: string): string {
  if (!isRecord(value) || value.mgpu !== "journal") return `${name}: the first line is no journal header`;
  if (value.v !== JOURNAL_VERSION) {
    throw new JournalVersionError(
      `${name} was written by journal version ${value.v}, this program reads version ${JOURNAL_VERSION}: ` +
        "use the mgpu release that wrote it, or move the state folder away to start anew",
    );
  }
  return "";
}

function recordProblem(value: unknown, before: JournalRecord | undefined): string {
  if (!isRecord(value)) return "this is no JSON object";
  const { v, seq, at, events } = value;
  if (v !== JOURNAL_VERSION || typeof seq !== "number" || typeof at !== "number") return "this is no journal record";
  if (!Array.isArray(events) || events.length === 0 || !events.every(isEvent)) return "this record has no events";
  if (before && seq !== before.seq + 1) return `record ${seq} follows record ${before.seq}`;
  return "";
}

function isEvent(value: unknown): boolean {
  return isRecord(value) && typeof value.type === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
