/** Ending processes for good: CONT and TERM, then KILL until none is left. */

import { sleep } from "../../platform/clock.ts";
import type { StepProcess } from "../../platform/proctable.ts";
import { TERMINATE_POLL_MS_MAX, TERMINATE_POLL_MS_MIN } from "./limits.ts";
import { type HolderPorts, SIGNAL } from "./ports.ts";

export interface Ending {
  /** The processes to end, those that appeared meanwhile included. */
  find(): readonly StepProcess[];
  /** Whether to go on although none was found. */
  isHeld(): boolean;
  /** Milliseconds of the monotonic clock; may be moved forward while the ending runs. */
  killAtMs(): number;
  giveUpAtMs: number;
  /** Whether a process lives by a terminal: shells there ignore TERM, and go when it hangs up. */
  hasTerminal(one: StepProcess): boolean;
}

/** Ends processes; resolves to true when none is left, to false at `giveUpAtMs`. */
export async function endProcesses(ports: Pick<HolderPorts, "clock" | "table">, ending: Ending): Promise<boolean> {
  const { clock, table } = ports;
  const told = new Set<string>();
  let delayMs = TERMINATE_POLL_MS_MIN;
  let isKilling = false;
  for (;;) {
    const processes = ending.find();
    if (processes.length === 0 && !ending.isHeld()) return true;
    const nowMs = clock.monotonic();
    if (nowMs >= ending.giveUpAtMs) return false;
    if (!isKilling && nowMs >= ending.killAtMs()) {
      isKilling = true;
      delayMs = TERMINATE_POLL_MS_MIN;
    }
    for (const one of processes) {
      if (isKilling) table.signal(one, SIGNAL.KILL);
      else tellOnce(one);
    }
    const untilKillMs = isKilling ? delayMs : Math.max(1, ending.killAtMs() - nowMs);
    await sleep(clock, Math.min(delayMs, untilKillMs));
    delayMs = Math.min(delayMs * 1.5, TERMINATE_POLL_MS_MAX);
  }

  function tellOnce(one: StepProcess): void {
    const identity = `${one.pid}.${one.startTicks}`;
    if (told.has(identity)) return;
    told.add(identity);
    table.signal(one, SIGNAL.CONT);
    table.signal(one, SIGNAL.TERM);
    if (one.pid === one.session && ending.hasTerminal(one)) table.signal(one, SIGNAL.HUP);
  }
}
