/**
 * Several connections over one pair of byte streams. A frame is a u32 number of the connection, a u8 kind and a u32
 * length (big-endian), then so many bytes. Either side sends at most WINDOW_BYTES of a connection before the other has
 * said (`taken`, a u32) that it passed them on, so that a slow reader fills no memory anywhere.
 */

/** What a frame says of its connection. */
export type MuxKind = "open" | "data" | "end" | "taken";

export interface MuxFrame {
  readonly id: number;
  readonly kind: MuxKind;
  readonly data: Uint8Array;
}

/** Bytes of one connection that are on their way at most. */
export const WINDOW_BYTES = 256 * 1024;

/** Largest frame that is made, and taken. */
export const FRAME_BYTES_MAX = 64 * 1024;

const HEADER_BYTES = 9;
const KINDS: readonly MuxKind[] = ["open", "data", "end", "taken"];

/** A frame's bytes. `data` has at most FRAME_BYTES_MAX. */
export function encodeMux({ id, kind, data }: MuxFrame): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, id);
  view.setUint8(4, KINDS.indexOf(kind));
  view.setUint32(5, data.length);
  bytes.set(data, HEADER_BYTES);
  return bytes;
}

/** A `taken` of so many bytes. */
export function takenFrame(id: number, bytes: number): Uint8Array {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setUint32(0, bytes);
  return encodeMux({ id, kind: "taken", data });
}

/** The bytes that a `taken` is about. */
export function takenBytes({ data }: MuxFrame): number {
  return data.length === 4 ? new DataView(data.buffer, data.byteOffset).getUint32(0) : 0;
}

/** Finds the frames in a stream, however it is cut. */
export class MuxReader {
  private rest: Uint8Array = new Uint8Array(0);

  /** @throws Error for what is no stream of frames */
  take(chunk: Uint8Array): MuxFrame[] {
    const frames: MuxFrame[] = [];
    let bytes = joined(this.rest, chunk);
    for (;;) {
      if (bytes.length < HEADER_BYTES) break;
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const kind = KINDS[view.getUint8(4)];
      const length = view.getUint32(5);
      if (kind === undefined || length > FRAME_BYTES_MAX) throw new Error("the other end does not speak our language");
      if (bytes.length < HEADER_BYTES + length) break;
      const data = bytes.slice(HEADER_BYTES, HEADER_BYTES + length);
      frames.push({ id: view.getUint32(0), kind, data });
      bytes = bytes.subarray(HEADER_BYTES + length);
    }
    this.rest = bytes.slice();
    return frames;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
