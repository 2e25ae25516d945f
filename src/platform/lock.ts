/**
 * One controller a state folder.
 *
 * The lock is an abstract Unix socket named after the folder's device and inode: the kernel gives it up with the
 * process that holds it, so there is nothing stale to see through, and two that start at once can't both win. Whoever
 * connects to it is told the pid of its holder.
 */

import { statSync } from "node:fs";
import { createConnection, createServer, type Server } from "node:net";
import { makeLastingFolders } from "./folders.ts";

export interface Lock {
  release(): void;
}

/** The process that has a lock. */
export interface LockHolder {
  /** `null` if it does not say: it may be stopped. */
  readonly pid: number | null;
}

/** A holder that is busy answers later than this only if something is wrong with it. */
const ANSWER_MS = 500;

/** Takes the lock of a folder (made if missing), or answers `null` if another process has it. */
export function takeLock(folder: string, purpose: string): Promise<Lock | null> {
  makeLastingFolders(folder, 0o700);
  const name = nameOf(folder, purpose);
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => {
      // Whoever asked may be gone already.
      socket.on("error", () => {});
      socket.end(`${process.pid}\n`);
    });
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

/** Who has the lock of a folder; `null` if nobody has, or there is no such folder. */
export function findLockHolder(folder: string, purpose: string): Promise<LockHolder | null> {
  let name: string;
  try {
    name = nameOf(folder, purpose);
  } catch {
    return Promise.resolve(null);
  }
  return new Promise((resolve) => {
    let isConnected = false;
    let text = "";
    const socket = createConnection({ path: name });
    const timer = setTimeout(() => socket.destroy(), ANSWER_MS);
    socket.once("connect", () => {
      isConnected = true;
    });
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.once("close", () => {
      clearTimeout(timer);
      const pid = /^\d+\n$/.test(text) ? Number(text) : null;
      resolve(isConnected ? { pid } : null);
    });
  });
}

function nameOf(folder: string, purpose: string): string {
  const { dev, ino } = statSync(folder);
  return `\0mgpu/${process.getuid?.() ?? 0}/${dev}/${ino}/${purpose}`;
}
