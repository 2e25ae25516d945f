/**
 * Where frames go: to Ink, and what it makes of them to the terminal. Ink takes longer to load than all the rest, so the
 * first frames are painted without it; the rows are as wide as the terminal already.
 */

import type { Clock } from "../platform/clock.ts";
import type { InkScreen } from "./ink.ts";
import type { Painter } from "./painter.ts";

export interface Frames {
  /** Shows these rows, unless they are shown already. */
  show(rows: readonly string[], columns: number): void;
  /** What is on the terminal is not known any more. */
  forget(): void;
  close(): void;
}

/** After the first frame, in milliseconds: whoever opened it looks then, and presses no key yet. */
const LOAD_MS = 300;

export type LoadInk = () => Promise<(onFrame: Painter["paint"]) => InkScreen>;

/** Frames on a painter. */
export function createFrames(clock: Pick<Clock, "after">, painter: Painter, loadInk: LoadInk): Frames {
  let shown: readonly string[] | null = null;
  let ink: InkScreen | null = null;
  let stopLoading: (() => void) | null = null;
  let isClosed = false;
  const load = async (): Promise<void> => {
    const create = await loadInk();
    if (isClosed) return;
    // Its very first frame has no rows.
    let isStarting = true;
    ink = create((rows) => {
      // And its last one comes when the terminal is the shell's again.
      if (!isStarting && !isClosed) painter.paint(rows);
    });
    isStarting = false;
  };
  return {
    show(rows, columns) {
      if (shown !== null && shown.length === rows.length && shown.every((row, at) => row === rows[at])) return;
      shown = rows;
      if (ink) ink.show(rows, columns);
      else painter.paint(rows);
      stopLoading ??= clock.after(LOAD_MS, () => void load());
    },
    forget() {
      shown = null;
      painter.forget();
    },
    close() {
      isClosed = true;
      stopLoading?.();
      ink?.close();
    },
  };
}
