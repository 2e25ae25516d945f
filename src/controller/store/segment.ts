/**
 * Reading a journal segment: whole lines, checked one by one; what can't be read is told, never guessed.
 *
 * Records are numbered without gaps, so damage can be judged: where the record after a line that can't be read has the
 * very next number, that line held nothing that counts, and reading goes on. Where a number is missing, what follows
 * may depend on what is lost, and reading stops.
 */

import { SpecReader } from "../../core/brief-specs.ts";
import { JOURNAL_VERSION, type JournalRecord } from "../../core/events.ts";
import type { Disk } from "../../platform/disk.ts";
import { joinBytes } from "../../util/bytes.ts";
import { linesOfFile } from "./file-lines.ts";

/** Of the file as a whole: in the first, each job's specification was written in full. */
const SEGMENT_VERSION = 2;

interface SegmentHeader {
  readonly mgpu: "journal";
  readonly v: number;
  /** Sequence number of the first record that may stand in the segment. */
  readonly first: number;
}

/** A line that can't be read as a record. */
export interface BadLine {
  /** Counted from 1, the header. */
  readonly line: number;
  readonly problem: string;
}

/** What a segment holds up to the first thing that can't be read. */
export interface SegmentContent {
  /** Each follows the one before it, but for records that `covered` says are known. */
  readonly records: readonly JournalRecord[];
  /** Bytes up to the trouble, or all. */
  readonly goodBytes: number;
  /** Lines before the trouble that can't be read, and without which nothing is missing. */
  readonly needless: readonly BadLine[];
  /** The bytes up to the trouble without the needless lines, under a header that can be read. */
  clean(): Uint8Array;
  /**
   * - `torn`: the last line has no end; a crash in the middle of a write, nothing acknowledged is lost
   * - `damaged`: something else
   */
  readonly trouble: null | { readonly kind: "torn" | "damaged"; readonly what: string; readonly lostBytes: number };
}

export interface ReadOptions {
  /** Records up to this number are known from elsewhere: they may be missing. 0 for none. */
  readonly covered?: number;
  /** Why a record that looks well is none all the same; empty if it is one. */
  readonly refuse?: (record: JournalRecord) => string;
}

/** A journal of a version that this program does not know. */
class JournalVersionError extends Error {
  override readonly name = "JournalVersionError";
}

const NEWLINE = 10;

/**
 * Reads a segment's bytes.
 * @param name how messages call it
 * @throws JournalVersionError when the segment was written by another major version
 */
export function readSegment(data: Uint8Array, name: string, options: ReadOptions = {}): SegmentContent {
  const { covered = 0, refuse = () => "" } = options;
  const records: JournalRecord[] = [];
  const needless: BadLine[] = [];
  const good: Uint8Array[] = [];
  const specs = new SpecReader();
  /** Lines that can't be read, since the last one that could; the first of them starts at `badStart`. */
  let bad: BadLine[] = [];
  let badStart = 0;
  const result = (goodBytes: number, trouble: SegmentContent["trouble"]): SegmentContent => {
    const header = needless[0]?.line === 1 ? [headerLine(records[0]?.seq ?? 1)] : [];
    return { records, goodBytes, needless, clean: () => joinBytes([...header, ...good]), trouble };
  };
  const damaged = (start: number, { line, problem }: BadLine): SegmentContent => {
    const what = `${name}, line ${line}: ${problem}`;
    return result(start, { kind: "damaged", what, lostBytes: data.length - start });
  };
  for (const { line, start, end, text } of linesOf(data)) {
    if (end === null) {
      if (bad[0]) return damaged(badStart, bad[0]);
      const what = `${name}: the last line is not complete`;
      return result(start, { kind: "torn", what, lostBytes: data.length - start });
    }
    const value = parseLine(text);
    const isHeader = line === 1 && isSegmentHeader(value, name);
    let problem = isHeader ? "" : recordProblem(value) || refuse(value as JournalRecord);
    if (!isHeader && !problem) {
      const gap = gapBefore(value as JournalRecord, records.at(-1), bad.length > 0, covered);
      if (gap) return bad[0] ? damaged(badStart, bad[0]) : damaged(start, { line, problem: gap });
      const record = wholeRecord(value as JournalRecord, specs);
      if (typeof record === "string") problem = record;
      else records.push(record);
    }
    if (problem) {
      if (bad.length === 0) badStart = start;
      bad.push({ line, problem: line === 1 ? "this is no journal header" : problem });
      continue;
    }
    needless.push(...bad);
    bad = [];
    good.push(data.subarray(start, end));
  }
  return bad[0] ? damaged(badStart, bad[0]) : result(data.length, null);
}

