/**
 * The keys by which one turns away from a session: a prefix and a letter, and as a way out that always works Ctrl-]
 * three times within a second. Pure: bytes and times in, bytes to pass on and actions out.
 */

/** What a user may want of the client rather than of the program. */
export type KeyAction = "detach" | "ask-kill" | "kill" | "keep" | "help" | "suspend" | "redraw";

/** What typing comes to, in order. */
export type KeyResult = { readonly bytes: Uint8Array } | { readonly action: KeyAction };

const CTRL_RIGHT_BRACKET = 0x1d;
const PANIC_PRESSES = 3;
const PANIC_MS = 1000;

/** A prefix after which nothing comes was meant for the program (Ctrl-\ is the quit key of terminals). */
export const PREFIX_WAIT_MS = 1000;

const ACTIONS: Readonly<Record<string, KeyAction>> = {
  d: "detach",
  k: "ask-kill",
  "?": "help",
  h: "help",
  r: "redraw",
  "\x1a": "suspend",
};

/** The default prefix: Ctrl-\ as with dtach and abduco. */
export const DEFAULT_PREFIX = 0x1c;

/**
 * Reads `ctrl-\`, `^]`, `ctrl-a` (in any case), or `none`.
 * @returns the prefix's byte, `null` for none, `undefined` for what is no key
 */
export function parseDetachKey(text: string): number | null | undefined {
  if (/^none$/i.test(text)) return null;
  const [, letter] = /^(?:ctrl-|\^)([a-z@[\\\]^_])$/i.exec(text) ?? [];
  if (letter === undefined) return undefined;
  const byte = letter.toUpperCase().charCodeAt(0) & 0x1f;
  // These are keys of their own: Enter, Tab, Escape.
  return [0x0a, 0x0d, 0x09, 0x1b].includes(byte) ? undefined : byte;
}

/** How a prefix is written: `Ctrl-\`. */
export function formatDetachKey(prefix: number): string {
  return `Ctrl-${String.fromCharCode(prefix | 0x40).replace(/[A-Z]/, (letter) => letter.toLowerCase())}`;
}

export class DetachKeys {
  /** The prefix was typed, and what it is for is still to come. */
  isPrefixed = false;
  private readonly prefix: number | null;
  private isAsking = false;
  private presses: number[] = [];

  /** @param prefix the prefix's byte, `null` for no keys at all */
  constructor(prefix: number | null) {
    this.prefix = prefix;
  }

  /** Takes what was typed. */
  take(bytes: Uint8Array, nowMs: number): KeyResult[] {
    if (this.prefix === null) return [{ bytes }];
    const results: KeyResult[] = [];
    let from = 0;
    const pass = (to: number): void => {
      if (to > from) results.push({ bytes: bytes.subarray(from, to) });
    };
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      const special = this.isAsking || this.isPrefixed || byte === this.prefix;
      if (special) {
        pass(at);
        from = at + 1;
        const result = this.takeKey(byte);
        if (result) results.push(result);
      } else if (byte === CTRL_RIGHT_BRACKET && this.isPanic(nowMs)) {
        pass(at);
        from = at + 1;
        results.push({ action: "detach" });
      }
    }
    pass(bytes.length);
    return results;
  }

  /** Nothing followed the prefix: what is to be passed on. */
  giveUp(): Uint8Array {
    const bytes = this.isPrefixed && this.prefix !== null ? Uint8Array.of(this.prefix) : new Uint8Array(0);
    this.isPrefixed = false;
    return bytes;
  }

  private takeKey(byte: number): KeyResult | null {
    if (this.isAsking) {
      this.isAsking = false;
      return { action: /[yY]/.test(String.fromCharCode(byte)) ? "kill" : "keep" };
    }
    if (!this.isPrefixed) {
      this.isPrefixed = true;
      return null;
    }
    this.isPrefixed = false;
    if (byte === this.prefix) return { bytes: Uint8Array.of(byte) };
    const action = ACTIONS[String.fromCharCode(byte)];
    // No key of ours: both were meant for the program.
    if (!action) return { bytes: Uint8Array.of(this.prefix as number, byte) };
    this.isAsking = action === "ask-kill";
    return { action };
  }

  private isPanic(nowMs: number): boolean {
    this.presses = [...this.presses.filter((pressedMs) => nowMs - pressedMs < PANIC_MS), nowMs];
    if (this.presses.length < PANIC_PRESSES) return false;
    this.presses = [];
    return true;
  }
}
