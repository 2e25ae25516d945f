/** Traces that are tables with a header: Muri's cuts of Philly, openb, Philly, and columns of SWF logs. */

import { WHOLE_GPU } from "../../core/resources.ts";
import { countOf } from "../../util/plural.ts";
import { bySubmission, type Trace, type TraceJob } from "../trace.ts";
import { Problems, type RowReader, readRows } from "./rows.ts";

const MS = 1000;

/** Muri's simulator lets every iteration take so much longer than the trace says (Zhao et al., SIGCOMM 2022, simulator). */
const ITERATION_FACTOR = 1.015;

/** Columns by which a table is known. */
export const TABLE_COLUMNS = {
  muri: ["job_id", "submit_ms", "num_gpu", "iterations", "iteration_ms"],
  "swf-csv": ["job_id", "submit_s", "run_s", "procs", "req_s"],
  openb: ["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "creation_time", "deletion_time"],
  philly: ["job_id", "submit_s", "duration_s", "num_gpu"],
} as const;

export type TableFormat = keyof typeof TABLE_COLUMNS;

const HINTS: Readonly<Record<TableFormat, string>> = {
  muri: "columns: job_id,submit_ms,num_gpu,iterations,iteration_ms[,model,event_overhead_s], times in milliseconds",
  "swf-csv": "columns: job_id,submit_s,run_s,procs,req_s[,user_id,easy_wait_s], times in seconds",
  openb: "columns: name,cpu_milli,memory_mib,num_gpu,gpu_milli,creation_time,deletion_time[,gpu_spec,scheduled_time]",
  philly: "columns: job_id,submit_s,duration_s,num_gpu[,vc], times in seconds",
};

const PLAIN = { limitS: null, user: "", account: "", name: "", waitedS: null, eventCostS: 0 } as const;

/**
 * Reads a table.
 * @param file its name, for problems
 * @throws ReplayError with the lines that can't be read
 */
export function readTable(format: TableFormat, text: string, file: string): Trace {
  const problems = new Problems(file);
  const jobs: TraceJob[] = [];
  const skipped = { never: 0, none: 0 };
  for (const row of readRows(text, problems)) {
    const job = READERS[format](row);
    if (job === "no GPU") skipped.none += 1;
    else if (job === "no end") skipped.never += 1;
    else jobs.push(job);
  }
  problems.check(HINTS[format]);
  const notes = [
    ...(skipped.none > 0 ? [`left out: ${countOf(skipped.none, "job")} without a GPU`] : []),
    ...(skipped.never > 0 ? [`left out: ${countOf(skipped.never, "job")} that never ran, or not to an end`] : []),
  ];
  return { format, jobs: bySubmission(jobs), processors: null, notes };
}

type Read = (row: RowReader) => TraceJob | "no GPU" | "no end";

const READERS: Readonly<Record<TableFormat, Read>> = {
  muri: (row) => ({
    ...PLAIN,
    id: row.text("job_id"),
    submitS: row.amount("submit_ms") / MS,
    runS: row.positive("iterations") * ((row.positive("iteration_ms") * ITERATION_FACTOR) / MS),
    wish: gpus(row.positive("num_gpu") * WHOLE_GPU),
    name: row.text("model"),
    eventCostS: row.text("event_overhead_s") === "" ? 0 : row.amount("event_overhead_s"),
  }),
  "swf-csv": (row) => {
    const runS = row.amount("run_s");
    return {
      ...PLAIN,
      id: row.text("job_id"),
      submitS: row.amount("submit_s"),
      runS,
      limitS: Math.max(runS, row.amount("req_s")),
      wish: { kind: "cpus", cpus: row.positive("procs") },
      user: row.text("user_id"),
      waitedS: row.text("easy_wait_s") === "" ? null : row.amount("easy_wait_s"),
    };
  },
  openb: (row) => {
    const count = row.amount("num_gpu");
    if (count === 0) return "no GPU";
    if (row.text("deletion_time") === "" || row.text("scheduled_time") === "") return "no end";
    const created = row.amount("creation_time");
    const scheduled = row.amount("scheduled_time");
    const share = count === 1 ? row.positive("gpu_milli") : WHOLE_GPU;
    const models = row.text("gpu_spec");
    return {
      ...PLAIN,
      id: row.text("name"),
      submitS: created,
      runS: Math.max(0, row.amount("deletion_time") - scheduled),
      wish: {
        kind: "gpus",
        thousandths: count * share,
        models: models === "" ? [] : models.split("|"),
        cpus: Math.max(1, Math.round(row.amount("cpu_milli") / MS)),
        memoryMiB: Math.ceil(row.amount("memory_mib")),
      },
      account: row.text("qos"),
      waitedS: Math.max(0, scheduled - created),
    };
  },
  philly: (row) => ({
    ...PLAIN,
    id: row.text("job_id"),
    submitS: row.amount("submit_s"),
    runS: row.amount("duration_s"),
    wish: gpus(row.positive("num_gpu") * WHOLE_GPU),
    account: row.text("vc"),
  }),
};

function gpus(thousandths: number): TraceJob["wish"] {
  return { kind: "gpus", thousandths, models: [], cpus: 1, memoryMiB: 0 };
}
