/**
 * One client that takes a step's output. Sends what the queue holds from its start, then what comes, and removes
 * from the queue what the client acknowledged.
 *
 * Promise: `run` resolves only when the step is over and all of its output was acknowledged.
 */

import type { RpcError } from "../../protocol/errors.ts";
import type { Sink } from "../../rpc/types.ts";
import type { AttachItem, OutputQueue } from "./output-queue.ts";

/** An item on its way. */
interface InFlight {
  /** Whether it is the queue's: `started` is not. */
  readonly queued: boolean;
  /** Bytes that this client was sent up to its end; null while the window still holds it back. */
  endBytes: number | null;
}

export interface AttachmentPorts {
  /** Something was acknowledged. */
  onProgress(): void;
  /** Whether nothing more will be pushed. */
  isFinished(): boolean;
}

export class Attachment {
  private readonly queue: OutputQueue;
  private readonly sink: Sink<AttachItem>;
  private readonly ports: AttachmentPorts;
  private readonly inFlight: InFlight[] = [];
  private acknowledgedBytes = 0;
  private sentBytes = 0;
  private error: RpcError | null = null;
  private wakeUp: (() => void) | null = null;
  private interrupt: (() => void) | null = null;

  constructor(queue: OutputQueue, sink: Sink<AttachItem>, ports: AttachmentPorts) {
    this.queue = queue;
    this.sink = sink;
    this.ports = ports;
    sink.onAcknowledged = (bytes) => this.onAcknowledged(bytes);
  }

  /**
   * Sends until the end.
   * @param tasks the tasks that run; null if none was started
   * @throws RpcError what {@link end} was given, or why the sink takes no more
   */
  async run(tasks: readonly number[] | null): Promise<void> {
    if (tasks !== null) await this.deliver({ type: "started", tasks: [...tasks] }, false);
    let next = this.queue.first;
    for (;;) {
      if (this.error) throw this.error;
      const queued = this.queue.at(next);
      if (queued !== undefined) {
        next++;
        queued.sent = true;
        await this.deliver(queued.item, true);
      } else if (this.ports.isFinished() && this.inFlight.length === 0) {
        return;
      } else {
        await this.change();
      }
    }
  }

  /** Stops sending; what was not acknowledged stays queued. */
  end(error: RpcError): void {
    this.error ??= error;
    this.sink.onAcknowledged = null;
    this.interrupt?.();
    this.wake();
  }

  /** The queue grew, or is finished. */
  wake(): void {
    this.wakeUp?.();
  }

  private async deliver(item: AttachItem, queued: boolean): Promise<void> {
    const entry: InFlight = { queued, endBytes: null };
    this.inFlight.push(entry);
    const room = this.sink.send(item);
    this.measure();
    await new Promise<void>((resolve, reject) => {
      // A client that takes nothing must not keep a takeover waiting.
      this.interrupt = resolve;
      if (this.error) resolve();
      room.then(resolve, reject);
    });
    this.measure();
  }

  /** The sink counts frames; the last item's is what the total grew by. */
  private measure(): void {
    const totalBytes = this.acknowledgedBytes + this.sink.unacknowledged;
    const last = this.inFlight.at(-1);
    if (totalBytes <= this.sentBytes) return;
    this.sentBytes = totalBytes;
    if (last?.endBytes === null) last.endBytes = totalBytes;
  }

  private onAcknowledged(bytes: number): void {
    this.acknowledgedBytes += bytes;
    this.measure();
    for (;;) {
      const [oldest] = this.inFlight;
      if (oldest === undefined || oldest.endBytes === null || oldest.endBytes > this.acknowledgedBytes) break;
      this.inFlight.shift();
      if (oldest.queued) this.queue.removeFirst();
    }
    this.ports.onProgress();
    this.wake();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => {
      this.wakeUp = () => {
        this.wakeUp = null;
        resolve();
      };
    });
  }
}
