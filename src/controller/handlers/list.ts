/**
 * jobs.list: only the fields asked for, or the text that is made from them, in chunks, so that the first line prints while the
 * last is being made.
 */

import { displayState, type Job } from "../../core/job.ts";
import { nextTurn } from "../../platform/clock.ts";
import { jobDetails } from "../../protocol/list-rows.ts";
import type { Item, JobRow, ListForm } from "../../protocol/procedures.ts";
import type { StreamHandler } from "../../rpc/types.ts";
import type { JobField } from "../../view/job-columns.ts";
import { toJobDetails } from "../../view/job-details.ts";
import { jobLines } from "../../view/job-lines.ts";
import { ROW_FIELDS } from "../../view/job-row.ts";
import { shownTest } from "../../view/job-states.ts";
import { type JobWriter, tasksOfLabel } from "../../view/job-table.ts";
import type { ControllerContext } from "../context.ts";
import { createForecaster } from "../forecast.ts";
import { maySee } from "../network/access.ts";
import { selectJobs } from "../select.ts";
import { SLICE_MS } from "../slices.ts";

/** Rows a chunk: some 20 kB, small enough to start printing early. */
const ROWS_A_CHUNK = 500;

/** Of text: what a pipe holds. */
const TEXT_CHARS = 64 * 1024;

/** Between two looks at the clock; a row costs some microseconds. */
const ROWS_A_LOOK = 20;

/** Fields that cost more than a look at the record: they are made only if one of them is asked for. */
const DETAILS: ReadonlySet<string> = new Set(Object.keys(jobDetails.entries));

const FORECAST: readonly JobField[] = ["expectedAt", "expectedNodes"];

/** What tells an array's tasks apart. */
const TASKS = "arrayTasks" satisfies JobField;

type Chunk = Item<"jobs.list">;
type ValuesOf = (job: Job) => unknown[];

/** Streams rows of the selected jobs. */
export function listHandler(context: ControllerContext): StreamHandler<"jobs.list"> {
  const forecaster = createForecaster(context);
  return async ({ filter, fields, form }, sink, { hello }) => {
    const isSeen = maySee(context, hello);
    const writer = form ? jobLines(form) : null;
    const asked: readonly JobField[] = writer ? [...new Set<JobField>([...writer.fields, TASKS])] : fields;
    const valuesOf = await valuesMaker(context, forecaster, asked);
    const jobs = filtered(selectJobs(context.loop.state, filter, "any"), isSeen);
    const rows = (shown: ListForm) => rowsOf(jobs, valuesOf, shown, asked.indexOf(TASKS));
    const chunks = form && writer ? textChunks(rows(form), writer, form) : rowChunks(jobs, valuesOf);
    let endMs = context.clock.monotonic() + SLICE_MS;
    for (const chunk of chunks) {
      if (chunk !== null) await sink.send(chunk);
      if (context.clock.monotonic() < endMs) continue;
      await nextTurn();
      endMs = context.clock.monotonic() + SLICE_MS;
    }
    return { now: context.clock.now() };
  };
}

/** Makes the values of fields. */
async function valuesMaker(
  context: ControllerContext,
  forecaster: ReturnType<typeof createForecaster>,
  fields: readonly JobField[],
): Promise<ValuesOf> {
  const singles = fields.flatMap((field) => (isSingle(field) ? [ROW_FIELDS[field]] : []));
  if (singles.length === fields.length) {
    return (job) => {
      const facts = context.factsOf(job);
      return singles.map((single) => single(job, facts));
    };
  }
  const places = fields.map((field) => [field, DETAILS.has(field)] as const);
  const isDetailed = places.some(([, isDetail]) => isDetail);
  const isForecast = fields.some((field) => FORECAST.includes(field)) && context.loop.state.pending.size > 0;
  const forecastOf = isForecast ? await forecaster() : () => null;
  // Row and details stay apart: V8 keeps one object of a hundred keys in a way that is ten times slower.
  return (job) => {
    const row: Readonly<Record<string, unknown>> = context.rowOf(job);
    const details: Readonly<Record<string, unknown>> = isDetailed
      ? toJobDetails(job, row as JobRow, forecastOf(job.id))
      : {};
    return places.map(([field, isDetail]) => (isDetail ? details : row)[field]);
  };
}

function isSingle(field: JobField): field is keyof typeof ROW_FIELDS {
  return Object.hasOwn(ROW_FIELDS, field);
}

function* filtered(jobs: Iterable<Job>, isMeant: (job: Job) => boolean): Generator<Job> {
  for (const job of jobs) if (isMeant(job)) yield job;
}

/** Yields also where it may be interrupted. */
function* rowChunks(jobs: Iterable<Job>, valuesOf: ValuesOf): Generator<Chunk | null> {
  let rows: unknown[][] = [];
  for (const job of jobs) {
    rows.push(valuesOf(job));
    if (rows.length >= ROWS_A_CHUNK) {
      yield { rows };
      rows = [];
    } else if (rows.length % ROWS_A_LOOK === 0) yield null;
  }
  if (rows.length > 0) yield { rows };
}

/** The same, of text. */
function* textChunks(rows: Iterable<readonly unknown[]>, writer: JobWriter, form: ListForm): Generator<Chunk | null> {
  let text = "";
  let isFirst = true;
  let count = 0;
  for (const values of rows) {
    text += isFirst ? writer.text(values) : form.separator + writer.text(values);
    isFirst = false;
    if (text.length >= TEXT_CHARS) {
      yield { rows: [], text: new TextEncoder().encode(text) };
      text = "";
      isFirst = true;
    } else if (++count % ROWS_A_LOOK === 0) yield null;
  }
  if (text !== "") yield { rows: [], text: new TextEncoder().encode(text) };
}

/** Values of the rows that are shown. An array's tasks may be told one by one. @param tasksAt where they are among the values */
function* rowsOf(
  jobs: Iterable<Job>,
  valuesOf: ValuesOf,
  form: ListForm,
  tasksAt: number,
): Generator<readonly unknown[]> {
  const isShown = shownTest(form);
  for (const job of jobs) {
    if (!isShown({ state: displayState(job), uid: job.spec.user.uid })) continue;
    const values = valuesOf(job);
    const tasks = form.isExpanded ? tasksOfLabel(String(values[tasksAt])) : null;
    if (tasks === null) yield values;
    for (const task of tasks ?? []) {
      // Nobody keeps a row's values for longer than it takes to write it.
      values[tasksAt] = String(task);
      yield values;
    }
  }
}
