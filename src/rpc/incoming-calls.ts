/**
 * The calls that the other side made on one connection. Promises: each is answered exactly once unless the connection
 * ends first; a handler sees only params that fit the schema; what a handler throws beside an RpcError stays in the
 * log, under the number that the caller is told.
 */

import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { encodeFrame } from "../protocol/codec.ts";
import { CALLS_IN_FLIGHT_MAX, FRAME_ANSWER } from "../protocol/envelope.ts";
import { RpcError } from "../protocol/errors.ts";
import { type Hello, PROCEDURES, type Procedure } from "../protocol/procedures.ts";
import type { Outbox } from "./outbox.ts";
import { StreamSink } from "./sink.ts";
import type { AnyHandlers, CallContext, Peer, Sink } from "./types.ts";
import { validate } from "./validate.ts";

type UnaryFunction = (params: unknown, context: CallContext) => unknown;
type StreamFunction = (params: unknown, sink: Sink<unknown>, context: CallContext) => Promise<unknown>;

interface Answerer {
  readonly procedure: Procedure;
  readonly handler: UnaryFunction | StreamFunction;
}

/** What a side answers, by method. Made once, shared by all its connections. */
export type HandlerTable = ReadonlyMap<string, Answerer>;

/** Numbers the internal errors of one program, so that a caller's message can be found in the log. */
export interface LogNumbers {
  last: number;
}

/** Adds the transport's own `ping` to the handlers. */
export function handlerTable(handlers: AnyHandlers, clock: Clock): HandlerTable {
  const table = new Map<string, Answerer>();
  for (const [method, handler] of Object.entries(handlers)) {
    table.set(method, { procedure: PROCEDURES[method as keyof typeof handlers], handler: handler as UnaryFunction });
  }
  return table.set("ping", { procedure: PROCEDURES.ping, handler: () => ({ now: clock.now() }) });
}

export interface IncomingSetup {
  readonly peer: Peer;
  readonly handlers: HandlerTable;
  readonly outbox: Outbox;
  readonly log: Log;
  readonly logNumbers: LogNumbers;
}

export class IncomingCalls {
  private readonly open = new Map<number, IncomingCall>();
  private readonly setup: IncomingSetup;

  constructor(setup: IncomingSetup) {
    this.setup = setup;
  }

  /** @throws RpcError MALFORMED for an id that is in use */
  onCall(id: number, method: string, params: unknown, hello: Hello): void {
    if (this.open.has(id)) throw new RpcError("MALFORMED", `a second call with the id ${id}`);
    const answerer = this.setup.handlers.get(method);
    if (answerer === undefined) return this.answerError(id, method, unknownMethod(method));
    if (this.open.size >= CALLS_IN_FLIGHT_MAX) return this.answerError(id, method, tooManyCalls());
    const sink = answerer.procedure.kind === "stream" ? new StreamSink(id, this.setup.outbox) : null;
    const call = new IncomingCall(id, method, this.setup.peer, hello, sink);
    this.open.set(id, call);
    try {
      const checked = validate(answerer.procedure.params, params, "BAD_PARAMS", `params of ${method}`);
      const outcome = run(answerer, checked, call);
      if (outcome instanceof Promise) this.finishLater(call, outcome);
      else this.finish(call, () => this.answer(id, method, outcome));
    } catch (error) {
      this.finish(call, () => this.answerError(id, method, error));
    }
  }

  /** @throws RpcError MALFORMED for more than was sent */
  onAcknowledge(id: number, bytes: number): void {
    this.open.get(id)?.sink?.acknowledge(bytes);
  }

  onCancel(id: number): void {
    const call = this.open.get(id);
    if (call === undefined || call.ended !== null) return;
    call.end(new RpcError("CANCELLED", `${call.method} was cancelled by its caller`));
  }

  /** The socket has room again. */
  onDrain(): void {
    for (const call of this.open.values()) call.sink?.pump();
  }

