/**
 * Bytes from the keyboard as keys. A key is named by its character, or `up`, `pgdn`, `enter`, `ctrl-d`, `f1`; a paste
 * comes as its characters. Sequences may be cut anywhere, as slow lines do it.
 */

/** Final characters of CSI and SS3 sequences (xterm's ctlseqs, "PC-Style Function Keys"). */
const FINALS: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  H: "home",
  F: "end",
  Z: "shift-tab",
  P: "f1",
  M: "enter",
};

/** Numbers before `~`. */
const TILDES: Readonly<Record<string, string>> = {
  1: "home",
  3: "delete",
  4: "end",
  5: "pgup",
  6: "pgdn",
  7: "home",
  8: "end",
  11: "f1",
};

const CONTROLS: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
};

/** A cut sequence that does not go on within this time was the escape key. Milliseconds. */
export const ESCAPE_MS = 50;

/** Longest sequence that is waited for. */
const SEQUENCE_MAX = 32;

export interface KeyDecoder {
  /** The keys in these bytes. */
  feed(bytes: Uint8Array): string[];
  /** Nothing came for {@link ESCAPE_MS}: what is kept is no sequence. */
  flush(): string[];
  /** Whether something is kept, and flush should be called. */
  readonly isWaiting: boolean;
}

/** Starts with nothing kept. */
export function createKeyDecoder(): KeyDecoder {
  const decoder = new TextDecoder();
  let kept = "";
  return {
    get isWaiting() {
      return kept !== "";
    },
    feed(bytes) {
      const { keys, rest } = keysOf(kept + decoder.decode(bytes, { stream: true }));
      kept = rest;
      return keys;
    },
    flush() {
      const text = kept;
      kept = "";
      if (text === "") return [];
      return text === "\x1b" ? ["escape"] : ["escape", ...keysOf(text.slice(1)).keys];
    },
  };
}

function keysOf(text: string): { keys: string[]; rest: string } {
  const keys: string[] = [];
  let rest = text;
  while (rest !== "") {
    if (rest[0] !== "\x1b") {
      const [character = ""] = rest;
      keys.push(keyOf(character));
      rest = rest.slice(character.length);
      continue;
    }
    const found = /^\x1b(?:\[([0-?]*)[ -/]*([@-~])|O([@-~])|([^[O\x1b])|(?=\x1b))/.exec(rest);
    if (!found) {
      // Not over yet, unless it is none.
      if (rest.length < SEQUENCE_MAX) return { keys, rest };
      rest = rest.slice(1);
      continue;
    }
    const [whole, numbers = "", final, single, alt] = found;
    keys.push(...sequenceKeys(numbers, final ?? single, alt));
    rest = rest.slice(Math.max(1, whole.length));
  }
  return { keys, rest };
}

/** Mouse reports, focus, pastes' marks and unknown sequences are no keys. */
function sequenceKeys(numbers: string, final: string | undefined, alt: string | undefined): string[] {
  if (alt !== undefined) return [`alt-${alt}`];
  if (final === undefined) return ["escape"];
  if (/^[<>?]/.test(numbers)) return [];
  const name = final === "~" ? TILDES[numbers.split(";")[0] ?? ""] : FINALS[final];
  return name === undefined ? [] : [name];
}

function keyOf(character: string): string {
  const named = CONTROLS[character];
  if (named !== undefined) return named;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x60)}` : character;
}
