/**
 * A session within a job of Slurm's: a holder with one step, which has a terminal. It tells in the session's file where it
 * is, lives as long as the program, and a little longer for the client that wants its last words.
 */

import type { SessionFile, SessionPlace } from "../config/slurm-sessions.ts";
import type { StepKey } from "../core/ids.ts";
import { type ExitStatus, shellCode } from "../core/job.ts";
import type { Clock } from "../platform/clock.ts";
import { sleep } from "../platform/clock.ts";
import type { HolderStep, StepLaunch } from "../protocol/holder.ts";
import type { CallContext, Sink } from "../rpc/types.ts";
import type { HolderProcess } from "./holder/start.ts";

export interface SessionPorts {
  readonly clock: Clock;
  /** Writes the session's file anew. */
  readonly tell: (place: SessionPlace) => void;
  /** Calls when Slurm tells us to end, or to pass that on to the program. */
  readonly onTold: (told: () => void) => void;
  /** What Slurm's scontrol prints; empty if it fails. */
  readonly scontrol: (...args: readonly string[]) => Promise<string>;
}

/** How long a program's last words wait for the client that started it, for one that is attached, and for any other. */
const FIRST_CLIENT_MS = 30_000;
const ATTACHED_MS = 10_000;
const AWAY_MS = 1000;

/** How long a client that has everything may take to hang up. */
const FAREWELL_MS = 2000;

const LOOK_MS = 50;

/** Slurm's own KillWait, where it is not said otherwise. */
const KILL_WAIT_S = 30;

/** How long before Slurm kills all of the job at once the program is killed, so that its end reaches its client; at least. */
const BEFORE_KILL_MS = 2000;
const TERM_MS_MIN = 500;

/** Runs the session to its end; the exit code is that of its program, or 128 + the signal that ended it. */
export async function holdSession(
  ports: SessionPorts,
  holder: HolderProcess,
  { order }: SessionFile,
  place: SessionPlace,
  { workDir, environment }: { readonly workDir: string; readonly environment: Readonly<Record<string, string>> },
): Promise<{ readonly code: number; readonly problem: string }> {
  const { argv, columns, rows, inactivityS } = order;
  const { jobId, attempt, stepId, token } = place;
  const key = { jobId, attempt, stepId };
  const stream = { to: "client" as const };
  const launch: StepLaunch = {
    ...{ key, token, workDir, environment: { ...environment }, batch: null },
    tasks: [
      {
        task: 0,
        argv: [...argv],
        environment: {},
        stdin: { from: "client" },
        stdout: stream,
        stderr: { to: "stdout" },
      },
    ],
    pty: { columns, rows, ...(inactivityS === undefined ? {} : { inactivityS }) },
  };
  const ended = endOf(holder);
  let isTold = false;
  ports.onTold(() => {
    if (!isTold) void endBefore(ports, holder, key);
    isTold = true;
  });
  const context = contextOf();
  await holder.handlers["holder.launch"](launch, context);
  ports.tell(place);
  const { exits, problem } = await ended;
  await holder.handlers["holder.forget"]({ key }, context);
  await lastWords(ports.clock, holder, () => isTold);
  const [exit = { code: 1, signal: 0 }]: readonly ExitStatus[] = exits;
  return { code: shellCode(exit), problem };
}

/** The only step, once it is over. */
function endOf(holder: HolderProcess): Promise<HolderStep> {
  return new Promise((resolve, reject) => {
    const sink: Sink<HolderStep> = {
      send: async (step) => {
        if (step.phase === "ended") resolve(step);
      },
      unacknowledged: 0,
      onAcknowledged: null,
    };
    holder.handlers["holder.watch"]({}, sink, contextOf()).catch(reject);
  });
}

/**
 * A shell does not end when it is told to: Slurm kills it after KillWait, us too, and its client would never hear how it
 * ended. But the signal may be for the program alone (scancel --signal), or give it a longer grace (preemption).
 */
async function endBefore({ clock, scontrol }: SessionPorts, holder: HolderProcess, key: StepKey): Promise<void> {
  const since = clock.monotonic();
  const killWaitS = Number(/^KillWait\s*= (\d+)/m.exec(await scontrol("show", "config"))?.[1] ?? KILL_WAIT_S);
  const waitMs = Math.max(TERM_MS_MIN, killWaitS * 1000 - BEFORE_KILL_MS);
  await sleep(clock, Math.max(0, waitMs - (clock.monotonic() - since)));
  if (!/\bJobState=COMPLETING\b/.test(await scontrol("show", "job", "-o", `${key.jobId}`))) return;
  const context = contextOf();
  await holder.handlers["holder.terminate"]({ ...key, killWaitMs: 0 }, context);
}

async function lastWords(clock: Clock, holder: HolderProcess, isTold: () => boolean): Promise<void> {
  const context = contextOf();
  const since = clock.monotonic();
  const elapsedMs = (): number => clock.monotonic() - since;
  const limitMs = (): number => {
    const { now, ever } = holder.peers();
    if (now > 0) return ATTACHED_MS;
    return ever > 0 || isTold() ? AWAY_MS : FIRST_CLIENT_MS;
  };
  while (elapsedMs() < limitMs()) {
    const { steps } = await holder.handlers["holder.status"]({}, context);
    if (steps.length === 0) break;
    await sleep(clock, LOOK_MS);
  }
  const settledMs = elapsedMs();
  while (holder.peers().now > 0 && elapsedMs() - settledMs < FAREWELL_MS) await sleep(clock, LOOK_MS);
}

/** Of calls within one program. */
function contextOf(): CallContext {
  return { signal: new AbortController().signal } as unknown as CallContext;
}
