/**
 * Pipes between this program and its children, and their bytes. They are real ones: Node's own are sockets, and a
 * program that opens /dev/stderr or /dev/stdin (many shell scripts do) fails on a socket with ENXIO. Node can't make
 * a pipe, so FIFOs are made by mkfifo(1), opened and unlinked, a few ahead of need.
 */

import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeFolders } from "./folders.ts";
import { attempt, type Outcome, problemOf } from "./system-problem.ts";

/** Bytes coming from a program. */
export interface ByteSource {
  /** Calls `onData` with each chunk and `onEnd` once. Set once. */
  start(onData: (chunk: Uint8Array) => void, onEnd: () => void): void;
  /** Stops reading, so that the program blocks; one more chunk may be kept inside. */
  pause(): void;
  resume(): void;
  /** Reads no more; `onEnd` is still called. */
  close(): void;
}

/** Bytes going to a program. */
export interface ByteTarget {
  /** Takes all of `data`; false asks the caller to wait for `onRoom`. Ignored once closed. */
  write(data: Uint8Array): boolean;
  /** Closes after what was written is taken. */
  end(): void;
  /** Closes at once. */
  close(): void;
  /** The program closed its end, or `end` or `close` was done. */
  readonly closed: boolean;
  /** Called when there is room again, and when it closed. */
  onRoom: (() => void) | null;
}

/** FIFOs made at once: one mkfifo costs 2 to 3 ms for any number. */
const PIPES_PER_FILL = 12;

/** Below this many ready pipes more are made: a task needs at most three. */
const PIPES_READY_MIN = 6;

/** Pipes kept ready at most: their names are one command line, and each is an open descriptor. */
const PIPES_READY_MAX = 256;

/** Pipes made ahead: each is one read-write descriptor of a FIFO that has no name any more. */
export class PipePool {
  private readonly folder: string;
  private readonly onMade: () => void;
  private readonly ready: number[] = [];
  private filling: Promise<void> | null = null;
  private closed = false;

  /** @param onMade called after each run of mkfifo: a child of this program that is nobody's */
  constructor(folder: string, onMade: () => void = () => {}) {
    this.folder = folder;
    this.onMade = onMade;
  }

  async prepare(count: number): Promise<void> {
    await this.filling?.catch(() => {});
    const missing = Math.min(count, PIPES_READY_MAX) - this.ready.length;
    if (missing > 0) await this.fill(missing).catch(() => {});
  }

  /** Opens both ends of a pipe; ours is non-blocking, the child's is not. */
  async take<T>(oursMode: number, wrap: (ours: number, childEnd: number) => T): Promise<Outcome<T>> {
    const { O_RDONLY, O_WRONLY, O_NONBLOCK } = fs.constants;
    while (this.ready.length === 0) {
      const filled = await attempt(() => this.fill());
      if ("problem" in filled) return filled;
    }
    const both = this.ready.pop() as number;
    if (this.ready.length < PIPES_READY_MIN) this.fill().catch(() => {});
    const opened: number[] = [];
    const open = (mode: number): number => {
      const descriptor = fs.openSync(`/proc/self/fd/${both}`, mode);
      opened.push(descriptor);
      return descriptor;
    };
    try {
      const ours = open(oursMode | O_NONBLOCK);
      return { value: wrap(ours, open(oursMode === O_RDONLY ? O_WRONLY : O_RDONLY)) };
    } catch (error) {
      for (const descriptor of opened) fs.closeSync(descriptor);
      return { problem: problemOf(error) };
    } finally {
      fs.closeSync(both);
    }
  }

  close(): void {
    this.closed = true;
    for (const descriptor of this.ready.splice(0)) fs.closeSync(descriptor);
  }

  private fill(count = 0): Promise<void> {
    this.filling ??= this.makePipes(Math.max(count, PIPES_PER_FILL)).finally(() => {
      this.filling = null;
    });
    return this.filling;
  }

  private async makePipes(count: number): Promise<void> {
    // Whoever cleans up folders of temporary files may have taken it.
    makeFolders(this.folder, 0o700);
    const folder = fs.mkdtempSync(join(this.folder, "mgpu-pipes-"));
    try {
      const names = Array.from({ length: count }, (_, index) => join(folder, String(index)));
      await promisify(execFile)("mkfifo", ["-m", "600", ...names]);
      this.onMade();
      for (const name of names) this.ready.push(fs.openSync(name, fs.constants.O_RDWR));
      if (this.closed) this.close();
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** A pipe that a child writes to. */
export function pipeSource(descriptor: number): ByteSource {
  return socketSource(new Socket({ fd: descriptor, readable: true, writable: false }));
}

/** A stream of Node as a source. */
export function socketSource(socket: Socket): ByteSource {
  return {
    start(onData, onEnd) {
      socket.on("data", onData);
      // An error on a pipe or terminal is its end: `close` follows.
      socket.on("error", () => {});
      socket.once("close", onEnd);
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.destroy(),
  };
}

/** A pipe that a child reads from. */
export function pipeTarget(descriptor: number): ByteTarget {
  const socket = new Socket({ fd: descriptor, readable: false, writable: true });
  const target: ByteTarget = {
    write: (data) => !socket.writable || socket.write(data),
    end: () => void socket.end(),
    close: () => void socket.destroy(),
    get closed() {
      return !socket.writable;
    },
    onRoom: null,
  };
  socket.on("drain", () => target.onRoom?.());
  // EPIPE: the program closed its end; `close` follows.
  socket.on("error", () => {});
  socket.once("close", () => target.onRoom?.());
  return target;
}
