/**
 * Writes to another process's stdout and stderr as the text comes, in its order, and never waits for a reader: other
 * commands would wait with it. What only the process itself can write, it copies from a FIFO. A process that is stopped
 * writes nothing.
 */

import * as fs from "node:fs";
import { Socket } from "node:net";
import { errnoText } from "../util/errno.ts";
import { runStateOf } from "./caller.ts";
import type { CallerStreams, Piece, Stream } from "./caller-output.ts";
import { NO_READER, OutputClosed, OutputFailed } from "./stdio.ts";

/** A terminal that is full, and a copier that is on its way, are looked at again soon. */
const RETRY_MS = 1;
const STOPPED_MS = 50;

/** The process starts its copier at once; one that has none by then never will. */
const COPIER_TRIES_MAX = 5000;

export interface LiveOutputSetup {
  readonly pid: number;
  readonly streams: CallerStreams;
  /** Has the process copy a FIFO to that stream of its own, from now on until its end; the FIFO's path. */
  copy(stream: Stream): string;
}

/** Where one stream goes. */
interface Target {
  readonly descriptor: number;
  /** Opened here, so that it is closed here. */
  readonly isOwn: boolean;
  readonly isTerminal: boolean;
  /** Waits for room in a pipe. */
  socket: Socket | null;
}

/** A copier that was asked for. */
interface Copier {
  readonly path: string;
  tries: number;
}

export class LiveOutput {
  private readonly setup: LiveOutputSetup;
  private readonly queue: Piece[] = [];
  /** Bytes of the first piece that are written. */
  private written = 0;
  private readonly targets = new Map<Stream, Target>();
  private readonly copiers = new Map<Stream, Copier>();
  /** Nobody reads stderr any more, which is nobody's business. */
  private isErrDead = false;
  private failure: Error | null = null;
  private isFailureTold = false;
  private isBusy = false;
  private isClosed = false;
  private timer: NodeJS.Timeout | null = null;
  private readonly waiting: (() => void)[] = [];

  constructor(setup: LiveOutputSetup) {
    this.setup = setup;
  }

  /** @throws OutputClosed, OutputFailed for stdout, as a program's own streams do */
  say(stream: Stream, data: Uint8Array): void {
    this.complain(stream);
    this.put(stream, data);
    this.complain(stream);
  }

  /** The same, but what becomes of it is told later. */
  put(stream: Stream, data: Uint8Array): void {
    if (this.isClosed || data.length === 0 || (this.failure !== null && stream === "out")) return;
    const isFirst = this.queue.push({ stream, data }) === 1;
    if (isFirst) this.pump();
    // Whoever has the bytes may use their place again.
    const last = this.queue.length - 1;
    if (this.queue[last]?.data === data) this.queue[last] = { stream, data: Uint8Array.from(data) };
  }

  /** Resolves once all is written; rejects as `say` throws. Nothing to wait for: `undefined`. */
  room(): Promise<void> | undefined {
    if (this.queue.length === 0 && this.failure === null) return undefined;
    return this.emptied().then(() => this.complain("out"));
  }

  /** Resolves once nothing is left to be written, whatever became of it. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      if (this.queue.length === 0 || this.isClosed) resolve();
      else this.waiting.push(resolve);
    });
  }

  /** What became of stdout, if nobody has heard of it. */
  untoldFailure(): Error | null {
    return this.isFailureTold ? null : this.failure;
  }

  /** What is still to be written is dropped. Copiers then read the end. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    for (const { descriptor, isOwn, socket } of this.targets.values()) {
      socket?.destroy();
      if (isOwn) fs.closeSync(descriptor);
    }
    this.settle();
  }

  private pump(): void {
    while (!this.isClosed && !this.isBusy) {
      const [piece] = this.queue;
      if (piece === undefined) return this.settle();
      const state = runStateOf(this.setup.pid);
      if (state === "stopped") return this.later(STOPPED_MS);
      if (state === "gone" || (piece.stream === "err" && this.isErrDead)) {
        this.next();
        continue;
      }
      const target = this.target(piece.stream);
      if (target === null) return this.later(RETRY_MS);
      this.writeTo(target, piece);
    }
  }

  private writeTo(target: Target, { stream, data }: Piece): void {
    try {
      this.written += fs.writeSync(target.descriptor, data, this.written);
      if (this.written >= data.length) this.next();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return this.giveUp(stream, error as Error);
      if (target.isTerminal) return this.later(RETRY_MS);
      this.isBusy = true;
      waitingSocket(target).write(Uint8Array.from(data.subarray(this.written)), (problem) => {
        this.isBusy = false;
        if (problem) this.giveUp(stream, problem);
        else this.next();
        this.pump();
      });
    }
  }

  private next(): void {
    this.queue.shift();
    this.written = 0;
  }

  /** Nothing more can be written there. */
  private giveUp(stream: Stream, error: NodeJS.ErrnoException): void {
    this.written = 0;
    if (stream === "err") this.isErrDead = true;
    else if (NO_READER.has(error.code ?? "")) this.failure = new OutputClosed("standard output is closed");
    else this.failure = new OutputFailed(`standard output: ${errnoText(error)}`);
    // What is to be said of it can still be said.
    const rest = this.queue.filter((piece) => piece.stream !== stream);
    this.queue.splice(0, this.queue.length, ...rest);
    if (this.failure !== null) this.settle();
  }

  private settle(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private complain(stream: Stream): void {
    if (this.failure === null || stream !== "out") return;
    this.isFailureTold = true;
    throw this.failure;
  }

  private later(ms: number): void {
    this.isBusy = true;
    this.timer = setTimeout(() => {
      this.isBusy = false;
      this.pump();
    }, ms);
  }

  /** `null` while the way there is made, or if it can't be. */
  private target(wanted: Stream): Target | null {
    const { out, err } = this.setup.streams;
    const isOne = out.descriptor === null && err.descriptor === null && out.file === err.file;
    const stream = isOne ? "out" : wanted;
    const known = this.targets.get(stream);
    if (known) return known;
    const { descriptor, isTerminal } = this.setup.streams[stream];
    const found = descriptor === null ? this.openCopier(stream) : { descriptor, isOwn: false };
    if (found === null) return null;
    const target = { ...found, isTerminal, socket: null };
    this.targets.set(stream, target);
    return target;
  }

  private openCopier(stream: Stream): Pick<Target, "descriptor" | "isOwn"> | null {
    const copier = this.copiers.get(stream) ?? { path: this.setup.copy(stream), tries: 0 };
    this.copiers.set(stream, copier);
    try {
      const { O_WRONLY, O_NONBLOCK } = fs.constants;
      return { descriptor: fs.openSync(copier.path, O_WRONLY | O_NONBLOCK), isOwn: true };
    } catch (error) {
      // ENXIO: it is not read yet.
      if (++copier.tries > COPIER_TRIES_MAX) this.giveUp(stream, error as Error);
      return null;
    }
  }
}

/** A descriptor of its own: a socket closes it. */
function waitingSocket(target: Target): Socket {
  if (target.socket) return target.socket;
  const { O_WRONLY, O_NONBLOCK } = fs.constants;
  const fd = fs.openSync(`/proc/self/fd/${target.descriptor}`, O_WRONLY | O_NONBLOCK);
  target.socket = new Socket({ fd, readable: false, writable: true });
  // Each write hears of it.
  target.socket.on("error", () => {});
  return target.socket;
}
