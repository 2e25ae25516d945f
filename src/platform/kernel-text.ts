/** What the kernel tells in small files of /proc, /sys and /etc: what is not there says nothing, and is no error. */

import { readdirSync, readFileSync } from "node:fs";

/** A file's text; empty if it can't be read. For files that never block: a FIFO would be waited for. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The names of a folder's entries, in the kernel's order; none if it can't be read. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
