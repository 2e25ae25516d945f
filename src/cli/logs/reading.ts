/** Files that are being shown: how far each was read, and what goes wrong with it. */

import { RpcError } from "../../protocol/errors.ts";
import { errnoText } from "../../util/errno.ts";
import type { Stdio } from "../context.ts";
import type { LogFile } from "./files.ts";
import { createLinePrinter, type LinePrinter } from "./line-printer.ts";
import { headOf, type Source, tailStart, WINDOW_BYTES } from "./source.ts";

/** Which part of each file is shown: all of it, or so many lines of one end. */
export interface Part {
  readonly head: number | null;
  readonly tail: number | null;
}

/** A file that is being shown. */
export interface Reading {
  readonly file: LogFile;
  /** Prints what has come; whether there was such a file. Rejects only when the controller is gone. */
  pump(): Promise<boolean>;
  /** The job was started again, and begins its file anew. */
  restart(): void;
  end(): void;
  /** Why it can't be read, once that is known; empty before. */
  readonly problem: string;
}

/** A reading that has not begun. */
export function createReading(file: LogFile, source: Source, part: Part, stdio: Pick<Stdio, "out" | "err">): Reading {
  const printer: LinePrinter = createLinePrinter(stdio, file.label);
  let position: number | null = null;
  let linesLeft = part.head;
  let problem = "";

  const show = (data: Uint8Array): void => {
    if (linesLeft === null) return printer.print(data);
    const head = headOf(data, linesLeft);
    linesLeft -= head.lines;
    printer.print(head.data);
  };

  /** One window; whether there may be more. */
  const step = async (): Promise<"missing" | "more" | "done"> => {
    position ??= part.tail === null ? 0 : await tailStart(source, part.tail);
    const window = await source.read(position, WINDOW_BYTES);
    if (window === null) {
      position = null;
      return "missing";
    }
    // It was emptied: what it holds now is new.
    if (window.size < position) {
      position = 0;
      return "more";
    }
    position += window.data.length;
    show(window.data);
    return window.data.length > 0 && position < window.size && linesLeft !== 0 ? "more" : "done";
  };

  return {
    file,
    get problem() {
      return problem;
    },
    async pump() {
      if (problem !== "" || linesLeft === 0) return true;
      try {
        for (;;) {
          const came = await step();
          if (came !== "more") return came === "done";
        }
      } catch (error) {
        problem = problemText(error, file.path);
        return true;
      }
    },
    restart() {
      printer.end();
      position = 0;
    },
    end: () => printer.end(),
  };
}

/** @throws the error itself if it is not the file's fault */
function problemText(error: unknown, path: string): string {
  if (error instanceof RpcError) {
    if (error.code === "LOST_CONTACT") throw error;
    return error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
  }
  return `${path}: ${errnoText(error)}`;
}
