/** Folders for the sockets of sessions on a node of Slurm's: who is killed there leaves his behind, the next one removes it. */

import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { shortHash } from "../util/hash.ts";

const RANDOM = /^[A-Za-z0-9]{6}$/;

/** Bytes that a folder's name has, with the slash before it. */
export const SESSION_FOLDER_BYTES = 29;

/** A holder that has just made its folder does not listen yet. */
const YOUNG_MS = 60_000;

/** By others than its owner: root's are open to pass for those who are let in. */
const WRITABLE = 0o022;

/** More than that wait for the next session. */
const SWEPT_MAX = 64;

/** A new folder that nobody else can enter. @param host this machine @throws Node's error */
export function makeSessionFolder(parent: string, host: string): string {
  return mkdtempSync(join(parent, prefixOf(host)));
}

/** Machines may share the parent: of a socket of another one this one can't tell whether somebody listens. */
function prefixOf(host: string): string {
  return `mgpu-session-${shortHash(host)}-`;
}

/**
 * Removes those of this user and machine in whose socket nobody listens any more. Never rejects.
 * @param socketName of a holder's socket in its folder
 */
export async function sweepSessionFolders(
  parent: string,
  host: string,
  socketName: string,
  nowMs: number,
): Promise<void> {
  const prefix = prefixOf(host);
  const folders = namesIn(parent)
    .filter((name) => name.startsWith(prefix) && RANDOM.test(name.slice(prefix.length)))
    .map((name) => join(parent, name))
    .filter((folder) => isOurs(folder, nowMs))
    .slice(0, SWEPT_MAX);
  if (folders.length === 0) return;
  const listening = socketsHere();
  for (const folder of folders) {
    const socket = join(folder, socketName);
    if (listening.has(socket) || !(await isLeft(socket))) continue;
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Somebody else was quicker.
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Whether it is a folder of our own, no link, that nobody else could have put anything into. */
function isOurs(folder: string, nowMs: number): boolean {
  try {
    const found = lstatSync(folder);
    const isPrivate = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & WRITABLE) === 0;
    return isPrivate && nowMs - found.mtimeMs > YOUNG_MS;
  } catch {
    return false;
  }
}

/** Paths of all sockets of this network namespace: who is found there is not bothered. */
function socketsHere(): ReadonlySet<string> {
  try {
    const lines = readFileSync("/proc/net/unix", "utf8").split("\n");
    return new Set(lines.map((line) => line.slice(line.indexOf("/"))));
  } catch {
    return new Set();
  }
}

/** Whether nobody listens there, of whatever namespace. */
function isLeft(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(false);
    });
    connection.once("error", ({ code }: NodeJS.ErrnoException) =>
      resolve(code === "ECONNREFUSED" || code === "ENOENT"),
    );
  });
}
