/**
 * What the client says while a program has the terminal: one line over the last row of the screen. It goes by itself,
 * or at the next key, and what was under it is drawn anew.
 */

import type { PtySpec } from "../../core/jobspec.ts";
import type { Cancel, Clock } from "../../platform/clock.ts";

/** How long a line stands. */
const STAND_MS = 5000;

const DEFAULT_SIZE: PtySpec = { columns: 80, rows: 24 };

export interface StatusLinePorts {
  readonly clock: Clock;
  /** Writes to the terminal. */
  readonly out: (text: string) => void;
  /** The terminal's size now; `null` if it is not known. */
  readonly size: () => PtySpec | null;
  /** Draws the program's screen anew. Without contact that comes to pass when contact is back. */
  readonly redraw: () => void;
}

export class StatusLine {
  private readonly ports: StatusLinePorts;
  /** What ends the line's time; `null` where nothing does. */
  private cancel: Cancel | null = null;
  private stands = false;

  constructor(ports: StatusLinePorts) {
    this.ports = ports;
  }

  /** Shows `text`, as much of it as a row holds. @param stays it goes at a key only */
  show(text: string, stays = false): void {
    const { clock, out, size } = this.ports;
    const { columns, rows } = size() ?? DEFAULT_SIZE;
    this.cancel?.();
    out(overLastRow([...text].slice(0, columns).join(""), rows));
    this.stands = true;
    this.cancel = stays ? () => {} : clock.after(STAND_MS, () => this.clear());
  }

  /** Has the screen drawn anew. Until it is, the line stands: without contact it is all there is to tell. */
  clear(): void {
    if (this.cancel === null) return;
    this.cancel();
    this.cancel = null;
    this.ports.redraw();
  }

  /** The screen was drawn: nothing of the line is left. */
  drawn(): void {
    this.cancel?.();
    this.cancel = null;
    this.stands = false;
  }

  /** Takes the line away; nothing is drawn in its place, for the screen is about to be somebody else's. */
  wipe(): void {
    if (this.stands) this.ports.out(overLastRow("", this.rows()));
    this.drawn();
  }

  private rows(): number {
    return this.ports.size()?.rows ?? DEFAULT_SIZE.rows;
  }
}

/**
 * Bytes that write over the last row and leave the cursor, its colours and its origin mode as they were: DECSC, no
 * DECOM, CUP, reversed text, EL, DECRC (ECMA-48 and DEC's VT510 manual).
 */
function overLastRow(text: string, rows: number): string {
  return `\x1b7\x1b[?6l\x1b[${rows};1H\x1b[0;7m${text}\x1b[0m\x1b[K\x1b8`;
}
