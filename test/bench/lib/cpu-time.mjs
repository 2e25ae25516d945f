/** CPU time of processes that go on running, where ticks of 10 ms are fine enough. */

import { readFileSync } from "node:fs";

/** Linux shows times in hundredths of a second, whatever its real tick is. */
const MS_A_TICK = 10;

/**
 * @param {number} pid
 * @returns {{ownMs: number, childrenMs: number}} its own, and that of its reaped children
 */
export function cpuTimeOf(pid) {
  const line = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The command's name may hold blanks; the first field after it is field 3.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const ticks = (number) => Number(fields[number - 3]);
  return { ownMs: (ticks(14) + ticks(15)) * MS_A_TICK, childrenMs: (ticks(16) + ticks(17)) * MS_A_TICK };
}
