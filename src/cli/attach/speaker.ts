/** What srun itself says on stderr, beside the tasks' output. */

import type { CommandContext } from "../context.ts";

export interface Speaker {
  /** For the user's information; not said with --quiet. */
  info(text: string): void;
  error(text: string): void;
  /** A line that what is said next is written over, or none; on terminals only. */
  status(text: string | null): void;
  /** Whether somebody watches a terminal, so that a line may change. */
  readonly isLive: boolean;
  /** Shows a line while a program has the terminal; `null`: lines go to stderr. */
  overlay: ((line: string) => void) | null;
}

/** Lines start with the program's name, as Slurm's. */
export function createSpeaker({ stdio, program, session, environment }: CommandContext, quiet: boolean): Speaker {
  const isLive = stdio.stderrIsTerminal && !quiet && environment.TERM !== "dumb";
  let hasStatus = false;
  const status = (text: string | null): void => {
    if (!isLive || speaker.overlay || (text === null && !hasStatus)) return;
    hasStatus = text !== null;
    const cells = (session.terminal.size()?.columns ?? 80) - 1;
    stdio.err(`\r\x1b[K${text === null ? "" : `${program}: ${text}`.slice(0, cells)}`);
  };
  const say = (text: string): void => {
    const line = `${program}: ${text}`;
    status(null);
    if (speaker.overlay) speaker.overlay(line);
    else stdio.err(`${line}\n`);
  };
  const speaker: Speaker = {
    overlay: null,
    status,
    isLive,
    info(text) {
      if (!quiet) say(text);
    },
    error: (text) => say(`error: ${text}`),
  };
  return speaker;
}
