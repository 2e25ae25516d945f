/**
 * One end of a connection: joins frames, calls and streams. Both ends are alike once hello is done; who dialled says
 * it (connect.ts), who listens answers it (serve.ts).
 *
 * Promises: a frame out of order, out of shape or out of bounds ends the connection, with a line in the log; when it
 * ends, for whatever reason, every open call and stream of both directions ends with it.
 */

import type { Cancel, Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Connection, ConnectionEvents } from "../platform/net.ts";
import {
  type Decoder,
  type Envelope,
  encodeFrame,
  type Frame,
  FrameReader,
  type NotifyEnvelope,
} from "../protocol/codec.ts";
import { FRAME_ANSWER, FRAME_BYTES_MAX, FRAME_BYTES_MAX_BEFORE_HELLO, FRAME_CALL } from "../protocol/envelope.ts";
import { RpcError } from "../protocol/errors.ts";
import type { Hello, HelloAnswer, Item, Params, Result, StreamMethod, UnaryMethod } from "../protocol/procedures.ts";
import { type HandlerTable, IncomingCalls, type LogNumbers } from "./incoming-calls.ts";
import { Outbox, UNSENT_BYTES_MAX } from "./outbox.ts";
import { type CallRequest, OutgoingCalls } from "./outgoing-calls.ts";
import type { CallOptions, Peer } from "./types.ts";

/** How long `closed` waits for the other side to notice that this one closed. */
const CLOSE_WAIT_MS = 5000;

/** Of somebody who is heard in turns, what fills a read of 64 KiB is one: else the next read follows at once. */
const BURST_BYTES = 32 * 1024;

export interface WirePeerSetup {
  readonly clock: Clock;
  readonly log: Log;
  readonly handlers: HandlerTable;
  readonly logNumbers: LogNumbers;
  /** The other side in messages, until it said what it is. */
  readonly name: string;
  /** For the side that listens; null for the one that says hello, which answers nothing before it was accepted. */
  readonly door: Door | null;
  /** Frames that are taken in one turn, where others are to have theirs; without it all that arrived. */
  readonly framesATurn?: number;
  readonly decoder?: Decoder;
}

/** Who lets callers in. */
interface Door {
  /** @throws RpcError if the caller is not welcome */
  greet(params: unknown): { readonly hello: Hello; readonly answer: HelloAnswer };
  /** The answer is on its way; nothing further of this peer was looked at. */
  onOpen(peer: Peer, hello: Hello): void;
}

export class WirePeer implements Peer {
  readonly closed: Promise<string>;
  /** For the connection that this peer will be attached to. */
  readonly events: ConnectionEvents;
  private readonly setup: WirePeerSetup;
  private readonly reader: FrameReader;
  private readonly outbox: Outbox;
  private readonly outgoing: OutgoingCalls;
  private readonly incoming: IncomingCalls;
  private phase: "hello" | "open" | "over" = "hello";
  /** What the other side said of itself; null before hello. */
  private hello: Hello | null = null;
  private name: string;
  private connection: Connection | null = null;
  /** Frames that arrived and whose turn has not come. */
  private rest: Iterator<Frame> | null = null;
  private problem = "";
  private resolveClosed: (problem: string) => void = () => {};
  private stopCloseWait: Cancel = () => {};

  constructor(setup: WirePeerSetup) {
    this.setup = setup;
    this.name = setup.name;
    this.reader = new FrameReader(FRAME_BYTES_MAX_BEFORE_HELLO, setup.decoder);
    this.closed = new Promise((resolve) => {
      this.resolveClosed = resolve;
    });
    this.outbox = new Outbox(() => this.fail(`more than ${UNSENT_BYTES_MAX} bytes are unread`));
    this.outgoing = new OutgoingCalls(setup.clock, this.outbox);
    const { handlers, log, logNumbers } = setup;
    this.incoming = new IncomingCalls({ peer: this, handlers, outbox: this.outbox, log, logNumbers });
    this.events = {
      data: (chunk) => this.onData(chunk),
      drain: () => this.onDrain(),
      close: (problem) => this.onClose(problem),
    };
  }

  call<M extends UnaryMethod>(method: M, params: Params<M>, options: CallOptions = {}): Promise<Result<M>> {
    return new Promise((resolve, reject) => {
      this.begin({ method, params, onItem: null, options, resolve: (result) => resolve(result as Result<M>), reject });
    });
  }

  stream<M extends StreamMethod>(
    method: M,
    params: Params<M>,
    onItem: (item: Item<M>) => void | Promise<void>,
    options: CallOptions = {},
  ): Promise<Result<M>> {
    return new Promise((resolve, reject) => {
      this.begin({
        method,
        params,
        onItem: (item) => onItem(item as Item<M>),
        options,
        resolve: (result) => resolve(result as Result<M>),
        reject,
      });
    });
  }

  /** What was sent so far still arrives; open calls reject. */
  close(): void {
    this.end("", () => this.outbox.finish());
  }

  /** Starts a call; what it ends with is told before any later frame is looked at. */
  begin(request: CallRequest): void {
    if (this.phase === "over") request.reject(this.lost(request.method));
    else this.outgoing.begin(request);
  }

  /** Gives the peer its connection; frames sent before leave now. */
  attach(connection: Connection): void {
    this.connection = connection;
    this.outbox.open(connection);
    if (this.phase === "over") connection.close();
  }

  /** Hello is done: from the next frame on, both sides call as they like. */
  open(hello: Hello, name: string): void {
    if (this.phase !== "hello") return;
    this.phase = "open";
    this.hello = hello;
    this.name = name;
    this.reader.bytesMax = FRAME_BYTES_MAX;
  }

