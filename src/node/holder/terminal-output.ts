/**
 * The output of a step with a terminal, and those who see it: one who types, and any number who look on.
 *
 * Promises: the newest PTY_TAIL_BYTES are kept, and a picture of the screen replaces what is older; the program waits
 * for nobody but the one who types, and after a lost link for a while for that one to come back.
 */

import type { ExitStatus } from "../../core/job.ts";
import type { Cancel, Clock } from "../../platform/clock.ts";
import type { ByteSource } from "../../platform/pipes.ts";
import type { OpenScreen } from "../../platform/screen.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { TerminalStatus, TerminalView } from "../../protocol/procedures.ts";
import type { Sink } from "../../rpc/types.ts";
import { ByteRing } from "./byte-ring.ts";
import {
  COALESCE_MS,
  ITEM_BYTES_MAX,
  LINK_GRACE_MS,
  PTY_HOLD_BYTES,
  PTY_TAIL_BYTES,
  SCREEN_BACKLOG_BYTES,
  VIEWERS_MAX,
} from "./limits.ts";
import { type AttachItem, concatBytes, type StreamName } from "./output-queue.ts";
import type { PtySize } from "./pty-step.ts";
import { type Picture, ScreenState } from "./screen-state.ts";
import type { TaskOutput, TerminalHandle } from "./task-output.ts";
import { busy, TerminalViewer } from "./terminal-viewer.ts";

export interface TerminalPorts {
  readonly clock: Clock;
  readonly openScreen: OpenScreen;
}

/** What a client sees that says nothing of how: all that is kept, then what comes. */
const PLAIN_VIEW: TerminalView = {
  client: "-",
  who: "an earlier client",
  mode: "steal",
  from: 0,
  scrollback: 0,
  size: null,
};

/** Where a client stood whose link was lost. */
interface LostWriter {
  readonly client: string;
  readonly takenTo: number;
  readonly cancel: Cancel;
}

export class TerminalOutput implements TaskOutput, TerminalHandle {
  wasAttached = false;
  collectedAtMs: number | null = null;
  private readonly clock: Clock;
  private readonly task: number;
  private readonly ring = new ByteRing();
  private readonly screen: ScreenState;
  private readonly resizePty: (columns: number, rows: number) => void;
  private size: PtySize;
  private source: ByteSource | null = null;
  private joining: Uint8Array[] = [];
  private joiningBytes = 0;
  private flushedAtMs = Number.NEGATIVE_INFINITY;
  private cancelFlush: Cancel | null = null;
  private exited: ExitStatus | null = null;
  private writer: TerminalViewer | null = null;
  private lostWriter: LostWriter | null = null;
  private readonly viewers = new Set<TerminalViewer>();
  private isPaused = false;
  private isReleased = false;
  private isOver = false;
  private onStreamsEnded: (() => void)[] = [];
  private printedAtMs: number;
  private attendedAtMs: number;
  private typedAtMs: number;

  constructor(
    { clock, openScreen }: TerminalPorts,
    task: number,
    size: PtySize,
    resizePty: (columns: number, rows: number) => void,
  ) {
    this.clock = clock;
    this.task = task;
    this.size = size;
    this.resizePty = resizePty;
    this.printedAtMs = clock.monotonic();
    this.attendedAtMs = clock.monotonic();
    this.typedAtMs = clock.monotonic();
    this.screen = new ScreenState(openScreen, size, () => this.review());
  }

  get costBytes(): number {
    return this.ring.end - this.ring.start;
  }

  get hasClient(): boolean {
    return this.viewers.size > 0;
  }

  // What the program does.

  addStream(_task: number, _stream: StreamName, source: ByteSource): void {
    this.source = source;
    source.start(
      (chunk) => this.onChunk(chunk),
      () => this.onEnd(),
    );
    if (this.isPaused) source.pause();
  }

  say(_task: number, _stream: StreamName, text: string): void {
    this.flush();
    this.keep(new TextEncoder().encode(text.replaceAll("\n", "\r\n")));
  }

