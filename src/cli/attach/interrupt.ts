/** What Ctrl-C means to srun. Pure: each press, with its time and what the job does, gives an action. */

/**
 * - `cancel`: the job waits; take it out of the queue
 * - `show`: say what the tasks do, and how to end them
 * - `pass`: interrupt the tasks (--disable-status)
 * - `stop`: interrupt the tasks and end the job
 * - `kill`: the tasks did not end; kill them
 * - `leave`: nothing helped; end without them
 */
export type InterruptAction = "cancel" | "show" | "pass" | "stop" | "kill" | "leave";

/** What a first press does: `status` shows it, `pass` (--disable-status) and `quit` (--quit-on-interrupt) act at once. */
export type InterruptMode = "status" | "pass" | "quit";

/** What the presses so far led to. */
export interface Interrupts {
  readonly last: InterruptAction | null;
  readonly atMs: number;
}

export const NO_INTERRUPTS: Interrupts = { last: null, atMs: 0 };

/** A second press within this time ends the job; Slurm's second. */
const SECOND_PRESS_MS = 1000;

/** The state after one more press; its `last` is what to do now. */
export function interrupted(
  before: Interrupts,
  isWaiting: boolean,
  nowMs: number,
  mode: InterruptMode = "status",
): Interrupts {
  return { last: nextAction(before, isWaiting, nowMs, mode), atMs: nowMs };
}

function nextAction(
  { last, atMs }: Interrupts,
  isWaiting: boolean,
  nowMs: number,
  mode: InterruptMode,
): InterruptAction {
  switch (last) {
    case "cancel":
    case "kill":
    case "leave":
      return "leave";
    case "stop":
      return "kill";
    case "show":
    case "pass":
      return nowMs - atMs <= SECOND_PRESS_MS ? "stop" : last;
    case null:
      return isWaiting ? "cancel" : FIRST_ACTIONS[mode];
  }
}

const FIRST_ACTIONS = { status: "show", pass: "pass", quit: "stop" } as const satisfies Record<
  InterruptMode,
  InterruptAction
>;
