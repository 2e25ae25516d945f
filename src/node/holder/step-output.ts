/**
 * All output of one step: reads its programs' streams, joins small chunks, and hands them to whoever is attached.
 *
 * Promises: at most OUTPUT_WINDOW_BYTES (and a chunk for each stream) wait unacknowledged, above that the programs
 * block and nothing is lost. One client at a time: a newer one takes over. Watchers look on beside it.
 */

import type { ExitStatus } from "../../core/job.ts";
import type { Cancel, Clock } from "../../platform/clock.ts";
import type { ByteSource } from "../../platform/pipes.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Sink } from "../../rpc/types.ts";
import { Attachment } from "./attachment.ts";
import { COALESCE_MS, EXIT_NOTICE_MS, ITEM_BYTES_MAX, OUTPUT_RESUME_BYTES, OUTPUT_WINDOW_BYTES } from "./limits.ts";
import { type AttachItem, concatBytes, OutputQueue, type StreamName } from "./output-queue.ts";
import { OutputWatcher } from "./output-watcher.ts";
import type { TaskOutput } from "./task-output.ts";

/** One stream of one task. */
interface OpenStream {
  readonly task: number;
  readonly stream: StreamName;
  readonly source: ByteSource;
  chunks: Uint8Array[];
  waitingBytes: number;
  flushedAtMs: number;
  cancelFlush: Cancel | null;
}

export class StepOutput implements TaskOutput {
  /** Some client attached once. */
  wasAttached = false;
  /** When a client had taken all output, after the end; null before. Milliseconds of the monotonic clock. */
  collectedAtMs: number | null = null;
  private readonly clock: Clock;
  private readonly queue = new OutputQueue();
  private readonly streams = new Set<OpenStream>();
  /** Read, and not queued yet, in all streams. */
  private joiningBytes = 0;
  private readonly waitingExits = new Map<number, { readonly exit: ExitStatus; readonly cancel: Cancel }>();
  private client: Attachment | null = null;
  private readonly watchers = new Set<OutputWatcher>();
  private paused = false;
  private released = false;
  private finished = false;
  private onStreamsEnded: (() => void)[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Bytes that wait for acknowledgement. */
  get costBytes(): number {
    return this.queue.costBytes;
  }

  get hasClient(): boolean {
    return this.client !== null;
  }

  /** Reads a task's stream from now on. */
  addStream(task: number, stream: StreamName, source: ByteSource): void {
    const flushedAtMs = Number.NEGATIVE_INFINITY;
    const open: OpenStream = { task, stream, source, chunks: [], waitingBytes: 0, flushedAtMs, cancelFlush: null };
    this.streams.add(open);
    source.start(
      (chunk) => this.onChunk(open, chunk),
      () => this.onEnd(open),
    );
    if (this.paused) source.pause();
  }

  /** Puts a text of ours among a task's output. */
  say(task: number, stream: StreamName, text: string): void {
    for (const open of this.streams) if (open.task === task && open.stream === stream) this.flush(open);
    const data = new TextEncoder().encode(text);
    const offset = this.queue.pushData(task, stream, data);
    for (const watcher of this.watchers) watcher.push({ type: "data", task, stream, offset, data });
    this.client?.wake();
    this.review();
  }

  /** A task's process ended; told after its output, unless something else holds that open. */
  addExit(task: number, exit: ExitStatus): void {
    const cancel = this.clock.after(EXIT_NOTICE_MS, () => this.tellExit(task));
    this.waitingExits.set(task, { exit, cancel });
    this.tellExitIfOutputEnded(task);
  }

  /** The programs are gone: what their pipes still hold is little, and read whether it is taken or not. */
  release(): void {
    this.released = true;
    this.review();
  }

  /** Resolves when every stream ended. */
  streamsEnded(): Promise<void> {
    if (this.streams.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.onStreamsEnded.push(resolve));
  }

  /** Ends the streams that are still open. */
  closeStreams(): void {
    for (const { source } of this.streams) source.close();
  }

  /** Nothing more comes: clients that have all are let go. */
  finish(): void {
    for (const open of this.streams) this.flush(open);
    for (const task of [...this.waitingExits.keys()]) this.tellExit(task);
    this.finished = true;
    this.client?.wake();
    for (const watcher of this.watchers) watcher.finish();
  }

  /** Drops what waits: nobody will come for it. Not while a client is attached. Returns the bytes of output dropped. */
  drop(): number {
    return this.queue.clear();
  }

  /**
   * Serves a client to the end; any other is let go.
   * @param tasks the tasks that were started; null if none was
   * @throws RpcError CANCELLED when the client left or another took over
   */
  async attach(sink: Sink<AttachItem>, signal: AbortSignal, tasks: readonly number[] | null): Promise<void> {
    this.client?.end(new RpcError("CANCELLED", "another client attached to this step", "only one can at a time"));
    const client = new Attachment(this.queue, sink, {
      onProgress: () => this.review(),
      isFinished: () => this.finished,
    });
    this.client = client;
    this.wasAttached = true;
    const leave = (): void => client.end(new RpcError("CANCELLED", "the client left"));
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave);
    this.review();
    try {
      await client.run(tasks);
      this.collectedAtMs ??= this.clock.monotonic();
    } finally {
      signal.removeEventListener("abort", leave);
      if (this.client === client) {
        this.client = null;
        this.review();
      }
    }
  }

