/** The questions that commands ask of the file system. Answers in the words of the system: `Permission denied`. */

import * as fs from "node:fs";
import { errnoText } from "../util/errno.ts";
import { boundedReader, readWindow } from "./file-window.ts";

const STDIN_FD = 0;

const PIECE_BYTES = 64 * 1024;

export type ProgramState = "found" | "missing" | "not executable" | "a folder";

/** The machine's files. */
export function realFiles() {
  return {
    read: (path: string): Uint8Array => fs.readFileSync(path),
    readWhile,
    trustProblem,
    exists: fs.existsSync,
    isFolder: (path: string): boolean => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
    isUser,
    findProgram,
    programPath,
    writeProblem,
    write: (path: string, data: Uint8Array): void => fs.writeFileSync(path, data),
    replace,
    makeFolder: (path: string): void => void fs.mkdirSync(path, { recursive: true }),
    stat,
    chunks,
    window: boundedReader(readWindow),
    link,
    remove,
  };
}

/** Readers see the old file or the new one. */
function replace(path: string, data: Uint8Array): void {
  fs.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true });
  const draft = `${path}.${process.pid}`;
  fs.writeFileSync(draft, data, { mode: 0o600 });
  fs.renameSync(draft, path);
}

/** A file that is not there is no matter. Not by rmSync, which loads what removes folders. */
function remove(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Makes a symbolic link, and its folder; empty if it is there (already), else the reason in words. */
function link(target: string, path: string): string {
  try {
    fs.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true });
    if (fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() && fs.readlinkSync(path) === target) return "";
    fs.symlinkSync(target, path);
    return "";
  } catch (error) {
    return `${path}: ${errnoText(error)}`;
  }
}

function stat(path: string) {
  const info = fs.statSync(path);
  const { size, atimeMs, mtimeMs } = info;
  return { isFile: info.isFile(), size, mode: info.mode & 0o7777, atimeMs, mtimeMs };
}

/** Reads on while the caller asks for more; each part has a buffer of its own. */
function* chunks(path: string, bytes: number): Generator<Uint8Array, void> {
  const descriptor = fs.openSync(path, "r");
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(bytes);
      const count = fs.readSync(descriptor, buffer, 0, bytes, null);
      if (count === 0) return;
      yield buffer.subarray(0, count);
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

/** A folder that does not exist yet holds no trap. */
function trustProblem(path: string, owner = process.getuid?.()): string {
  let info: fs.Stats;
  try {
    info = fs.lstatSync(path);
  } catch (error) {
    return isMissing(error) ? "" : `${path}: ${errnoText(error)}`;
  }
  if (!info.isDirectory()) return `${path} is not a folder`;
  if (info.uid !== owner) return `${path} belongs to uid ${info.uid}`;
  return (info.mode & 0o022) === 0 ? "" : `others may write to ${path}`;
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** A look at the machine's own list first: most users stand there, and asking the system costs a process. */
function isUser(name: string): boolean {
  if (name === "" || /[:\n]/.test(name)) return false;
  const isListed = fs
    .readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .some((line) => line.startsWith(`${name}:`));
  if (isListed) return true;
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  return spawnSync("id", ["-u", "--", name], { stdio: "ignore" }).status === 0;
}

function findProgram(name: string, cwd: string, pathVariable: string): ProgramState {
  if (name.includes("/")) return programState(name.startsWith("/") ? name : `${cwd}/${name}`);
  let best: ProgramState = "missing";
  for (const folder of pathVariable.split(":")) {
    // An empty part of PATH means the working directory.
    const state = programState(`${folder === "" ? cwd : folder}/${name}`);
    if (state === "found") return state;
    if (state === "not executable") best = state;
  }
  return best;
}

function programPath(name: string, cwd: string, pathVariable: string): string {
  if (name.includes("/")) return name.startsWith("/") ? name : `${cwd}/${name}`;
  const files = pathVariable.split(":").map((folder) => `${folder === "" ? cwd : folder}/${name}`);
  return files.find((file) => programState(file) === "found") ?? name;
}

function programState(path: string): ProgramState {
  try {
    if (fs.statSync(path).isDirectory()) return "a folder";
    fs.accessSync(path, fs.constants.X_OK);
    return "found";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" ? "not executable" : "missing";
  }
}

/** statfs types of /proc and /sys, where nobody makes files (linux/magic.h). */
const KERNEL_FILE_SYSTEMS = [0x9fa0, 0x62656572];

/** Why a file can't be opened for writing; empty if it can. Folders that are missing on the way will be made. */
function writeProblem(path: string): string {
  try {
    if (fs.statSync(path).isDirectory()) return "Is a directory";
    fs.accessSync(path, fs.constants.W_OK);
    return "";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? folderProblem(parentOf(path)) : errnoText(error);
  }
}

function folderProblem(folder: string): string {
  try {
    if (!fs.statSync(folder).isDirectory()) return "Not a directory";
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
    // To root these look writable.
    return KERNEL_FILE_SYSTEMS.includes(fs.statfsSync(folder).type) ? "the kernel's own files are there" : "";
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return isMissing && folder !== parentOf(folder) ? folderProblem(parentOf(folder)) : errnoText(error);
  }
}

function parentOf(path: string): string {
  const slash = path.replace(/\/+$/, "").lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

/** A file, or standard input, until its end or until `goOn` says no to the piece that was read last. */
function readWhile(path: string | null, goOn: (piece: Uint8Array) => boolean): Uint8Array {
  const fd = path === null ? STDIN_FD : fs.openSync(path, "r");
  try {
    const pieces: Uint8Array[] = [];
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (let length = readSome(fd, buffer); length > 0; length = readSome(fd, buffer)) {
      const piece = Uint8Array.from(buffer.subarray(0, length));
      pieces.push(piece);
      if (!goOn(piece)) break;
    }
    return Buffer.concat(pieces);
  } finally {
    if (path !== null) fs.closeSync(fd);
  }
}

/** How many bytes came, 0 at the end. Waits also where another program made the descriptor non-blocking. */
function readSome(fd: number, buffer: Uint8Array): number {
  for (;;) {
    try {
      return fs.readSync(fd, buffer, 0, buffer.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      waitBriefly();
    }
  }
}

/** Sleeps for a few milliseconds, synchronously. */
export function waitBriefly(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}