  /** Ends the connection because of what the other side did, or did not do. */
  fail(problem: string): void {
    if (this.phase === "over") return;
    this.setup.log.warn("closing a connection", { peer: this.name, problem });
    this.end(problem, () => this.outbox.discard());
  }

  private onData(chunk: Uint8Array): void {
    if (this.phase === "over") return;
    const frames = this.reader.push(chunk);
    const { framesATurn = Number.POSITIVE_INFINITY } = this.setup;
    const isBurst = Number.isFinite(framesATurn) && chunk.length >= BURST_BYTES;
    if (this.take(frames, framesATurn) && !isBurst) return;
    if (this.isOver()) return;
    this.rest = frames;
    this.connection?.pause();
    this.setup.clock.after(0, () => this.takeRest());
  }

  /** Nothing more arrives before all of a chunk was taken. */
  private takeRest(): void {
    if (this.rest === null || this.isOver()) return;
    if (!this.take(this.rest, this.setup.framesATurn ?? 1)) {
      this.setup.clock.after(0, () => this.takeRest());
      return;
    }
    this.rest = null;
    this.connection?.resume();
  }

  /** Takes at most so many frames. False if some may be left. */
  private take(frames: Iterator<Frame>, most: number): boolean {
    try {
      for (let left = most; left > 0; left--) {
        const next = frames.next();
        if (next.done) return true;
        this.onFrame(next.value);
        if (this.isOver()) return true;
      }
      return false;
    } catch (error) {
      this.failBy(error);
      return true;
    }
  }

  private failBy(error: unknown): void {
    if (error instanceof RpcError) return this.fail(`${error.code}: ${error.message}`);
    const stack = error instanceof Error ? error.stack : String(error);
    this.setup.log.error("a frame could not be handled", { peer: this.name, stack });
    this.fail("INTERNAL: a frame could not be handled");
  }

  private onFrame({ envelope, bytes }: Frame): void {
    if (this.hello === null) return this.onEarlyFrame(envelope);
    if (envelope[0] === FRAME_CALL) this.incoming.onCall(envelope[1], envelope[2], envelope[3], this.hello);
    else if (envelope[0] === FRAME_ANSWER) this.outgoing.onAnswer(envelope[1], envelope[2], envelope[3]);
    else this.onNotify(envelope, bytes);
  }

  private onEarlyFrame(envelope: Envelope): void {
    const { door } = this.setup;
    if (door === null) {
      if (envelope[0] !== FRAME_ANSWER) throw new RpcError("NO_HELLO", "a message before hello was answered");
      return this.outgoing.onAnswer(envelope[1], envelope[2], envelope[3]);
    }
    if (envelope[0] !== FRAME_CALL) throw new RpcError("NO_HELLO", "the first message is not a call");
    const [, id, method, params] = envelope;
    let hello: Hello;
    try {
      if (method !== "hello") throw new RpcError("NO_HELLO", "the first call on a connection must be hello");
      const greeting = door.greet(params);
      hello = greeting.hello;
      this.outbox.send(encodeFrame([FRAME_ANSWER, id, null, greeting.answer]));
    } catch (error) {
      if (error instanceof RpcError) return this.refuse(id, error);
      throw error;
    }
    this.open(hello, hello.role);
    door.onOpen(this, hello);
  }

  private refuse(id: number, error: RpcError): void {
    this.outbox.send(encodeFrame([FRAME_ANSWER, id, error.toWire(), null]));
    this.setup.log.warn("refused a connection", { code: error.code, problem: error.message });
    this.end(error.message, () => this.outbox.finish());
  }

  private onNotify([, method, params]: NotifyEnvelope, bytes: number): void {
    const fields = typeof params === "object" && params !== null ? (params as Record<string, unknown>) : {};
    switch (method) {
      case "stream.item":
        return this.outgoing.onItem(count(fields.call, method), fields.value, bytes);
      case "stream.ack":
        return this.incoming.onAcknowledge(count(fields.call, method), count(fields.bytes, method));
      case "call.cancel":
        return this.incoming.onCancel(count(fields.call, method));
      default:
        // A newer minor version may say more than this one understands.
        this.setup.log.debug("ignored a notification", { peer: this.name, method });
    }
  }

  private onDrain(): void {
    if (this.phase === "over") return;
    this.outbox.drained();
    this.incoming.onDrain();
  }

  private onClose(problem: string): void {
    // What had arrived before counts.
    if (this.rest !== null && !this.isOver()) this.take(this.rest, Number.POSITIVE_INFINITY);
    this.rest = null;
    this.end(problem, () => this.outbox.discard());
    this.stopCloseWait();
    this.resolveClosed(this.problem);
  }

  private end(problem: string, closeOutbox: () => void): void {
    if (this.phase === "over") return;
    this.phase = "over";
    this.problem = problem;
    if (this.connection) {
      this.stopCloseWait = this.setup.clock.after(CLOSE_WAIT_MS, () => this.resolveClosed(problem));
    } else this.resolveClosed(problem);
    closeOutbox();
    this.outgoing.end((method) => this.lost(method));
    this.incoming.end((method) => this.lost(method));
  }

  private lost(method: string): RpcError {
    const because = this.problem === "" ? "the connection was closed" : this.problem;
    return new RpcError("LOST_CONTACT", `lost contact with ${this.name} during ${method}: ${because}`);
  }

  /** A method, since the compiler believes that a phase it looked at stays. */
  private isOver(): boolean {
    return this.phase === "over";
  }
}

/** @throws RpcError MALFORMED */
function count(value: unknown, method: string): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw new RpcError("MALFORMED", `a ${method} without its numbers`);
}
