/** Commands for which no client waits: timers, absences. While the disk refuses one, it is tried again. */

import type { Command } from "../core/commands.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { RpcError } from "../protocol/errors.ts";
import type { Loop } from "./loop.ts";

/** Pause before a command that the disk refused is tried again. */
const RETRY_MS = 1000;

/** A function that hands a command to the loop and sees to it. */
export function createErrand(clock: Clock, log: Log, loop: () => Loop): (command: Command) => void {
  const run = (command: Command): void => {
    loop()
      .execute(command)
      .catch((error: unknown) => {
        log.warn("a command could not be carried out", { command: command.type, error: String(error) });
        if (error instanceof RpcError && error.code === "STORAGE") clock.after(RETRY_MS, () => run(command));
      });
  };
  return run;
}
