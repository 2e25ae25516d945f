/** Byte strings. */

/** All of them in one, in order. */
export function joinBytes(parts: Iterable<Uint8Array>): Uint8Array {
  const all = [...parts];
  const joined = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of all) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
