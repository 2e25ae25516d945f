/**
 * What a connection still has to send. Frames of one turn leave in one write; while the socket is full they wait
 * here, in order. Promises: never holds more than UNSENT_BYTES_MAX; who exceeds it is told once, through `overflow`.
 */

import type { Connection } from "../platform/net.ts";
import { Fifo } from "./fifo.ts";

/** A peer that leaves this much unread is stuck, and would otherwise fill memory. */
export const UNSENT_BYTES_MAX = 64 * 1024 * 1024;

/** Frames are joined up to about this size: one system call for many small ones, no copies of large ones. */
const WRITE_BYTES = 64 * 1024;

export class Outbox {
  /** True while the socket takes no more: who sends much should wait for a drain. */
  blocked = false;
  private connection: Connection | null = null;
  private readonly frames = new Fifo<Uint8Array>();
  private unsentBytes = 0;
  private flushPending = false;
  private ended = false;
  private readonly overflow: () => void;

  constructor(overflow: () => void) {
    this.overflow = overflow;
  }

  /** Frames sent before are held until now. */
  open(connection: Connection): void {
    this.connection = connection;
    this.flush();
  }

  send(frame: Uint8Array): void {
    if (this.ended) return;
    this.frames.push(frame);
    this.unsentBytes += frame.length;
    if (this.unsentBytes > UNSENT_BYTES_MAX) {
      this.flush();
      if (this.unsentBytes > UNSENT_BYTES_MAX) return this.overflow();
    }
    if (this.flushPending) return;
    this.flushPending = true;
    // Not queueMicrotask: what Node makes for each call costs a command more than its answer.
    void Promise.resolve().then(() => {
      this.flushPending = false;
      this.flush();
    });
  }

  /** The socket has room again. */
  drained(): void {
    this.blocked = false;
    this.flush();
  }

  /** Hands all that waits to the socket, then closes it. */
  finish(): void {
    while (this.connection !== null && this.frames.length > 0) this.drained();
    this.discard();
  }

  /** Forgets all that waits, and closes the socket. */
  discard(): void {
    if (this.ended) return;
    this.ended = true;
    this.frames.clear();
    this.unsentBytes = 0;
    this.connection?.close();
  }

  private flush(): void {
    if (this.connection === null) return;
    while (this.frames.length > 0 && !this.blocked) this.blocked = !this.connection.write(this.takeBatch());
  }

  /** One frame, or several small ones copied together. */
  private takeBatch(): Uint8Array {
    const first = this.frames.shift() as Uint8Array;
    const batch = [first];
    let bytes = first.length;
    for (;;) {
      const next = this.frames.peek();
      if (next === undefined || bytes + next.length > WRITE_BYTES) break;
      this.frames.shift();
      batch.push(next);
      bytes += next.length;
    }
    this.unsentBytes -= bytes;
    return batch.length === 1 ? first : join(batch, bytes);
  }
}

function join(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
