/**
 * Printing of job lists: rows come in chunks and leave as lines at once; only a sorted list waits for its last row.
 */

import type { JobListRow as JobRow } from "../../protocol/procedures.ts";
import type { JobColumn, JobField } from "../../view/job-columns.ts";
import { tasksOfLabel } from "../../view/job-table.ts";
import { type FormatPlan, type Painter, renderRow } from "../../view/printf.ts";
import { comparator, type SortKey } from "../../view/sort.ts";

/** Takes the rows of one list; what it returns is to be printed. */
export interface JobPrinter {
  /** What the rows must have. */
  readonly fields: readonly JobField[];
  rows(rows: readonly JobRow[]): string;
  /** What stands before rows that the controller wrote. */
  before(): string;
  /** Once, at the end; also of a list without rows. */
  end(): string;
}

/** A table of lines. `heading` stands before its first row: the date, the columns' names, or nothing. */
export function tablePrinter(plan: FormatPlan<JobColumn>, heading: string, paint?: Painter): JobPrinter {
  let unsaid = heading;
  const print = (rows: readonly JobRow[]): string => {
    const text = unsaid + rows.map((row) => `${renderRow(plan, row, paint)}\n`).join("");
    unsaid = "";
    return text;
  };
  const fields = new Set(plan.fields.flatMap(({ column }) => column.fields));
  return { fields: [...fields], rows: print, before: () => print([]), end: () => print([]) };
}

/** Puts rows in order before `inner` prints them: all of them are kept until the end. */
export function sortingPrinter(inner: JobPrinter, keys: readonly SortKey<JobColumn>[]): JobPrinter {
  const kept: JobRow[] = [];
  const fields = new Set([...inner.fields, ...keys.flatMap(({ column }) => column.fields)]);
  return {
    fields: [...fields],
    rows(rows) {
      for (const row of rows) kept.push(row);
      return "";
    },
    before: () => inner.before(),
    end: () => inner.rows(kept.sort(comparator(keys))) + inner.end(),
  };
}

/** Gives each task of an array a row of its own before `inner` prints them. */
export function expandingPrinter(inner: JobPrinter): JobPrinter {
  return {
    fields: [...new Set<JobField>([...inner.fields, "arrayTasks"])],
    rows: (rows) => inner.rows(rows.flatMap(tasksOfRow)),
    before: () => inner.before(),
    end: () => inner.end(),
  };
}

/** `[4-9%2]` is six rows. */
function tasksOfRow(row: JobRow): JobRow[] {
  const tasks = tasksOfLabel(row.arrayTasks);
  return tasks === null ? [row] : Array.from(tasks, (task) => ({ ...row, arrayTasks: String(task) }));
}
