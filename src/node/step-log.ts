/** A file of lines that is appended to, and written anew when most of it says nothing any more. */

import type { Clock } from "../platform/clock.ts";
import type { AppendFile, Disk } from "../platform/disk.ts";
import { FINISHED_MAX } from "./finished.ts";

export interface StepLog {
  /** Durable once it resolves. */
  append(lines: readonly string[]): Promise<void>;
  /** Goes with the next lines, or alone some milliseconds later. Nobody hears of it if that fails: then all is written anew. */
  note(lines: readonly string[]): void;
  /** Writes anew what counts, durably. */
  rewrite(): Promise<void>;
}

/** Lines a step leaves: its launch, its end, and that it is over. So the file is written anew each FINISHED_MAX steps or so. */
const LINES_MAX = 4 * FINISHED_MAX;

/** Lines that nobody waits for go with others, which come this soon on a busy node. */
const NOTE_MS = 5;

/** @param present all lines that count now */
export function openStepLog(
  { disk, clock }: { readonly disk: Disk; readonly clock: Pick<Clock, "after"> },
  path: string,
  present: () => readonly string[],
): StepLog {
  let file: AppendFile | null = null;
  let waiting: string[] = [];
  let isNoted = false;
  /** Unknown at first, and after a failure, which may have left half a line. */
  let linesInFile: number | null = null;
  let last: Promise<void> = Promise.resolve();

  const rewrite = async (): Promise<void> => {
    linesInFile = null;
    await file?.close();
    file = null;
    const lines = present();
    await disk.replace(path, encode(lines));
    linesInFile = lines.length;
  };

  const write = async (): Promise<void> => {
    const lines = waiting;
    waiting = [];
    // Others took ours along; if that failed, ours are as little on disk as theirs.
    if (lines.length === 0 && linesInFile !== null) return;
    // What is present holds these lines already.
    if (linesInFile === null || linesInFile + lines.length > LINES_MAX) return rewrite();
    try {
      file ??= await disk.openAppend(path, true);
      await file.append(encode(lines));
      await file.sync();
      linesInFile += lines.length;
    } catch (error) {
      linesInFile = null;
      throw error;
    }
  };

  const later = (): Promise<void> => {
    last = last.then(write, write);
    return last;
  };

  return {
    append(lines) {
      waiting.push(...lines);
      return later();
    },
    note(lines) {
      waiting.push(...lines);
      if (isNoted) return;
      isNoted = true;
      clock.after(NOTE_MS, () => {
        isNoted = false;
        later().catch(() => {});
      });
    },
    rewrite,
  };
}

function encode(lines: readonly string[]): Uint8Array {
  return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
}
