/**
 * The calls that this side made on one connection. Promises: each settles exactly once - by its answer, its
 * deadline, its signal or the end of the connection - and a late answer or item of a settled call is ignored.
 */

import type { Cancel, Clock } from "../platform/clock.ts";
import { type AnswerError, encodeFrame } from "../protocol/codec.ts";
import { CALL_DEADLINE_MS, FRAME_CALL, FRAME_NOTIFY } from "../protocol/envelope.ts";
import { fromWire, RpcError } from "../protocol/errors.ts";
import { type Method, PROCEDURES, type Procedure } from "../protocol/procedures.ts";
import { type ItemConsumer, ItemQueue } from "./item-queue.ts";
import type { Outbox } from "./outbox.ts";
import type { CallOptions } from "./types.ts";
import { validate } from "./validate.ts";

export interface CallRequest {
  readonly method: Method;
  readonly params: unknown;
  /** Takes the items of a stream; null for a unary call. */
  readonly onItem: ((item: unknown) => void | Promise<void>) | null;
  readonly options: CallOptions;
  /** One of the two is called, once, possibly before `begin` returns. */
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface OpenCall {
  readonly id: number;
  readonly request: CallRequest;
  readonly procedure: Procedure;
  readonly items: ItemQueue | null;
  answered: boolean;
  stopDeadline: Cancel | null;
  stopListening: Cancel | null;
}

export class OutgoingCalls {
  private readonly open = new Map<number, OpenCall>();
  private lastId = 0;
  private readonly clock: Clock;
  private readonly outbox: Outbox;

  constructor(clock: Clock, outbox: Outbox) {
    this.clock = clock;
    this.outbox = outbox;
  }

  begin(request: CallRequest): void {
    const { method, params, onItem, options } = request;
    if (options.signal?.aborted) return request.reject(cancelled(method));
    const id = this.lastId + 1;
    let frame: Uint8Array;
    try {
      frame = encodeFrame([FRAME_CALL, id, method, params]);
    } catch (error) {
      return request.reject(error);
    }
    this.lastId = id;
    const items = onItem && this.itemQueue(id, request, onItem);
    const call: OpenCall = {
      id,
      request,
      procedure: PROCEDURES[method],
      items,
      answered: false,
      stopDeadline: null,
      stopListening: null,
    };
    this.open.set(id, call);
    this.watchDeadline(call);
    this.watchSignal(call);
    this.outbox.send(frame);
  }

  /** @throws RpcError MALFORMED for a call that was never made */
  onAnswer(id: number, error: AnswerError | null, result: unknown): void {
    const call = this.find(id);
    if (call === undefined || call.answered) return;
    call.answered = true;
    const finish = (): void => (error ? this.reject(call, fromWire(error)) : this.accept(call, result));
    // The answer came after the items, so it counts after them.
    if (call.items) call.items.whenCaughtUp(finish);
    else finish();
  }

  /** @throws RpcError MALFORMED for a call that was never made, does not stream, or whose window is exceeded */
  onItem(id: number, value: unknown, bytes: number): void {
    const call = this.find(id);
    if (call === undefined || call.answered) return;
    if (call.items === null) throw new RpcError("MALFORMED", `a stream.item for ${call.request.method}`);
    call.items.push(value, bytes);
  }

  /** Nothing more will arrive: what is not answered rejects. */
  end(lost: (method: Method) => RpcError): void {
    for (const call of [...this.open.values()]) {
      if (!call.answered) this.reject(call, lost(call.request.method));
    }
  }

  private find(id: number): OpenCall | undefined {
    if (id > this.lastId) throw new RpcError("MALFORMED", `a message for call ${id}, which was never made`);
    return this.open.get(id);
  }

  private itemQueue(id: number, request: CallRequest, onItem: (item: unknown) => void | Promise<void>): ItemQueue {
    const { item } = PROCEDURES[request.method] as Procedure;
    const consumer: ItemConsumer = {
      consume: (value) => onItem(item ? validate(item, value, "BAD_RESULT", `an item of ${request.method}`) : value),
      acknowledge: (bytes) => this.outbox.send(encodeFrame([FRAME_NOTIFY, "stream.ack", { call: id, bytes }])),
      fail: (error) => this.abandon(id, error),
    };
    return new ItemQueue(consumer, request.options.acknowledgesLate);
  }

  private watchDeadline(call: OpenCall): void {
    const { deadlineMs = call.items ? null : CALL_DEADLINE_MS } = call.request.options;
    if (deadlineMs === null) return;
    call.stopDeadline = this.clock.after(deadlineMs, () => {
      this.abandon(call.id, new RpcError("DEADLINE", `${call.request.method} took more than ${deadlineMs / 1000} s`));
    });
  }

  private watchSignal(call: OpenCall): void {
    const { signal } = call.request.options;
    if (signal === undefined) return;
    const onAbort = (): void => this.abandon(call.id, cancelled(call.request.method));
    signal.addEventListener("abort", onAbort, { once: true });
    call.stopListening = () => signal.removeEventListener("abort", onAbort);
  }

  /** Ends a call from this side, and tells the other side unless it is done with it. */
  private abandon(id: number, error: unknown): void {
    const call = this.open.get(id);
    if (call === undefined) return;
    if (!call.answered) this.outbox.send(encodeFrame([FRAME_NOTIFY, "call.cancel", { call: id }]));
    this.reject(call, error);
  }

  private accept(call: OpenCall, result: unknown): void {
    let checked: unknown;
    try {
      checked = validate(call.procedure.result, result, "BAD_RESULT", `the result of ${call.request.method}`);
    } catch (error) {
      return this.reject(call, error);
    }
    this.close(call);
    call.request.resolve(checked);
  }

  private reject(call: OpenCall, error: unknown): void {
    this.close(call);
    call.request.reject(error);
  }

  private close(call: OpenCall): void {
    this.open.delete(call.id);
    call.stopDeadline?.();
    call.stopListening?.();
    call.items?.stop();
  }
}

function cancelled(method: Method): RpcError {
  return new RpcError("CANCELLED", `${method} was cancelled`);
}
