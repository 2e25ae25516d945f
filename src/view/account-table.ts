/**
 * Tables as sacctmgr, sshare and sreport print them: columns of fixed width with a line of dashes, justified to the
 * right, and cut with a `+`; or with `|` between whole texts.
 */

/** One column. */
export interface AccountColumn<R> {
  readonly header: string;
  readonly width: number;
  /** Justified to the left. */
  readonly isLeft?: boolean;
  text(row: R): string;
}

/** `table`; `parsable` ends lines with `|`; `parsable2` does not. */
export type TableStyle = "table" | "parsable" | "parsable2";

/** Widest column: more than anybody's longest name. */
const WIDTH_MAX = 10_000;

/**
 * Columns by a `format=` list: names may be cut short, `%20` sets a width, `%-20` justifies to the left.
 * @returns the columns, or the first name that is none
 */
export function columnsOf<R>(
  format: readonly string[],
  known: Readonly<Record<string, AccountColumn<R>>>,
): { readonly columns: readonly AccountColumn<R>[] } | { readonly unknown: string } {
  const columns: AccountColumn<R>[] = [];
  for (const word of format) {
    const [, name = "", minus = "", digits = ""] = /^([^%]*)(?:%(-?)(\d*))?$/.exec(word) ?? [];
    const column = findColumn(name, known);
    if (!column) return { unknown: name || word };
    const width = digits === "" ? column.width : Math.min(Number(digits), WIDTH_MAX);
    columns.push({ ...column, width, isLeft: digits === "" ? (column.isLeft ?? false) : minus !== "" });
  }
  return { columns };
}

/** The rows as text, with a header unless not wanted. */
export function accountTable<R>(
  columns: readonly AccountColumn<R>[],
  rows: Iterable<R>,
  options: { readonly style: TableStyle; readonly hasHeader: boolean },
): string {
  const { style, hasHeader } = options;
  const lines: string[] = hasHeader ? headerLines(columns, style) : [];
  for (const row of rows) {
    lines.push(
      lineOf(
        columns.map((column) => ({ column, text: column.text(row) })),
        style,
        "+",
      ),
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}

function headerLines<R>(columns: readonly AccountColumn<R>[], style: TableStyle): string[] {
  const names = lineOf(
    columns.map((column) => ({ column, text: column.header })),
    style,
    "",
  );
  if (style !== "table") return [names];
  return [names, columns.map(({ width }) => `${"-".repeat(width)} `).join("")];
}

interface Cell {
  readonly column: { readonly width: number; readonly isLeft?: boolean };
  readonly text: string;
}

function lineOf(cells: readonly Cell[], style: TableStyle, cutMark: string): string {
  if (style !== "table") {
    const line = cells.map(({ text }) => text).join("|");
    return style === "parsable" ? `${line}|` : line;
  }
  return cells.map(({ column, text }) => `${fitCell(text, column, cutMark)} `).join("");
}

function fitCell(text: string, { width, isLeft }: Cell["column"], cutMark: string): string {
  const cut = text.length > width ? text.slice(0, Math.max(0, width - cutMark.length)) + cutMark : text;
  return isLeft ? cut.padEnd(width) : cut.padStart(width);
}

function findColumn<R>(name: string, known: Readonly<Record<string, AccountColumn<R>>>): AccountColumn<R> | undefined {
  const typed = name.toLowerCase();
  if (typed === "") return undefined;
  const entries = Object.entries(known);
  const found = entries.find(([key]) => key === typed) ?? entries.find(([key]) => key.startsWith(typed));
  return found?.[1];
}
