/** The end of the controller: nothing new while the nodes clear up, then watchers are told, then the program ends. */

import type { Clock } from "../platform/clock.ts";
import type { Planner } from "./planner.ts";
import type { Watchers } from "./watchers.ts";

export interface Ending {
  /**
   * A shutdown was accepted: no job is accepted or started from now on.
   * @param killAt when what is left of running jobs is killed, milliseconds since 1970
   */
  beginEnding(killAt: number): void;
  /** It failed: work goes on. */
  giveUpEnding(): void;
  isEnding(): boolean;
  /** See {@link Ending.beginEnding}; `null` while nothing is ending. */
  killAt(): number | null;
  /** Ends this program after the answer to the present call has left; watchers are told. */
  stop(): void;
  /** True once `stop` was called. */
  isStopping(): boolean;
}

/** Answers and last updates leave within this time. */
const STOP_DELAY_MS = 50;

/** Not ending yet. */
export function createEnding(clock: Clock, planner: Planner, watchers: Watchers, exit: () => void): Ending {
  let killAt: number | null = null;
  let isStopping = false;
  return {
    beginEnding(at) {
      killAt = at;
      planner.setStopped(true);
    },
    giveUpEnding() {
      killAt = null;
      planner.setStopped(false);
    },
    isEnding: () => killAt !== null,
    killAt: () => killAt,
    stop() {
      isStopping = true;
      watchers.notifyAll();
      clock.after(STOP_DELAY_MS, exit);
    },
    isStopping: () => isStopping,
  };
}
