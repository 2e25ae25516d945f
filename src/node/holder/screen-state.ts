/**
 * The screen of a terminal, drawn no sooner than somebody needs it: output is drawn when it is about to be forgotten
 * or before the size changes, and all of it when a picture is asked for.
 *
 * Promise: a picture shows the output up to a position that it names, no byte more and no byte less.
 */

import type { OpenScreen, Screen } from "../../platform/screen.ts";
import { TerminalModes } from "../../util/terminal-modes.ts";
import { SCROLLBACK_LINES } from "./limits.ts";
import type { PtySize } from "./pty-step.ts";

export interface Picture {
  /** Position after the last byte that it shows. */
  readonly offset: number;
  readonly size: PtySize;
  /** What, written to a cleared terminal, shows it. */
  readonly data: Uint8Array;
}

export class ScreenState {
  /** Position up to which output was given to the screen. */
  fedTo = 0;
  /** Bytes that it has still to draw. */
  backlogBytes = 0;
  private readonly open: OpenScreen;
  private readonly onDrawn: () => void;
  private readonly modes = new TerminalModes();
  private size: PtySize;
  private screen: Promise<Screen> | null = null;
  /** What is done with the screen, one after the other. */
  private work: Promise<void> = Promise.resolve();

  /** `onDrawn` is called when the backlog got smaller. */
  constructor(open: OpenScreen, size: PtySize, onDrawn: () => void) {
    this.open = open;
    this.size = size;
    this.onDrawn = onDrawn;
  }

  /** Whether a program has the whole screen to itself, as far as it was drawn. */
  get isAlternate(): boolean {
    return this.modes.isAlternateScreen;
  }

  /** Output that follows what was given before. */
  feed(data: Uint8Array): void {
    if (data.length === 0) return;
    this.fedTo += data.length;
    this.backlogBytes += data.length;
    const drawn = (): void => {
      this.backlogBytes -= data.length;
      this.onDrawn();
    };
    // Without an emulator there are no pictures, and who asks for one is told; programs must run on.
    this.enqueue(async (screen) => {
      await screen.write(data);
      this.modes.feed(data);
    }).then(drawn, drawn);
  }

  /** All output up to now was given: what follows is for another size. */
  resize(size: PtySize): void {
    // One that shows nothing yet is opened in the right size.
    if (this.screen !== null) {
      this.enqueue(async (screen) => screen.resize(size.columns, size.rows)).catch(() => {});
    }
    this.size = size;
  }

  /** What it shows after all that was given. */
  async picture(scrollback: number): Promise<Picture> {
    const { size, fedTo: offset } = this;
    let text = "";
    await this.enqueue(async (screen) => {
      text = screen.paint(scrollback) + this.modes.unpainted();
    });
    return { offset, size, data: new TextEncoder().encode(text) };
  }

  close(): void {
    this.screen?.then(
      (screen) => screen.close(),
      () => {},
    );
  }

  private enqueue(work: (screen: Screen) => Promise<void>): Promise<void> {
    const { columns, rows } = this.size;
    this.screen ??= this.open(columns, rows, SCROLLBACK_LINES);
    const { screen } = this;
    this.work = this.work.then(async () => work(await screen));
    return this.work;
  }
}
