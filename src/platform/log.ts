/** Logs as an argument: JSON lines with time, level and the fields that say which job, node and attempt. */

import pino from "pino";

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

/** Appends to a file descriptor, synchronously: the last lines before a crash are the ones that matter. */
export function fileLog(fd: number, level: LogLevel, base: LogFields): LeveledLog {
  const destination = pino.destination({ dest: fd, sync: true });
  // A full disk loses log lines, never the daemon.
  destination.on("error", () => {});
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

/** Keeps nothing. */
export function silentLog(): Log {
  const ignore = (): void => {};
  return { debug: ignore, info: ignore, warn: ignore, error: ignore };
}
