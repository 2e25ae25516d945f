/** Logs as an argument: JSON lines, one a call. */

import { writeSync } from "node:fs";

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** Writes to a file descriptor, at and above `level`. A full disk loses log lines, never the daemon. */
export function fileLog(fd: number, level: (typeof LEVELS)[number], base: LogFields): Log {
  const least = LEVELS.indexOf(level);
  const write = (index: number, message: string, fields: LogFields = {}): void => {
    if (index < least) return;
    const line = { at: new Date().toISOString(), level: LEVELS[index], ...base, message, ...fields };
    try {
      writeSync(fd, `${JSON.stringify(line)}\n`);
    } catch {
      // Nobody can be told that the log can't be written.
    }
  };
  return {
    debug: (message, fields) => write(0, message, fields),
    info: (message, fields) => write(1, message, fields),
    warn: (message, fields) => write(2, message, fields),
    error: (message, fields) => write(3, message, fields),
  };
}

/** Keeps nothing. */
export function silentLog(): Log {
  const ignore = (): void => {};
  return { debug: ignore, info: ignore, warn: ignore, error: ignore };
}
