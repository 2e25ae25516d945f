/** A file of lines that is appended to, and written anew when most of it says nothing any more. */

import type { AppendFile, Disk } from "../platform/disk.ts";
import { FINISHED_MAX } from "./finished.ts";

export interface StepLog {
  /** Durable once it resolves. */
  append(lines: readonly string[]): Promise<void>;
  /** Written once it resolves, and durable with the next that is. */
  note(lines: readonly string[]): Promise<void>;
  /** Writes anew what counts, durably. */
  rewrite(): Promise<void>;
}

/** Lines a step leaves: its launch, its end, and that it is over. So the file is written anew each FINISHED_MAX steps or so. */
const LINES_MAX = 4 * FINISHED_MAX;

/** @param present all lines that count now */
export function openStepLog(disk: Disk, path: string, present: () => readonly string[]): StepLog {
  let file: AppendFile | null = null;
  let waiting: string[] = [];
  let isUrgent = false;
  /** Unknown at first, and after a failure, which may have left half a line. */
  let linesInFile: number | null = null;
  let last: Promise<void> = Promise.resolve();

  const rewrite = async (): Promise<void> => {
    await file?.close();
    file = null;
    const lines = present();
    await disk.replace(path, encode(lines));
    linesInFile = lines.length;
  };

  const write = async (): Promise<void> => {
    const [lines, mustSync] = [waiting, isUrgent];
    [waiting, isUrgent] = [[], false];
    if (lines.length === 0) return;
    // What is present holds these lines already.
    if (linesInFile === null || linesInFile + lines.length > LINES_MAX) return rewrite();
    try {
      file ??= await disk.openAppend(path);
      await file.append(encode(lines));
      if (mustSync) await file.sync();
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
      isUrgent = true;
      return later();
    },
    note(lines) {
      waiting.push(...lines);
      return later();
    },
    rewrite,
  };
}

function encode(lines: readonly string[]): Uint8Array {
  return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
}
