/**
 * The modes that a terminal is in, learned from what is written to it. Those that a program left on must be undone
 * when somebody turns away from it, and some of them are not in what an emulator says of its screen.
 *
 * Sequences as in xterm's "Control Sequences" (ctlseqs); the keyboard ones as in kitty's protocol.
 */

const ESC = 0x1b;
const BEL = 0x07;
const SHIFT_OUT = 0x0e;
const SHIFT_IN = 0x0f;

/** Longest sequence that is looked at: none that matters is longer. */
const SEQUENCE_BYTES_MAX = 64;

/** Private modes that programs switch and leave behind, with what they are at first. */
const PRIVATE_MODES: ReadonlyMap<number, boolean> = new Map([
  [1, false], // cursor keys send application codes
  [5, false], // reverse video
  [6, false], // origin
  [7, true], // wrap around
  [25, true], // cursor shown
  ...[9, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016].map((mode): [number, boolean] => [mode, false]), // mouse, focus
  [2004, false], // bracketed paste
]);

/** Modes that show the alternate screen. */
const ALTERNATE_SCREEN: readonly number[] = [47, 1047, 1049];

/** What an emulator's own account of its screen leaves out. */
const UNPAINTED_MODES: readonly number[] = [5, 25, 1005, 1006, 1015, 1016];

type State = "ground" | "escape" | "csi" | "charset" | "string" | "stringEscape";

export class TerminalModes {
  private state: State = "ground";
  private sequence: number[] = [];
  private readonly modes = new Map(PRIVATE_MODES);
  private alternate = 0;
  private isInserting = false;
  private isKeypadApplication = false;
  private hasOtherCharset = false;
  private scrollRegion = "";
  private cursorStyle = "";
  private keyboardPushes = 0;
  private hasOtherKeys = false;

  /** Whether a program has the whole screen to itself. */
  get isAlternateScreen(): boolean {
    return this.alternate !== 0;
  }

  /** Looks at what is written; sequences may be cut anywhere. */
  feed(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at++) {
      if (this.state === "ground") {
        at = nextControl(bytes, at);
        if (at >= bytes.length) return;
      }
      this.take(bytes[at] as number);
    }
  }

  /** What puts a terminal back as it was before a program changed its modes; empty if none did. */
  undo(): string {
    const parts: string[] = [];
    if (this.scrollRegion !== "") parts.push("\x1b7\x1b[r\x1b8");
    for (const [mode, isOn] of this.modes) {
      const atFirst = PRIVATE_MODES.get(mode) ?? false;
      if (isOn !== atFirst) parts.push(`\x1b[?${mode}${atFirst ? "h" : "l"}`);
    }
    if (this.isInserting) parts.push("\x1b[4l");
    if (this.isKeypadApplication) parts.push("\x1b>");
    if (this.hasOtherCharset) parts.push("\x1b(B\x0f");
    if (this.cursorStyle !== "") parts.push("\x1b[0 q");
    if (this.keyboardPushes > 0) parts.push(`\x1b[<${this.keyboardPushes}u`);
    if (this.hasOtherKeys) parts.push("\x1b[>4m");
    if (this.alternate !== 0) parts.push(`\x1b[?${this.alternate}l`);
    return parts.length > 0 ? `${parts.join("")}\x1b[0m` : "";
  }

  /** What is to be written after an emulator's account of its screen, for the modes that it leaves out. */
  unpainted(): string {
    const parts: string[] = [];
    if (this.scrollRegion !== "") parts.push(`\x1b7\x1b[${this.scrollRegion}r\x1b8`);
    if (this.cursorStyle !== "") parts.push(`\x1b[${this.cursorStyle} q`);
    for (const mode of UNPAINTED_MODES) {
      const isOn = this.modes.get(mode) ?? false;
      if (isOn !== PRIVATE_MODES.get(mode)) parts.push(`\x1b[?${mode}${isOn ? "h" : "l"}`);
    }
    return parts.join("");
  }

  private take(byte: number): void {
    switch (this.state) {
      case "ground":
        if (byte === ESC) this.begin("escape");
        else this.hasOtherCharset = byte === SHIFT_OUT;
        return;
      case "escape":
        return this.takeEscape(byte);
      case "csi":
        return this.takeCsi(byte);
      case "charset":
        if (byte !== 0x42) this.hasOtherCharset = true;
        return this.begin("ground");
      case "string":
        if (byte === BEL) this.begin("ground");
        else if (byte === ESC) this.state = "stringEscape";
        return;
      case "stringEscape":
        // ST is ESC \; anything else begins a new sequence.
        this.begin("escape");
        return this.takeEscape(byte);
    }
  }

  private begin(state: State): void {
    this.state = state;
    this.sequence = [];
  }

  private takeEscape(byte: number): void {
    const letter = String.fromCharCode(byte);
    if (letter === "[") return this.begin("csi");
    if ("]PX^_".includes(letter)) return this.begin("string");
    if ("()".includes(letter)) return this.begin("charset");
    if (byte === ESC) return;
    this.begin("ground");
    if (letter === "=") this.isKeypadApplication = true;
    else if (letter === ">") this.isKeypadApplication = false;
    else if (letter === "c") this.reset();
  }

  private takeCsi(byte: number): void {
    if (byte === ESC) return this.begin("escape");
    if (byte < 0x40 || byte > 0x7e) {
      if (this.sequence.length < SEQUENCE_BYTES_MAX) this.sequence.push(byte);
      return;
    }
    const text = String.fromCharCode(...this.sequence);
    this.begin("ground");
    this.apply(text, String.fromCharCode(byte));
  }

  private apply(text: string, final: string): void {
    if (final === "h" || final === "l") return this.setModes(text, final === "h");
    if (final === "r" && /^[\d;]*$/.test(text)) this.scrollRegion = /^(1?;?)$/.test(text) ? "" : text;
    else if (final === "q" && text.endsWith(" ")) this.cursorStyle = /^0? $/.test(text) ? "" : text.slice(0, -1);
    else if (final === "u" && text.startsWith(">")) this.keyboardPushes++;
    else if (final === "u" && text.startsWith("<"))
      this.keyboardPushes = Math.max(0, this.keyboardPushes - (Number(text.slice(1)) || 1));
    else if (final === "m" && text.startsWith(">4")) this.hasOtherKeys = /^>4;[1-9]/.test(text);
    else if (final === "p" && text === "!") this.reset();
  }

  private setModes(text: string, isOn: boolean): void {
    if (text === "4") this.isInserting = isOn;
    if (!text.startsWith("?")) return;
    for (const word of text.slice(1).split(";")) {
      const mode = Number(word);
      if (ALTERNATE_SCREEN.includes(mode)) this.alternate = isOn ? mode : 0;
      else if (PRIVATE_MODES.has(mode)) this.modes.set(mode, isOn);
    }
  }

  private reset(): void {
    for (const [mode, atFirst] of PRIVATE_MODES) this.modes.set(mode, atFirst);
    this.alternate = 0;
    this.isInserting = false;
    this.isKeypadApplication = false;
    this.hasOtherCharset = false;
    this.scrollRegion = "";
    this.cursorStyle = "";
    this.keyboardPushes = 0;
    this.hasOtherKeys = false;
  }
}

/** Position of the next byte that means something here. */
function nextControl(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === ESC || byte === SHIFT_OUT || byte === SHIFT_IN) return at;
  }
  return bytes.length;
}
