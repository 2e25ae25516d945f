/** The same JSON lines as platform/log.ts without a logging library: for holders, which must stay small. */

import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import type { Log, LogFields, LogLevel } from "./log.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** How large a log file may grow, and how many older ones are kept beside it: FILE.1 is the newest. */
export interface LogLimits {
  readonly bytesMax: number;
  readonly backups: number;
}

/** As the settings logging.max_size and logging.backups have it where nobody says otherwise. */
const LOG_LIMITS: LogLimits = { bytesMax: 100_000_000, backups: 5 };

/** Lines at and above `level`, each handed on with its line feed. */
export function plainLog(write: (line: string) => void, level: LogLevel, base: LogFields): Log {
  const at =
    (name: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (LEVELS.indexOf(name) < LEVELS.indexOf(level)) return;
      const line = { level: name, time: new Date().toISOString(), ...base, ...fields, message };
      try {
        write(`${JSON.stringify(line)}\n`);
      } catch {
        // A full disk loses log lines, never the holder.
      }
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Appends to what is open already. */
export function descriptorWriter(descriptor: number): (line: string) => void {
  return (line) => void writeSync(descriptor, line);
}

/**
 * The same for a log whose folder is another's, so that nothing can be set aside: a file that is full, its last line
 * included, is begun anew. It must be open for appending.
 */
export function boundedWriter(descriptor: number, { bytesMax }: Pick<LogLimits, "bytesMax">): (line: string) => void {
  return (line) => {
    const { size } = fstatSync(descriptor);
    if (size > 0 && size + line.length > bytesMax) ftruncateSync(descriptor);
    writeSync(descriptor, line);
  };
}

/** Makes FILE.1 of a log file, FILE.2 of that, and so on; the oldest goes. Throws Node's error. */
function setAside(path: string, { backups }: Pick<LogLimits, "backups"> = LOG_LIMITS): void {
  if (backups === 0) return rmSync(path, { force: true });
  for (let at = backups - 1; at >= 1; at--) {
    if (existsSync(`${path}.${at}`)) renameSync(`${path}.${at}`, `${path}.${at + 1}`);
  }
  renameSync(path, `${path}.1`);
}

/** For so long a log file is taken for what it was: a look costs more than the line. */
const LOOK_MS = 50;

/** Of the room that a look found, others may have used up the rest by the next one. */
const ROOM_PARTS = 8;

/**
 * Appends to a log file that other programs may append to as well. When it is full it becomes FILE.1, and a new one
 * is begun; who finds that another program has done so goes on in the new one.
 */
export function logFileWriter(path: string, limits = LOG_LIMITS): (line: string) => void {
  let descriptor: number | null = null;
  let lookedAtMs = 0;
  /** What may be appended before the next look. */
  let room = 0;
  const close = (): void => {
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
  };
  return (line) => {
    const nowMs = Date.now();
    room -= line.length;
    if (descriptor !== null && room > 0 && Math.abs(nowMs - lookedAtMs) < LOOK_MS) {
      writeSync(descriptor, line);
      return;
    }
    lookedAtMs = nowMs;
    const there = statSync(path, { throwIfNoEntry: false });
    if (descriptor !== null) {
      const { dev, ino } = fstatSync(descriptor);
      if (there?.dev !== dev || there.ino !== ino) close();
    }
    if (there !== undefined && there.size > 0 && there.size + line.length > limits.bytesMax) {
      close();
      setAside(path, limits);
    }
    descriptor ??= openSync(path, "a", 0o600);
    writeSync(descriptor, line);
    room = (limits.bytesMax - (there?.size ?? 0)) / ROOM_PARTS;
  };
}
