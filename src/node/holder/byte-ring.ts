/** The newest bytes of a stream, each known by its position in it. */

import { concatBytes } from "./output-queue.ts";

/** Small parts are joined up to this size: a spinner for hours must not become a million parts. */
const CHUNK_BYTES = 16 * 1024;

interface Chunk {
  /** Position of its first byte. */
  readonly start: number;
  /** What is filled of it; `room` is what it has. */
  data: Uint8Array;
  readonly room: Uint8Array | null;
}

export class ByteRing {
  /** Position of the first byte that is kept. */
  start = 0;
  /** Position after the last one. */
  end = 0;
  private chunks: Chunk[] = [];

  push(data: Uint8Array): void {
    if (data.length === 0) return;
    if (!this.joinLast(data)) this.chunks.push(this.makeChunk(data));
    this.end += data.length;
  }

  /** Bytes from a position on, at most so many; fewer where a chunk ends. `from` must be kept. */
  read(from: number, bytesMax: number): Uint8Array {
    const chunk = this.chunks[this.indexOf(from)];
    if (!chunk) return new Uint8Array(0);
    const at = from - chunk.start;
    return chunk.data.subarray(at, at + bytesMax);
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
    for (const chunk of this.chunks) {
      if (chunk.start + chunk.data.length > to) break;
      count++;
    }
    if (count === 0) return;
    this.chunks.splice(0, count);
    this.start = this.chunks[0]?.start ?? this.end;
  }

  private makeChunk(data: Uint8Array): Chunk {
    if (data.length >= CHUNK_BYTES) return { start: this.end, data, room: null };
    const room = new Uint8Array(CHUNK_BYTES);
    room.set(data);
    return { start: this.end, data: room.subarray(0, data.length), room };
  }

  /** Parts that were read before stay as they are: what is added comes behind them. */
  private joinLast(data: Uint8Array): boolean {
    const last = this.chunks.at(-1);
    if (!last?.room || last.data.length + data.length > last.room.length) return false;
    last.room.set(data, last.data.length);
    last.data = last.room.subarray(0, last.data.length + data.length);
    return true;
  }

  /** Index of the chunk that holds a position; -1 if none does. */
  private indexOf(position: number): number {
    let low = 0;
    let high = this.chunks.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const chunk = this.chunks[middle];
      if (!chunk || position < chunk.start) high = middle - 1;
      else if (position >= chunk.start + chunk.data.length) low = middle + 1;
      else return middle;
    }
    return -1;
  }
}
