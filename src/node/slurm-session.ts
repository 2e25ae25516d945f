/**
 * A session within a job of Slurm's: a holder with one step, which has a terminal. It tells in the session's file where it
 * is, lives as long as the program, and a little longer for the client that wants its last words.
 */

import type { SessionFile, SessionPlace } from "../config/slurm-sessions.ts";
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
  /** Whether Slurm has told us to end. */
  readonly isTold: () => boolean;
}

/** How long a program's last words wait for the client that started it, for one that is attached, and for any other. */
const FIRST_CLIENT_MS = 30_000;
const ATTACHED_MS = 10_000;
const AWAY_MS = 1000;

/** How long a client that has everything may take to hang up. */
const FAREWELL_MS = 2000;

const LOOK_MS = 50;

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
  const context = { signal: new AbortController().signal } as unknown as CallContext;
  await holder.handlers["holder.launch"](launch, context);
  ports.tell(place);
  const { exits, problem } = await ended;
  await holder.handlers["holder.forget"]({ key }, context);
  await lastWords(ports, holder, context);
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
    const context = { signal: new AbortController().signal } as unknown as CallContext;
    holder.handlers["holder.watch"]({}, sink, context).catch(reject);
  });
}

async function lastWords({ clock, isTold }: SessionPorts, holder: HolderProcess, context: CallContext): Promise<void> {
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
