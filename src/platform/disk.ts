/**
 * Files as an argument: the few operations that durable state needs, so that a simulation can lose, tear and
 * refuse writes. Errors are Node's, with their `code` (ENOENT, ENOSPC ...). Paths are absolute.
 */

import * as fs from "node:fs";
import { open, readdir, readFile, rename, rm, stat, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolders } from "./folders.ts";

/** A file open for appending. One writer, one write at a time. */
export interface AppendFile {
  /** Appends all of `data`; not durable before `sync`, unless each append is. */
  append(data: Uint8Array): Promise<void>;
  /** Everything appended so far is on the medium once this resolves. */
  sync(): Promise<void>;
  /** Whether its path still leads to it: what is written to a file that was removed or replaced is lost. */
  isInPlace(): Promise<boolean>;
  close(): Promise<void>;
}

export interface Disk {
  /** The whole file; rejects with ENOENT if there is none. */
  read(path: string): Promise<Uint8Array>;
  /** Bytes `from` to the end; for following a file that grows. */
  readFrom(path: string, from: number): Promise<Uint8Array>;
  /** At most `bytes` bytes from `from` on: fewer at the end of the file, none beyond it. */
  readPart(path: string, from: number, bytes: number): Promise<Uint8Array>;
  /** Names in a folder, sorted; empty if there is no such folder. */
  list(path: string): Promise<string[]>;
  /** Size in bytes, or `null` if there is no such file. */
  size(path: string): Promise<number | null>;
  /** Makes a folder and its parents, with mode 0700, durably. */
  makeFolder(path: string): Promise<void>;
  /** Puts a file in place whole and durable: temporary file, fsync, rename, fsync of the folder. Mode 0600. */
  replace(path: string, data: Uint8Array | Iterable<Uint8Array>): Promise<void>;
  /**
   * Opens for appending, making it with mode 0600 (and syncing the folder) if it is new.
   * @param isSynced each append is durable once it resolves, at the price of one operation; `sync` has nothing to do then
   */
  openAppend(path: string, isSynced?: boolean): Promise<AppendFile>;
  /** Cuts a file to so many bytes, durably. */
  truncate(path: string, bytes: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a folder with all that is in it; no error if there is none. */
  remove(path: string): Promise<void>;
}

/** The machine's disk. */
export function realDisk(): Disk {
  return {
    read: (path) => readFile(path),
    readFrom,
    readPart,
    list: (path) => readdir(path).then((names) => names.sort(), missing([])),
    size: (path) => stat(path).then((info) => info.size, missing(null)),
    makeFolder: async (path) => {
      for (const made of makeFolders(path, 0o700)) await syncPath(dirname(made));
    },
    replace,
    openAppend,
    truncate: async (path, bytes) => {
      await truncate(path, bytes);
      await syncPath(path);
    },
    rename: async (from, to) => {
      await rename(from, to);
      await syncPath(dirname(to));
    },
    remove,
  };
}

async function readFrom(path: string, from: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const data = new Uint8Array(Math.max(0, size - from));
    let filled = 0;
    while (filled < data.length) {
      const { bytesRead } = await file.read(data, filled, data.length - filled, from + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return data.subarray(0, filled);
  } finally {
    await file.close();
  }
}

async function readPart(path: string, from: number, bytes: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const data = new Uint8Array(bytes);
    const { bytesRead } = await file.read(data, 0, bytes, from);
    return data.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function replace(path: string, data: Uint8Array | Iterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, "w", 0o600);
    try {
      for (const part of data instanceof Uint8Array ? [data] : data) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncPath(dirname(path));
}

/** No file's number: what is still asked of a file that was closed fails, as it should. */
const CLOSED = -1;

/** By number and callback: what each commit does is done in the way that costs least. */
async function openAppend(path: string, isSynced = false): Promise<AppendFile> {
  const isNew = !fs.existsSync(path);
  const { O_WRONLY, O_CREAT, O_APPEND, O_DSYNC } = fs.constants;
  const isDirect = isSynced && O_DSYNC !== undefined;
  const flags = O_WRONLY | O_CREAT | O_APPEND | (isDirect ? O_DSYNC : 0);
  let descriptor = await promised<number>((done) => fs.open(path, flags, 0o600, done));
  if (isNew) await syncPath(dirname(path));
  const identity = await promised<fs.Stats>((done) => fs.fstat(descriptor, done));
  return {
    append: (data) => writeAll(descriptor, data),
    sync: isDirect ? async () => {} : () => promised<void>((done) => fs.fdatasync(descriptor, done)),
    isInPlace: async () => leadsTo(path, identity),
    async close() {
      // A number that was closed may be another file's by now.
      const closing = descriptor;
      descriptor = CLOSED;
      if (closing !== CLOSED) await promised<void>((done) => fs.close(closing, done));
    },
  };
}

async function writeAll(descriptor: number, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length; ) {
    at += await promised<number>((done) => fs.write(descriptor, data, at, data.length - at, null, done));
  }
}

function promised<T>(begin: (done: (error: NodeJS.ErrnoException | null, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    begin((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}

/** Most are folders with some files: the general way looks at each of these several times. Or they are gone, which a look tells sooner than a thread. */
async function remove(path: string): Promise<void> {
  try {
    if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
    const names = await promised<string[]>((done) => fs.readdir(path, done));
    await Promise.all(names.map((name) => promised<void>((done) => fs.unlink(`${path}/${name}`, done))));
    await promised<void>((done) => fs.rmdir(path, done));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && !fs.existsSync(path)) return;
    await rm(path, { recursive: true, force: true });
  }
}

/**
 * Whether a path leads to a file of that identity. Where it can't be looked at, nothing can be said against it. Asked right after a
 * write, when the disk is there: to hand it to another thread would cost more than the look.
 */
function leadsTo(path: string, { dev, ino }: Pick<fs.Stats, "dev" | "ino">): boolean {
  try {
    const found = fs.statSync(path);
    return found.dev === dev && found.ino === ino;
  } catch (error) {
    return !isMissing(error as NodeJS.ErrnoException);
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function missing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (isMissing(error)) return value;
    throw error;
  };
}

function isMissing({ code }: NodeJS.ErrnoException): boolean {
  return code === "ENOENT" || code === "ENOTDIR";
}
