/** A holder over this machine's real processes, and a client for it: what the holder's tests stand on. */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import type { StepKey } from "../../../src/core/ids.ts";
import { createHolder, type Holder, type HolderPorts } from "../../../src/node/holder/holder.ts";
import type { HolderStep, StepLaunch, TaskLaunch } from "../../../src/protocol/holder.ts";
import type { Item, Params, Result, StreamMethod } from "../../../src/protocol/procedures.ts";
import type { CallContext, Sink } from "../../../src/rpc/types.ts";
import { hurriedClock } from "./hurried-clock.ts";
import { realPorts } from "./ports.ts";

export const TOKEN = "token-of-the-step";
/** What a sink lets be unacknowledged, as in rpc/sink.ts. */
const WINDOW_BYTES = 256 * 1024;

export type AttachItem = Item<"step.attach">;

interface Open {
  readonly holder: Holder;
  readonly ports: HolderPorts & { readonly clock: ReturnType<typeof hurriedClock> };
  readonly folder: string;
}

const opened: Open[] = [];
let jobs = 0;

/**
 * A holder in a scope and folder of its own; the end of the test asserts that it left no process behind.
 * @param isEager batch scripts are started by a program of their own from the first one on
 */
export function openHolder(isEager = false): Open & { readonly handlers: Holder["handlers"] } {
  const folder = mkdtempSync(join(tmpdir(), "mgpu-holder-test-"));
  const real = realPorts(folder, isEager);
  const ports = { ...real, clock: hurriedClock(real.clock) };
  const holder = createHolder(ports);
  const open = { holder, ports, folder };
  opened.push(open);
  return { ...open, handlers: holder.handlers };
}

afterEach(async () => {
  for (const { holder, ports, folder } of opened.splice(0)) {
    const left = ports.table.find("");
    for (const process of left) ports.table.signal(process, 9);
    holder.close();
    expect(left, "processes left behind").toEqual([]);
    rmSync(folder, { recursive: true });
  }
});

