/**
 * Input typed into a terminal. A terminal takes what its program has room for and refuses the rest; that waits here
 * and is offered again every few milliseconds, without spinning and without blocking anybody.
 */

import type { Cancel, Clock } from "../../platform/clock.ts";
import type { Pty } from "../../platform/pty.ts";
import { PTY_RETRY_MS_MAX, PTY_RETRY_MS_MIN } from "./limits.ts";
import type { InputTarget } from "./step-input.ts";

/** Ctrl-D: what a terminal has in place of an end of file. */
const END_OF_FILE = new Uint8Array([4]);

export class PtyInput implements InputTarget {
  closed = false;
  onRoom: (() => void) | null = null;
  private readonly clock: Clock;
  private readonly pty: Pty;
  private waiting: Uint8Array[] = [];
  private retryMs = PTY_RETRY_MS_MIN;
  private cancelRetry: Cancel | null = null;

  constructor(clock: Clock, pty: Pty) {
    this.clock = clock;
    this.pty = pty;
  }

  write(data: Uint8Array): boolean {
    if (this.closed) return true;
    this.waiting.push(data);
    if (this.cancelRetry === null) this.flush();
    return this.waiting.length === 0;
  }

  /** A terminal stays open: its program is told, and may read on. */
  end(): void {
    this.write(END_OF_FILE);
  }

  close(): void {
    this.closed = true;
    this.waiting = [];
    this.cancelRetry?.();
    this.cancelRetry = null;
    this.onRoom?.();
  }

  private flush(): void {
    for (;;) {
      const [first] = this.waiting;
      if (first === undefined) return this.onRoom?.();
      const taken = this.pty.type(first);
      if (taken > 0) this.retryMs = PTY_RETRY_MS_MIN;
      if (taken < first.length) {
        this.waiting[0] = first.subarray(taken);
        return this.retry();
      }
      this.waiting.shift();
    }
  }

  private retry(): void {
    this.cancelRetry = this.clock.after(this.retryMs, () => {
      this.cancelRetry = null;
      this.flush();
    });
    this.retryMs = Math.min(this.retryMs * 2, PTY_RETRY_MS_MAX);
  }
}
