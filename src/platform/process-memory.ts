/**
 * How much memory processes use, read from /proc: what would be free without them. Pages of files do not count: the
 * kernel drops those when it needs room.
 */

import * as fs from "node:fs";

export interface ProcessMemory {
  /**
   * KiB of a process, with all of the memory that it shares with others: never too little. Quick. 0 for one that is
   * gone.
   */
  mostKiB(pid: number): number;
  /**
   * KiB of a process, with its part of the memory that it shares with others. The kernel walks all of its pages for
   * this: milliseconds for each GiB. Never rejects; 0 for one that is gone.
   */
  shareKiB(pid: number): Promise<number>;
}

/** Of this machine. @param root `/proc`, but for tests */
export function realProcessMemory(root = "/proc"): ProcessMemory {
  const mostKiB = (pid: number): number => {
    try {
      return parseMostKiB(fs.readFileSync(`${root}/${pid}/status`, "latin1"));
    } catch {
      return 0;
    }
  };
  return {
    mostKiB,
    async shareKiB(pid) {
      try {
        const share = parseShareKiB(await fs.promises.readFile(`${root}/${pid}/smaps_rollup`, "latin1"));
        return share ?? mostKiB(pid);
      } catch {
        // Another user's, an old kernel, or gone.
        return mostKiB(pid);
      }
    },
  };
}

/** Anonymous and shared memory in the text of /proc/PID/status; all resident memory where that is not told. */
export function parseMostKiB(status: string): number {
  const anonymous = field(status, "RssAnon");
  if (anonymous === undefined) return field(status, "VmRSS") ?? 0;
  return anonymous + (field(status, "RssShmem") ?? 0);
}

/** The same in the text of /proc/PID/smaps_rollup, as a share; `undefined` where that is not told. */
export function parseShareKiB(rollup: string): number | undefined {
  const anonymous = field(rollup, "Pss_Anon");
  return anonymous === undefined ? undefined : anonymous + (field(rollup, "Pss_Shmem") ?? 0);
}

/** `RssAnon:	     148 kB` */
function field(text: string, name: string): number | undefined {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text);
  return match ? Number(match[1]) : undefined;
}