/** Polls until `check` gives something. */
export async function until<T>(check: () => T | Promise<T>, what: string, limitMs = 15_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`still not so after ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A step of a job number used nowhere else. */
export function stepKey(stepId: StepKey["stepId"] = 0): StepKey {
  return { jobId: ++jobs, attempt: 1, stepId };
}

/** A task whose three streams are the client's, unless said otherwise. */
export function task(argv: string[], more: Partial<TaskLaunch> = {}): TaskLaunch {
  return {
    task: 0,
    argv,
    environment: {},
    stdin: { from: "null" },
    stdout: { to: "client" },
    stderr: { to: "client" },
    ...more,
  };
}

export function launch(key: StepKey, tasks: TaskLaunch[], more: Partial<StepLaunch> = {}): StepLaunch {
  const environment = { PATH: process.env.PATH ?? "", HOME: "/tmp", MARK: "of the step" };
  return { key, token: TOKEN, workDir: "/tmp", environment, tasks, pty: null, batch: null, ...more };
}

/** `sh -c` for a step of one task. */
export function shell(text: string, more: Partial<TaskLaunch> = {}): TaskLaunch {
  return task(["sh", "-c", text], more);
}

export function makeFolder(parent: string, name: string): string {
  const path = join(parent, name);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

/** A sink as rpc/sink.ts makes it; frames count their data and 32 bytes. */
export class TestSink<I> implements Sink<I> {
  onAcknowledged: ((bytes: number) => void) | null = null;
  unacknowledged = 0;
  peakUnacknowledged = 0;
  readonly items: I[] = [];
  private readonly frames: number[] = [];
  private readonly automatic: boolean;
  private room: { resolve(): void; reject(error: Error): void } | null = null;
  private stopped: Error | null = null;

  /** An automatic one acknowledges each item in the next turn. */
  constructor(automatic = true) {
    this.automatic = automatic;
  }

  async send(item: I): Promise<void> {
    if (this.stopped) throw this.stopped;
    const bytes = 32 + ((item as { data?: Uint8Array }).data?.length ?? 0);
    this.items.push(item);
    this.frames.push(bytes);
    this.unacknowledged += bytes;
    this.peakUnacknowledged = Math.max(this.peakUnacknowledged, this.unacknowledged);
    if (this.automatic) setImmediate(() => this.acknowledge(1));
    if (this.unacknowledged < WINDOW_BYTES) return;
    await new Promise<void>((resolve, reject) => {
      this.room = { resolve, reject };
    });
  }

  /** Acknowledges the oldest frames, all at once; returns how many there were. */
  acknowledge(count = Number.POSITIVE_INFINITY): number {
    const frames = this.frames.splice(0, Math.min(count, this.frames.length));
    const bytes = frames.reduce((total, frame) => total + frame, 0);
    this.unacknowledged -= bytes;
    if (bytes > 0) this.onAcknowledged?.(bytes);
    if (this.unacknowledged < WINDOW_BYTES) this.room?.resolve();
    return frames.length;
  }

  stop(error: Error): void {
    this.stopped = error;
    this.room?.reject(error);
  }
}

export interface Client {
  readonly sink: TestSink<AttachItem>;
  readonly done: Promise<Result<"step.attach">>;
  leave(): void;
  /** The bytes of a stream, checked to be without gap or overlap. */
  bytes(taskNumber?: number, stream?: "out" | "err"): Buffer;
  text(taskNumber?: number, stream?: "out" | "err"): string;
}

/** Attaches to a step. */
export function attach(handlers: Holder["handlers"], key: StepKey, automatic = true, token = TOKEN): Client {
  const sink = new TestSink<AttachItem>(automatic);
  const left = new AbortController();
  const done = handlers["step.attach"]({ key, token }, sink, context(left.signal));
  done.catch(() => {});
  return {
    sink,
    done,
    leave() {
      sink.stop(new Error("the client left"));
      left.abort();
    },
    bytes: (taskNumber = 0, stream = "out") => joined(sink.items, taskNumber, stream),
    text: (taskNumber = 0, stream = "out") => joined(sink.items, taskNumber, stream).toString(),
  };
}

/** Joins what several attaches got, dropping by offset what came twice, as a client does. */
export function joined(items: readonly AttachItem[], taskNumber = 0, stream: "out" | "err" = "out"): Buffer {
  const parts: Uint8Array[] = [];
  let position = 0;
  for (const item of items) {
    if (item.type !== "data" || item.task !== taskNumber || item.stream !== stream) continue;
    if (item.offset > position) throw new Error(`a gap: byte ${item.offset} after ${position}`);
    const fresh = item.data.subarray(position - item.offset);
    parts.push(fresh);
    position += fresh.length;
  }
  return Buffer.concat(parts);
}

export function context(signal: AbortSignal = new AbortController().signal): CallContext {
  return { signal } as CallContext;
}

type Unary = Exclude<keyof Holder["handlers"], StreamMethod>;

/** Calls a handler that does not stream. */
export async function call<M extends Unary>(
  handlers: Holder["handlers"],
  method: M,
  params: Params<M>,
  signal?: AbortSignal,
): Promise<Result<M>> {
  const handler = handlers[method] as (params: Params<M>, context: CallContext) => Promise<Result<M>> | Result<M>;
  return handler(params, context(signal));
}

export function input(
  handlers: Holder["handlers"],
  key: StepKey,
  part: { task?: number | null; offset: number; data?: string | Uint8Array; eof?: boolean },
  signal?: AbortSignal,
): Promise<Result<"step.input">> {
  const { task: taskNumber = null, offset, data = "", eof = false } = part;
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  return call(handlers, "step.input", { key, token: TOKEN, task: taskNumber, offset, data: bytes, eof }, signal);
}

/** The step's state once it ended. */
export async function ended(handlers: Holder["handlers"], key: StepKey): Promise<HolderStep> {
  return until(async () => {
    const { steps } = await call(handlers, "holder.status", {});
    return steps.find(
      (step) => step.key.jobId === key.jobId && step.key.stepId === key.stepId && step.phase === "ended",
    );
  }, `the end of step ${key.jobId}`);
}

/** Launches and attaches; resolves with the client once the step ended and all is collected. */
export async function runToEnd(handlers: Holder["handlers"], step: StepLaunch): Promise<Client> {
  await call(handlers, "holder.launch", step);
  const client = attach(handlers, step.key);
  await client.done;
  return client;
}
