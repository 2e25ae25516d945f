/** What srun itself says on stderr, beside the tasks' output. */

import type { CommandContext } from "../context.ts";

export interface Speaker {
  /** For the user's information; not said with --quiet. */
  info(text: string): void;
  error(text: string): void;
  /** While the terminal is raw a line feed does not return to the left edge by itself. */
  isRaw: boolean;
}

/** Lines start with the program's name, as Slurm's. */
export function createSpeaker({ stdio, program }: CommandContext, quiet: boolean): Speaker {
  const say = (text: string): void => stdio.err(`${program}: ${text}${speaker.isRaw ? "\r\n" : "\n"}`);
  const speaker: Speaker = {
    isRaw: false,
    info(text) {
      if (!quiet) say(text);
    },
    error: (text) => say(`error: ${text}`),
  };
  return speaker;
}
