/** How large a terminal is that is not our own. */

import { closeSync, constants, openSync } from "node:fs";
import { WriteStream } from "node:tty";

/**
 * @param descriptor of a terminal, which stays open
 * @returns cells; 80 by 24 for one that does not know
 */
export function terminalSize(descriptor: number): { readonly columns: number; readonly rows: number } {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  // A stream closes what it has.
  const own = openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  try {
    const stream = new WriteStream(own);
    const [columns, rows] = stream.getWindowSize();
    stream.destroy();
    return columns > 0 && rows > 0 ? { columns, rows } : { columns: 80, rows: 24 };
  } catch {
    closeSync(own);
    return { columns: 80, rows: 24 };
  }
}
