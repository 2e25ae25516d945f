/**
 * Another process of the same user, as /proc shows it: what a front has to know of the launcher for which it runs a
 * command (src/decisions/0029-front.md).
 */

import * as fs from "node:fs";
import { dirname, resolve } from "node:path";
import { isTerminalDevice } from "./stdio.ts";

export interface Caller {
  readonly pid: number;
  /** The launcher's file, all links followed, and the name by which it was called, without its folder. */
  readonly launcher: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** File mode bits that new files don't get. */
  readonly umask: number;
  /** Whether one of these signals means nothing to it; a shell can't be told of those. */
  ignores(signals: readonly number[]): boolean;
}

/** What a caller writes to. */
export interface CallerOutput {
  /** Opened anew, to be closed by whoever asked for it; `null` for a file with a place in it, which only the caller has. */
  readonly descriptor: number | null;
  readonly isTerminal: boolean;
  /** `DEVICE:INODE` */
  readonly file: string;
}

/** Lines of /proc/PID/status in which two processes have to be alike to be allowed the same. */
const IDENTITY = /^(?:Uid|Gid|Groups|CapEff|CapBnd|NoNewPrivs|Seccomp):.*$/gm;

const NAMESPACES = ["mnt", "net", "pid", "user", "uts"];

/** Of fs/fcntl: the modes a descriptor can be opened in, as /proc/PID/fdinfo shows them. */
const ACCESS_MODE = 3;

/** Number of /dev/null: major 1, minor 3. */
const NULL_DEVICE = 0x103;

/**
 * One text of all in which a process must be like another one for the same things to come of what it does: user, rights,
 * the file system and network that it sees. Throws Node's error for one that is gone or hidden.
 */
export function likenessOf(pid: number | "self"): string {
  const spaces = NAMESPACES.map((name) => fs.readlinkSync(`/proc/${pid}/ns/${name}`));
  return [...spaces, fs.readlinkSync(`/proc/${pid}/root`), ...(statusOf(pid).match(IDENTITY) ?? [])].join("\n");
}

/**
 * Reads a launcher's process: `/bin/sh FILE ARGS`.
 * @param count how many arguments the launcher says to have
 * @returns `null` for one that can't be understood; throws Node's error for one that is gone
 */
export function readCaller(pid: number, count: number): Caller | null {
  const words = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  const cwd = fs.readlinkSync(`/proc/${pid}/cwd`);
  const status = statusOf(pid);
  const mask = /^Umask:\t([0-7]+)$/m.exec(status)?.[1];
  // A folder that was deleted has no name, and `sh -e FILE` and the like are none of ours.
  if (words.length !== count + 2 || mask === undefined || !fs.existsSync(cwd)) return null;
  const [, script = "", ...args] = words;
  const file = resolve(cwd, script);
  return {
    ...{ pid, args, cwd },
    launcher: fs.realpathSync(file),
    program: file.slice(dirname(file).length).replace(/^\/+/, ""),
    environment: environmentOf(pid, cwd),
    umask: Number.parseInt(mask, 8),
    ignores: (signals) => signals.some((signal) => ((ignoredSignals(status) >> BigInt(signal - 1)) & 1n) === 1n),
  };
}

/** A bit for each, signal 1 the lowest. */
function ignoredSignals(status: string): bigint {
  return BigInt(`0x${/^SigIgn:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
}

/** Whether a process can act: one that is stopped (Ctrl-Z) does nothing, not even write. */
export function runStateOf(pid: number): "running" | "stopped" | "gone" {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
    const letter = stat[stat.lastIndexOf(")") + 2] ?? "X";
    return letter === "T" ? "stopped" : letter === "Z" || letter === "X" ? "gone" : "running";
  } catch {
    return "gone";
  }
}

/**
 * Opens what a process reads: a pipe, for its bytes are whoever's comes first; /dev/null has none.
 * @returns `null` for what only the process itself can read, such as a file with a place in it
 */
export function openInput(pid: number, descriptor: number): { readonly descriptor: number | null } | null {
  const path = `/proc/${pid}/fd/${descriptor}`;
  try {
    const info = fs.statSync(path);
    if (info.rdev === NULL_DEVICE && info.isCharacterDevice()) return { descriptor: null };
    const { O_RDONLY, O_NONBLOCK } = fs.constants;
    return info.isFIFO() && accessOf(pid, descriptor) === O_RDONLY
      ? { descriptor: fs.openSync(path, O_RDONLY | O_NONBLOCK) }
      : null;
  } catch {
    return null;
  }
}

/** How a descriptor was opened; `NaN` for none. */
function flagsOf(pid: number, descriptor: number): number {
  const text = fs.readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, "latin1");
  return Number.parseInt(/^flags:\t([0-7]+)$/m.exec(text)?.[1] ?? "", 8);
}

function accessOf(pid: number, descriptor: number): number {
  return flagsOf(pid, descriptor) & ACCESS_MODE;
}

/**
 * Opens what a process writes to, so that the same comes of it: pipes, terminals, /dev/null, and files at whose end it
 * writes. A socket can't be opened.
 * @param takesSockets whether one counts as what only the caller has
 * @returns `null` for what can't be written for another process
 */
export function openOutput(pid: number, descriptor: number, takesSockets = false): CallerOutput | null {
  const { O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY, O_RDONLY } = fs.constants;
  const path = `/proc/${pid}/fd/${descriptor}`;
  try {
    const info = fs.statSync(path);
    const flags = flagsOf(pid, descriptor);
    if (Number.isNaN(flags) || (flags & ACCESS_MODE) === O_RDONLY) return null;
    const file = `${info.dev}:${info.ino}`;
    if (takesSockets && info.isSocket()) return { descriptor: null, isTerminal: false, file };
    if (info.isFile() && (flags & O_APPEND) === 0) return { descriptor: null, isTerminal: false, file };
    if (!info.isFile() && !info.isFIFO() && !isTerminalDevice(info) && info.rdev !== NULL_DEVICE) return null;
    // Never waits, neither for a reader nor for room: other commands would wait with it.
    const mode = O_WRONLY | O_NONBLOCK | O_NOCTTY | (flags & O_APPEND);
    return { descriptor: fs.openSync(path, mode), isTerminal: isTerminalDevice(info), file };
  } catch {
    return null;
  }
}

/** The file behind a descriptor of a process: `DEVICE:INODE`; empty if there is none. */
export function fileBehind(pid: number | "self", descriptor: number): string {
  try {
    const { dev, ino } = fs.statSync(`/proc/${pid}/fd/${descriptor}`);
    return `${dev}:${ino}`;
  } catch {
    return "";
  }
}

/** Whether a process is still there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function statusOf(pid: number | "self"): string {
  return fs.readFileSync(`/proc/${pid}/status`, "latin1");
}

/** The variables it was started with. Shells give their children a PWD that is true. */
function environmentOf(pid: number, cwd: string): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const entry of fs.readFileSync(`/proc/${pid}/environ`, "utf8").split("\0")) {
    const end = entry.indexOf("=");
    if (end > 0) environment[entry.slice(0, end)] = entry.slice(end + 1);
  }
  return { ...environment, PWD: isSameFolder(environment.PWD, cwd) ? (environment.PWD ?? cwd) : cwd };
}

function isSameFolder(path: string | undefined, cwd: string): boolean {
  if (!path?.startsWith("/")) return false;
  const one = fs.statSync(path, { throwIfNoEntry: false });
  const other = fs.statSync(cwd, { throwIfNoEntry: false });
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
}
