/** Ends the holders of a node whose daemon is gone for good. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Asks each holder on record to end as soon as nothing runs in it; answers how many there are. A record may be old: only
 * a process that is a holder of that very socket is meant.
 */
export function endHolders(folder: string): number {
  let count = 0;
  for (const name of namesIn(folder)) {
    try {
      const { pid, socket } = JSON.parse(readFileSync(join(folder, name), "utf8")) as { pid: number; socket: string };
      if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(socket)) continue;
      process.kill(pid, "SIGTERM");
      count += 1;
    } catch {
      // Gone meanwhile.
    }
  }
  return count;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
