/** Logs as an argument: JSON lines with time, level and the fields that say which job, node and attempt. */

import { fstatSync, readlinkSync, statSync } from "node:fs";
import pino from "pino";
import { descriptorWriter, type LogLimits, logFileWriter } from "./plain-log.ts";

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** One that can be made to keep more or less. */
export interface LeveledLog extends Log {
  setLevel(level: LogLevel): void;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** pino's number for warnings; errors have higher ones. */
const WARN = 40;

/** So many characters are written at once, whatever the time. */
const GATHER_CHARACTERS = 64 * 1024;

/**
 * Appends to a file descriptor. Where that leads to a file, the file is set aside when it is full. Warnings and errors
 * are written before the call returns, with all that came before them: the last lines before a crash are the ones that
 * matter.
 */
export function fileLog(fd: number, level: LogLevel, base: LogFields, limits?: LogLimits): LeveledLog {
  const path = fileOf(fd);
  const destination = gathered(path === null ? descriptorWriter(fd) : logFileWriter(path, limits));
  const options = { level, base, timestamp: pino.stdTimeFunctions.isoTime, messageKey: "message" };
  const logger = pino({ ...options, formatters: { level: (label) => ({ level: label }) } }, destination);
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    setLevel(wanted) {
      logger.level = wanted;
    },
  };
}

/** The path of the regular file that a descriptor leads to, if it still has one; `null` for pipes, terminals and the like. */
function fileOf(fd: number): string | null {
  try {
    const path = readlinkSync(`/proc/self/fd/${fd}`);
    const [here, there] = [fstatSync(fd), statSync(path)];
    return here.isFile() && here.ino === there.ino && here.dev === there.dev ? path : null;
  } catch {
    return null;
  }
}

/** What pino writes to: it tells the level of each line before it. */
function gathered(write: (text: string) => void) {
  let waiting: string[] = [];
  let length = 0;
  const flush = (): void => {
    const text = waiting.join("");
    waiting = [];
    length = 0;
    try {
      if (text !== "") write(text);
    } catch {
      // A full disk loses log lines, never the daemon.
    }
  };
  process.on("exit", flush);
  return {
    [pino.symbols.needsMetadataGsym]: true,
    lastLevel: 0,
    write(line: string): void {
      // Those of one turn go together: thousands of jobs a second are as many lines.
      if (waiting.length === 0) setImmediate(flush);
      waiting.push(line);
      length += line.length;
      if (this.lastLevel >= WARN || length >= GATHER_CHARACTERS) flush();
    },
  };
}

/** Keeps nothing. */
export function silentLog(): Log {
  const ignore = (): void => {};
  return { debug: ignore, info: ignore, warn: ignore, error: ignore };
}
