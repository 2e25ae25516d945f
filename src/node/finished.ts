/**
 * The steps that are over on this node: `JOB.ATTEMPT.STEP STARTED_AT` (of the job), one line each, the newest
 * FINISHED_MAX of them. An order to launch one of these comes late, and is not followed. Earlier versions wrote
 * `JOB.ATTEMPT STARTED_AT`, for all steps of a start.
 *
 * Lines are appended and synced, those of callers at the same time together. A line that a crash cut off is dropped.
 */

import { formatStepKey, type StepKey } from "../core/ids.ts";
import type { AppendFile, Disk } from "../platform/disk.ts";

/** A late order is at most some minutes old; this is a day of jobs on a very busy node. */
export const FINISHED_MAX = 10_000;

export interface Finished {
  has(key: StepKey, startAt: number): boolean;
  /** Known at once; durable once it resolves. */
  add(key: StepKey, startAt: number): Promise<void>;
}

/** Reads the file, or starts a new one. */
export async function openFinished(disk: Disk, path: string): Promise<Finished> {
  const known = new Set(await readLines(disk, path));
  forgetOldest(known);
  const writer = createWriter(disk, path, known);
  return {
    has: (key, startAt) => known.has(lineOf(key, startAt)) || known.has(`${key.jobId}.${key.attempt} ${startAt}`),
    add(key, startAt) {
      const line = lineOf(key, startAt);
      if (known.has(line)) return writer.written();
      known.add(line);
      forgetOldest(known);
      return writer.append(line);
    },
  };
}

interface Writer {
  append(line: string): Promise<void>;
  /** Resolves when all lines so far are on disk. */
  written(): Promise<void>;
}

function createWriter(disk: Disk, path: string, known: ReadonlySet<string>): Writer {
  let file: AppendFile | null = null;
  let waiting: string[] = [];
  let linesInFile = Number.POSITIVE_INFINITY;
  let last: Promise<void> = Promise.resolve();

  const rewrite = async (): Promise<void> => {
    await file?.close();
    file = null;
    await disk.replace(path, encodeLines([...known]));
    linesInFile = known.size;
  };

  const write = async (): Promise<void> => {
    const lines = waiting;
    waiting = [];
    if (lines.length === 0) return;
    // The first write also heals what a crash tore; so does the one after a failure.
    if (linesInFile + lines.length > 2 * FINISHED_MAX) return rewrite();
    try {
      file ??= await disk.openAppend(path);
      await file.append(encodeLines(lines));
      await file.sync();
      linesInFile += lines.length;
    } catch (error) {
      linesInFile = Number.POSITIVE_INFINITY;
      throw error;
    }
  };

  return {
    append(line) {
      waiting.push(line);
      last = last.then(write, write);
      return last;
    },
    written: () => last,
  };
}

function lineOf(key: StepKey, startAt: number): string {
  return `${formatStepKey(key)} ${startAt}`;
}

function encodeLines(lines: readonly string[]): Uint8Array {
  return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
}

async function readLines(disk: Disk, path: string): Promise<string[]> {
  if ((await disk.size(path)) === null) return [];
  const lines = new TextDecoder().decode(await disk.read(path)).split("\n");
  // What follows the last line's end was cut off by a crash; an empty text if nothing was.
  lines.pop();
  return lines.filter((line) => /^\d+\.\d+(\.\w+)? \d+$/.test(line));
}

function forgetOldest(known: Set<string>): void {
  for (const line of known) {
    if (known.size <= FINISHED_MAX) return;
    known.delete(line);
  }
}
