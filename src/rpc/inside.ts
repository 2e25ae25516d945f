/**
 * A connection without a wire: both ends are in one process. What holds for any connection holds here: each call ends exactly once,
 * with its answer, an RpcError, or LOST_CONTACT; nothing is answered in the turn of the call itself.
 *
 * What is said for each job goes over as it is, neither encoded nor copied nor checked: it is of the types that the schema describes, made by
 * this very program, and nobody may change it, at either end. Anything else is what a wire would make of it.
 */

import type { Cancel, Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { encodeFrame, FrameReader } from "../protocol/codec.ts";
import { CALL_DEADLINE_MS, FRAME_BYTES_MAX, FRAME_NOTIFY } from "../protocol/envelope.ts";
import { RpcError } from "../protocol/errors.ts";
import type { Hello, Params, Result, UnaryMethod } from "../protocol/procedures.ts";
import { type HandlerTable, internalError, type LogNumbers, unknownMethod } from "./incoming-calls.ts";
import type { CallContext, CallOptions, Peer } from "./types.ts";
import { validate } from "./validate.ts";

/** One end: what it answers, and what the other end is called. */
export interface InsideEnd {
  readonly clock: Clock;
  readonly log: Log;
  readonly logNumbers: LogNumbers;
  readonly handlers: HandlerTable;
  /** Of the other end, in messages. */
  readonly name: string;
  /** What the other end said of itself. */
  readonly hello: Hello;
}

/** Said for each job. */
const AS_IT_IS: ReadonlySet<string> = new Set(["node.launch", "node.report"]);

/** Two peers that are connected from the start. */
export function joinInside(one: InsideEnd, other: InsideEnd): readonly [Peer, Peer] {
  const peers = [new InsidePeer(one), new InsidePeer(other)] as const;
  peers[0].other = peers[1];
  peers[1].other = peers[0];
  return peers;
}

class InsidePeer implements Peer {
  readonly closed: Promise<string>;
  /** Set before anybody has this. */
  other: InsidePeer = this;
  private readonly end: InsideEnd;
  private readonly open = new Set<InsideCall>();
  private isOver = false;
  private resolveClosed: (problem: string) => void = () => {};

  constructor(end: InsideEnd) {
    this.end = end;
    this.closed = new Promise((resolve) => {
      this.resolveClosed = resolve;
    });
  }

  call<M extends UnaryMethod>(method: M, params: Params<M>, options: CallOptions = {}): Promise<Result<M>> {
    return new Promise((resolve, reject) => {
      const call = new InsideCall(method, this.other, resolve as (result: unknown) => void, reject);
      if (this.isOver) return call.fail(lost(this.end.name, method));
      this.open.add(call);
      call.onSettled(() => this.open.delete(call));
      this.watch(call, options);
      queueMicrotask(() => this.other.answer(call, params));
    });
  }

  /** No procedure that this is for streams. */
  stream(method: string): Promise<never> {
    return Promise.reject(new RpcError("UNKNOWN_METHOD", `${method} is not answered inside a process`));
  }

  close(): void {
    this.finish();
    this.other.finish();
  }

  /** What the other end calls. */
  private answer(call: InsideCall, params: unknown): void {
    if (call.isSettled) return;
    const { handlers, log, logNumbers } = this.end;
    const { method } = call;
    const answerer = handlers.get(method);
    if (answerer === undefined || answerer.procedure.kind === "stream") return call.fail(unknownMethod(method));
    const { procedure } = answerer;
    const refuse = (error: unknown): void =>
      call.fail(error instanceof RpcError ? error : internalError({ log, logNumbers }, method, error));
    const accept = (result: unknown): void => {
      try {
        call.succeed(AS_IT_IS.has(method) ? result : received(procedure.result, result, `the result of ${method}`));
      } catch (error) {
        refuse(error);
      }
    };
    try {
      const given = AS_IT_IS.has(method) ? params : received(procedure.params, params, `params of ${method}`);
      const handler = answerer.handler as (given: unknown, context: CallContext) => unknown;
      const outcome = handler(given, call.context(this.end.hello));
      if (outcome instanceof Promise) outcome.then(accept, refuse);
      else accept(outcome);
    } catch (error) {
      refuse(error);
    }
  }

  private watch(call: InsideCall, { deadlineMs = CALL_DEADLINE_MS, signal }: CallOptions): void {
    const { method } = call;
    if (deadlineMs !== null) {
      const late = `${method} took more than ${deadlineMs / 1000} s`;
      call.onSettled(this.end.clock.after(deadlineMs, () => call.fail(new RpcError("DEADLINE", late))));
    }
    if (!signal) return;
    const stop = (): void => call.fail(new RpcError("CANCELLED", `${method} was cancelled`));
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    call.onSettled(() => signal.removeEventListener("abort", stop));
  }

  private finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const call of [...this.open]) call.fail(lost(this.end.name, call.method));
    this.resolveClosed("");
  }
}

/** One call, from its beginning to its only end. */
class InsideCall {
  readonly method: string;
  isSettled = false;
  private readonly answering: InsidePeer;
  private readonly resolve: (result: unknown) => void;
  private readonly reject: (error: RpcError) => void;
  private readonly cleanup: Cancel[] = [];
  private controller: AbortController | null = null;

  constructor(
    method: string,
    answering: InsidePeer,
    resolve: (result: unknown) => void,
    reject: (error: RpcError) => void,
  ) {
    this.method = method;
    this.answering = answering;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** What the handler knows of it. The signal is made when asked for: few look at it. */
  context(hello: Hello): CallContext {
    const signalOf = (): AbortSignal => {
      this.controller ??= new AbortController();
      if (this.isSettled) this.controller.abort();
      return this.controller.signal;
    };
    return {
      peer: this.answering,
      hello,
      get signal() {
        return signalOf();
      },
    };
  }

  /** Called once it is over, however. */
  onSettled(callback: () => void): void {
    if (this.isSettled) callback();
    else this.cleanup.push(callback);
  }

  succeed(result: unknown): void {
    if (this.settle()) this.resolve(result);
  }

  fail(error: RpcError): void {
    if (!this.settle()) return;
    this.controller?.abort(error);
    this.reject(error);
  }

  private settle(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    for (const callback of this.cleanup) callback();
    return true;
  }
}

/** A value as it would arrive: nothing of it is shared, and fields that the schema does not know are dropped. */
function received(schema: Parameters<typeof validate>[0], value: unknown, where: string): unknown {
  const [frame] = new FrameReader(FRAME_BYTES_MAX).push(encodeFrame([FRAME_NOTIFY, "inside", value]));
  return validate(schema, frame?.envelope[2], "BAD_PARAMS", where);
}

function lost(name: string, method: string): RpcError {
  return new RpcError("LOST_CONTACT", `lost contact with ${name} during ${method}: the connection was closed`);
}
