/**
 * Making folders. Not with Node's recursive mkdir: that never returns where a folder can't be made although its
 * parent exists (/proc).
 */

import { accessSync, closeSync, constants, fsyncSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and those above it that are missing; one that is there already is no matter. Answers with the paths
 * of those it made, the outermost first. Throws Node's error.
 */
export function makeFolders(path: string, mode: number): string[] {
  try {
    return makeOne(path, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    return [...makeFolders(dirname(path), mode), ...makeOne(path, mode)];
  }
}

/**
 * Like {@link makeFolders}, and what was made is still there after a power cut: a new folder's name is safe only once
 * the folder that holds the name is on disk.
 * @param sync for tests: brings a folder to the disk
 */
export function makeLastingFolders(path: string, mode: number, sync: (path: string) => void = syncFolder): void {
  for (const made of makeFolders(path, mode)) sync(dirname(made));
}

/** Whether this process can make a folder in one that is there, or could make that one first. */
export function canHoldFolder(path: string): boolean {
  try {
    // What is no folder has nothing of this name.
    accessSync(`${path}/.`, constants.W_OK | constants.X_OK);
    // Root may write anywhere as far as the mode says; the kernel's own file systems refuse all the same.
    return !/^\/(proc|sys)(\/|$)/.test(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" && canHoldFolder(dirname(path));
  }
}

function makeOne(path: string, mode: number): string[] {
  try {
    mkdirSync(path, { mode });
    return [path];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !statSync(path).isDirectory()) throw error;
    return [];
  }
}

function syncFolder(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
