/** The nearest of some names to a mistyped one. */

/** More typing errors than this, and a guess would be a riddle. */
const DISTANCE_MAX = 2;

/** Of shorter words two errors leave too little that resembles anything. */
const LENGTH_FOR_TWO = 6;

/** The name with the fewest differences (letters added, left out, changed or swapped; case apart), or `undefined` if none is near. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  let best: string | undefined;
  let least = (typed.length < LENGTH_FOR_TWO ? 1 : DISTANCE_MAX) + 1;
  for (const name of names) {
    const isPrefix = typed.length > 1 && name.startsWith(typed);
    const distance = isPrefix ? 1 : editDistance(typed.slice(0, name.length + least), name);
    // Of a short name every letter could be exchanged: then nothing is left that resembles it.
    if (distance < least && distance < name.length) {
      best = name;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein's distance, where two neighbours swapped are one error. */
function editDistance(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one.charAt(i - 1) === other.charAt(j - 1);
      const isSwap =
        i > 1 && j > 1 && one.charAt(i - 1) === other.charAt(j - 2) && one.charAt(i - 2) === other.charAt(j - 1);
      const exchanged = (row[j - 1] ?? 0) + (isSame ? 0 : 1);
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : exchanged;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, exchanged, swapped));
    }
    before = row;
    row = next;
  }
  return row.at(-1) ?? 0;
}
