/**
 * One end of a tunnel: connections on this side, frames (util/mux.ts) to and from the other.
 *
 * Promise: at most WINDOW_BYTES of each connection wait in either direction.
 */

import type { TcpStream } from "../../platform/tcp.ts";
import {
  encodeMux,
  FRAME_BYTES_MAX,
  type MuxFrame,
  MuxReader,
  takenBytes,
  takenFrame,
  WINDOW_BYTES,
} from "../../util/mux.ts";

interface Open {
  readonly stream: TcpStream;
  /** Bytes that the other side has not passed on yet. */
  sentBytes: number;
  hasEnded: boolean;
  hasOtherEnded: boolean;
}

const NOTHING = new Uint8Array(0);

export class Tunnel {
  private readonly send: (frame: Uint8Array) => void;
  private readonly connect: (() => TcpStream) | null;
  private readonly reader = new MuxReader();
  private readonly open = new Map<number, Open>();
  private nextId = 1;

  /**
   * @param send sends a frame to the other end
   * @param connect makes a connection when the other end asks for one; `null` where only this end does
   */
  constructor(send: (frame: Uint8Array) => void, connect: (() => TcpStream) | null) {
    this.send = send;
    this.connect = connect;
  }

  get count(): number {
    return this.open.size;
  }

  /** A connection that was made on this side. */
  accept(stream: TcpStream): void {
    const id = this.nextId++;
    this.send(encodeMux({ id, kind: "open", data: NOTHING }));
    this.add(id, stream);
  }

  /** Bytes from the other end. @throws Error if they are no frames */
  receive(chunk: Uint8Array): void {
    for (const frame of this.reader.take(chunk)) this.onFrame(frame);
  }

  close(): void {
    for (const { stream } of this.open.values()) stream.destroy();
    this.open.clear();
  }

  private onFrame(frame: MuxFrame): void {
    const { id, kind, data } = frame;
    if (kind === "open") {
      if (this.connect && !this.open.has(id)) this.add(id, this.connect());
      return;
    }
    const one = this.open.get(id);
    if (!one) return;
    if (kind === "data") {
      void one.stream.write(data).then(() => this.send(takenFrame(id, data.length)));
    } else if (kind === "taken") {
      one.sentBytes -= takenBytes(frame);
      if (one.sentBytes < WINDOW_BYTES / 2) one.stream.resume();
    } else {
      one.hasOtherEnded = true;
      one.stream.end();
      this.forgetIfOver(id, one);
    }
  }

  private add(id: number, stream: TcpStream): void {
    const one: Open = { stream, sentBytes: 0, hasEnded: false, hasOtherEnded: false };
    this.open.set(id, one);
    stream.start(
      (chunk) => {
        for (let at = 0; at < chunk.length; at += FRAME_BYTES_MAX) {
          this.send(encodeMux({ id, kind: "data", data: chunk.subarray(at, at + FRAME_BYTES_MAX) }));
        }
        one.sentBytes += chunk.length;
        if (one.sentBytes >= WINDOW_BYTES) stream.pause();
      },
      () => {
        one.hasEnded = true;
        this.send(encodeMux({ id, kind: "end", data: NOTHING }));
        this.forgetIfOver(id, one);
      },
    );
  }

  private forgetIfOver(id: number, one: Open): void {
    if (one.hasEnded && one.hasOtherEnded) this.open.delete(id);
  }
}
