/**
 * The sending end of a stream. Promises: at most the window plus one item is unacknowledged; items leave in the
 * order of `send`, also when it is called again before the last one resolved.
 */

import { encodeFrame } from "../protocol/codec.ts";
import { FRAME_NOTIFY, STREAM_WINDOW_BYTES } from "../protocol/envelope.ts";
import { RpcError } from "../protocol/errors.ts";
import { Fifo } from "./fifo.ts";
import type { Outbox } from "./outbox.ts";
import type { Sink } from "./types.ts";

/** Items that wait for the window: only senders that do not await `send` get there. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** A `send` that has not resolved. */
interface PendingSend {
  /** Null once it left. */
  frame: Uint8Array | null;
  readonly resolve: () => void;
  readonly reject: (error: RpcError) => void;
}

export class StreamSink implements Sink<unknown> {
  onAcknowledged: ((bytes: number) => void) | null = null;
  unacknowledged = 0;
  private readonly call: number;
  private readonly outbox: Outbox;
  /** In order: first the send whose frame left and that waits for room, then those whose frames wait. */
  private readonly pending = new Fifo<PendingSend>();
  private waitingBytes = 0;
  private stopped: RpcError | null = null;
  private flushed: (() => void) | null = null;

  constructor(call: number, outbox: Outbox) {
    this.call = call;
    this.outbox = outbox;
  }

  send(item: unknown): Promise<void> {
    if (this.stopped) return quietly(Promise.reject(this.stopped));
    let frame: Uint8Array | null;
    try {
      frame = encodeFrame([FRAME_NOTIFY, "stream.item", { call: this.call, value: item }]);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.waitingBytes === 0 && this.hasRoom()) {
      this.transmit(frame);
      if (this.hasRoom()) return Promise.resolve();
      frame = null;
    } else if (this.waitingBytes + frame.length > WAITING_BYTES_MAX) {
      return Promise.reject(new RpcError("TOO_LARGE", "too many items wait for the stream's window"));
    }
    this.waitingBytes += frame?.length ?? 0;
    return quietly(
      new Promise((resolve, reject) => {
        this.pending.push({ frame, resolve, reject });
      }),
    );
  }

  /**
   * The caller consumed so much more.
   * @throws RpcError MALFORMED if that is more than was sent
   */
  acknowledge(bytes: number): void {
    if (bytes > this.unacknowledged) throw new RpcError("MALFORMED", "a stream.ack for more than was sent");
    this.unacknowledged -= bytes;
    this.onAcknowledged?.(bytes);
    this.pump();
  }

  /** Sends and resolves what now has room. */
  pump(): void {
    for (;;) {
      const first = this.pending.peek();
      if (first === undefined || !this.hasRoom()) break;
      if (first.frame === null) {
        this.pending.shift();
        first.resolve();
      } else {
        this.waitingBytes -= first.frame.length;
        this.transmit(first.frame);
        first.frame = null;
      }
    }
    this.reportFlushed();
  }

  /** Calls back once every item has left, or none will leave any more. */
  whenFlushed(callback: () => void): void {
    this.flushed = callback;
    this.reportFlushed();
  }

  /** Nothing leaves any more: sends reject with `error`. */
  stop(error: RpcError): void {
    if (this.stopped) return;
    this.stopped = error;
    this.waitingBytes = 0;
    for (;;) {
      const next = this.pending.shift();
      if (next === undefined) break;
      next.reject(error);
    }
    this.reportFlushed();
  }

  private hasRoom(): boolean {
    return this.unacknowledged < STREAM_WINDOW_BYTES && !this.outbox.blocked;
  }

  private transmit(frame: Uint8Array): void {
    this.unacknowledged += frame.length;
    this.outbox.send(frame);
  }

  private reportFlushed(): void {
    if (this.waitingBytes > 0 || this.flushed === null) return;
    const flushed = this.flushed;
    this.flushed = null;
    flushed();
  }
}

/** A daemon must not die because someone stopped listening to a sender that does not wait for its sends. */
function quietly(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
