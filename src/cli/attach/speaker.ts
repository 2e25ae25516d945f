/** What srun itself says on stderr, beside the tasks' output. */

import type { CommandContext } from "../context.ts";

export interface Speaker {
  /** For the user's information; not said with --quiet. */
  info(text: string): void;
  error(text: string): void;
  /** Shows a line while a program has the terminal; `null`: lines go to stderr. */
  overlay: ((line: string) => void) | null;
}

/** Lines start with the program's name, as Slurm's. */
export function createSpeaker({ stdio, program }: CommandContext, quiet: boolean): Speaker {
  const say = (text: string): void => {
    const line = `${program}: ${text}`;
    if (speaker.overlay) speaker.overlay(line);
    else stdio.err(`${line}\n`);
  };
  const speaker: Speaker = {
    overlay: null,
    info(text) {
      if (!quiet) say(text);
    },
    error: (text) => say(`error: ${text}`),
  };
  return speaker;
}
