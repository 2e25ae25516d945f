/** What a holder needs of its machine, and small helpers over it. */

import type { UtcOffset } from "../../core/time.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import type { GroupUse } from "../../platform/memory-groups.ts";
import type { Processes } from "../../platform/process.ts";
import type { ProcessTable } from "../../platform/proctable.ts";
import type { Ptys } from "../../platform/pty.ts";
import type { Random } from "../../platform/random.ts";
import type { OpenScreen } from "../../platform/screen.ts";

export interface HolderPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly processes: Processes;
  readonly table: ProcessTable;
  readonly ptys: Ptys;
  readonly openScreen: OpenScreen;
  /** Soft limit of open files for programs of users; null if the holder's own will do. */
  readonly openFiles: number | null;
  /** How a control group at a path fared; null if there is none. */
  readonly groupUse: (path: string) => GroupUse | null;
  /** Of the machine: times in a job's output are local. */
  readonly utcOffset: UtcOffset;
}

export const SIGNAL = { HUP: 1, INT: 2, KILL: 9, PIPE: 13, TERM: 15, CONT: 18, STOP: 19, MAX: 64 } as const;

/** Where util-linux's setsid is looked for, whatever the job's PATH is. */
export const SYSTEM_SEARCH_PATH = "/usr/bin:/bin:/usr/local/bin";

/** What `promise` resolves to, or `late` after `ms`; a later value is given to `onLate`. */
export function within<T>(
  clock: Clock,
  ms: number,
  promise: Promise<T>,
  late: T,
  onLate: (value: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const cancel = clock.after(ms, () => {
      isLate = true;
      resolve(late);
    });
    promise.then((value) => {
      cancel();
      if (isLate) onLate(value);
      else resolve(value);
    }, reject);
  });
}
