/** Tables of text with a header line: cells by the names of their columns, problems with the numbers of their lines. */

import { ReplayError } from "../trace.ts";

/** Problems that are told of one file: more would not be read. */
const PROBLEMS_MAX = 5;

/** Collects what is wrong with a file; all of it is told at once. */
export class Problems {
  readonly #file: string;
  readonly #found: string[] = [];
  #more = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** @param line counted from 1 */
  add(line: number, what: string): void {
    if (this.#found.length < PROBLEMS_MAX) this.#found.push(`${this.#file}, line ${line}: ${what}`);
    else this.#more += 1;
  }

  /** @throws ReplayError if there are any */
  check(hint: string): void {
    if (this.#found.length === 0) return;
    const more = this.#more > 0 ? [`${this.#file}: ${this.#more} more lines like these`] : [];
    throw new ReplayError([...this.#found, ...more], hint);
  }
}

/** One line of a table. */
export interface RowReader {
  /** Counted from 1. */
  readonly line: number;
  /** Empty where the column is absent. */
  text(column: string): string;
  /** A number that is not negative; noted as a problem otherwise, and 0. */
  amount(column: string): number;
  /** The same, and not zero. */
  positive(column: string): number;
}

/** Reads comma-separated lines under a header. No trace has quotes; a line with another number of cells is a problem. */
export function* readRows(text: string, problems: Problems): Generator<RowReader> {
  const lines = text.split("\n");
  const header = (lines[0] ?? "").trim().split(",");
  const columns = new Map(header.map((name, at) => [name.trim(), at]));
  for (let at = 1; at < lines.length; at++) {
    const content = (lines[at] ?? "").trim();
    if (content === "") continue;
    const cells = content.split(",");
    if (cells.length !== header.length) {
      problems.add(at + 1, `${cells.length} cells, but the header has ${header.length}`);
      continue;
    }
    yield rowOf(at + 1, columns, cells, problems);
  }
}

function rowOf(line: number, columns: ReadonlyMap<string, number>, cells: readonly string[], problems: Problems) {
  const text = (column: string): string => (cells[columns.get(column) ?? -1] ?? "").trim();
  const amount = (column: string): number => {
    const value = Number(text(column));
    if (text(column) !== "" && Number.isFinite(value) && value >= 0) return value;
    problems.add(line, `${column}: expected a number that is not negative, got "${text(column)}"`);
    return 0;
  };
  const positive = (column: string): number => {
    const value = Number(text(column));
    if (text(column) !== "" && Number.isFinite(value) && value > 0) return value;
    problems.add(line, `${column}: expected a number above 0, got "${text(column)}"`);
    return 1;
  };
  return { line, text, amount, positive };
}
