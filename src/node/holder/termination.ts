/**
 * Ending processes for good, as Slurm does: TERM once to everybody who is there, then nothing until the kill time,
 * then KILL until none is left. Whoever is started in between, by somebody's TERM handler, may do his work.
 *
 * "Everybody who is there" must not miss a process that is being forked at that moment, and must not include the
 * first command of a handler that is quick. So all are stopped (SIGSTOP) first, which ends all forking, and looked for
 * again until no new one appears; then TERM waits for each of them while it is stopped, and CONT lets them go.
 */

import { sleep } from "../../platform/clock.ts";
import type { StepProcess } from "../../platform/proctable.ts";
import { STOP_SCANS_MAX, STOP_SETTLE_MS, TERMINATE_POLL_MS_MAX, TERMINATE_POLL_MS_MIN } from "./limits.ts";
import { type HolderPorts, SIGNAL } from "./ports.ts";

export interface Ending {
  /** The processes to end, those that appeared meanwhile included. */
  find(): readonly StepProcess[];
  /** Whether to go on although none was found. */
  isHeld(): boolean;
  /** Whether somebody else has told them: then they are only waited for, and killed when it is time. */
  areTold(): boolean;
  /** Whether one that appears after TERM was on its way before, and has to be told as well. */
  isLate(one: StepProcess): boolean;
  /** Milliseconds of the monotonic clock; may move while the ending runs. */
  killAtMs(): number;
  giveUpAtMs(): number;
  /** Whether a process lives by a terminal: shells there ignore TERM, and go when it hangs up. */
  hasTerminal(one: StepProcess): boolean;
}

type Ports = Pick<HolderPorts, "clock" | "table">;

/** Ends processes; resolves to true when none is left, to false at `giveUpAtMs`. */
export async function endProcesses(ports: Ports, ending: Ending): Promise<boolean> {
  const { clock, table } = ports;
  const told = new Set<string>();
  let delayMs = TERMINATE_POLL_MS_MIN;
  let isFirst = true;
  let isKilling = false;
  for (;;) {
    const processes = ending.find();
    if (processes.length === 0 && !ending.isHeld()) return true;
    const nowMs = clock.monotonic();
    if (nowMs >= ending.giveUpAtMs()) return false;
    if (!isKilling && nowMs >= ending.killAtMs()) {
      isKilling = true;
      delayMs = TERMINATE_POLL_MS_MIN;
    }
    if (isKilling) {
      for (const one of processes) table.signal(one, SIGNAL.KILL);
    } else if (isFirst && !ending.areTold()) {
      await tellAll(ports, ending, told, () => true);
    } else {
      const late = processes.filter((one) => !told.has(identity(one)) && ending.isLate(one)).map(({ step }) => step);
      // Nobody of its step was told before it was there, so none of them is a handler's.
      if (late.length > 0) await tellAll(ports, ending, told, ({ step }) => late.includes(step));
    }
    isFirst = false;
    const untilKillMs = isKilling ? delayMs : Math.max(1, ending.killAtMs() - clock.monotonic());
    await sleep(clock, Math.min(delayMs, untilKillMs));
    delayMs = Math.min(delayMs * 1.5, TERMINATE_POLL_MS_MAX);
  }
}

/** Tells all who are there and were not told, none of whom can fork meanwhile. */
async function tellAll(
  { clock, table }: Ports,
  ending: Ending,
  told: Set<string>,
  isMeant: (one: StepProcess) => boolean,
): Promise<void> {
  const stopped: StepProcess[] = [];
  for (let scan = 0; scan < STOP_SCANS_MAX; scan++) {
    const fresh = ending.find().filter((one) => !told.has(identity(one)) && isMeant(one));
    if (fresh.length === 0) break;
    for (const one of fresh) {
      told.add(identity(one));
      table.signal(one, SIGNAL.STOP);
    }
    stopped.push(...fresh);
    await sleep(clock, STOP_SETTLE_MS);
  }
  for (const one of stopped) table.signal(one, SIGNAL.TERM);
  // What waits for a process while it is stopped is the first that it takes when it goes on.
  for (const one of stopped) table.signal(one, SIGNAL.CONT);
  const leaders = stopped.filter((one) => one.pid === one.session && ending.hasTerminal(one));
  if (leaders.length === 0) return;
  // Later, because of two that wait the lower number comes first, and TERM is what ended the others.
  await sleep(clock, STOP_SETTLE_MS);
  for (const one of leaders) table.signal(one, SIGNAL.HUP);
}

function identity({ pid, startTicks }: StepProcess): string {
  return `${pid}.${startTicks}`;
}
