/**
 * Folders in which root's daemons meet their users:
 *
 *   <runtime>/         root's, 0711: others may pass, and see nothing
 *   <runtime>/UID/     root's, 0711: sockets and logs that root makes for one user; nobody else can put a link there
 *   <runtime>/UID/own/ the user's, 0700: what the user's holder makes
 */

import { spawn } from "node:child_process";
import { chmodSync, closeSync, constants, fchownSync, lchownSync, lstatSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const PATH = "/usr/bin:/bin";

const PASSABLE = 0o711;
const PRIVATE = 0o700;

/** Makes root's folder for a user, if it is missing. Throws with a sentence if something else is there. */
export function makeUserFolder(runtime: string, uid: number): string {
  const folder = `${runtime}/${uid}`;
  makeFolder(folder, { uid: 0, gid: 0 }, PASSABLE);
  return folder;
}

/** Makes the user's own folder in that one, and says where it is. Throws with a sentence. */
export function makeOwnFolder(runtime: string, user: Owner): string {
  const folder = `${makeUserFolder(runtime, user.uid)}/own`;
  makeFolder(folder, user, PRIVATE);
  return folder;
}

/** Opens a file of the user's for appending, in a folder that is root's. Throws Node's error; a link is ELOOP. */
export function openUserLog(path: string, user: Owner): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    fchownSync(descriptor, user.uid, user.gid);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * Removes a folder with the rights of its owner: root, walking through it, could be led elsewhere by links. Never rejects;
 * what can't be removed stays.
 */
export function removeAs({ uid, gid }: Owner, folder: string): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn("rm", ["-rf", "--", folder], { uid, gid, cwd: "/", env: { PATH }, stdio: "ignore" });
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
}

/** The first folder on the way to a path that users other than its owner can't pass; empty if they can get there. */
export function closedFolder(path: string): string {
  const folders: string[] = [];
  for (let folder = path; ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (dirname(folder) === folder) break;
  }
  return folders.find((folder) => !isPassable(folder)) ?? "";
}

function isPassable(folder: string): boolean {
  try {
    return (lstatSync(folder).mode & 0o001) !== 0;
  } catch {
    // One that is made later is made passable.
    return true;
  }
}

function makeFolder(path: string, { uid, gid }: Owner, mode: number): void {
  try {
    mkdirSync(path, { mode: PRIVATE });
    // The folder above is root's: nobody can put another thing in its place.
    lchownSync(path, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const info = lstatSync(path);
  if (!info.isDirectory()) throw new Error(`${path} is not a folder: remove it`);
  if (info.uid !== uid) throw new Error(`${path} belongs to uid ${info.uid}, not ${uid}: remove it`);
  if (uid === 0 && (info.mode & 0o777) !== mode) chmodSync(path, mode);
}
