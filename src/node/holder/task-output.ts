/** What a step's tasks print, whatever keeps it: pipes' output waits for its client, a terminal's has viewers. */

import type { ExitStatus } from "../../core/job.ts";
import type { ByteSource } from "../../platform/pipes.ts";
import type { TerminalStatus, TerminalView } from "../../protocol/procedures.ts";
import type { Sink } from "../../rpc/types.ts";
import type { AttachItem, StreamName } from "./output-queue.ts";

export interface TaskOutput {
  /** Some client attached once. */
  readonly wasAttached: boolean;
  /** When a client had taken all output, after the end; null before. Milliseconds of the monotonic clock. */
  readonly collectedAtMs: number | null;
  /** Bytes that are kept for clients. */
  readonly costBytes: number;
  readonly hasClient: boolean;
  /** Reads a task's stream from now on. */
  addStream(task: number, stream: StreamName, source: ByteSource): void;
  /** Puts a text of ours among a task's output. */
  say(task: number, stream: StreamName, text: string): void;
  /** A task's process ended; told after its output, unless something else holds that open. */
  addExit(task: number, exit: ExitStatus): void;
  /** The programs are gone: what is left is little, and read whether it is taken or not. */
  release(): void;
  /** Resolves when every stream ended. */
  streamsEnded(): Promise<void>;
  /** Ends the streams that are still open. */
  closeStreams(): void;
  /** Nothing more comes: clients that have all are let go. */
  finish(): void;
  /** Drops what waits: nobody will come for it. Returns the bytes of output dropped. */
  drop(): number;
  /**
   * Serves a client to the end.
   * @param tasks the tasks that were started; null if none was
   * @param view of a terminal: how it is to be seen
   * @throws RpcError CANCELLED, TAKEN_OVER, SESSION_BUSY, TOO_MANY_CALLS
   */
  attach(
    sink: Sink<AttachItem>,
    signal: AbortSignal,
    tasks: readonly number[] | null,
    view?: TerminalView,
  ): Promise<void>;
  /** Serves somebody who looks on, from now to the end; resolves when all was sent. */
  watch(sink: Sink<AttachItem>, signal: AbortSignal, tasks: readonly number[] | null): Promise<void>;
}

/** What a terminal has beyond that. */
export interface TerminalHandle {
  /** Whether a client of that name may type; without a name: a client that knows nothing of names. */
  mayType(client: string | undefined): boolean;
  /** Somebody typed. */
  typed(): void;
  /** Milliseconds since somebody typed or something was printed. */
  readonly idleMs: number;
  /** The program's terminal has another size from now on. */
  resize(columns: number, rows: number): void;
  /** The viewer of that name gets the whole screen once more. */
  redraw(client: string): void;
  status(): TerminalStatus;
}
