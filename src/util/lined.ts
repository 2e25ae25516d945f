/**
 * Bytes through a channel that passes on whole lines only, as Slurm does with what its tasks print: frames of four bytes of
 * length, the bytes, and a line's end. Whatever was printed before the first frame (by a site's own scripts) is passed over.
 */

/** Stands before the first frame. */
const MARK = new TextEncoder().encode("\nMGPU-RELAY-1\n");

const LENGTH_BYTES = 4;
const LINE_END = 0x0a;

/** Longest frame that is believed. */
const FRAME_BYTES_MAX = 1 << 20;

/** What the sending end says first. */
export function linedMark(): Uint8Array {
  return MARK;
}

/** Bytes as frames. */
export function linedFrames(data: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += FRAME_BYTES_MAX) {
    const part = data.subarray(at, at + FRAME_BYTES_MAX);
    const frame = new Uint8Array(LENGTH_BYTES + part.length + 1);
    new DataView(frame.buffer).setUint32(0, part.length);
    frame.set(part, LENGTH_BYTES);
    frame[frame.length - 1] = LINE_END;
    frames.push(frame);
  }
  return frames;
}

/** Takes the channel's bytes, gives those that were sent. */
export class LinedReader {
  /** The mark came by: somebody of ours is at the other end. */
  isOpen = false;
  private held: Uint8Array = new Uint8Array(0);

  /** @throws Error if what comes are no frames */
  take(chunk: Uint8Array): Uint8Array[] {
    this.held = this.held.length === 0 ? chunk : joined(this.held, chunk);
    if (!this.isOpen && !this.passMark()) return [];
    const parts: Uint8Array[] = [];
    let at = 0;
    for (;;) {
      const { held } = this;
      if (held.length - at < LENGTH_BYTES) break;
      const length = new DataView(held.buffer, held.byteOffset + at).getUint32(0);
      if (length === 0 || length > FRAME_BYTES_MAX) throw new Error("the way through Slurm carried nonsense");
      const end = at + LENGTH_BYTES + length;
      if (held.length < end + 1) break;
      parts.push(held.slice(at + LENGTH_BYTES, end));
      at = end + 1;
    }
    this.held = this.held.subarray(at);
    return parts;
  }

  private passMark(): boolean {
    const { held } = this;
    const at = indexOf(held, MARK);
    if (at < 0) {
      this.held = held.subarray(Math.max(0, held.length - MARK.length + 1));
      return false;
    }
    this.held = held.subarray(at + MARK.length);
    this.isOpen = true;
    return true;
  }
}

function indexOf(bytes: Uint8Array, pattern: Uint8Array): number {
  for (let at = 0; at + pattern.length <= bytes.length; at++) {
    if (pattern.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
