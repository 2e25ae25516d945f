/** Lines of a screen: pieces of text with a role each, cut and filled to a width in cells. */

/** What a piece of text is for; the theme gives it its looks. */
export type Role = "plain" | "dim" | "title" | "good" | "warn" | "bad" | "accent" | "mark";

export interface Segment {
  readonly text: string;
  readonly role: Role;
}

/** One line of the screen. */
export interface Line {
  readonly segments: readonly Segment[];
  /** The cursor's line, or a bar: shown the other way round. */
  readonly isReverse: boolean;
}

/** Escape sequences and control characters, which would move things about. */
const SEQUENCES =
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|[\x00-\x08\x0a-\x1f\x7f-\x9f]/g;

const TAB_CELLS = 8;

/** A piece of text. */
export function piece(text: string, role: Role = "plain"): Segment {
  return { text, role };
}

/** A line of pieces; plain texts are pieces too. */
export function line(...parts: readonly (Segment | string)[]): Line {
  return { segments: parts.map((part) => (typeof part === "string" ? piece(part) : part)), isReverse: false };
}

/** The same, the other way round. */
export function reversed(one: Line): Line {
  return { ...one, isReverse: true };
}

/** Text from outside as one line that moves nothing: what a carriage return overwrote is gone, colours are dropped. */
export function clean(text: string): string {
  const shown = text.includes("\r") ? (text.replace(/\r+$/, "").split("\r").at(-1) ?? "") : text;
  const plain = /[\x00-\x1f\x7f-\x9f]/.test(shown) ? shown.replace(SEQUENCES, "") : shown;
  return plain.replaceAll("\t", " ".repeat(TAB_CELLS));
}

/** Cells that a text takes. */
export function cellsOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let cells = 0;
  for (const character of text) cells += cellsOfCharacter(character.codePointAt(0) ?? 0);
  return cells;
}

/** As terminals count: marks that combine take none, East Asian wide characters and pictures two. */
function cellsOfCharacter(code: number): number {
  if (code < 0x300) return code < 0x20 ? 0 : 1;
  if (code <= 0x36f || (code >= 0x200b && code <= 0x200f) || (code >= 0xfe00 && code <= 0xfe0f)) return 0;
  const isWide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return isWide ? 2 : 1;
}

/** The beginning of a text that takes so many cells at most. */
export function cut(text: string, cells: number): string {
  if (cells <= 0) return "";
  if (cellsOf(text) <= cells) return text;
  let kept = "";
  let used = 0;
  for (const character of text) {
    used += cellsOfCharacter(character.codePointAt(0) ?? 0);
    if (used > cells) break;
    kept += character;
  }
  return kept;
}

/** Exactly so many cells: cut, or filled with blanks on the right or on the left. */
export function sized(text: string, cells: number, align: "left" | "right" = "left"): string {
  const kept = cut(text, cells);
  const blanks = " ".repeat(Math.max(0, cells - cellsOf(kept)));
  return align === "left" ? kept + blanks : blanks + kept;
}

/** A line cut to a width. */
export function cutLine(one: Line, cells: number): Line {
  const segments: Segment[] = [];
  let left = cells;
  for (const segment of one.segments) {
    if (left <= 0) break;
    const text = cut(segment.text, left);
    left -= cellsOf(text);
    segments.push(text === segment.text ? segment : { ...segment, text });
  }
  return { ...one, segments };
}

/** A line's cells. */
export function lineCells({ segments }: Line): number {
  return segments.reduce((sum, { text }) => sum + cellsOf(text), 0);
}

/** Left and right at the two ends of a width. */
export function spread(left: readonly Segment[], right: readonly Segment[], cells: number): Line {
  const ends = lineCells(line(...right));
  const room = cells - ends - 1;
  if (room <= 0) return cutLine(line(...left), cells);
  const shown = cutLine(line(...left), room);
  return line(...shown.segments, " ".repeat(cells - ends - lineCells(shown)), ...right);
}
