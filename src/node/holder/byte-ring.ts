/** The newest bytes of a stream, each known by its position in it. */

import { concatBytes } from "./output-queue.ts";

export class ByteRing {
  /** Position of the first byte that is kept. */
  start = 0;
  /** Position after the last one. */
  end = 0;
  private chunks: Uint8Array[] = [];

  push(data: Uint8Array): void {
    if (data.length === 0) return;
    this.chunks.push(data);
    this.end += data.length;
  }

  /** Bytes from a position on, at most so many; fewer where a chunk ends. `from` must be kept. */
  read(from: number, bytesMax: number): Uint8Array {
    let at = this.start;
    for (const chunk of this.chunks) {
      if (from < at + chunk.length) return chunk.subarray(from - at, from - at + bytesMax);
      at += chunk.length;
    }
    return new Uint8Array(0);
  }

  /** All from a position on. */
  readAll(from: number): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let at = Math.max(from, this.start); at < this.end; ) {
      const part = this.read(at, this.end);
      parts.push(part);
      at += part.length;
    }
    return concatBytes(parts);
  }

  /** Forgets what is before a position, in whole chunks. */
  trim(to: number): void {
    let count = 0;
    let start = this.start;
    for (const chunk of this.chunks) {
      if (start + chunk.length > to) break;
      start += chunk.length;
      count++;
    }
    if (count === 0) return;
    this.chunks = this.chunks.slice(count);
    this.start = start;
  }
}
