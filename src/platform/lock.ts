/**
 * One controller a state folder.
 *
 * The lock is an abstract Unix socket named after the folder's device and inode: the kernel gives it up with the
 * process that holds it, so there is nothing stale to see through, and two that start at once can't both win.
 */

import { statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { makeFolders } from "./folders.ts";

export interface Lock {
  release(): void;
}

/** Takes the lock of a folder (made if missing), or answers `null` if another process has it. */
export function takeLock(folder: string, purpose: string): Promise<Lock | null> {
  makeFolders(folder, 0o700);
  const { dev, ino } = statSync(folder);
  const name = `\0mgpu/${process.getuid?.() ?? 0}/${dev}/${ino}/${purpose}`;
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(null);
      else reject(error);
    });
    server.listen(name, () => {
      server.unref();
      resolve({ release: () => void server.close() });
    });
  });
}
