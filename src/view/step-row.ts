/** A step that runs, as `squeue -s` lists it: flat, made from its job's record. */

import { fold } from "../core/hostlist.ts";
import { type Job, type Step, stepLimit } from "../core/job.ts";
import { jobLabel } from "../core/job-label.ts";
import type { JobRow } from "../protocol/procedures.ts";
import { partsTres } from "./tres.ts";

/** Times are milliseconds since 1970. */
export interface StepRow {
  readonly jobId: number;
  /** `12.0`, `12_3.batch`. */
  readonly label: string;
  /** For the order of steps: the script's and others' come after the numbered ones. */
  readonly position: number;
  readonly stepId: string;
  readonly arrayJobId: number;
  readonly arrayTasks: string;
  readonly name: string;
  readonly user: string;
  readonly uid: number;
  readonly account: string;
  readonly partition: string;
  readonly state: string;
  readonly startAt: number;
  /** Since when its job is suspended, else `null`; and milliseconds of suspensions before, while it ran. */
  readonly suspendedAt: number | null;
  readonly suspendedMs: number;
  /** Seconds, 0 for no limit. */
  readonly limitS: number;
  readonly nodeList: string;
  readonly nodes: number;
  readonly tasks: number;
  readonly cpus: number;
  readonly tres: string;
  readonly submitHost: string;
  readonly kind: string;
}

/** The steps of a job that still run. */
export function stepRows(job: Job, row: JobRow): StepRow[] {
  if (job.state === "PENDING") return [];
  return job.steps.filter((step) => step.endAt === null).map((step) => toStepRow(job, row, step));
}

function toStepRow(job: Job, row: JobRow, step: Step): StepRow {
  const program = step.spec ?? job.spec;
  return {
    jobId: job.id,
    label: `${jobLabel(job)}.${step.id}`,
    position: typeof step.id === "number" ? step.id : Number.MAX_SAFE_INTEGER,
    stepId: String(step.id),
    arrayJobId: job.array?.jobId ?? 0,
    arrayTasks: row.arrayTasks,
    name: step.id === "batch" ? "batch" : step.name,
    user: row.user,
    uid: row.uid,
    account: row.account,
    partition: row.partition,
    state: row.state === "SUSPENDED" ? row.state : step.state,
    startAt: step.startAt,
    suspendedAt: row.suspendedAt,
    suspendedMs: row.suspendedMs - (step.suspendedBeforeMs ?? 0),
    limitS: stepLimit(step),
    nodeList: fold(step.parts.map((part) => part.node)),
    nodes: step.parts.length,
    tasks: step.parts.reduce((sum, part) => sum + part.tasks.length, 0),
    cpus: step.parts.reduce((sum, part) => sum + part.cpus, 0),
    tres: partsTres(step.parts),
    submitHost: step.spec?.submitHost ?? job.spec.submitHost,
    kind: program.argv[0] ?? "",
  };
}
