/** Maps that remember, and forget what they were told first. */

/** Puts something into a map that holds at most `most`. */
export function keep<K, V>(known: Map<K, V>, key: K, value: V, most: number): void {
  known.set(key, value);
  for (const oldest of known.keys()) {
    if (known.size <= most) break;
    known.delete(oldest);
  }
}
