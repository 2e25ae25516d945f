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

/** How many bytes a text has in UTF-8. Without TextEncoder, which Node makes at its first use. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** Longer texts are decoded by the system alone. */
const PLAIN_BYTES_MAX = 8192;

/** A text in UTF-8. One of a small file in plain ASCII costs no TextDecoder, which Node makes at its first use. */
export function utf8Text(bytes: Uint8Array): string {
  const isPlain = bytes.length <= PLAIN_BYTES_MAX && bytes.every((byte) => byte < 0x80);
  return isPlain ? String.fromCharCode(...bytes) : new TextDecoder().decode(bytes);
}
