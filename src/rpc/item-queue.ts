/**
 * The receiving end of a stream: items are consumed one at a time and in order, and acknowledged after that.
 * Promises: all is acknowledged whenever the consumer has caught up, and a quarter of the window earlier if it has
 * not, so the sender never stalls without cause. One that acknowledges late does so each quarter of the window alone.
 */

import { STREAM_WINDOW_BYTES } from "../protocol/envelope.ts";
import { RpcError } from "../protocol/errors.ts";
import { Fifo } from "./fifo.ts";

/** Consumed bytes that are acknowledged while more items wait. */
const ACKNOWLEDGE_BYTES = STREAM_WINDOW_BYTES / 4;

export interface ItemConsumer {
  consume(value: unknown): void | Promise<void>;
  acknowledge(bytes: number): void;
  /** `consume` threw or rejected; nothing more will be consumed. */
  fail(error: unknown): void;
}

interface QueuedItem {
  readonly value: unknown;
  readonly bytes: number;
}

export class ItemQueue {
  private readonly consumer: ItemConsumer;
  private readonly isLate: boolean;
  private readonly items = new Fifo<QueuedItem>();
  private busy = false;
  private stopped = false;
  private unacknowledgedBytes = 0;
  private consumedBytes = 0;
  private acknowledgePending = false;
  private caughtUp: (() => void) | null = null;

  constructor(consumer: ItemConsumer, isLate = false) {
    this.consumer = consumer;
    this.isLate = isLate;
  }

  /** @throws RpcError MALFORMED if the sender should have waited for an acknowledgement */
  push(value: unknown, bytes: number): void {
    if (this.stopped) return;
    if (this.unacknowledgedBytes >= STREAM_WINDOW_BYTES) {
      throw new RpcError("MALFORMED", "a stream.item beyond the stream's window");
    }
    this.unacknowledgedBytes += bytes;
    this.items.push({ value, bytes });
    if (!this.busy) this.run();
  }

  /** Calls back when all that came before is consumed. Acknowledges no more: after the answer nobody listens. */
  whenCaughtUp(callback: () => void): void {
    this.caughtUp = callback;
    if (!this.busy) this.run();
  }

  /** Drops what waits; an item that is being consumed goes on unheard. */
  stop(): void {
    this.stopped = true;
    this.items.clear();
  }

  private run(): void {
    this.busy = true;
    for (;;) {
      const item = this.items.shift();
      if (item === undefined) break;
      const { value, bytes } = item;
      let pending: void | Promise<void>;
      try {
        pending = this.consumer.consume(value);
      } catch (error) {
        return this.fail(error);
      }
      if (pending instanceof Promise) {
        pending.then(
          () => {
            this.consumed(bytes);
            this.run();
          },
          (error: unknown) => this.fail(error),
        );
        return;
      }
      this.consumed(bytes);
    }
    this.busy = false;
    if (this.stopped) return;
    if (this.caughtUp) this.caughtUp();
    else this.acknowledgeSoon();
  }

  private consumed(bytes: number): void {
    this.consumedBytes += bytes;
    if (this.consumedBytes >= ACKNOWLEDGE_BYTES) this.acknowledge();
  }

  /** One acknowledgement for all items of a received chunk, not one each. */
  private acknowledgeSoon(): void {
    if (this.isLate || this.acknowledgePending || this.consumedBytes === 0) return;
    this.acknowledgePending = true;
    void Promise.resolve().then(() => {
      this.acknowledgePending = false;
      this.acknowledge();
    });
  }

  private acknowledge(): void {
    if (this.stopped || this.caughtUp || this.consumedBytes === 0) return;
    const bytes = this.consumedBytes;
    this.consumedBytes = 0;
    this.unacknowledgedBytes -= bytes;
    this.consumer.acknowledge(bytes);
  }

  private fail(error: unknown): void {
    if (this.stopped) return;
    this.stop();
    this.consumer.fail(error);
  }
}
