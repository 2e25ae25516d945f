/** How a daemon's program ends when it can't go on: one line on stderr, which is its log file or the user's screen. */

import { systemText } from "../util/errno.ts";

/** Ends the process. */
export function fail(program: string, message: string, exitCode = 1): never {
  process.stderr.write(`${program}: error: ${message}\n`);
  process.exit(exitCode);
}

/** The text of anything thrown; refusals of the file system in words. */
export function messageOf(error: unknown): string {
  return systemText(error);
}
