/**
 * What is typed on the user's terminal, to the program. Unlike plain input it is read before the program has room for
 * more, up to a limit: the keys for the client must work while the program reads nothing.
 */

import type { Input } from "../context.ts";

/** What waits for a program that does not read. Above it typing waits too. */
const WAITING_BYTES_MAX = 1024 * 1024;

/** Largest part in one call. */
const PART_BYTES_MAX = 64 * 1024;

/** Hands a part on; resolves when there is room for more. False: nobody reads any more. */
export type Typing = (offset: number, data: Uint8Array) => Promise<boolean>;

export class TerminalInput {
  private readonly send: Typing;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private offset = 0;
  private isSending = false;
  private isClosed = false;
  private wakeReader: () => void = () => {};
  private fail: (error: unknown) => void = () => {};

  constructor(send: Typing) {
    this.send = send;
  }

  /** Reads until the end of the input, or until nobody takes it. `filter` says what of it is for the program. */
  async forward(input: Input, filter: (chunk: Uint8Array) => Uint8Array): Promise<void> {
    const failed = new Promise<never>((_resolve, reject) => {
      this.fail = reject;
    });
    const reading = input.read(async (chunk) => {
      this.push(filter(chunk));
      if (this.waitingBytes < WAITING_BYTES_MAX) return;
      await new Promise<void>((resolve) => {
        this.wakeReader = resolve;
      });
    });
    await Promise.race([reading, failed]);
  }

  /** Adds to what is typed. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.isClosed) return;
    for (let at = 0; at < bytes.length; at += PART_BYTES_MAX) {
      // A copy: the reader may use its buffer again.
      this.waiting.push(bytes.slice(at, at + PART_BYTES_MAX));
    }
    this.waitingBytes += bytes.length;
    if (!this.isSending) this.sendAll().catch(this.fail);
  }

  private async sendAll(): Promise<void> {
    this.isSending = true;
    for (let part = this.waiting.shift(); part && !this.isClosed; part = this.waiting.shift()) {
      this.isClosed = !(await this.send(this.offset, part));
      this.offset += part.length;
      this.waitingBytes -= part.length;
      if (this.waitingBytes < WAITING_BYTES_MAX) this.wakeReader();
    }
    this.isSending = false;
  }
}
