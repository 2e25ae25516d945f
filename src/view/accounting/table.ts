/**
 * The tables of sacct and sstat: fields by name with widths (`state%-20`), a header of two lines, cut texts with a
 * plus sign; or texts between bars for programs.
 */

/** What a table needs to know of a field. */
interface TableField {
  readonly name: string;
  /** Characters; negative for a column that is aligned to the left. */
  readonly width: number;
}

/** How lines are built. */
export interface TableStyle {
  /** Between fields; `null` for a table for people. */
  readonly delimiter: string | null;
  /** Also after the last field (-p). */
  readonly isEnded: boolean;
}

/** Widest column in characters: more than any reader asks for. */
const WIDTH_MAX = 10_000;

/** Columns of a table of names, as Slurm prints them. */
const NAMES_A_LINE = 4;
const NAME_WIDTH = 20;

/** Control characters would break lines and move the cursor; names of jobs are anybody's choice. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** Fields chosen, or those names that are none. */
interface FieldChoice<F> {
  readonly fields: readonly F[];
  readonly unknown: readonly string[];
}

/**
 * Reads a list such as `jobid%20,state%-30,ALL`. Names may be shortened, and their case does not matter; of several
 * that begin so, the first is meant, as in Slurm. A width that is no number is passed over.
 * @param options hasAll: ALL is understood
 */
export function chooseFields<F extends TableField>(
  format: string,
  known: readonly F[],
  { hasAll }: { readonly hasAll: boolean } = { hasAll: true },
): FieldChoice<F> {
  const fields: F[] = [];
  const unknown: string[] = [];
  for (const word of format.split(",").map((member) => member.trim())) {
    if (word === "") continue;
    const [name = "", width] = split(word);
    if (hasAll && name.toLowerCase() === "all") {
      fields.push(...known);
      continue;
    }
    const found = findField(name, known);
    if (found) fields.push(width === null ? found : { ...found, width });
    else unknown.push(name);
  }
  return { fields, unknown };
}

function split(word: string): [name: string, width: number | null] {
  const at = word.indexOf("%");
  if (at < 0) return [word, null];
  const text = word.slice(at + 1);
  const width = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  const isWidth = Number.isInteger(width) && width !== 0;
  return [word.slice(0, at), isWidth ? Math.max(-WIDTH_MAX, Math.min(WIDTH_MAX, width)) : null];
}

function findField<F extends TableField>(name: string, known: readonly F[]): F | undefined {
  const wanted = name.toLowerCase();
  if (wanted === "") return undefined;
  return (
    known.find((field) => field.name.toLowerCase() === wanted) ??
    known.find((field) => field.name.toLowerCase().startsWith(wanted))
  );
}

/** The header, line breaks included. */
export function headerText(fields: readonly TableField[], style: TableStyle): string {
  const names = fields.map(({ name }) => name);
  if (style.delimiter !== null) return joined(names, style);
  const first = fields.map(({ name, width }) => `${fitted(name, width, false)} `).join("");
  const second = fields.map(({ width }) => `${"-".repeat(Math.abs(width))} `).join("");
  return `${first}\n${second}\n`;
}

/** A line, its break included. @param texts one a field */
export function lineText(fields: readonly TableField[], texts: readonly string[], style: TableStyle): string {
  const clean = texts.map((text) => text.replace(CONTROL, "?"));
  if (style.delimiter !== null) return joined(clean, style);
  return `${fields.map(({ width }, index) => `${fitted(clean[index] ?? "", width, true)} `).join("")}\n`;
}

function joined(texts: readonly string[], { delimiter, isEnded }: TableStyle): string {
  return `${texts.join(delimiter ?? "")}${isEnded ? delimiter : ""}\n`;
}

/** Cut with a plus sign, or padded; a header's name is cut without a word. */
function fitted(text: string, width: number, isMarked: boolean): string {
  const room = Math.abs(width);
  if (text.length > room) return isMarked ? `${text.slice(0, room - 1)}+` : text.slice(0, room);
  return width < 0 ? text.padEnd(room) : text.padStart(room);
}

/** All names, four a line. */
export function namesText(fields: readonly TableField[]): string {
  const lines: string[] = [];
  for (let at = 0; at < fields.length; at += NAMES_A_LINE) {
    const names = fields.slice(at, at + NAMES_A_LINE).map(({ name }) => name.padEnd(NAME_WIDTH - 1));
    lines.push(names.join(" "));
  }
  return `${lines.join("\n")}\n`;
}
