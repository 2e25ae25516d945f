/** Standard input line by line, for commands that talk with the user. */

import type { Input } from "./context.ts";

export interface LineReader {
  /** The next line without its line break; `null` at the end of the input. */
  next(): Promise<string | null>;
  /** Reads no more. */
  stop(): void;
}

/** Longest line that is read: nobody types more, and a file that has none must not fill the memory. */
const LINE_BYTES_MAX = 1024 * 1024;

/** A reader that asks for more input only when a line is wanted. Lines beyond a mebibyte come in pieces. */
export function createLineReader(input: Input): LineReader {
  const decoder = new TextDecoder();
  let text = "";
  let isOver = false;
  let isReading = false;
  let wanted: ((line: string | null) => void) | null = null;
  let goOn: () => void = () => {};

  const take = (): string | undefined => {
    const end = text.indexOf("\n");
    if (end < 0 && !isOver && text.length < LINE_BYTES_MAX) return undefined;
    const line = end < 0 ? text : text.slice(0, end);
    text = end < 0 ? "" : text.slice(end + 1);
    return line;
  };

  const serve = (): void => {
    if (wanted === null) return;
    const line = isOver && text === "" ? null : take();
    if (line === undefined) return goOn();
    const give = wanted;
    wanted = null;
    give(line === null ? null : line.replace(/\r$/, ""));
  };

  const start = (): void => {
    isReading = true;
    void input
      .read((chunk) => {
        text += decoder.decode(chunk, { stream: true });
        return new Promise<void>((resolve) => {
          goOn = resolve;
          serve();
        });
      })
      .catch(() => {})
      .then(() => {
        isOver = true;
        serve();
      });
  };

  return {
    next() {
      return new Promise((resolve) => {
        wanted = resolve;
        if (!isReading) start();
        serve();
      });
    },
    stop() {
      isOver = true;
      input.stop();
      goOn();
    },
  };
}
