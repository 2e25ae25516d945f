/** The same JSON lines as platform/log.ts without a logging library: for holders, which must stay small. */

import { writeSync } from "node:fs";
import type { Log, LogFields, LogLevel } from "./log.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Writes to a file descriptor at and above `level`. */
export function plainLog(fd: number, level: LogLevel, base: LogFields): Log {
  const write =
    (name: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (LEVELS.indexOf(name) < LEVELS.indexOf(level)) return;
      const line = { level: name, time: new Date().toISOString(), ...base, ...fields, message };
      try {
        writeSync(fd, `${JSON.stringify(line)}\n`);
      } catch {
        // A full disk loses log lines, never the holder.
      }
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
