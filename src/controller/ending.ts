/** The end of the controller: nothing new while the nodes clear up, then watchers are told, then the program ends. */

import type { Clock } from "../platform/clock.ts";
import type { Planner } from "./planner.ts";
import type { Watchers } from "./watchers.ts";

export interface Ending {
  /** A shutdown was accepted, or failed: no job is accepted or started in between. */
  setEnding(isEnding: boolean): void;
  isEnding(): boolean;
  /** Ends this program after the answer to the present call has left; watchers are told. */
  stop(): void;
  /** True once `stop` was called. */
  isStopping(): boolean;
}

/** Answers and last updates leave within this time. */
const STOP_DELAY_MS = 50;

/** Not ending yet. */
export function createEnding(clock: Clock, planner: Planner, watchers: Watchers, exit: () => void): Ending {
  let isEnding = false;
  let isStopping = false;
  return {
    setEnding(value) {
      isEnding = value;
      planner.setStopped(value);
    },
    isEnding: () => isEnding,
    stop() {
      isStopping = true;
      watchers.notifyAll();
      clock.after(STOP_DELAY_MS, exit);
    },
    isStopping: () => isStopping,
  };
}
