/** A part of a file that may be growing, read with one's own rights or, by root, with those of another user. */

import { constants } from "node:fs";
import * as fs from "node:fs/promises";

/** A part of a file, and how large the file is. */
export interface FileWindow {
  readonly data: Uint8Array;
  /** Bytes. */
  readonly size: number;
}

/** How long a reading may take, in milliseconds: a file system that hangs must not hang those who wait for it. */
const READ_MS = 10_000;

/**
 * Readings at a time. Each that hangs keeps one of the few threads with which Node reads files, or a process, until its
 * file system is back: enough must be left for all else.
 */
const READINGS_MAX = 2;

/** Readings that wait for their turn. */
const WAITING_MAX = 256;

/** The helper's own words around the data. */
const HELPER_EXTRA_BYTES = 64;

const MISSING = ["ENOENT", "ENOTDIR"];

/**
 * Bytes of a plain file from `from` on, at most `bytes`; empty beyond its end. `null` if there is no such file. Rejects
 * with Node's error, and another one for what is no plain file.
 */
export async function readWindow(path: string, from: number, bytes: number): Promise<FileWindow | null> {
  let file: fs.FileHandle;
  try {
    // Not to wait for the other end of a pipe that has this name.
    file = await fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (MISSING.includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
  try {
    const info = await file.stat();
    if (!info.isFile()) throw noPlainFile();
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(bytes, info.size - from)));
    const count = buffer.length === 0 ? 0 : (await file.read(buffer, 0, buffer.length, from)).bytesRead;
    return { data: buffer.subarray(0, count), size: info.size };
  } finally {
    await file.close();
  }
}

interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** All groups; none but the first without them. */
  readonly groups?: readonly number[];
}

/** {@link createBound} for one reader. */
export function boundedReader<Words extends unknown[]>(
  read: (...words: Words) => Promise<FileWindow | null>,
  deadlineMs: number = READ_MS,
): (...words: Words) => Promise<FileWindow | null> {
  const bound = createBound({ deadlineMs });
  return (...words) => bound(() => read(...words));
}

/** Does a piece of work on files within a bound. */
export type Bound = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Bounds work on files: so many pieces at a time, and each rejects when its time is over. What hangs goes on to count as
 * long as it does: when all hang, those who come are told so at once.
 */
export function createBound({ deadlineMs = READ_MS, waitingMax = WAITING_MAX }): Bound {
  let active = 0;
  let hanging = 0;
  const waiting: { run(): void; refuse(error: Error): void }[] = [];
  const next = (): void => {
    if (hanging >= READINGS_MAX) for (const one of waiting.splice(0)) one.refuse(busy());
    else if (active < READINGS_MAX) waiting.shift()?.run();
  };
  const start = <T>(work: () => Promise<T>): Promise<T> => {
    active += 1;
    let isLate = false;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        isLate = true;
        hanging += 1;
        reject(new Error(`its file system has not answered for ${deadlineMs / 1000} s`));
        next();
      }, deadlineMs);
      const over = (): void => {
        clearTimeout(timer);
        active -= 1;
        if (isLate) hanging -= 1;
        next();
      };
      work().then(resolve, reject).finally(over);
    });
  };
  return (work) =>
    new Promise((resolve, reject) => {
      if (hanging >= READINGS_MAX || waiting.length >= waitingMax) return reject(busy());
      const run = (): void => void start(work).then(resolve, reject);
      waiting.push({ run, refuse: reject });
      next();
    });
}

function busy(): Error {
  return new Error("file systems do not answer here, and this daemon reads no more files until they do");
}

/** The first line says what became of it, then come the bytes. */
const HELPER = `
if [ ! -e "$1" ]; then echo missing
elif [ ! -f "$1" ]; then echo special
elif [ ! -r "$1" ]; then echo denied
else
  echo "size $(stat -L -c %s -- "$1")"
  exec dd if="$1" bs=65536 iflag=skip_bytes,count_bytes skip="$2" count="$3" status=none
fi`;

/**
 * {@link readWindow} with the rights of another user, for which root starts a small program; without need for that,
 * with one's own. Rejects with an error that has Node's code where the system refused.
 */
export async function readWindowAs(
  user: Identity,
  path: string,
  from: number,
  bytes: number,
): Promise<FileWindow | null> {
  const own = process.getuid?.() ?? 0;
  if (own !== 0 || user.uid === own) return readWindow(path, from, bytes);
  const { execFile } = process.getBuiltinModule("node:child_process");
  const groups = user.groups ? `--groups=${user.groups.join()}` : "--clear-groups";
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, groups];
  const args = [...identity, "--", "sh", "-c", HELPER, "sh", path, String(from), String(bytes)];
  const output = await new Promise<Buffer>((resolve, reject) => {
    const options = { encoding: "buffer", maxBuffer: bytes + HELPER_EXTRA_BYTES, timeout: READ_MS } as const;
    execFile("setpriv", args, options, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
  return parseHelper(output);
}

function parseHelper(output: Buffer): FileWindow | null {
  const end = output.indexOf(10);
  const [word, size] = output.toString("latin1", 0, Math.max(0, end)).split(" ");
  if (word === "missing") return null;
  if (word === "size") return { data: output.subarray(end + 1), size: Number(size) };
  throw word === "denied" ? Object.assign(new Error("Permission denied"), { code: "EACCES" }) : noPlainFile();
}

/** No error of the system: opening such a thing may wait for ever. */
function noPlainFile(): Error {
  return new Error("it is no plain file");
}
