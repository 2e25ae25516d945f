/**
 * One client that sees a terminal: gets the output from where it stands, or a picture of the screen where that output
 * is no longer kept, and then what comes.
 *
 * Promise: `run` resolves only when the step is over and all was sent and acknowledged.
 */

import type { ExitStatus } from "../../core/job.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { TerminalView } from "../../protocol/procedures.ts";
import type { Sink } from "../../rpc/types.ts";
import type { ByteRing } from "./byte-ring.ts";
import { ITEM_BYTES_MAX } from "./limits.ts";
import type { AttachItem } from "./output-queue.ts";
import type { Picture } from "./screen-state.ts";

export interface ViewedTerminal {
  readonly ring: ByteRing;
  readonly task: number;
  /** How the program ended, once all of its output was read. */
  exit(): ExitStatus | null;
  isFinished(): boolean;
  picture(scrollback: number): Promise<Picture>;
  /** Something was sent or acknowledged. */
  onProgress(): void;
}

export class TerminalViewer {
  readonly view: TerminalView;
  private readonly sink: Sink<AttachItem>;
  private readonly terminal: ViewedTerminal;
  /** Position of the next byte to send; `null` if a picture comes first. */
  private next: number | null;
  private scrollback: number;
  private toldExit = false;
  private error: RpcError | null = null;
  private wakeUp: (() => void) | null = null;
  private interrupt: (() => void) | null = null;

  constructor(view: TerminalView, sink: Sink<AttachItem>, terminal: ViewedTerminal) {
    this.view = view;
    this.sink = sink;
    this.terminal = terminal;
    this.next = view.from;
    this.scrollback = view.scrollback;
    sink.onAcknowledged = () => {
      terminal.onProgress();
      this.wake();
    };
  }

  /** Position up to which the client surely has everything. */
  get takenTo(): number {
    return Math.max(0, (this.next ?? this.terminal.ring.end) - this.sink.unacknowledged);
  }

  /**
   * @param tasks the tasks that run; null if none was started
   * @throws RpcError what {@link end} was given, or why the sink takes no more
   */
  async run(tasks: readonly number[] | null): Promise<void> {
    if (tasks !== null) await this.deliver({ type: "started", tasks: [...tasks] });
    for (;;) {
      if (this.error) throw this.error;
      const item = await this.nextItem();
      if (item !== null) await this.deliver(item);
      else if (this.terminal.isFinished() && this.sink.unacknowledged === 0) return;
      else await this.change();
    }
  }

  /** Sends the whole screen once more, before anything else. */
  redraw(): void {
    this.next = null;
    this.scrollback = 0;
    this.wake();
  }

  /** Stops sending. */
  end(error: RpcError): void {
    this.error ??= error;
    this.sink.onAcknowledged = null;
    this.interrupt?.();
    this.wake();
  }

  /** There is more to send, or the end. */
  wake(): void {
    this.wakeUp?.();
  }

  private async nextItem(): Promise<AttachItem | null> {
    const { ring, task } = this.terminal;
    if (this.next === null || this.next < ring.start || this.next > ring.end) return this.screenItem();
    if (this.next < ring.end) {
      const offset = this.next;
      const data = ring.read(offset, ITEM_BYTES_MAX);
      this.next += data.length;
      return { type: "data", task, stream: "out", offset, data };
    }
    const exit = this.terminal.exit();
    if (exit === null || this.toldExit) return null;
    this.toldExit = true;
    return { type: "exit", task, exit };
  }

  private async screenItem(): Promise<AttachItem> {
    const { offset, size, data } = await this.terminal.picture(this.scrollback);
    this.next = offset;
    // What follows a gap belongs below what the client has.
    this.scrollback = 0;
    return { type: "screen", task: this.terminal.task, offset, ...size, data };
  }

  private async deliver(item: AttachItem): Promise<void> {
    const room = this.sink.send(item);
    await new Promise<void>((resolve, reject) => {
      // A client that takes nothing must not keep a takeover waiting.
      this.interrupt = resolve;
      if (this.error) resolve();
      room.then(resolve, reject);
    });
    this.terminal.onProgress();
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

/** The error for who wants to type where somebody else does. */
export function busy(writer: TerminalView): RpcError {
  const hint = "--read-only looks on, --steal takes it over";
  return new RpcError("SESSION_BUSY", `${writer.who} is attached to this session`, hint);
}
