/**
 * Slurm's own command in the place of ours. Node can't become another program: it starts it with its own streams and
 * terminal, passes on the signals that reach it alone, and ends as it ended.
 */

import type { Cancel } from "../platform/clock.ts";
import { systemText } from "../util/errno.ts";
import { type Command, type CommandContext, type SignalName, UserError } from "./context.ts";
import type { SlurmHandOver } from "./slurm.ts";

/** Signals that are for the command; the terminal's own reach it by themselves. */
const PASSED: Readonly<Partial<Record<SignalName, number>>> = { SIGTERM: 15, SIGHUP: 1, SIGUSR1: 10, SIGUSR2: 12 };

/** Of the terminal: they reach all of its foreground, and we stay for the exit code. */
const OF_THE_TERMINAL: Readonly<Partial<Record<SignalName, number>>> = { SIGINT: 2, SIGQUIT: 3 };

/** What a shell adds to the number of a signal. */
const SIGNAL_BASE = 128;

export interface HandOverOrder {
  readonly command: Command;
  readonly argv: readonly string[];
  /** The profile that -M names; empty for none. */
  readonly profile: string;
}

/** Runs Slurm's command to its end. @returns its exit code; 128 + the signal that ended it @throws UserError */
export async function runSlurm(
  slurm: SlurmHandOver,
  { command, argv, profile }: HandOverOrder,
  { session, stdio }: CommandContext,
): Promise<number> {
  const { name, options, operands } = command;
  const order = { name, argv, options, stops: operands === "stop", profile };
  const { argv: words, environment } = await slurm.replace(order);
  const child = await session.startChild({ argv: words, environment, isApart: false }).catch((error: unknown) => {
    throw new UserError(`${words[0]} can't be started: ${systemText(error)}`);
  });
  // Without a terminal nobody but us can have been told.
  const isAlone = !stdio.stdinIsTerminal && !stdio.stdoutIsTerminal && !stdio.stderrIsTerminal;
  const deaf: Cancel[] = Object.entries(OF_THE_TERMINAL).map(([signal, number]) =>
    session.onSignal(signal as SignalName, () => isAlone && child.signal(number)),
  );
  for (const [signal, number] of Object.entries(PASSED)) {
    deaf.push(session.onSignal(signal as SignalName, () => child.signal(number)));
  }
  try {
    const { code, signal } = await child.exited;
    return signal === 0 ? code : SIGNAL_BASE + signal;
  } finally {
    for (const end of deaf) end();
  }
}
