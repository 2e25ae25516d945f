/** Tables of jobs: their plans, and their lines one after the other. */

import { parseTaskSet, tasksOf } from "../core/array-spec.ts";
import type { JobListRow } from "../protocol/procedures.ts";
import { expandAll, type JobColumn, type JobField, jobColumns, type ListingView } from "./job-columns.ts";
import { jobFieldColumns } from "./job-field-columns.ts";
import { type FormatPlan, parseFieldList, parseFormat, renderField } from "./printf.ts";

/** Of a line, fields and characters: more than any reader asks for, little enough for a queue of any length. */
const FIELDS_MAX = 100;
const WIDTH_SUM_MAX = 5000;

/** Makes the texts of rows, in their order. */
export interface JobWriter {
  /** What a row is the values of. */
  readonly fields: readonly JobField[];
  /** A row's text, without what stands between it and the next one. */
  text(values: readonly unknown[]): string;
}

/** A table's plan, of what --format says. @param columns those of the view, where they are made already */
export function letterPlan(text: string, view: ListingView, columns = jobColumns(view)): FormatPlan<JobColumn> {
  return parseFormat(expandAll(text, columns), columns);
}

/** The same of --Format. */
export function fieldPlan(text: string, view: ListingView): FormatPlan<JobColumn> {
  return parseFieldList(text, jobFieldColumns(view));
}

/** Whether the controller may make such lines: none needs the reader's zone, and none is so long that it were kept busy. */
export function isMadeAnywhere({ prefix, fields }: FormatPlan<JobColumn>): boolean {
  const width = fields.reduce((sum, field) => sum + field.width + field.suffix.length, prefix.length);
  return fields.length <= FIELDS_MAX && width <= WIDTH_SUM_MAX && fields.every(({ column }) => !column.isLocal);
}

/** Lines of a table, each with its line break. */
export function lineWriter(plan: FormatPlan<JobColumn>): JobWriter {
  const parts = plan.fields.map((field) => ({
    fields: field.column.fields,
    make: (row: JobListRow) => renderField(field, row),
  }));
  return partWriter(parts, plan.prefix, "", "\n");
}

/** A part of a row's text, and what it is made from. */
export interface TextPart {
  readonly fields: readonly JobField[];
  make(row: JobListRow): string;
}

/** Writes parts one behind the other. One that looks at the same as in the row before is not made again. */
export function partWriter(parts: readonly TextPart[], head: string, between: string, end: string): JobWriter {
  const fields = [...new Set(parts.flatMap((part) => part.fields))];
  const cells = parts.map((part, index) => new Cell(part, fields, index === 0 ? head : between));
  // What stands behind the last part that changed, in one piece: of jobs that are alike all but their numbers.
  let tailAt = -1;
  let tail = "";
  return {
    fields,
    text(values) {
      let changed = -1;
      for (let index = 0; index < cells.length; index++) if (cells[index]?.update(values)) changed = index;
      if (tailAt !== changed + 1) {
        tailAt = changed + 1;
        tail = [...cells.slice(tailAt).map((cell) => cell.text), end].join("");
      }
      let text = cells.length === 0 ? head : "";
      for (let index = 0; index < tailAt; index++) text += (cells[index] as Cell).text;
      return text + tail;
    },
  };
}

/** A part's text of the row before, and what was looked at for it. */
class Cell {
  /** With what stands before it. */
  text = "";
  readonly #part: TextPart;
  readonly #before: string;
  /** Where the part's fields are among the values. */
  readonly #places: readonly number[];
  readonly #known: unknown[] = [];
  #isKnown = false;

  constructor(part: TextPart, fields: readonly JobField[], before: string) {
    this.#part = part;
    this.#before = before;
    this.#places = part.fields.map((field) => fields.indexOf(field));
  }

  /** Makes its text of another row; false if it stays what it is. */
  update(values: readonly unknown[]): boolean {
    const places = this.#places;
    const known = this.#known;
    let isSame = this.#isKnown;
    for (let index = 0; index < places.length; index++) {
      const value = values[places[index] as number];
      if (isSame && value === known[index]) continue;
      isSame = false;
      known[index] = value;
    }
    if (isSame) return false;
    this.#isKnown = true;
    this.text = this.#before + this.#part.make(toRow(this.#part.fields, known));
    return true;
  }
}

/** The row with the asked fields; nobody reads the others, whose absence the columns' types guarantee. */
export function toRow(fields: readonly JobField[], values: readonly unknown[]): JobListRow {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < fields.length; index++) row[fields[index] as JobField] = values[index];
  return row as JobListRow;
}

/** The tasks that a row stands for: `4`, `5` and so on of `[4-9%2]`; `null` if it stands for itself alone. */
export function tasksOfLabel(arrayTasks: string): Iterable<number> | null {
  const list = /^\[(.*?)(?:%\d+)?\]$/.exec(arrayTasks)?.[1];
  const tasks = list === undefined ? null : parseTaskSet(list);
  return tasks === null || "problem" in tasks ? null : tasksOf(tasks.value);
}
