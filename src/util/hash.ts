/** A short name for a long text. Not for secrets. */

/** FNV-1a, 32 bits, as 8 hexadecimal digits. */
export function shortHash(text: string, seed = 0x811c9dc5): string {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
