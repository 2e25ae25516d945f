/** Words that may be shortened: any case, and as few letters as tell them apart. */

/** What a shortened word stands for. */
export type Found<T> = { readonly value: T } | "unknown" | "ambiguous";

/**
 * Finds a word in a table whose keys are full words in lower case. Several keys may stand for the same value. A key
 * that others continue (`hostlist`, `hostlistsorted`) is meant by whatever fits them all.
 */
export function findKeyword<T>(table: Readonly<Record<string, T>>, word: string): Found<T> {
  const wanted = word.toLowerCase();
  if (wanted === "") return "unknown";
  const fitting = Object.keys(table).filter((key) => key.startsWith(wanted));
  const shortest = fitting.reduce((best, key) => (key.length < best.length ? key : best), fitting[0] ?? "");
  if (shortest === "") return "unknown";
  const value = table[shortest] as T;
  if (shortest === wanted || fitting.every((key) => key.startsWith(shortest) || table[key] === value)) return { value };
  return "ambiguous";
}