  /**
   * Serves somebody who looks on, from now to the end; resolves when all was sent. Where the step has no client of its
   * own, what waits for one is theirs: a program that was left to itself would stop at a full window for ever.
   * @throws RpcError CANCELLED also when that client is back
   */
  async watch(sink: Sink<AttachItem>, signal: AbortSignal, tasks: readonly number[] | null): Promise<void> {
    if (this.client === null && this.wasAttached) return this.attach(sink, signal, tasks);
    const watcher = new OutputWatcher(sink);
    const leave = (): void => watcher.leave();
    this.watchers.add(watcher);
    if (this.finished) watcher.finish();
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave);
    try {
      await watcher.run(tasks);
    } finally {
      signal.removeEventListener("abort", leave);
      this.watchers.delete(watcher);
    }
  }

  private onChunk(open: OpenStream, chunk: Uint8Array): void {
    open.chunks.push(chunk);
    open.waitingBytes += chunk.length;
    this.joiningBytes += chunk.length;
    const sinceFlushMs = this.clock.monotonic() - open.flushedAtMs;
    if (open.waitingBytes >= ITEM_BYTES_MAX || sinceFlushMs >= COALESCE_MS) this.flush(open);
    else open.cancelFlush ??= this.clock.after(COALESCE_MS - sinceFlushMs, () => this.flush(open));
    this.review();
  }

  private onEnd(open: OpenStream): void {
    this.flush(open);
    this.streams.delete(open);
    this.tellExitIfOutputEnded(open.task);
    if (this.streams.size === 0) for (const callback of this.onStreamsEnded.splice(0)) callback();
  }

  private flush(open: OpenStream): void {
    open.cancelFlush?.();
    open.cancelFlush = null;
    if (open.waitingBytes === 0) return;
    const { task, stream } = open;
    const data = concatBytes(open.chunks);
    const offset = this.queue.pushData(task, stream, data);
    for (const watcher of this.watchers) watcher.push({ type: "data", task, stream, offset, data });
    this.joiningBytes -= open.waitingBytes;
    open.chunks = [];
    open.waitingBytes = 0;
    open.flushedAtMs = this.clock.monotonic();
    this.client?.wake();
  }

  private tellExitIfOutputEnded(task: number): void {
    for (const open of this.streams) if (open.task === task) return;
    this.tellExit(task);
  }

  private tellExit(task: number): void {
    const waiting = this.waitingExits.get(task);
    if (waiting === undefined) return;
    this.waitingExits.delete(task);
    waiting.cancel();
    this.queue.pushExit(task, waiting.exit);
    for (const watcher of this.watchers) watcher.push({ type: "exit", task, exit: waiting.exit });
    this.client?.wake();
  }

  /** Stops or restarts reading, as the queue demands. */
  private review(): void {
    if (this.released) return this.setPaused(false);
    const heldBytes = this.queue.costBytes + this.joiningBytes;
    if (heldBytes >= OUTPUT_WINDOW_BYTES) this.setPaused(true);
    else if (heldBytes < OUTPUT_RESUME_BYTES) this.setPaused(false);
  }

  private setPaused(paused: boolean): void {
    if (paused === this.paused) return;
    this.paused = paused;
    for (const { source } of this.streams) {
      if (paused) source.pause();
      else source.resume();
    }
  }
}
