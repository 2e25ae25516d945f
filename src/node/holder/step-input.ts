/**
 * Input of one step's tasks. A client numbers the bytes it sends, so a part that it repeats after a lost answer is
 * dropped and a gap is refused. A part is answered once the programs took enough of it for more to have room.
 */

import { RpcError } from "../../protocol/errors.ts";
import { INPUT_CLIENTS_MAX, INPUT_WAITING_BYTES_MAX } from "./limits.ts";

/** Where the input of one task goes: a pipe, or a terminal. */
export interface InputTarget {
  /** Takes all of `data`; false asks the caller to wait for `onRoom`. Ignored once closed. */
  write(data: Uint8Array): boolean;
  /** No more comes. */
  end(): void;
  close(): void;
  readonly closed: boolean;
  /** Called when there is room again, and when it closed. */
  onRoom: (() => void) | null;
}

export interface InputPart {
  /** Who sends it, where it is not the step's own client. */
  readonly client?: string | undefined;
  /** Null for all tasks. */
  readonly task: number | null;
  /** Position of the first byte in the client's input. */
  readonly offset: number;
  readonly data: Uint8Array;
  readonly eof: boolean;
}

export class StepInput {
  private readonly targets = new Map<number, InputTarget>();
  private readonly full = new Set<InputTarget>();
  /** Bytes accepted, by client and task, and under null those for all. */
  private readonly positions = new Map<string, number>();
  private waitingBytes = 0;
  private waiting: (() => void)[] = [];

  /** A task that takes input from the client. */
  addTarget(task: number, target: InputTarget): void {
    this.targets.set(task, target);
    target.onRoom = () => {
      this.full.delete(target);
      this.answerWaiting();
    };
  }

  /** The task's process is gone, and its input with it. */
  closeTarget(task: number): void {
    const target = this.targets.get(task);
    if (target === undefined) return;
    target.close();
    this.full.delete(target);
    this.answerWaiting();
  }

  close(): void {
    for (const task of this.targets.keys()) this.closeTarget(task);
  }

  /**
   * Passes input on; resolves when there is room for more. Tasks that closed their input are passed over.
   * @throws RpcError INPUT_CLOSED if nobody reads (any more), BAD_PARAMS for a gap, TOO_MANY_CALLS for a client that
   * does not wait for its answers
   */
  async accept(part: InputPart, signal: AbortSignal): Promise<void> {
    const targets = this.openTargets(part.task);
    const name = `${part.client ?? ""}/${part.task}`;
    if (!this.positions.has(name) && this.positions.size >= INPUT_CLIENTS_MAX) {
      throw new RpcError("TOO_MANY_CALLS", "too many clients gave input to this step");
    }
    const position = this.positions.get(name) ?? 0;
    const data = newBytes(part, position);
    if (this.waitingBytes > 0 && this.waitingBytes + data.length > INPUT_WAITING_BYTES_MAX) {
      throw new RpcError("TOO_MANY_CALLS", "too much input waits for the program", "wait for each answer");
    }
    this.positions.set(name, position + data.length);
    for (const target of targets) {
      if (data.length > 0 && !target.write(data)) this.full.add(target);
      if (part.eof) target.end();
    }
    this.waitingBytes += data.length;
    await this.room(signal);
  }

  private openTargets(task: number | null): InputTarget[] {
    const one = task === null ? undefined : this.targets.get(task);
    const addressed = task === null ? [...this.targets.values()] : one ? [one] : [];
    const open = addressed.filter((target) => !target.closed);
    if (open.length === 0) throw new RpcError("INPUT_CLOSED", "no task reads input any more");
    return open;
  }

  private async room(signal: AbortSignal): Promise<void> {
    if (this.full.size > 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
        // Who gave up waiting has no answer to get; its input is on its way all the same.
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    if (this.full.size === 0) this.waitingBytes = 0;
  }

  private answerWaiting(): void {
    if (this.full.size > 0) return;
    this.waitingBytes = 0;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** What of a part was not accepted before. */
function newBytes({ offset, data }: InputPart, position: number): Uint8Array {
  if (offset > position) {
    throw new RpcError("BAD_PARAMS", `input from byte ${offset}, but byte ${position} is the next one`);
  }
  return data.subarray(Math.min(position - offset, data.length));
}
