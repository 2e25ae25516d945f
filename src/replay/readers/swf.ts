/**
 * The Standard Workload Format of the Parallel Workloads Archive (Feitelson; version 2.2): comment lines that begin
 * with `;`, then 18 numbers a line. -1 stands for what is not known.
 */

import { countOf } from "../../util/plural.ts";
import { bySubmission, type Trace, type TraceJob } from "../trace.ts";
import { Problems } from "./rows.ts";

const FIELDS = 18;

/** Positions of the fields that matter here. */
const JOB = 0;
const SUBMIT = 1;
const WAIT = 2;
const RUN = 3;
const ALLOCATED = 4;
const REQUESTED = 7;
const LIMIT = 8;
const USER = 11;
const GROUP = 12;
const PARTITION = 15;

const HINT =
  "a line of SWF has 18 numbers: job submit wait run procs cpu memory procs_requested time_requested memory_requested status user group executable queue partition preceding think";

/**
 * Reads a log. Jobs that never ran (no run time, no processors) are left out and counted in the notes.
 * @param file its name, for problems
 * @throws ReplayError with the lines that can't be read
 */
export function readSwf(text: string, file: string): Trace {
  const problems = new Problems(file);
  const jobs: TraceJob[] = [];
  let processors: number | null = null;
  let skipped = 0;
  for (const [at, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "") continue;
    if (line.startsWith(";")) {
      const max = /^;\s*MaxProcs:\s*(\d+)/i.exec(line)?.[1];
      if (max !== undefined) processors = Number(max);
      continue;
    }
    const job = readLine(line, at + 1, problems);
    if (job) jobs.push(job);
    else skipped += 1;
  }
  problems.check(HINT);
  const notes = skipped > 0 ? [`left out: ${countOf(skipped, "job")} that never ran`] : [];
  return { format: "swf", jobs: bySubmission(jobs), processors, notes };
}

function readLine(text: string, line: number, problems: Problems): TraceJob | null {
  const fields = text.split(/\s+/).map(Number);
  const wrong = fields.findIndex((value) => !Number.isFinite(value));
  if (fields.length !== FIELDS || wrong >= 0) {
    const what = wrong >= 0 ? `field ${wrong + 1} is no number` : `${fields.length} fields, expected ${FIELDS}`;
    problems.add(line, what);
    return null;
  }
  const at = (field: number): number => fields[field] ?? -1;
  const cpus = Math.max(at(REQUESTED), at(ALLOCATED));
  const [submitS, ranS] = [at(SUBMIT), at(RUN)];
  if (submitS < 0 || ranS < 0 || cpus <= 0) return null;
  // What ran on past its request was let do so; the request is the word that a scheduler has.
  const limitS = at(LIMIT) > 0 ? at(LIMIT) : null;
  return {
    id: String(at(JOB)),
    submitS,
    runS: limitS === null ? ranS : Math.min(ranS, limitS),
    limitS,
    wish: { kind: "cpus", cpus },
    user: String(at(USER)),
    account: String(at(GROUP)),
    name: at(PARTITION) > 0 ? `partition ${at(PARTITION)}` : "",
    waitedS: at(WAIT) >= 0 ? at(WAIT) : null,
    eventCostS: 0,
  };
}
