/**
 * Connecting to a Unix socket without Node's `net`: loading that module and its streams takes a sixth of the time of a
 * whole Node, and a command that asks one thing needs none of it (src/decisions/0023-quick-start.md). What lies under
 * `net` is used instead, as Node hands it out (`process.binding`, deprecated in its documentation only); where it is
 * missing or looks different, `quickPipe` says so and the caller takes `net`.
 */

import { getSystemErrorName } from "node:util";
import type { Address, Connection, ConnectionEvents } from "./net.ts";

/** libuv's pipe, as far as it is used here. Functions answer 0 or a negative errno. */
interface Pipe {
  onread: (chunk: ArrayBuffer | undefined) => void;
  connect(request: Request, path: string): number | undefined;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: Request, data: Uint8Array): number;
  shutdown(request: Request): number;
  close(done?: () => void): void;
}

interface Request {
  oncomplete: (status: number) => void;
}

interface Bindings {
  readonly Pipe: new (kind: number) => Pipe;
  readonly PipeConnectWrap: new () => Request;
  readonly WriteWrap: new () => Request;
  readonly ShutdownWrap: new () => Request;
  readonly SOCKET: number;
  /** What the last read and write of any stream came to, at the places below. */
  readonly state: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

export type Connect = (address: Address, events: ConnectionEvents) => Promise<Connection>;

/** Time for what was written to be read before a closed connection is cut off. */
const CLOSE_MS = 5000;

/** Of the errno table that libuv has for all systems. */
const EOF = -4095;

/** The way to connect; `null` where this Node has none of it. */
export function quickPipe(): Connect | null {
  const bindings = findBindings();
  return bindings && ((address, events) => connect(bindings, address, events));
}

function findBindings(): Bindings | null {
  const { binding } = process as unknown as { binding?: (name: string) => Readonly<Record<string, unknown>> };
  if (binding === undefined || process.execArgv.includes("--pending-deprecation")) return null;
  try {
    const pipes = binding("pipe_wrap");
    const streams = binding("stream_wrap");
    const { SOCKET } = pipes.constants as { SOCKET: unknown };
    const { streamBaseState: state, kReadBytesOrError, kLastWriteWasAsync, WriteWrap, ShutdownWrap } = streams;
    const { Pipe, PipeConnectWrap } = pipes;
    const hasAll =
      [Pipe, PipeConnectWrap, WriteWrap, ShutdownWrap].every((one) => typeof one === "function") &&
      [SOCKET, kReadBytesOrError, kLastWriteWasAsync].every((one) => typeof one === "number") &&
      state instanceof Int32Array;
    if (!hasAll) return null;
    const found = {
      Pipe,
      PipeConnectWrap,
      WriteWrap,
      ShutdownWrap,
      SOCKET,
      state,
      kReadBytesOrError,
      kLastWriteWasAsync,
    };
    return found as Bindings;
  } catch {
    return null;
  }
}

function connect(bindings: Bindings, { path }: Address, events: ConnectionEvents): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const pipe = new bindings.Pipe(bindings.SOCKET);
    const request = new bindings.PipeConnectWrap();
    const fail = (status: number): void => {
      pipe.close();
      const code = getSystemErrorName(status);
      reject(Object.assign(new Error(`connect ${code} ${path}`), { code, errno: status, syscall: "connect" }));
    };
    request.oncomplete = (status) => {
      if (status < 0) return fail(status);
      resolve(new PipeConnection(bindings, pipe, events));
    };
    const status = pipe.connect(request, path) ?? 0;
    if (status < 0) fail(status);
  });
}

class PipeConnection implements Connection {
  private readonly bindings: Bindings;
  private readonly pipe: Pipe;
  private readonly events: ConnectionEvents;
  /** Requests on their way, which must live that long, with what they write. */
  private readonly writing = new Map<Request, Uint8Array>();
  private isFull = false;
  private isClosing = false;
  private isClosed = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(bindings: Bindings, pipe: Pipe, events: ConnectionEvents) {
    this.bindings = bindings;
    this.pipe = pipe;
    this.events = events;
    pipe.onread = (chunk) => this.received(chunk);
    pipe.readStart();
  }

  write(data: Uint8Array): boolean {
    if (this.isClosing || this.isClosed) return false;
    const request = new this.bindings.WriteWrap();
    request.oncomplete = (status) => this.written(request, status);
    const status = this.pipe.writeBuffer(request, data);
    if (status < 0) {
      this.end(getSystemErrorName(status));
      return false;
    }
    // Most fit into the socket's buffer, and are done.
    if (this.bindings.state[this.bindings.kLastWriteWasAsync] === 0) return true;
    this.writing.set(request, data);
    this.isFull = true;
    return false;
  }

  pause(): void {
    if (!this.isClosed) this.pipe.readStop();
  }

  resume(): void {
    if (!this.isClosed) this.pipe.readStart();
  }

  close(): void {
    if (this.isClosing || this.isClosed) return;
    this.isClosing = true;
    const request = new this.bindings.ShutdownWrap();
    // The other side ends then too, which is read.
    request.oncomplete = (status) => {
      if (status < 0) this.end("");
    };
    if (this.pipe.shutdown(request) < 0) return this.end("");
    this.pipe.readStart();
    this.timer = setTimeout(() => this.end(""), CLOSE_MS);
    this.timer.unref();
  }

  private received(chunk: ArrayBuffer | undefined): void {
    const count = this.bindings.state[this.bindings.kReadBytesOrError] ?? EOF;
    if (count > 0 && chunk !== undefined) return this.events.data(new Uint8Array(chunk, 0, count));
    // Zero bytes: nothing to read at the moment.
    if (count < 0) this.end(count === EOF ? "" : getSystemErrorName(count));
  }

  private written(request: Request, status: number): void {
    this.writing.delete(request);
    if (status < 0) return this.end(this.isClosing ? "" : getSystemErrorName(status));
    if (!this.isFull || this.writing.size > 0 || this.isClosing) return;
    this.isFull = false;
    this.events.drain();
  }

  private end(problem: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.pipe.onread = () => {};
    this.pipe.close();
    // Never within a call of the owner's.
    void Promise.resolve().then(() => this.events.close(problem));
  }
}
