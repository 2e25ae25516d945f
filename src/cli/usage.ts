/** What mgpu's own commands say to words that they can't use. */

import { UserError } from "./context.ts";

/** Exit code of mgpu's own commands, which have no example in Slurm, where what was typed can't be understood. */
export const EXIT_USAGE = 2;

/** Throws a UserError that names each of `words`, if there are any. */
export function refuseWords(words: readonly string[], hint?: string): void {
  if (words.length === 0) return;
  throw new UserError(
    words.map((word) => `unexpected word "${word}"`),
    hint,
    EXIT_USAGE,
  );
}