  addExit(_task: number, exit: ExitStatus): void {
    this.exited = exit;
    this.wakeAll();
  }

  release(): void {
    this.isReleased = true;
    this.review();
  }

  streamsEnded(): Promise<void> {
    if (this.source === null) return Promise.resolve();
    return new Promise((resolve) => this.onStreamsEnded.push(resolve));
  }

  closeStreams(): void {
    this.source?.close();
  }

  finish(): void {
    this.flush();
    this.isOver = true;
    this.wakeAll();
  }

  drop(): number {
    const bytes = this.costBytes;
    this.ring.trim(this.ring.end);
    this.screen.close();
    return bytes;
  }

  // Those who see it.

  async attach(
    sink: Sink<AttachItem>,
    signal: AbortSignal,
    tasks: readonly number[] | null,
    view: TerminalView = this.plainView(),
  ): Promise<void> {
    const viewer = new TerminalViewer(view, sink, this.viewed());
    this.admit(viewer);
    const leave = (): void => viewer.end(new RpcError("CANCELLED", "the client left"));
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave);
    try {
      await viewer.run(tasks);
      this.collectedAtMs ??= this.clock.monotonic();
    } finally {
      signal.removeEventListener("abort", leave);
      this.viewers.delete(viewer);
      if (this.writer === viewer) this.onWriterLeft(viewer, isLostLink(signal));
      this.review();
    }
  }

  watch(sink: Sink<AttachItem>, signal: AbortSignal, tasks: readonly number[] | null): Promise<void> {
    return this.attach(sink, signal, tasks, { ...PLAIN_VIEW, mode: "read", who: "an onlooker", from: this.ring.end });
  }

  mayType(client: string | undefined): boolean {
    const writer = this.writer?.view.client ?? this.lostWriter?.client;
    return writer === undefined || writer === (client ?? PLAIN_VIEW.client);
  }

  resize(columns: number, rows: number): void {
    if (columns === this.size.columns && rows === this.size.rows) return;
    this.flush();
    this.feedScreen(this.ring.end);
    this.size = { columns, rows };
    this.screen.resize(this.size);
    this.resizePty(columns, rows);
  }

  typed(): void {
    this.typedAtMs = this.clock.monotonic();
  }

  get idleMs(): number {
    return this.clock.monotonic() - Math.max(this.printedAtMs, this.typedAtMs);
  }

  redraw(client: string): void {
    for (const viewer of this.viewers) if (viewer.view.client === client) viewer.redraw();
  }

  status(): TerminalStatus {
    const nowMs = this.clock.monotonic();
    const writer = this.writer?.view.who ?? null;
    return {
      ...{ writer, readers: this.viewers.size - (writer === null ? 0 : 1), ...this.size },
      quietMs: Math.max(0, Math.round(nowMs - this.printedAtMs)),
      unattendedMs: writer === null ? Math.max(0, Math.round(nowMs - this.attendedAtMs)) : 0,
    };
  }

  /** Lets a client in, and makes it the one who types if it wants to. @throws RpcError if that can't be */
  private admit(viewer: TerminalViewer): void {
    const { view } = viewer;
    const { writer } = this;
    if (this.viewers.size >= VIEWERS_MAX) {
      throw new RpcError("TOO_MANY_CALLS", `${VIEWERS_MAX} clients look at this session already`);
    }
    if (view.mode !== "read") {
      const isSame = writer?.view.client === view.client;
      if (writer && !isSame && view.mode === "write") throw busy(writer.view);
      writer?.end(new RpcError("TAKEN_OVER", `${view.who} took this session over`));
      this.writer = viewer;
      this.forgetLostWriter();
      if (view.size) this.resize(view.size.columns, view.size.rows);
    }
    this.viewers.add(viewer);
    this.wasAttached = true;
    this.review();
  }

  /** Such a client does not know what a picture is. */
  private plainView(): TerminalView {
    return { ...PLAIN_VIEW, from: this.ring.start };
  }

  private viewed() {
    return {
      ring: this.ring,
      task: this.task,
      exit: () => (this.source === null || this.isOver ? this.exited : null),
      isFinished: () => this.isOver,
      picture: (scrollback: number) => this.picture(scrollback),
      onProgress: () => this.review(),
    };
  }

  private picture(scrollback: number): Promise<Picture> {
    this.flush();
    this.feedScreen(this.ring.end);
    return this.screen.picture(scrollback);
  }

  /** A client whose link dropped comes back: the program waits for it as if it were there, but not for ever. */
  private onWriterLeft(viewer: TerminalViewer, isLost: boolean): void {
    this.writer = null;
    this.attendedAtMs = this.clock.monotonic();
    if (!isLost) return;
    const cancel = this.clock.after(LINK_GRACE_MS, () => {
      this.lostWriter = null;
      this.review();
    });
    this.lostWriter = { client: viewer.view.client, takenTo: viewer.takenTo, cancel };
  }

  private forgetLostWriter(): void {
    this.lostWriter?.cancel();
    this.lostWriter = null;
  }

  // From the program to those.

  private onChunk(chunk: Uint8Array): void {
    this.joining.push(chunk);
    this.joiningBytes += chunk.length;
    const nowMs = this.clock.monotonic();
    this.printedAtMs = nowMs;
    const sinceFlushMs = nowMs - this.flushedAtMs;
    if (this.joiningBytes >= ITEM_BYTES_MAX || sinceFlushMs >= COALESCE_MS) this.flush();
    else this.cancelFlush ??= this.clock.after(COALESCE_MS - sinceFlushMs, () => this.flush());
  }

  private onEnd(): void {
    this.flush();
    this.source = null;
    this.wakeAll();
    for (const callback of this.onStreamsEnded.splice(0)) callback();
  }

  private flush(): void {
    this.cancelFlush?.();
    this.cancelFlush = null;
    if (this.joiningBytes === 0) return;
    const data = concatBytes(this.joining);
    this.joining = [];
    this.joiningBytes = 0;
    this.flushedAtMs = this.clock.monotonic();
    this.keep(data);
  }

  private keep(data: Uint8Array): void {
    this.ring.push(data);
    const forgettable = this.ring.end - PTY_TAIL_BYTES;
    if (forgettable > this.ring.start) {
      this.feedScreen(forgettable);
      this.ring.trim(forgettable);
    }
    this.wakeAll();
    this.review();
  }

  /** The screen is to show the output up to a position. */
  private feedScreen(to: number): void {
    while (this.screen.fedTo < to) {
      this.screen.feed(this.ring.read(this.screen.fedTo, to - this.screen.fedTo));
    }
  }

  private wakeAll(): void {
    for (const viewer of this.viewers) viewer.wake();
  }

  /** Stops or restarts reading, as those demand for whom the program waits. */
  private review(): void {
    const takenTo = this.writer?.takenTo ?? this.lostWriter?.takenTo ?? this.ring.end;
    const waitingBytes = Math.max(this.ring.end - takenTo, 0);
    const isFull = waitingBytes >= PTY_HOLD_BYTES || this.screen.backlogBytes >= SCREEN_BACKLOG_BYTES;
    const hasRoom = waitingBytes < PTY_HOLD_BYTES / 2 && this.screen.backlogBytes < SCREEN_BACKLOG_BYTES / 2;
    if (this.isReleased || hasRoom) this.setPaused(false);
    else if (isFull) this.setPaused(true);
  }

  private setPaused(isPaused: boolean): void {
    if (isPaused === this.isPaused) return;
    this.isPaused = isPaused;
    if (isPaused) this.source?.pause();
    else this.source?.resume();
  }
}

/** Whether a client's call ended with its connection, and not by its own wish. */
function isLostLink(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof RpcError && signal.reason.code === "LOST_CONTACT";
}
