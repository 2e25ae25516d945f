/** Files that are programs, as the controller looks at them before it takes a job (controller/program-guard.ts). */

import { realpath, stat } from "node:fs/promises";
import { type Bound, readWindow } from "./file-window.ts";

/** Larger files are no batch script. */
const SCRIPT_BYTES_MAX = 4 * 1024 * 1024;

/**
 * This machine's. What can't be seen is `null`; both reject where its file system does not answer.
 * @param bound for all that may hang
 */
export function realProgramFiles(bound: Bound) {
  return {
    resolve: (path: string): Promise<string | null> => bound(() => orNull(() => realpath(path))),
    read: (path: string): Promise<Uint8Array | null> => bound(() => orNull(() => readScript(path))),
  };
}

/** A pipe is not even opened: whoever writes to it would be answered. */
async function readScript(path: string): Promise<Uint8Array | null> {
  const info = await stat(path);
  if (!info.isFile() || info.size > SCRIPT_BYTES_MAX) return null;
  return (await readWindow(path, 0, SCRIPT_BYTES_MAX))?.data ?? null;
}

/** The file system's refusals are answers; a bound's are not, and come later. */
async function orNull<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch {
    return null;
  }
}
