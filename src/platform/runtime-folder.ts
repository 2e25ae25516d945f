/**
 * The folder of our sockets: ours alone, whatever others may have put in its place. Others may pass root's, to what its
 * daemons made for them, but can't see what is in it.
 */

import { chmodSync, lstatSync, rmdirSync } from "node:fs";
import { systemText } from "../util/errno.ts";
import { makeFolders } from "./folders.ts";

/** Makes the folder; throws with a sentence if it belongs to somebody else or is no folder. */
export function makePrivateFolder(path: string): void {
  try {
    makeFolders(path, 0o700);
  } catch (error) {
    throw new Error(`${systemText(error)}: set XDG_RUNTIME_DIR to a folder of your own`);
  }
  const info = lstatSync(path);
  if (!info.isDirectory()) throw new Error(`${path} is not a folder: remove it, or set XDG_RUNTIME_DIR`);
  if (info.uid !== process.getuid?.()) throw new Error(`${path} belongs to uid ${info.uid}: set XDG_RUNTIME_DIR`);
  const mode = process.getuid() === 0 ? 0o711 : 0o700;
  if ((info.mode & 0o777) !== mode) chmodSync(path, mode);
}

/** Removes the folder if nothing is in it: the last program of ours to end leaves nothing behind. */
export function removeEmptyFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Another program of ours still has its socket there, or somebody was faster.
  }
}
