/**
 * A Net in memory, with the habits of sockets: bytes arrive later, in other pieces than they were written, and a
 * receiver that pauses makes its sender's `write` return false. Sizes and moments are the same in every run.
 */

import type { Address, Connection, ConnectionEvents, Listener, Net } from "../../../src/platform/net.ts";

export interface MemoryNetOptions {
  /** Bytes that arrive at once; Infinity leaves chunks as written. */
  readonly chunkBytes?: number;
  /** Unread bytes from which on `write` returns false. */
  readonly highWaterBytes?: number;
}

export interface MemoryNet extends Net {
  /** Cuts every open connection, as a dead machine would. Both ends are told `problem`. */
  breakAll(problem: string): void;
  /** Stops and restarts delivery to the accepting ends. */
  pauseAccepted(): void;
  resumeAccepted(): void;
}

export function memoryNet(options: MemoryNetOptions = {}): MemoryNet {
  const { chunkBytes = Number.POSITIVE_INFINITY, highWaterBytes = 64 * 1024 } = options;
  const listening = new Map<string, (connection: Connection) => ConnectionEvents>();
  const ends = new Set<End>();
  const accepted = new Set<End>();

  return { connect, listen, removeStale, breakAll, pauseAccepted, resumeAccepted };

  async function connect({ path }: Address, events: ConnectionEvents): Promise<Connection> {
    await Promise.resolve();
    const accept = listening.get(path);
    if (accept === undefined) throw Object.assign(new Error(`connect ENOENT ${path}`), { code: "ENOENT" });
    const near = new End(chunkBytes, highWaterBytes);
    const far = new End(chunkBytes, highWaterBytes);
    near.join(far);
    far.join(near);
    near.events = events;
    far.events = accept(far);
    ends.add(near).add(far);
    accepted.add(far);
    return near;
  }

  async function listen({ path }: Address, accept: (connection: Connection) => ConnectionEvents): Promise<Listener> {
    await Promise.resolve();
    if (listening.has(path)) throw Object.assign(new Error(`listen EADDRINUSE ${path}`), { code: "EADDRINUSE" });
    listening.set(path, accept);
    return { close: () => void listening.delete(path) };
  }

  function removeStale({ path }: Address): void {
    listening.delete(path);
  }

  function breakAll(problem: string): void {
    for (const end of ends) end.over(problem);
    ends.clear();
    accepted.clear();
  }

  function pauseAccepted(): void {
    for (const end of accepted) end.pause();
  }

  function resumeAccepted(): void {
    for (const end of accepted) end.resume();
  }
}

/** One end of a connection: holds what was written to it and not yet delivered. */
class End implements Connection {
  events: ConnectionEvents | null = null;
  private other: End | null = null;
  private inbox: Uint8Array[] = [];
  private inboxBytes = 0;
  private writerWaits = false;
  private closing = false;
  private isOver = false;
  private paused = false;
  private scheduled = false;
  private readonly chunkBytes: number;
  private readonly highWaterBytes: number;

  constructor(chunkBytes: number, highWaterBytes: number) {
    this.chunkBytes = chunkBytes;
    this.highWaterBytes = highWaterBytes;
  }

  join(other: End): void {
    this.other = other;
  }

  write(data: Uint8Array): boolean {
    const { other } = this;
    if (this.isOver || this.closing || other === null || other.isOver) return false;
    for (let at = 0; at < data.length; at += this.chunkBytes) other.inbox.push(data.slice(at, at + this.chunkBytes));
    other.inboxBytes += data.length;
    other.schedule();
    if (other.inboxBytes < this.highWaterBytes) return true;
    other.writerWaits = true;
    return false;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.schedule();
  }

  /** The other end hears of it after all that was written. */
  close(): void {
    if (this.isOver || this.closing) return;
    this.closing = true;
    this.other?.schedule();
  }

  over(problem: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.inbox = [];
    this.events?.close(problem);
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.deliver();
    });
  }

  private deliver(): void {
    if (this.isOver || this.paused) return;
    const chunk = this.inbox.shift();
    if (chunk !== undefined) {
      this.inboxBytes -= chunk.length;
      this.events?.data(chunk);
      if (this.inbox.length > 0) return this.schedule();
    }
    if (this.writerWaits) {
      this.writerWaits = false;
      this.other?.events?.drain();
    }
    if (this.inbox.length > 0) return this.schedule();
    if (!this.other?.closing) return;
    this.over("");
    this.other.over("");
  }
}
