/** The same JSON lines as platform/log.ts without a logging library: for holders, which must stay small. */

import { closeSync, fstatSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import type { Log, LogFields, LogLevel } from "./log.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Most bytes of a log file; what it held before is kept in one more. */
const LOG_BYTES_MAX = 16 * 1024 * 1024;

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
 * Appends to a log file that other programs may append to as well. When it is full it becomes FILE.1, and a new one
 * is begun; who finds that another program has done so goes on in the new one.
 */
export function logFileWriter(path: string, bytesMax = LOG_BYTES_MAX): (line: string) => void {
  let descriptor: number | null = null;
  const close = (): void => {
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
  };
  return (line) => {
    const there = statSync(path, { throwIfNoEntry: false });
    if (descriptor !== null) {
      const { dev, ino } = fstatSync(descriptor);
      if (there?.dev !== dev || there.ino !== ino) close();
    }
    if (there !== undefined && there.size + line.length > bytesMax) {
      close();
      renameSync(path, `${path}.1`);
    }
    descriptor ??= openSync(path, "a", 0o600);
    writeSync(descriptor, line);
  };
}
