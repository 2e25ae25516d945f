/**
 * Finds the mark that is printed into a terminal after its program's exit: all that comes before it is the program's
 * output, complete. The mark is an OSC sequence, which no terminal shows, and holds a random number, which no
 * program prints.
 */

/** In capitals and digits only, so that no output mode of a terminal changes it. */
export function sentinelBytes(randomHex: string): Uint8Array {
  return new TextEncoder().encode(`\x1b]7770;${randomHex.toUpperCase()}\x07`);
}

/** Passes bytes through until the sentinel; that and what follows is held back. */
export class SentinelFilter {
  /** The sentinel came by. */
  isFound = false;
  private sentinel: Uint8Array | null = null;
  /** The start of a sentinel, perhaps. */
  private held: Uint8Array = new Uint8Array(0);

  /** From now on the sentinel is looked for. */
  expect(sentinel: Uint8Array): void {
    this.sentinel = sentinel;
  }

  /** What of a chunk is the program's; the rest may come out of a later call. */
  pass(chunk: Uint8Array): Uint8Array {
    if (this.isFound) return new Uint8Array(0);
    if (this.sentinel === null) return chunk;
    const bytes = new Uint8Array(this.held.length + chunk.length);
    bytes.set(this.held);
    bytes.set(chunk, this.held.length);
    for (let at = bytes.indexOf(0x1b); at >= 0; at = bytes.indexOf(0x1b, at + 1)) {
      const length = matchingBytes(bytes, at, this.sentinel);
      if (length === this.sentinel.length) {
        this.isFound = true;
        this.held = new Uint8Array(0);
        return bytes.subarray(0, at);
      }
      if (at + length === bytes.length) {
        this.held = bytes.subarray(at);
        return bytes.subarray(0, at);
      }
    }
    this.held = new Uint8Array(0);
    return bytes;
  }

  /** The sentinel does not come any more: what was held back for it. */
  giveUp(): Uint8Array {
    const held = this.held;
    this.held = new Uint8Array(0);
    this.isFound = true;
    return held;
  }
}

/** How many bytes from `at` on agree with the start of `pattern`. */
function matchingBytes(bytes: Uint8Array, at: number, pattern: Uint8Array): number {
  let length = 0;
  while (length < pattern.length && at + length < bytes.length && bytes[at + length] === pattern[length]) length++;
  return length;
}
