/**
 * Somebody who looks at a step's output beside the step's own client, from now on. Promise: a watcher never holds up
 * the step. What it does not take in time is dropped, oldest first, and the offsets of what follows show the gap.
 */

import type { Sink } from "../../rpc/types.ts";
import { ITEM_OVERHEAD_BYTES, WATCHER_BYTES_MAX } from "./limits.ts";
import type { AttachItem } from "./output-queue.ts";

export class OutputWatcher {
  private readonly sink: Sink<AttachItem>;
  private waiting: AttachItem[] = [];
  private waitingBytes = 0;
  private isFinished = false;
  private hasLeft = false;
  private wakeUp: () => void = () => {};

  constructor(sink: Sink<AttachItem>) {
    this.sink = sink;
  }

  push(item: AttachItem): void {
    this.waiting.push(item);
    this.waitingBytes += costOf(item);
    while (this.waitingBytes > WATCHER_BYTES_MAX && this.dropOldest());
    this.wakeUp();
  }

  /** Nothing more comes. */
  finish(): void {
    this.isFinished = true;
    this.wakeUp();
  }

  leave(): void {
    this.hasLeft = true;
    this.wakeUp();
  }

  /**
   * Sends until the end, or until the watcher leaves.
   * @param tasks the tasks that run; null if none was started
   */
  async run(tasks: readonly number[] | null): Promise<void> {
    if (tasks !== null) await this.sink.send({ type: "started", tasks: [...tasks] });
    while (!this.hasLeft) {
      const item = this.waiting.shift();
      if (item !== undefined) {
        this.waitingBytes -= costOf(item);
        await this.sink.send(item);
      } else if (this.isFinished) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.wakeUp = resolve;
        });
      }
    }
  }

  /** False if only exits wait: there are no more of them than tasks. */
  private dropOldest(): boolean {
    const at = this.waiting.findIndex((item) => item.type === "data");
    const [dropped] = at < 0 ? [] : this.waiting.splice(at, 1);
    if (dropped === undefined) return false;
    this.waitingBytes -= costOf(dropped);
    return true;
  }
}

function costOf(item: AttachItem): number {
  return ITEM_OVERHEAD_BYTES + (item.type === "data" ? item.data.length : 0);
}
