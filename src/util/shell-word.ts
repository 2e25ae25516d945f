/** Words of command lines that are to be pasted into a shell. */

/** The word as a shell must be given it: quoted where it holds anything that means something there. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
