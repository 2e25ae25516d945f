/** What accounting shows of a job's record: a row for the job, and one for each of its steps. */

import type { HistoryRecord } from "../../core/history.ts";
import { fold } from "../../core/hostlist.ts";
import { EXIT_OK, type ExitStatus, isEnded, type Job, type Step, type StepPart, worstExit } from "../../core/job.ts";
import { jobLabel } from "../../core/job-label.ts";
import { cpuOf } from "../../core/usage.ts";
import type { JobRow } from "../../protocol/procedures.ts";
import { toJobRow } from "../job-row.ts";

/** A step as listings show it: `extern`, the allocation itself, is kept nowhere and stands in listings only. */
export interface ListedStep extends Omit<Step, "id"> {
  readonly id: Step["id"] | "extern";
}

/** One row. Times are milliseconds since 1970, `null` where they are still to come. */
export interface AcctRow {
  readonly job: Job;
  /** As listings show the job; of a step, its job's. */
  readonly row: JobRow;
  /** `null` for the row of the job itself. */
  readonly step: ListedStep | null;
  /** `12`, `12_3.batch`, `12+1.0`. */
  readonly id: string;
  /** The same with the record's own number: `14.batch`. */
  readonly rawId: string;
  readonly name: string;
  /** Slurm's word, and by whom it was cancelled: `CANCELLED by 1000`. */
  readonly state: string;
  readonly exit: ExitStatus;
  readonly submitAt: number;
  readonly startAt: number | null;
  readonly endAt: number | null;
  readonly suspendedMs: number;
  readonly cpus: number;
  readonly nodes: number;
  readonly nodeList: string;
  /** Parts whose usage counts: those of the step, or of all steps. */
  readonly parts: readonly StepPart[];
}

/** What bounds the times of rows (--truncate), `null` where nothing does. */
export interface RowBounds {
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
}

/** The rows of a record, the job's first. */
export function acctRows(record: HistoryRecord, bounds: RowBounds): AcctRow[] {
  const { job, reason, reasonText, partition } = record;
  const row = toJobRow(job, { reason, reasonText, partition });
  const steps = job.state === "PENDING" ? [] : job.steps;
  return [jobOf(record, row, steps), ...steps.map((step) => stepOf(job, row, step))].map((one) => bounded(one, bounds));
}

/** Rows of a job that has started with that of its allocation, which Slurm calls the step `extern`: behind the batch script's. */
export function withExtern(rows: readonly AcctRow[]): AcctRow[] {
  const [job, ...steps] = rows;
  const extern = job && externOf(job);
  if (!job || !extern) return [...rows];
  const own = steps.filter(({ step }) => step?.id === "batch");
  return [job, ...own, extern, ...steps.filter(({ step }) => step?.id !== "batch")];
}

/** All of the allocation, for all of the job's time; it never fails. */
function externOf(one: AcctRow): AcctRow | null {
  const { job, startAt, endAt } = one;
  if (job.state === "PENDING" || job.allocation.length === 0 || startAt === null) return null;
  const phase = endAt === null ? "running" : "ended";
  const parts = job.allocation.map(({ node, cpus, memoryMiB, gpus }): StepPart => {
    return { node, cpus, memoryMiB, gpus, phase, tasks: [0], exits: endAt === null ? [] : [EXIT_OK] };
  });
  const state = endAt === null ? "RUNNING" : "COMPLETED";
  const common = { spec: null, requestId: "", startAt, endAt, parts, state, ending: null } as const;
  return {
    ...{ ...one, step: { ...common, id: "extern", name: "extern" }, name: "extern", state, exit: EXIT_OK },
    ...{ id: `${one.id}.extern`, rawId: `${one.rawId}.extern`, submitAt: startAt, parts },
  };
}

function jobOf({ job, state }: HistoryRecord, row: JobRow, steps: readonly Step[]): AcctRow {
  const ended = isEnded(job) ? job : null;
  const by = state === "CANCELLED" && ended?.cancelledBy != null ? ` by ${ended.cancelledBy}` : "";
  const hasNodes = job.state !== "PENDING" && job.allocation.length > 0;
  return {
    ...{ job, row, step: null, id: jobLabel(job), rawId: String(job.id), name: job.spec.name },
    state: `${state}${by}`,
    exit: ended?.exit ?? EXIT_OK,
    submitAt: job.submitAt,
    // One that never started began and ended when it was cancelled, as in Slurm.
    startAt: row.startAt ?? row.endAt,
    endAt: row.endAt,
    suspendedMs: job.state === "PENDING" ? 0 : job.suspendedMs,
    cpus: row.cpus,
    nodes: row.nodes,
    nodeList: hasNodes ? row.nodeList : "None assigned",
    parts: steps.flatMap((step) => step.parts),
  };
}

function stepOf(job: Job, row: JobRow, step: Step): AcctRow {
  const { parts } = step;
  const endAt = step.endAt ?? (isEnded(job) ? job.endAt : null);
  const isOver = endAt !== null;
  return {
    ...{ job, row, step, id: `${jobLabel(job)}.${step.id}`, rawId: `${job.id}.${step.id}`, name: step.name },
    // A part that is still being cleared away when its job is over has no word of its own yet.
    state: isOver && step.state === "RUNNING" ? (step.ending?.state ?? "CANCELLED") : step.state,
    exit: worstExit(parts.flatMap(({ exits }) => exits)),
    submitAt: step.startAt,
    startAt: step.startAt,
    endAt,
    suspendedMs: 0,
    cpus: parts.reduce((sum, part) => sum + part.cpus, 0),
    nodes: parts.length,
    nodeList: fold(parts.map(({ node }) => node)),
    parts,
  };
}

function bounded(one: AcctRow, { sinceMs, untilMs }: RowBounds): AcctRow {
  const { startAt, endAt } = one;
  const isBefore = sinceMs !== null && startAt !== null && startAt < sinceMs;
  // What still runs ends at the window's end, as far as the window knows.
  const isAfter = untilMs !== null && startAt !== null && startAt < untilMs && (endAt === null || endAt > untilMs);
  if (!isBefore && !isAfter) return one;
  return { ...one, startAt: isBefore ? sinceMs : startAt, endAt: isAfter ? untilMs : endAt };
}

/** Milliseconds from start to end, or to now, without suspensions. */
export function ranMs({ startAt, endAt, suspendedMs, job }: AcctRow, nowMs: number): number {
  if (startAt === null) return 0;
  const suspendedAt = job.state === "RUNNING" ? job.suspendedAt : null;
  return Math.max(0, (endAt ?? suspendedAt ?? nowMs) - startAt - suspendedMs);
}

/** User and system time in milliseconds of all that the row stands for. */
export function rowCpu({ parts }: AcctRow): { readonly userMs: number; readonly systemMs: number } {
  return cpuOf(parts);
}
