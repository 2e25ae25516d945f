/** Files of users that the controller reads by itself, with the rights of the user whose they are. */

import { stat } from "node:fs/promises";
import { type Bound, readWindowAs } from "./file-window.ts";

interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** By what it is seen that a file has changed: bytes, milliseconds since 1970, and the number that replacing changes. */
export interface FileFingerprint {
  readonly size: number;
  readonly mtimeMs: number;
  readonly inode: number;
}

export interface FeedFiles {
  /** Without reading it. Rejects with Node's error. */
  look(path: string): Promise<FileFingerprint>;
  /** The beginning of a plain file, at most so many bytes; `null` if there is none. Rejects with Node's error. */
  read(user: Identity, path: string, bytes: number): Promise<Uint8Array | null>;
}

/** The machine's own. @param bound for all that may hang */
export function realFeedFiles(bound: Bound): FeedFiles {
  return {
    look: onceAtATime(bound, lookAt),
    read: async (user, path, bytes) => (await bound(() => readWindowAs(user, path, 0, bytes)))?.data ?? null,
  };
}

/**
 * Looks at a path within a bound. While a look hangs, there is no second one at the same path: a single file that hangs
 * would soon take all that the bound allows.
 */
export function onceAtATime<T>(bound: Bound, look: (path: string) => Promise<T>): (path: string) => Promise<T> {
  const looks = new Map<string, Promise<T>>();
  return (path) => {
    const known = looks.get(path);
    if (known !== undefined) return known;
    const over = (): void => void looks.delete(path);
    let isStarted = false;
    const found = bound(() => {
      isStarted = true;
      const looking = look(path);
      looking.then(over, over);
      return looking;
    });
    looks.set(path, found);
    found.catch(() => isStarted || over());
    return found;
  };
}

async function lookAt(path: string): Promise<FileFingerprint> {
  const { size, mtimeMs, ino } = await stat(path);
  return { size, mtimeMs, inode: ino };
}