/**
 * Hands over the records of a segment one by one, as long as all is in order: much less work and memory than {@link readSegment}.
 * @returns false at the first line that is not as it should be; what was handed over by then, readSegment has as well
 * @throws JournalVersionError as {@link readSegment}; what `take` throws
 */
export async function takeSegment(
  disk: Disk,
  path: string,
  { covered = 0, refuse = () => "" }: ReadOptions,
  take: (record: JournalRecord) => void,
): Promise<boolean> {
  const specs = new SpecReader();
  let [line, last] = [0, -1];
  for await (const { lines, isCut } of linesOfFile(disk, path)) {
    if (isCut) return false;
    for (const text of lines) {
      line += 1;
      const value = parseLine(text);
      if (line === 1 && isSegmentHeader(value, path)) continue;
      if (recordProblem(value) !== "" || refuse(value as JournalRecord) !== "") return false;
      const record = wholeRecord(value as JournalRecord, specs);
      if (typeof record === "string") return false;
      if (last < 0 ? record.seq > covered + 1 : record.seq !== last + 1) return false;
      last = record.seq;
      take(record);
    }
  }
  return true;
}

/** Every record that can be read in a part of a segment, and the lines that can't: for telling what was dropped. */
export function salvage(data: Uint8Array): { readonly records: readonly JournalRecord[]; readonly unread: string[] } {
  const records: JournalRecord[] = [];
  const unread: string[] = [];
  for (const { text } of linesOf(data)) {
    const value = parseLine(text);
    if (recordProblem(value) === "") records.push(value as JournalRecord);
    else if (!isRecord(value) || value.mgpu !== "journal") unread.push(text);
  }
  return { records, unread };
}

/** The first line of a segment whose records begin with a number. */
export function headerLine(first: number): Uint8Array {
  const header: SegmentHeader = { mgpu: "journal", v: SEGMENT_VERSION, first };
  return new TextEncoder().encode(`${JSON.stringify(header)}\n`);
}

interface Line {
  readonly line: number;
  readonly start: number;
  /** After its line break; `null` without one. */
  readonly end: number | null;
  readonly text: string;
}

function* linesOf(data: Uint8Array): Generator<Line> {
  const decoder = new TextDecoder();
  let start = 0;
  for (let line = 1; start < data.length; line++) {
    const found = data.indexOf(NEWLINE, start);
    const stop = found < 0 ? data.length : found;
    yield { line, start, end: found < 0 ? null : found + 1, text: decoder.decode(data.subarray(start, stop)) };
    start = stop + 1;
  }
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isSegmentHeader(value: unknown, name: string): boolean {
  if (!isRecord(value) || value.mgpu !== "journal") return false;
  if (value.v === JOURNAL_VERSION || value.v === SEGMENT_VERSION) return true;
  throw new JournalVersionError(
    `${name} was written by journal version ${value.v}, this program reads versions up to ${SEGMENT_VERSION}: ` +
      "use the mgpu release that wrote it, or move the state folder away to start anew",
  );
}

/** The record with what earlier lines say of its jobs put in place, or why that can't be done. */
function wholeRecord(record: JournalRecord, specs: SpecReader): JournalRecord | string {
  try {
    return specs.record(record);
  } catch (error) {
    return (error as Error).message;
  }
}

function recordProblem(value: unknown): string {
  if (!isRecord(value)) return "this is no JSON object";
  const { v, seq, at, events } = value;
  if (v !== JOURNAL_VERSION || typeof seq !== "number" || typeof at !== "number") return "this is no journal record";
  if (!Array.isArray(events) || events.length === 0 || !events.every(isEvent)) return "this record has no events";
  return "";
}

/** Why a record can't follow the one before; empty if it can. Whether the segment's first may come is not known here. */
function gapBefore(
  { seq }: JournalRecord,
  before: JournalRecord | undefined,
  isAfterBadLine: boolean,
  covered: number,
): string {
  if (before === undefined) return isAfterBadLine && seq > covered + 1 ? "records are missing before it" : "";
  if (seq === before.seq + 1) return "";
  const isKnown = isAfterBadLine && seq > before.seq && seq <= covered + 1;
  return isKnown ? "" : `record ${seq} follows record ${before.seq}`;
}

function isEvent(value: unknown): boolean {
  return isRecord(value) && typeof value.type === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
