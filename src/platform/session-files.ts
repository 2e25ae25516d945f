/** The files of sessions on a cluster of Slurm's (config/slurm-sessions.ts), in a folder that machines share. */

import {
  closeSync,
  constants,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";

/** What is asked of them. Paths are absolute. */
export interface SessionFiles {
  /** Names in a folder; none if it is not there. */
  list(folder: string): readonly string[];
  /** A file's text; `null` if it can't be read. */
  read(path: string): string | null;
  /** Makes a file that only the user can read, and its folder; throws Node's error, EEXIST too. */
  create(path: string, text: string): void;
  /**
   * Writes over a file that is there: on a network's file system a new one might not be seen for a while. Throws Node's
   * error.
   */
  rewrite(path: string, text: string): void;
  /** Removes a file; one that is not there, or not ours to remove, is no matter. */
  remove(path: string): void;
}

/** The machine's own. */
export function realSessionFiles(): SessionFiles {
  return {
    list: (folder) => orElse(() => readdirSync(folder), []),
    read: (path) => orElse(() => readFileSync(path, "utf8"), null),
    create(path, text) {
      mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
      put(path, text, constants.O_CREAT | constants.O_EXCL);
    },
    rewrite: (path, text) => put(path, text, 0),
    remove: (path) => orElse(() => rmSync(path, { force: true }), undefined),
  };
}

function put(path: string, text: string, flags: number): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | flags, 0o600);
  try {
    const bytes = new TextEncoder().encode(text);
    writeSync(file, bytes, 0, bytes.length, 0);
    ftruncateSync(file, bytes.length);
  } finally {
    closeSync(file);
  }
}

function orElse<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}
