/**
 * The journal: append-only JSON lines in segments named after their first sequence number.
 *
 * The first line of a segment is its header `{"mgpu":"journal","v":1,"first":N}`. One `append` is one write that is
 * durable when it is done. A failed one is undone by `reset`: what was not acknowledged must not come back after a restart.
 *
 * A file that somebody removed still takes writes, and loses them: so after each write it is looked whether its path
 * still leads to it.
 */

import { SpecWriter } from "../../core/brief-specs.ts";
import type { JournalRecord } from "../../core/events.ts";
import type { AppendFile, Disk } from "../../platform/disk.ts";
import { recordText } from "./record-text.ts";
import { headerLine } from "./segment.ts";

export interface Journal {
  /**
   * Makes records durable. Rejects with the disk's error, or JournalMoved; then `reset` must come before the next
   * append.
   */
  append(records: readonly JournalRecord[]): Promise<void>;
  /** Cuts off whatever a failed append left behind. */
  reset(): Promise<void>;
  /** Whether what is written still arrives where the next start looks for it. */
  isInPlace(): Promise<boolean>;
  /** Bytes in the present segment. */
  readonly segmentBytes: number;
  /** First sequence number of the present segment. */
  readonly segment: number;
  /** Seals the present segment and begins one for records from `first` on. */
  rotate(first: number): Promise<void>;
  close(): Promise<void>;
}

/** The journal's file was removed or replaced while it was open. */
export class JournalMoved extends Error {
  override readonly name = "JournalMoved";

  constructor(folder: string) {
    super(`${folder} was removed or replaced while mgpu ran`);
  }
}

const encoder = new TextEncoder();

const SEGMENT_NAME = /^(\d{12})\.jsonl$/;

/** `000000000042.jsonl` */
export function segmentName(first: number): string {
  return `${String(first).padStart(12, "0")}.jsonl`;
}

/** First sequence numbers of the segments in a folder, ascending. */
export async function listSegments(disk: Disk, folder: string): Promise<number[]> {
  const names = await disk.list(folder);
  return names.flatMap((name) => {
    const match = SEGMENT_NAME.exec(name);
    return match ? [Number(match[1])] : [];
  });
}

/** Opens the segment that begins with `first` for appending; makes it with its header if it is new. */
export async function openJournal(disk: Disk, folder: string, first: number): Promise<Journal> {
  let segment = await openSegment(disk, folder, first);
  return {
    get segmentBytes() {
      return segment.bytes;
    },
    get segment() {
      return segment.first;
    },
    async append(records) {
      const data = encodeLines(records, segment.specs);
      try {
        await segment.file.append(data);
        await segment.file.sync();
        if (!(await segment.file.isInPlace())) throw new JournalMoved(folder);
      } catch (error) {
        segment.specs?.forget();
        throw error;
      }
      segment.bytes += data.length;
    },
    reset() {
      segment.specs?.forget();
      return disk.truncate(segment.path, segment.bytes);
    },
    isInPlace: () => segment.file.isInPlace(),
    async rotate(next) {
      const sealed = segment;
      segment = await openSegment(disk, folder, next);
      await sealed.file.close();
    },
    close: () => segment.file.close(),
  };
}

interface Segment {
  readonly path: string;
  readonly first: number;
  readonly file: AppendFile;
  /** What it says already; `null` where it was begun by an earlier program, which may have given it an older version. */
  readonly specs: SpecWriter | null;
  /** Bytes known to be durable. */
  bytes: number;
}

async function openSegment(disk: Disk, folder: string, first: number): Promise<Segment> {
  const path = `${folder}/${segmentName(first)}`;
  const present = (await disk.size(path)) ?? 0;
  const file = await disk.openAppend(path, true);
  if (present > 0) return { path, first, file, specs: null, bytes: present };
  const data = headerLine(first);
  try {
    await file.append(data);
    await file.sync();
  } catch (error) {
    // An empty or torn new segment must not stand in the way of the next try.
    await file.close().catch(() => {});
    await disk.remove(path).catch(() => {});
    throw error;
  }
  return { path, first, file, specs: new SpecWriter(), bytes: data.length };
}

function encodeLines(records: readonly JournalRecord[], specs: SpecWriter | null): Uint8Array {
  let text = "";
  for (const record of records) text += `${recordText(specs ? specs.record(record) : record)}\n`;
  return encoder.encode(text);
}
