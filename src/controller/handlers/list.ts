/** jobs.list: only the fields asked for, in chunks, so that the first line prints while the last is being made. */

import type { StreamHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { selectJobs } from "../select.ts";

/** Rows a chunk: some 20 kB, small enough to start printing early. */
const ROWS_A_CHUNK = 500;

/** Streams rows of the selected jobs. */
export function listHandler(context: ControllerContext): StreamHandler<"jobs.list"> {
  return async ({ filter, fields }, sink) => {
    let rows: unknown[][] = [];
    for (const job of selectJobs(context.loop.state, filter, "any")) {
      const row = context.rowOf(job);
      rows.push(fields.map((field) => row[field]));
      if (rows.length < ROWS_A_CHUNK) continue;
      await sink.send({ rows });
      rows = [];
    }
    if (rows.length > 0) await sink.send({ rows });
    return { now: context.clock.now() };
  };
}
