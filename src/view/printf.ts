/**
 * The format language of `squeue -o` and `sinfo -o`: `%[.][width]letter` with literal text between.
 *
 * A width cuts and pads; without one a text takes the room it needs. A dot justifies to the right. Everything else,
 * quotes included, stands for itself, and `%%` for a percent sign. A letter that means nothing is kept as it was
 * typed and reported, as Slurm does. Nothing here throws, whatever the format.
 */

/** What a letter stands for. */
export interface Column<R> {
  readonly header: string;
  text(row: R): string;
  /** Whether a text is printed whole even where it exceeds the width: Slurm never cuts times and node lists. */
  isWhole?(text: string): boolean;
  /** What a text stands for, for whoever may colour it. */
  readonly meaning?: Meaning;
}

/** Texts that people tell apart at a glance: states, and counts with their thousands apart. */
export type Meaning = "state" | "count";

/** Changes how a fitted text looks on a terminal, never how wide it is. */
export type Painter = (text: string, meaning: Meaning) => string;

export interface Field<C> {
  readonly column: C;
  /** Characters; 0 for as many as the text has. */
  readonly width: number;
  /** Whether `width` is the least of a column that grows with its contents: `%#P`. */
  readonly isSized: boolean;
  readonly isRight: boolean;
  /** Literal text up to the next field. */
  readonly suffix: string;
}

export interface FormatPlan<C> {
  readonly prefix: string;
  readonly fields: readonly Field<C>[];
  /** Letters without meaning, in order; an empty text for a specification that breaks off. */
  readonly unknown: readonly string[];
  /** Of a list of names, those that there are. */
  readonly known?: readonly string[];
}

/** Widest column in characters: more than any reader asks for, few enough for any number of rows. */
const WIDTH_MAX = 10_000;

/** Least width of a column that grows with its contents, as in sinfo. */
const SIZED_WIDTH_MIN = 9;

const PLAIN_CHARS_MAX = 32;

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** Control characters would break lines and move the cursor; names of jobs are anybody's choice. */
export function printable(text: string): string {
  return isPlain(text) ? text : text.replace(CONTROL, "?");
}

/** Whether it is a short text of ASCII without control characters, as nearly all are: looking is cheaper than replacing. */
function isPlain(text: string): boolean {
  if (text.length > PLAIN_CHARS_MAX) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/**
 * Reads a format.
 * @param columns what each letter stands for
 * @param options mayGrow: `#` in the place of a width is understood; only for formats of our own
 */
export function parseFormat<C>(
  format: string,
  columns: Readonly<Record<string, C>>,
  options: { readonly mayGrow?: boolean } = {},
): FormatPlan<C> {
  const specification = options.mayGrow ? /%(?:%|(\.?)(#|\d*)(.?))/gsu : /%(?:%|(\.?)(\d*)(.?))/gsu;
  const fields: Field<C>[] = [];
  const unknown: string[] = [];
  let prefix = "";
  let literal = "";
  let at = 0;
  const endField = (): void => {
    const last = fields.pop();
    if (last) fields.push({ ...last, suffix: literal });
    else prefix = literal;
    literal = "";
  };
  for (const match of format.matchAll(specification)) {
    const [text, dot = "", width = "", letter = ""] = match;
    literal += format.slice(at, match.index);
    at = match.index + text.length;
    if (Object.hasOwn(columns, letter)) {
      endField();
      const column = columns[letter] as C;
      fields.push({ column, ...widthOf(width), isRight: dot !== "", suffix: "" });
    } else if (text === "%%") {
      literal += "%";
    } else if (text !== "%") {
      literal += text;
      unknown.push(letter);
    }
  }
  literal += format.slice(at);
  endField();
  return { prefix, fields, unknown };
}

/** Characters of a field of {@link parseFieldList} that names none. */
const FIELD_WIDTH = 20;

/**
 * Reads the list of `squeue -O` and `sinfo -O`: `name[:[.][width][suffix]]`, separated by commas. Names are looked up in
 * lower case. Without a colon a field has 20 characters; with one and no width (or 0) it is as long as its text.
 */
export function parseFieldList<C>(text: string, columns: Readonly<Record<string, C>>): FormatPlan<C> {
  const fields: Field<C>[] = [];
  const unknown: string[] = [];
  for (const word of text.split(",")) {
    if (word === "") continue;
    const [, name = "", colon = "", dot = "", width = "", suffix = ""] = FIELD.exec(word) ?? [];
    const column = Object.hasOwn(columns, name.toLowerCase()) ? columns[name.toLowerCase()] : undefined;
    if (column === undefined) {
      unknown.push(name);
      continue;
    }
    const size = colon === "" ? FIELD_WIDTH : Math.min(Number(width), WIDTH_MAX);
    fields.push({ column, width: size, isSized: false, isRight: dot !== "", suffix });
  }
  return { prefix: "", fields, unknown, known: Object.keys(columns) };
}

const FIELD = /^([^:]*)(:?)(\.?)(\d*)(.*)$/s;

/** The columns' names in one line, without a line break. */
export function renderHeader<R>(plan: FormatPlan<Column<R>>): string {
  let line = plan.prefix;
  for (const field of plan.fields) line += fitText(field.column.header, field, false) + field.suffix;
  return line;
}

/** One row in one line, without a line break. */
export function renderRow<R>(plan: FormatPlan<Column<R>>, row: R, paint?: Painter): string {
  let line = plan.prefix;
  for (const field of plan.fields) line += renderField(field, row, paint);
  return line;
}

/** What a field prints of a row, and the literal text behind it. */
export function renderField<R>(field: Field<Column<R>>, row: R, paint?: Painter): string {
  const { column } = field;
  const text = printable(column.text(row));
  const fitted = fitText(text, field, column.isWhole?.(text) ?? false);
  return (paint && column.meaning ? paint(fitted, column.meaning) : fitted) + field.suffix;
}

/** The plan with its growing columns made as wide as their longest text. */
export function fitToRows<R, C extends Column<R>>(plan: FormatPlan<C>, rows: readonly R[]): FormatPlan<C> {
  const fields = plan.fields.map((field) => {
    if (!field.isSized) return field;
    const lengths = rows.map((row) => field.column.text(row).length);
    const width = lengths.reduce((most, length) => Math.max(most, length), field.width);
    return { ...field, width: Math.min(width, WIDTH_MAX), isSized: false };
  });
  return { ...plan, fields };
}

function widthOf(text: string): { readonly width: number; readonly isSized: boolean } {
  if (text === "#") return { width: SIZED_WIDTH_MIN, isSized: true };
  return { width: Math.min(Number(text), WIDTH_MAX), isSized: false };
}

function fitText(text: string, { width, isRight }: Field<unknown>, isWhole: boolean): string {
  if (width === 0) return text;
  if (text.length > width) return isWhole ? text : cut(text, width);
  return isRight ? text.padStart(width) : text.padEnd(width);
}

/** Cuts to `width` UTF-16 units without leaving half a character. */
function cut(text: string, width: number): string {
  const last = text.charCodeAt(width - 1);
  const isHalf = last >= 0xd800 && last <= 0xdbff;
  return isHalf ? text.slice(0, width - 1).padEnd(width) : text.slice(0, width);
}
