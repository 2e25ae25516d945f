/** jobs.list: only the fields asked for, in chunks, so that the first line prints while the last is being made. */

import type { Job } from "../../core/job.ts";
import { sleep } from "../../platform/clock.ts";
import { type JobListRow, jobDetails } from "../../protocol/list-rows.ts";
import type { JobRow } from "../../protocol/procedures.ts";
import type { StreamHandler } from "../../rpc/types.ts";
import { toJobDetails } from "../../view/job-details.ts";
import type { ControllerContext } from "../context.ts";
import { createForecaster } from "../forecast.ts";
import { maySee } from "../network/access.ts";
import { selectJobs } from "../select.ts";
import { SLICE_MS } from "../slices.ts";

/** Rows a chunk: some 20 kB, small enough to start printing early. */
const ROWS_A_CHUNK = 500;

/** Fields that cost more than a look at the record: they are made only if one of them is asked for. */
const DETAILS: ReadonlySet<string> = new Set(Object.keys(jobDetails.entries));

const FORECAST: readonly string[] = ["expectedAt", "expectedNodes"];

/** Streams rows of the selected jobs. */
export function listHandler(context: ControllerContext): StreamHandler<"jobs.list"> {
  const forecaster = createForecaster(context);
  return async ({ filter, fields }, sink, { hello }) => {
    const isSeen = maySee(context, hello);
    const isDetailed = fields.some((field) => DETAILS.has(field));
    const isForecast = fields.some((field) => FORECAST.includes(field)) && context.loop.state.pending.size > 0;
    const forecastOf = isForecast ? await forecaster() : () => null;
    // Row and details stay apart: V8 keeps one object of a hundred keys in a way that is ten times slower.
    const valuesOf = (job: Job): unknown[] => {
      const row: Partial<JobListRow> = context.rowOf(job);
      const details: Partial<JobListRow> = isDetailed ? toJobDetails(job, row as JobRow, forecastOf(job.id)) : {};
      return fields.map((field) => (DETAILS.has(field) ? details : row)[field]);
    };
    let rows: unknown[][] = [];
    let endMs = context.clock.monotonic() + SLICE_MS;
    for (const job of selectJobs(context.loop.state, filter, "any")) {
      if (!isSeen(job)) continue;
      rows.push(valuesOf(job));
      if (rows.length < ROWS_A_CHUNK) continue;
      await sink.send({ rows });
      rows = [];
      if (context.clock.monotonic() < endMs) continue;
      await sleep(context.clock, 0);
      endMs = context.clock.monotonic() + SLICE_MS;
    }
    if (rows.length > 0) await sink.send({ rows });
    return { now: context.clock.now() };
  };
}
