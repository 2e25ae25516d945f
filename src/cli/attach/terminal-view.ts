/**
 * The user's terminal while it shows a session: raw mode, what is typed, what is shown, and the way back to how the
 * terminal was before.
 *
 * Promises: each byte of the program's is shown once and in order, or a picture of the screen in place of those that
 * are no longer kept; whatever the program switched on in the terminal is switched off when the user turns away.
 */

import type { PtySpec } from "../../core/jobspec.ts";
import type { Cancel } from "../../platform/clock.ts";
import type { Item, TerminalView as View } from "../../protocol/procedures.ts";
import { TerminalModes } from "../../util/terminal-modes.ts";
import type { CommandContext } from "../context.ts";
import { DetachKeys, formatDetachKey, type KeyAction, PREFIX_WAIT_MS } from "./detach-keys.ts";

/** Bytes of a random name, by which a session tells its clients apart. */
const CLIENT_ID_BYTES = 8;

/** How often it is looked whether our launcher lives. */
const PARENT_LOOK_MS = 1000;

/** Clears the screen and goes to its upper left corner, with plain letters. */
const CLEAR = "\x1b[0m\x1b[H\x1b[2J";

export interface TerminalPlan {
  /** The size that the program's terminal was asked for with. */
  readonly size: PtySpec;
  readonly mode: View["mode"];
  /** Lines above the screen to begin with. */
  readonly scrollback: number;
  /** Where to begin: at the first byte, or with the screen as it is. */
  readonly fromStart: boolean;
  /** The key that leads those of the client; `null` for none. */
  readonly detachKey: number | null;
}

/** What the user may want of the session. */
export interface TerminalActions {
  detach(): void;
  kill(): void;
  redraw(): void;
  resize(size: PtySpec): void;
  /** Says something on the user's terminal, until a key is pressed. */
  say(text: string): void;
  /** Input that the client kept back after all. */
  type(bytes: Uint8Array): void;
}

export class TerminalView {
  readonly client: string;
  private readonly plan: TerminalPlan;
  private readonly context: CommandContext;
  private readonly actions: TerminalActions;
  private readonly keys: DetachKeys;
  private readonly modes = new TerminalModes();
  /** Position of the next byte; `null` before the first picture. */
  private next: number | null;
  private hasShown = false;
  private restore: (() => void) | null = null;
  private undo: (() => void)[] = [];
  private cancelPrefix: Cancel | null = null;

  constructor(plan: TerminalPlan, context: CommandContext, actions: TerminalActions) {
    this.plan = plan;
    this.context = context;
    this.actions = actions;
    this.client = `${context.program}-${context.random.hex(CLIENT_ID_BYTES)}`;
    this.keys = new DetachKeys(plan.mode === "read" ? (plan.detachKey ?? 0x1c) : plan.detachKey);
    this.next = plan.fromStart ? 0 : null;
  }

  /** Whether the terminal is raw. */
  get isRaw(): boolean {
    return this.restore !== null;
  }

  /** What is asked of the session, at the first attachment and after each lost one. */
  view(): View {
    const { user, hostname } = this.context;
    const isAgain = this.hasShown;
    return {
      client: this.client,
      who: `${user.name}@${hostname}`,
      // One that held the session before goes on, whoever claims it now is refused.
      mode: this.plan.mode === "steal" && isAgain ? "write" : this.plan.mode,
      from: this.next,
      scrollback: isAgain ? 0 : this.plan.scrollback,
      size: this.ownSize(),
    };
  }

  /** Takes over the terminal. */
  start(): void {
    const { session } = this.context;
    if (this.restore !== null) return;
    const { actions } = this;
    this.undo.push(session.onSignal("SIGWINCH", () => actions.resize(this.ownSize() ?? this.plan.size)));
    const size = this.ownSize();
    if (size && (size.columns !== this.plan.size.columns || size.rows !== this.plan.size.rows)) actions.resize(size);
    this.restore = session.terminal.raw();
    this.watchParent();
  }

  /** Our launcher gives the terminal back if we can't; if it was killed, it is time to do so ourselves. */
  private watchParent(): void {
    const { session, clock } = this.context;
    const look = (): Cancel =>
      clock.after(PARENT_LOOK_MS, () => {
        if (session.terminal.hasParent()) cancel = look();
        else this.actions.detach();
      });
    let cancel = look();
    this.undo.push(() => cancel());
  }

  /** Gives the terminal back as it was. */
  stop(): void {
    this.cancelPrefix?.();
    for (const undo of this.undo.splice(0)) undo();
    if (this.restore === null) return;
    const modes = this.modes.undo();
    if (modes !== "") this.context.stdio.out(modes);
    this.restore();
    this.restore = null;
  }

  /** Output of the program, the first byte at `offset`; what was shown already is passed over. */
  data(offset: number, bytes: Uint8Array): void {
    const next = this.next ?? offset;
    const fresh = bytes.subarray(Math.max(0, next - offset));
    this.next = Math.max(next, offset + bytes.length);
    this.show(fresh);
  }

  /** A picture of the screen in place of what was before it. */
  screen({ offset, data }: Extract<Item<"step.attach">, { type: "screen" }>): void {
    this.next = offset;
    this.show(new TextEncoder().encode(this.modes.undo() + CLEAR));
    this.show(data);
  }

  /** What of the input is for the program; the rest is done. */
  typed(chunk: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    this.cancelPrefix?.();
    this.cancelPrefix = null;
    for (const result of this.keys.take(chunk, this.context.clock.monotonic())) {
      if ("bytes" in result) parts.push(result.bytes);
      else this.act(result.action);
    }
    if (this.keys.isPrefixed) {
      this.cancelPrefix = this.context.clock.after(PREFIX_WAIT_MS, () => this.actions.type(this.keys.giveUp()));
    }
    return this.plan.mode === "read" ? new Uint8Array(0) : joined(parts);
  }

  /** In words, how to turn away; `null` if there is no such key. */
  get hint(): string | null {
    const { detachKey } = this.plan;
    return detachKey === null ? null : `${formatDetachKey(detachKey)} d`;
  }

  private act(action: KeyAction): void {
    const { actions } = this;
    switch (action) {
      case "detach":
        return actions.detach();
      case "ask-kill":
        return actions.say("end the job? y/N");
      case "kill":
        return actions.kill();
      case "keep":
        return actions.redraw();
      case "help":
        return actions.say(this.help());
      case "redraw":
        return actions.redraw();
      case "suspend":
        return this.suspend();
    }
  }

  private help(): string {
    const key = formatDetachKey(this.plan.detachKey ?? 0x1c);
    return `after ${key}: d detach, k kill, r redraw, ^Z suspend, ${key} itself`;
  }

  /** Back to the shell, until it brings us to the foreground again. */
  private suspend(): void {
    const { session } = this.context;
    const modes = this.modes.undo();
    if (modes !== "") this.context.stdio.out(modes);
    this.restore?.();
    session.terminal.suspend();
    this.restore = session.terminal.raw();
    this.actions.resize(this.ownSize() ?? this.plan.size);
    this.actions.redraw();
  }

  private ownSize(): PtySpec | null {
    return this.context.session.terminal.size();
  }

  private show(bytes: Uint8Array): void {
    this.hasShown = true;
    if (bytes.length === 0) return;
    this.modes.feed(bytes);
    this.context.stdio.out(bytes);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first) return first;
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
