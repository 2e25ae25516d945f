/**
 * The output of one step that no client has acknowledged yet, in the order in which it is sent. This queue is also
 * the replay buffer: an item leaves it when it was acknowledged, so a lost client costs nothing.
 *
 * Promises: nothing is reordered within a task's stream, and offsets count every byte ever pushed.
 */

import type { ExitStatus } from "../../core/job.ts";
import type { Item } from "../../protocol/procedures.ts";
import { ITEM_BYTES_MAX, ITEM_OVERHEAD_BYTES } from "./limits.ts";

export type AttachItem = Item<"step.attach">;
export type StreamName = "out" | "err";

export interface QueuedItem {
  item: AttachItem;
  /** Bytes it counts for. */
  costBytes: number;
  /** Sent to some client already: it may no longer grow. */
  sent: boolean;
}

export class OutputQueue {
  /** Data and overhead of all items. */
  costBytes = 0;
  /** Sequence number of the oldest item; the newest has `first + length - 1`. */
  first = 0;
  private readonly items: QueuedItem[] = [];
  private readonly offsets = new Map<string, number>();

  /** The item of that sequence number; undefined if it left or is still to come. */
  at(sequence: number): QueuedItem | undefined {
    return this.items[sequence - this.first];
  }

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  /** Returns the position of the first byte within that task's stream. */
  pushData(task: number, stream: StreamName, data: Uint8Array): number {
    const name = `${task}.${stream}`;
    const start = this.offsets.get(name) ?? 0;
    let offset = start;
    this.offsets.set(name, offset + data.length);
    for (let from = 0; from < data.length; from += ITEM_BYTES_MAX) {
      const part = data.subarray(from, from + ITEM_BYTES_MAX);
      if (!this.growLast(task, stream, part)) {
        this.push({ type: "data", task, stream, offset, data: part }, part.length);
      }
      offset += part.length;
    }
    return start;
  }

  pushExit(task: number, exit: ExitStatus): void {
    this.push({ type: "exit", task, exit }, 0);
  }

  removeFirst(): void {
    const removed = this.items.shift();
    if (removed === undefined) return;
    this.first++;
    this.costBytes -= removed.costBytes;
  }

  /** Drops the oldest items until at most so many bytes are left; the newest stays. */
  trim(bytesMax: number): void {
    while (this.costBytes > bytesMax && this.items.length > 1) this.removeFirst();
  }

  /** Lets go of everything; returns how many bytes of output that was. */
  clear(): number {
    let dataBytes = 0;
    for (const { item } of this.items) if (item.type === "data") dataBytes += item.data.length;
    while (!this.isEmpty) this.removeFirst();
    return dataBytes;
  }

  /** Joins small parts while nobody reads them: a trickle for hours must not become a million items. */
  private growLast(task: number, stream: StreamName, part: Uint8Array): boolean {
    const last = this.items.at(-1);
    if (last === undefined || last.sent || last.item.type !== "data") return false;
    const { item } = last;
    if (item.task !== task || item.stream !== stream || item.data.length + part.length > ITEM_BYTES_MAX) return false;
    last.item = { ...item, data: concatBytes([item.data, part]) };
    last.costBytes += part.length;
    this.costBytes += part.length;
    return true;
  }

  private push(item: AttachItem, dataBytes: number): void {
    const costBytes = dataBytes + ITEM_OVERHEAD_BYTES;
    this.items.push({ item, costBytes, sent: false });
    this.costBytes += costBytes;
  }
}

/** One array of all parts; the part itself if there is just one. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
