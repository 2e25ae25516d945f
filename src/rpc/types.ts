/**
 * What a connection offers, on both sides alike: either end may call, answer and stream.
 *
 * Promise of the transport: each call ends exactly once, with its answer, an RpcError, or LOST_CONTACT.
 */

import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Net } from "../platform/net.ts";
import type {
  Hello,
  HelloAnswer,
  Item,
  Method,
  MethodsOn,
  Params,
  Result,
  Side,
  StreamMethod,
  UnaryMethod,
} from "../protocol/procedures.ts";

export interface CallOptions {
  /** Milliseconds until DEADLINE; null for none. Default CALL_DEADLINE_MS for unary calls, none for streams. */
  readonly deadlineMs?: number | null;
  /** Aborting it cancels the call on the other side. */
  readonly signal?: AbortSignal;
  /** Of a stream whose sender looks at no acknowledgement: there is one when a quarter of the window is consumed, not one a read. */
  readonly acknowledgesLate?: boolean;
}

/** One end of an open connection whose hello succeeded. */
export interface Peer {
  call<M extends UnaryMethod>(method: M, params: Params<M>, options?: CallOptions): Promise<Result<M>>;
  /**
   * Calls and takes items as they come, one at a time and in order. An item is acknowledged once `onItem` returned
   * (or resolved): a slow consumer slows the sender down, it never fills memory.
   */
  stream<M extends StreamMethod>(
    method: M,
    params: Params<M>,
    onItem: (item: Item<M>) => void | Promise<void>,
    options?: CallOptions,
  ): Promise<Result<M>>;
  /** Resolves once when the connection is over, with what ended it (empty after an orderly end). */
  readonly closed: Promise<string>;
  close(): void;
}

/** What a handler knows of its call. */
export interface CallContext {
  readonly peer: Peer;
  /** What the caller said of itself. */
  readonly hello: Hello;
  /** Aborted when the caller cancels or is gone. */
  readonly signal: AbortSignal;
}

/** The sending end of a stream. */
export interface Sink<I> {
  /** Sends; resolves when there is room in the window for the next one. Rejects once the caller cancelled or is gone. */
  send(item: I): Promise<void>;
  /** Bytes sent and not yet acknowledged. */
  readonly unacknowledged: number;
  /** Called with the bytes of each acknowledgement, in order of sending; set by who needs to know. */
  onAcknowledged: ((bytes: number) => void) | null;
}

export type UnaryHandler<M extends UnaryMethod> = (
  params: Params<M>,
  context: CallContext,
) => Promise<Result<M>> | Result<M>;

export type StreamHandler<M extends StreamMethod> = (
  params: Params<M>,
  sink: Sink<Item<M>>,
  context: CallContext,
) => Promise<Result<M>>;

type HandlerOf<M extends Method> = M extends StreamMethod
  ? StreamHandler<M>
  : M extends UnaryMethod
    ? UnaryHandler<M>
    : never;

/** All handlers of a side: a missing or mistyped one is a compile error. `hello` and `ping` are the transport's. */
export type Handlers<S extends Side> = {
  readonly [M in Exclude<MethodsOn<S>, "hello" | "ping">]: HandlerOf<M>;
};

export type AnyHandlers = Partial<Handlers<"controller"> & Handlers<"node"> & Handlers<"holder">>;

export interface RpcPorts {
  readonly net: Net;
  readonly clock: Clock;
  readonly log: Log;
}

/** A connected peer, and what the other side said of itself. */
export interface Connected {
  readonly peer: Peer;
  readonly answer: HelloAnswer;
  /** It leads to another machine: a link may break without a word. */
  readonly isFar?: true;
  /** Which way it goes, in words, where there are several. */
  readonly way?: string;
}

export interface RpcServer {
  close(): void;
}
