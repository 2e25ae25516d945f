/** The tables that squeue prints: of jobs or steps, by --format, --Format or a format of its own. */

import { formatDateLine } from "../../../view/date-line.ts";
import {
  expandAll,
  type JobColumn,
  jobColumns,
  type ListingView,
  SQUEUE_FORMAT,
  SQUEUE_FORMAT_LONG,
  SQUEUE_FORMAT_START,
} from "../../../view/job-columns.ts";
import { fieldPlan, letterPlan } from "../../../view/job-table.ts";
import { type Column, type FormatPlan, parseFieldList, parseFormat, renderHeader } from "../../../view/printf.ts";
import { parseSort, type SortKey } from "../../../view/sort.ts";
import { SQUEUE_FORMAT_STEPS, type StepColumn, stepColumns, stepFieldColumns } from "../../../view/step-columns.ts";
import { isSlurmName } from "../../connect.ts";
import { type CommandContext, UserError } from "../../context.ts";
import type { OptionReader } from "../../filters.ts";
import { type JobPrinter, sortingPrinter, tablePrinter } from "../../output/job-list.ts";
import { painterFor } from "../../output/painter.ts";
import { didYouMean } from "../../usage.ts";
import type { AskedTable } from "./form.ts";

const EXCLUSIVE = "Options -o(--format) and -l(--long) are mutually exclusive. Please remove one and retry.";

/** Letters that Slurm's squeue prints but can't order by. */
const UNSORTED = "AEFKRWXYZakoqrswxy";

const DEFAULT_SORT = "P,t,-p";
const DEFAULT_SORT_STEPS = "P,i";

/** A table under construction. */
export interface Layout<C> {
  readonly plan: FormatPlan<C>;
  readonly heading: string;
  readonly keys: readonly SortKey<C>[];
  /** Whether nobody asked for a format. */
  readonly isOwnFormat: boolean;
}

/** A table of jobs, ready for its rows. */
interface JobTable extends AskedTable {
  readonly printer: JobPrinter;
}

/** The table of jobs. @throws UserError for a sort that can't be */
export function jobTable(options: OptionReader, view: ListingView, context: CommandContext): JobTable {
  const columns = jobColumns(view);
  const { text, isFields, isOwn } = readFormat(options, ownJobFormat(options));
  const plan = isFields ? fieldPlan(text, view) : letterPlan(text, view, columns);
  const usual = options.isGiven("start") ? "S" : isSlurmName(context.program) ? DEFAULT_SORT : "";
  const layout: Layout<JobColumn> = {
    plan,
    heading: headingOf(plan, options, view, context),
    keys: readSort(options.last("sort") ?? usual, columns, isSlurmName(context.program) ? UNSORTED : ""),
    isOwnFormat: isOwn,
  };
  const painter = painterFor(context, layout);
  const printer = tablePrinter(plan, layout.heading, painter);
  const isSorted = layout.keys.length > 0;
  return {
    ...{ plan, text, isFields, isOwnWork: isSorted || painter !== undefined },
    printer: isSorted ? sortingPrinter(printer, layout.keys) : printer,
  };
}

/** The table of steps: its plan, what stands before it, and in which order its rows come. */
export function stepTable(options: OptionReader, view: ListingView, context: CommandContext): Layout<StepColumn> {
  const columns = stepColumns(view);
  const { text, isFields, isOwn } = readFormat(options, SQUEUE_FORMAT_STEPS);
  const plan = isFields ? parseFieldList(text, stepFieldColumns(view)) : parseFormat(expandAll(text, columns), columns);
  return {
    plan,
    heading: headingOf(plan, options, view, context),
    keys: readSort(options.last("sort") ?? DEFAULT_SORT_STEPS, columns),
    isOwnFormat: isOwn,
  };
}

/** Slurm prints what it can't read as it stands, and goes on. */
export function complain(plan: FormatPlan<unknown>, what: string, { stdio, program }: CommandContext): void {
  for (const name of plan.unknown) stdio.err(`${program}: error: Invalid ${what} format specification: ${name}\n`);
  const hint = isSlurmName(program) ? undefined : didYouMean(plan.unknown, plan.known ?? []);
  if (hint !== undefined) stdio.err(`${program}: hint: ${hint}\n`);
}

function headingOf(
  plan: FormatPlan<Column<never>>,
  options: OptionReader,
  view: ListingView,
  context: CommandContext,
): string {
  if (options.isGiven("noheader")) return "";
  const isDated = options.isGiven("long") || options.isGiven("iterate") || options.isGiven("verbose");
  const date = isDated ? `${formatDateLine(view.nowMs, (atMs) => context.utcOffsetMinutes(atMs))}\n` : "";
  return `${date}${renderHeader(plan)}\n`;
}

function ownJobFormat(options: OptionReader): string {
  if (options.isGiven("start")) return SQUEUE_FORMAT_START;
  return options.isGiven("long") ? SQUEUE_FORMAT_LONG : SQUEUE_FORMAT;
}

/** The format that holds: a typed one, else the one of -l, else that of a variable, else the usual one. */
function readFormat(
  options: OptionReader,
  own: string,
): { readonly text: string; readonly isFields: boolean; readonly isOwn: boolean } {
  const [letters, fields] = [options.isTyped("format"), options.isTyped("Format")];
  if (letters && fields) throw new UserError("-O (--Format) is incompatible with -o (--format)");
  if (letters && options.isGiven("long")) {
    throw new UserError(EXCLUSIVE, undefined, 1, "fatal");
  }
  const text = (long: "format" | "Format", isFields: boolean) => {
    return { text: options.last(long) ?? "", isFields, isOwn: false };
  };
  if (letters) return text("format", false);
  if (fields) return text("Format", true);
  const isTheirs = options.isGiven("long") || options.isGiven("start") || options.isGiven("steps");
  if (isTheirs) return { text: own, isFields: false, isOwn: true };
  if (options.isGiven("format")) return text("format", false);
  return options.isGiven("Format") ? text("Format", true) : { text: own, isFields: false, isOwn: true };
}

/** @param excluded letters that are columns but no order */
function readSort<C>(text: string, columns: Readonly<Record<string, C>>, excluded = ""): readonly SortKey<C>[] {
  // The one long name that Slurm takes; all jobs are of one cluster.
  const words = text.split(",").filter((word) => !/^[+-]?cluster$/i.test(word));
  const sortable = Object.fromEntries(Object.entries(columns).filter(([letter]) => !excluded.includes(letter)));
  const { keys, unknown } = parseSort(words.join(","), sortable);
  if (unknown.length > 0)
    throw new UserError([...new Set(unknown)].map((letter) => `Invalid sort specification: ${letter}`));
  return keys;
}
