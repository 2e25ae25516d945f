/** Files of users that the controller reads by itself, with the rights of the user whose they are. */

import { stat } from "node:fs/promises";
import { boundedReader, readWindowAs } from "./file-window.ts";

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

/** How long a look may take, in milliseconds: a file system may hang. */
const LOOK_MS = 10_000;

/** The machine's own. */
export function realFeedFiles(): FeedFiles {
  const read = boundedReader(readWindowAs);
  return {
    look: (path) => limited(path),
    read: async (user, path, bytes) => (await read(user, path, 0, bytes))?.data ?? null,
  };
}

async function limited(path: string): Promise<FileFingerprint> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("its file system does not answer")), LOOK_MS);
  });
  try {
    const { size, mtimeMs, ino } = await Promise.race([stat(path), late]);
    return { size, mtimeMs, inode: ino };
  } finally {
    clearTimeout(timer);
  }
}
