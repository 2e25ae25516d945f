/** Writing to another process's stdout and stderr, in the order in which a command said it, without ever waiting. */

import * as fs from "node:fs";
import { errnoText } from "../util/errno.ts";
import { type CallerOutput, isAlive, openOutput } from "./caller.ts";
import { NO_READER } from "./stdio.ts";

/** Whoever reads slowly is looked at this often. */
const RETRY_MS = 5;

export type Stream = "out" | "err";

export interface Piece {
  readonly stream: Stream;
  readonly data: Uint8Array;
}

/** How writing went: `closed` where stdout has no reader any more, else the system's words of what failed. */
export type Written = { readonly state: "done" | "closed" } | { readonly state: "failed"; readonly problem: string };

/** Both streams of a process, open; `null` where one can't be written by anybody else. */
export class CallerStreams {
  readonly out: CallerOutput;
  readonly err: CallerOutput;
  /** What the process has to write by itself. */
  readonly left: Record<Stream, Uint8Array[]> = { out: [], err: [] };
  private readonly pid: number;
  private isClosed = false;

  private constructor(pid: number, out: CallerOutput, err: CallerOutput) {
    this.pid = pid;
    this.out = out;
    this.err = err;
  }

  /** @param takesSockets whether the process may write by itself what goes into a socket */
  static open(pid: number, takesSockets = false): CallerStreams | null {
    const out = openOutput(pid, 1, takesSockets);
    const err = out && openOutput(pid, 2, takesSockets);
    if (out && err) return new CallerStreams(pid, out, err);
    if (out) closeOutput(out);
    return null;
  }

  /** What is still being written is dropped: its descriptor may be another caller's next. */
  close(): void {
    this.isClosed = true;
    closeOutput(this.out);
    closeOutput(this.err);
  }

  /**
   * Writes all, for as long as the process lives. What stderr can't take is nobody's business. What only the process itself
   * can write is in `left` then.
   */
  async write(pieces: readonly Piece[]): Promise<Written> {
    for (const { stream, data } of pieces) {
      if (this.isClosed) break;
      const { descriptor } = this[stream];
      if (descriptor === null) {
        this.keep(stream, data);
        continue;
      }
      try {
        await this.writeAll(descriptor, data);
      } catch (error) {
        const { code = "" } = error as NodeJS.ErrnoException;
        if (stream === "err") continue;
        return NO_READER.has(code) ? { state: "closed" } : { state: "failed", problem: errnoText(error) };
      }
    }
    return { state: "done" };
  }

  /** Both in one file are one text. */
  private keep(stream: Stream, data: Uint8Array): void {
    const { out, err } = this;
    const isOne = out.descriptor === null && err.descriptor === null && out.file === err.file;
    this.left[isOne ? "out" : stream].push(data);
  }

  private async writeAll(descriptor: number, data: Uint8Array): Promise<void> {
    let written = 0;
    while (written < data.length && !this.isClosed) {
      try {
        written += fs.writeSync(descriptor, data, written);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        if (!isAlive(this.pid)) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

function closeOutput({ descriptor }: CallerOutput): void {
  if (descriptor !== null) fs.closeSync(descriptor);
}
