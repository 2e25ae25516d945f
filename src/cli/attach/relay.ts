/**
 * From the tasks' streams to ours, byte for byte: what arrives a second time after a lost connection is dropped by
 * its offset, and with labels each line gets its task's number.
 */

import type { Stdio } from "../context.ts";

export type StreamName = "out" | "err";

export interface Relay {
  /** Bytes of a task's stream, the first of them at `offset`. */
  data(task: number, stream: StreamName, offset: number, bytes: Uint8Array): void;
  /** No more will come: unfinished lines are ended. */
  finish(): void;
  /** Bytes that the sender no longer had, in all. */
  readonly missing: number;
}

/** Longest line that waits for its end; a longer one goes out in pieces. */
const LINE_BYTES_MAX = 1024 * 1024;

const LINE_FEED = 10;

interface StreamState {
  readonly stream: StreamName;
  readonly label: Uint8Array;
  received: number;
  /** The beginning of a line whose end has not arrived. */
  unfinished: Uint8Array[];
  unfinishedBytes: number;
  /** A piece of the present line went out with its label. */
  isMidLine: boolean;
}

/**
 * @param labelTasks tells the number of tasks if lines get labels (all are padded to the widest), `null` for none
 * @param fromStart false for who looks on from now on: what came before is not missed
 */
export function createRelay(stdio: Stdio, labelTasks: (() => number) | null, fromStart = true): Relay {
  const states = new Map<string, StreamState>();
  let missing = 0;

  const stateOf = (task: number, stream: StreamName, offset: number): StreamState => {
    const key = `${task}.${stream}`;
    const known = states.get(key);
    if (known) return known;
    const width = String((labelTasks?.() ?? 1) - 1).length;
    const label = new TextEncoder().encode(`${String(task).padStart(width)}: `);
    const state = {
      stream,
      label,
      received: fromStart ? 0 : offset,
      unfinished: [],
      unfinishedBytes: 0,
      isMidLine: false,
    };
    states.set(key, state);
    return state;
  };

  const write = (stream: StreamName, bytes: Uint8Array): void => {
    if (bytes.length === 0) return;
    if (stream === "out") stdio.out(bytes);
    else stdio.err(bytes);
  };

  return {
    data(task, stream, offset, bytes) {
      const state = stateOf(task, stream, offset);
      if (offset > state.received) missing += offset - state.received;
      const fresh = bytes.subarray(Math.max(0, state.received - offset));
      state.received = Math.max(state.received, offset + bytes.length);
      write(stream, labelTasks === null ? fresh : labelled(state, fresh));
    },
    finish() {
      for (const state of states.values()) {
        if (state.unfinishedBytes === 0 && !state.isMidLine) continue;
        write(state.stream, concat([...takeLine(state), Uint8Array.of(LINE_FEED)]));
        state.isMidLine = false;
      }
    },
    get missing() {
      return missing;
    },
  };
}

/** Whole lines with their labels; the rest waits in `state`. */
function labelled(state: StreamState, bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
    parts.push(...takeLine(state), bytes.subarray(start, end + 1));
    state.isMidLine = false;
    start = end + 1;
  }
  if (start < bytes.length) {
    // A copy: the sender may use its buffer again.
    state.unfinished.push(bytes.slice(start));
    state.unfinishedBytes += bytes.length - start;
  }
  if (state.unfinishedBytes > LINE_BYTES_MAX) {
    parts.push(...takeLine(state));
    state.isMidLine = true;
  }
  return concat(parts);
}

/** The label, unless the line has it, and what has waited. */
function takeLine(state: StreamState): Uint8Array[] {
  const parts = state.isMidLine ? state.unfinished : [state.label, ...state.unfinished];
  state.unfinished = [];
  state.unfinishedBytes = 0;
  return parts;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
