/** What commands say to words that they can't use. */

import { nearest } from "../util/nearest.ts";
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

/** A hint with the names that mistyped words are nearest to; `undefined` where none is near any. */
export function didYouMean(words: readonly string[], names: readonly string[]): string | undefined {
  const guesses = new Set(words.flatMap((word) => nearest(word, names) ?? []));
  return guesses.size === 0 ? undefined : `did you mean ${[...guesses].join(", ")}?`;
}

/** What to do about names of `--format` that no field has. */
export function fieldHint(words: readonly string[], fields: readonly { readonly name: string }[]): string {
  const names = fields.map(({ name }) => name.toLowerCase());
  const guess = didYouMean(words, names);
  return `${guess === undefined ? "" : `${guess} `}--helpformat lists the fields`;
}