  /** The connection is over: nothing is answered any more. */
  end(lost: (method: string) => RpcError): void {
    const calls = [...this.open.values()];
    this.open.clear();
    for (const call of calls) call.end(lost(call.method));
  }

  private finishLater(call: IncomingCall, outcome: Promise<unknown>): void {
    const { id, method } = call;
    outcome.then(
      (result) => this.finish(call, () => this.answer(id, method, result)),
      (error: unknown) => this.finish(call, () => this.answerError(id, method, error)),
    );
  }

  /** Answers after the last item, and with CANCELLED if the caller asked for that meanwhile. */
  private finish(call: IncomingCall, answer: () => void): void {
    const conclude = (): void => {
      // Not so after the end of the connection.
      if (this.open.get(call.id) !== call) return;
      this.open.delete(call.id);
      if (call.ended) this.answerError(call.id, call.method, call.ended);
      else answer();
      call.sink?.stop(new RpcError("CANCELLED", `${call.method} is over`));
    };
    if (call.sink) call.sink.whenFlushed(conclude);
    else conclude();
  }

  private answer(id: number, method: string, result: unknown): void {
    let frame: Uint8Array;
    try {
      frame = encodeFrame([FRAME_ANSWER, id, null, result]);
    } catch (error) {
      return this.answerError(id, method, error);
    }
    this.setup.outbox.send(frame);
  }

  private answerError(id: number, method: string, error: unknown): void {
    const known = error instanceof RpcError ? error : internalError(this.setup, method, error);
    this.setup.outbox.send(encodeFrame([FRAME_ANSWER, id, known.toWire(), null]));
  }
}

/** One call being answered, as its handler sees it. */
class IncomingCall implements CallContext {
  readonly id: number;
  readonly method: string;
  readonly peer: Peer;
  readonly hello: Hello;
  readonly sink: StreamSink | null;
  /** Why nobody waits for the answer any more. */
  ended: RpcError | null = null;
  private controller: AbortController | null = null;

  constructor(id: number, method: string, peer: Peer, hello: Hello, sink: StreamSink | null) {
    this.id = id;
    this.method = method;
    this.peer = peer;
    this.hello = hello;
    this.sink = sink;
  }

  /** Made when asked for: few handlers look at it. */
  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = new AbortController();
      if (this.ended) this.controller.abort(this.ended);
    }
    return this.controller.signal;
  }

  end(reason: RpcError): void {
    this.ended = reason;
    this.sink?.stop(reason);
    this.controller?.abort(reason);
  }
}

function run({ procedure, handler }: Answerer, params: unknown, call: IncomingCall): unknown {
  if (procedure.kind === "stream") return (handler as StreamFunction)(params, call.sink as StreamSink, call);
  return (handler as UnaryFunction)(params, call);
}

/** What a caller is told of an error that is none of its own: where the log has it. */
export function internalError(
  { log, logNumbers }: Pick<IncomingSetup, "log" | "logNumbers">,
  method: string,
  error: unknown,
): RpcError {
  const logId = ++logNumbers.last;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log.error("a handler failed", { method, logId, stack });
  return new RpcError("INTERNAL", `${method} failed inside mgpu; its log has the details under logId ${logId}`);
}

/** The error for a method that this side does not answer. */
export function unknownMethod(method: string): RpcError {
  if (method === "hello") return new RpcError("BAD_PARAMS", "hello was already accepted on this connection");
  if (!Object.hasOwn(PROCEDURES, method)) {
    const hint = "one side may be newer than the other: upgrade both to the same version";
    return new RpcError("UNKNOWN_METHOD", `there is no method ${JSON.stringify(method.slice(0, 100))}`, hint);
  }
  const { on } = PROCEDURES[method as keyof typeof PROCEDURES];
  return new RpcError("UNKNOWN_METHOD", `${method} is answered by a ${on}, not by this side of the connection`);
}

function tooManyCalls(): RpcError {
  const hint = "wait for earlier calls to end";
  return new RpcError("TOO_MANY_CALLS", `more than ${CALLS_IN_FLIGHT_MAX} calls are open on one connection`, hint);
}
