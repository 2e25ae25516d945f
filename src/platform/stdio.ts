/**
 * Standard output and error, written synchronously and completely: nothing is lost when a command ends, and commands
 * load no streams. A reader of stdout that is gone is an {@link OutputClosed}; one of stderr is nobody's business.
 */

import { fstatSync, type Stats, writeSync } from "node:fs";
import { errnoText } from "../util/errno.ts";
import { waitBriefly } from "./files.ts";

const STDIN_FD = 0;
const STDOUT_FD = 1;
const STDERR_FD = 2;

/** What a write meets when nobody will ever read: a closed pipe, a terminal that is gone, a closed descriptor. */
export const NO_READER: ReadonlySet<string> = new Set(["EPIPE", "EIO", "EBADF"]);

/** Device numbers of pseudo-terminals on Linux. */
const PTS_MAJOR_MIN = 136;
const PTS_MAJOR_MAX = 143;

/** Nobody reads our output any more, as in `mgpu-squeue | head`. Ends a command quietly. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** Our output could not be written: a full disk. */
export class OutputFailed extends Error {
  override readonly name = "OutputFailed";
}

/** The process's own streams. */
export function realStdio() {
  return {
    get stdinIsTerminal(): boolean {
      return isTerminal(STDIN_FD);
    },
    get stdoutIsTerminal(): boolean {
      return isTerminal(STDOUT_FD);
    },
    get stderrIsTerminal(): boolean {
      return isTerminal(STDERR_FD);
    },
    out(data: string | Uint8Array): void {
      if (!writeAll(STDOUT_FD, data)) throw new OutputClosed("standard output is closed");
    },
    err(data: string | Uint8Array): void {
      writeAll(STDERR_FD, data);
    },
  };
}

/** Like isatty, without loading the tty module for pipes, files, /dev/null and the usual terminals. */
export function isTerminal(fd: number): boolean {
  try {
    const info = fstatSync(fd);
    if (!info.isCharacterDevice()) return false;
    // Major 1 is memory: /dev/null, /dev/zero, /dev/random.
    return isTerminalDevice(info) || (majorOf(info) !== 1 && process.getBuiltinModule("node:tty").isatty(fd));
  } catch {
    return false;
  }
}

/** Whether a file is one of the usual terminals: a pseudo-terminal. */
export function isTerminalDevice(info: Stats): boolean {
  return info.isCharacterDevice() && majorOf(info) >= PTS_MAJOR_MIN && majorOf(info) <= PTS_MAJOR_MAX;
}

function majorOf({ rdev }: Stats): number {
  return (rdev >> 8) & 0xfff;
}

/** Writes all of it; false if there is no reader any more. Other errors are thrown for stdout. */
function writeAll(fd: number, data: string | Uint8Array): boolean {
  const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data;
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "";
      if (code === "EAGAIN") waitBriefly();
      else if (NO_READER.has(code) || fd === STDERR_FD) return false;
      else throw new OutputFailed(`standard output: ${errnoText(error)}`);
    }
  }
  return true;
}
