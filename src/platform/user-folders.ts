/**
 * Folders in which root's daemons meet their users:
 *
 *   <runtime>/         root's, 0711: others may pass, and see nothing
 *   <runtime>/UID/     root's, 0711: sockets and logs that root makes for one user; nobody else can put a link there
 *   <runtime>/UID/own/ the user's, 0700: what the user's holder makes
 *   <runtime>/UID/log/ root's, 0711: the logs of the user's holders, files of the user's
 *
 * The last two hold what users write. Below /run, a small file system in memory that the whole machine needs, they are root's links
 * into /var/spool, where a user takes no more than anywhere on the disk.
 */

import { spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  fchownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
} from "node:fs";
import { dirname } from "node:path";
import { namesIn } from "./kernel-text.ts";

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const PATH = "/usr/bin:/bin";

const ROOT: Owner = { uid: 0, gid: 0 };

const PASSABLE = 0o711;
const PRIVATE = 0o700;

/** Makes root's folder for a user, if it is missing. Throws with a sentence if something else is there. */
export function makeUserFolder(runtime: string, uid: number): string {
  const folder = `${runtime}/${uid}`;
  makeFolder(folder, ROOT, PASSABLE);
  return folder;
}

/** What a holder of before the last boot left lies under such a name until it is removed. */
const OLD = "old-";

/**
 * Makes the user's own folder in that one, and that of the logs, and says where the first is. Throws with a sentence.
 * @param spool where they lie really; the runtime folder for right there
 */
export function makeOwnFolder(runtime: string, user: Owner, spool = spoolOf(runtime)): string {
  const folder = makeUserFolder(runtime, user.uid);
  const own = `${folder}/own`;
  const inSpool = spool === runtime ? null : tryUserFolder(spool, user.uid);
  if (inSpool === null || isFolder(own)) {
    makeFolder(own, user, PRIVATE);
    if (lstatSync(`${folder}/log`, { throwIfNoEntry: false })?.isSymbolicLink() !== true)
      makeFolder(`${folder}/log`, ROOT, PASSABLE);
    return own;
  }
  // The runtime folder ends with the boot, as all that ran; the spool does not.
  if (!isLinkTo(own, `${inSpool}/own`)) clearAway(inSpool, user);
  makeFolder(`${inSpool}/own`, user, PRIVATE);
  makeLink(own, `${inSpool}/own`);
  makeLink(`${folder}/log`, inSpool);
  return own;
}

/** Where users' files lie instead of in a runtime folder: `/var/spool/mgpu` for `/run/mgpu`, the folder itself outside of /run. */
export function spoolOf(runtime: string): string {
  return runtime.startsWith("/run/") ? `/var/spool/${runtime.slice("/run/".length).replaceAll("/", "-")}` : runtime;
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

/** Root's folder for a user in the spool; `null` on machines that have no place for one: read-only, or without /var. */
function tryUserFolder(spool: string, uid: number): string | null {
  try {
    makeFolder(spool, ROOT, PASSABLE);
    return makeUserFolder(spool, uid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return null;
  }
}

/** Sets the user's folder of before aside, and has it removed with the user's rights, with others that are still there. */
function clearAway(folder: string, user: Owner): void {
  if (isFolder(`${folder}/own`)) renameSync(`${folder}/own`, `${folder}/${OLD}${process.hrtime.bigint()}`);
  for (const name of namesIn(folder).filter((one) => one.startsWith(OLD))) {
    void removeAs(user, `${folder}/${name}`).then(() => {
      try {
        // Only root may take the empty folder itself out of root's.
        rmdirSync(`${folder}/${name}`);
      } catch {
        // The next boot tries again.
      }
    });
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isLinkTo(path: string, target: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(path) === target;
}

function makeLink(path: string, target: string): void {
  if (isLinkTo(path, target)) return;
  try {
    symlinkSync(target, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new Error(`${path} is not a link to ${target}: remove it`);
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
