/** Jobs that mgpu itself ran: lines of its accounting files or its journal, or records of its history. */

import { SpecReader } from "../../core/brief-specs.ts";
import type { Event } from "../../core/events.ts";
import type { EndedJob, Job, PendingJob } from "../../core/job.ts";
import type { JobSpec } from "../../core/jobspec.ts";
import { type ResourceRequest, WHOLE_GPU } from "../../core/resources.ts";
import { countOf } from "../../util/plural.ts";
import { bySubmission, type Trace, type TraceJob } from "../trace.ts";
import { Problems } from "./rows.ts";

const MS = 1000;

const NO_RECORD = "no record of mgpu's";

const HINT =
  "expected lines of mgpu's accounting (controller/accounting/*.jsonl in the state folder) or of its journal (controller/journal/*.jsonl)";

/** One start of a job, from its beginning to its end: milliseconds since 1970. */
interface Ran {
  readonly id: number;
  readonly spec: JobSpec;
  readonly submitAt: number;
  readonly eligibleAt: number;
  readonly startAt: number;
  readonly endAt: number;
  readonly suspendedMs: number;
  /** Seconds, 0 for none. */
  readonly limitS: number;
}

/** Jobs of records: those that ran and are over. */
export function traceOfRecords(jobs: Iterable<Job>): Trace {
  const ran: Ran[] = [];
  const left = { waiting: 0, running: 0, never: 0 };
  for (const job of jobs) {
    if (job.state === "PENDING") left.waiting += 1;
    else if (job.state === "RUNNING") left.running += 1;
    else if (job.startAt === null) left.never += 1;
    else ran.push({ ...job, startAt: job.startAt, limitS: job.limitS ?? 0 });
  }
  return traceOf(ran, left);
}

/**
 * Reads lines of accounting files and journals, also mixed: a job that both know counts once.
 * @param files their names, for problems, and texts
 * @throws ReplayError with the lines that can't be read
 */
export function readRecords(files: readonly { readonly name: string; readonly text: string }[]): Trace {
  const book = new Book();
  for (const { name, text } of files) {
    const problems = new Problems(name);
    const specs = new SpecReader();
    for (const [at, line] of text.split("\n").entries()) {
      if (line === "") continue;
      const problem = readLine(book, line, specs);
      if (problem !== "") problems.add(at + 1, problem);
    }
    problems.check(HINT);
  }
  return book.trace();
}

/** What is wrong with a line; empty if nothing is. */
function readLine(book: Book, text: string, specs: SpecReader): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "no JSON";
  }
  if (typeof value !== "object" || value === null) return NO_RECORD;
  if ("job" in value && isEndedJob(value.job)) {
    book.ended(value.job);
    return "";
  }
  if ("events" in value && Array.isArray(value.events) && "at" in value && typeof value.at === "number") {
    let events: readonly Event[];
    try {
      events = (value.events as Event[]).map((event) => specs.event(event));
    } catch (error) {
      return (error as Error).message;
    }
    for (const event of events) book.happened(event, value.at);
    return "";
  }
  // The first line of a journal's file.
  return "mgpu" in value ? "" : NO_RECORD;
}

function isEndedJob(value: unknown): value is EndedJob {
  return typeof value === "object" && value !== null && "spec" in value && "endAt" in value && "submitAt" in value;
}

/** A job as a journal tells of it. */
interface Told {
  readonly spec: JobSpec;
  readonly submitAt: number;
  readonly eligibleAt: number;
  readonly startAt: number | null;
  readonly limitS: number;
  readonly stoppedAt: number | null;
  readonly suspendedMs: number;
}

/** What is known of each job so far. */
class Book {
  readonly #told = new Map<number, Told>();
  readonly #ran = new Map<string, Ran>();
  readonly #never = new Set<number>();
  #unknown = 0;

  ended(job: EndedJob): void {
    if (job.startAt === null) this.#never.add(job.id);
    else this.#note({ ...job, startAt: job.startAt, limitS: job.limitS ?? 0 });
  }

  happened(event: Event, at: number): void {
    switch (event.type) {
      case "job.submitted":
        this.#told.set(event.job.id, tell(event.job));
        return;
      case "array.split":
        return this.#split(event.jobId, event.newId);
      case "job.updated":
        return this.#change(event.jobId, ({ spec, ...told }) => ({ ...told, spec: { ...spec, ...event.changes } }));
      case "job.allocated":
        return this.#change(event.jobId, (told) => ({ ...told, startAt: at, limitS: event.limitS, suspendedMs: 0 }));
      case "job.suspended":
        return this.#change(event.jobId, (told) => suspend(told, event.suspended, at));
      case "job.requeued":
        return this.#change(event.jobId, (told) => ({ ...told, startAt: null, eligibleAt: event.eligibleAt }));
      case "job.ended":
        return this.#end(event.jobId, at);
      default:
    }
  }

  trace(): Trace {
    const running = [...this.#told.values()].filter(({ startAt }) => startAt !== null).length;
    const left = { waiting: this.#told.size - running, running, never: this.#never.size };
    const { notes, ...trace } = traceOf([...this.#ran.values()], left);
    const unknown = `left out: ${countOf(this.#unknown, "event")} of jobs that were submitted before this journal begins`;
    return { ...trace, notes: this.#unknown > 0 ? [...notes, unknown] : notes };
  }

  #change(id: number, change: (told: Told) => Told): void {
    const told = this.#told.get(id);
    if (told) this.#told.set(id, change(told));
    else this.#unknown += 1;
  }

  #split(id: number, newId: number): void {
    const told = this.#told.get(id);
    if (told) this.#told.set(newId, told);
    else this.#unknown += 1;
  }

  #end(id: number, at: number): void {
    const told = this.#told.get(id);
    if (!told) {
      this.#unknown += 1;
      return;
    }
    this.#told.delete(id);
    if (told.startAt === null) {
      this.#never.add(id);
      return;
    }
    const suspendedMs = told.suspendedMs + (told.stoppedAt === null ? 0 : at - told.stoppedAt);
    this.#note({ ...told, id, startAt: told.startAt, endAt: at, suspendedMs });
  }

  #note(ran: Ran): void {
    this.#ran.set(`${ran.id} ${ran.endAt}`, ran);
  }
}

function tell({ spec, submitAt, eligibleAt }: PendingJob): Told {
  return { spec, submitAt, eligibleAt, startAt: null, limitS: 0, stoppedAt: null, suspendedMs: 0 };
}

function suspend(told: Told, isSuspended: boolean, at: number): Told {
  if (isSuspended) return { ...told, stoppedAt: told.stoppedAt ?? at };
  const more = told.stoppedAt === null ? 0 : at - told.stoppedAt;
  return { ...told, stoppedAt: null, suspendedMs: told.suspendedMs + more };
}

function traceOf(ran: readonly Ran[], left: Readonly<Record<"waiting" | "running" | "never", number>>): Trace {
  const begin = ran.reduce((least, { submitAt }) => Math.min(least, submitAt), Number.POSITIVE_INFINITY);
  const notes = [
    ...(left.waiting > 0 ? [`left out: ${countOf(left.waiting, "job")} waiting`] : []),
    ...(left.running > 0 ? [`left out: ${countOf(left.running, "job")} running`] : []),
    ...(left.never > 0 ? [`left out: ${countOf(left.never, "job")} that never ran`] : []),
  ];
  return { format: "mgpu", jobs: bySubmission(ran.map((one) => jobOf(one, begin))), processors: null, notes };
}

function jobOf(ran: Ran, begin: number): TraceJob {
  const { spec } = ran;
  const runS = Math.max(0, ran.endAt - ran.startAt - ran.suspendedMs) / MS;
  // Who waited for a time, a dependency or a release was not in the queue before.
  const queuedAt = Math.max(ran.submitAt, Math.min(ran.eligibleAt, ran.startAt));
  return {
    id: String(ran.id),
    submitS: (queuedAt - begin) / MS,
    runS,
    limitS: ran.limitS === 0 ? null : Math.max(runS, ran.limitS),
    wish: { kind: "request", request: anywhere(spec.request) },
    user: spec.user.name,
    account: spec.account ?? "",
    name: spec.name,
    waitedS: Math.max(0, ran.startAt - queuedAt) / MS,
    eventCostS: 0,
  };
}

/** A request without names of nodes: those of another cluster mean nothing. */
function anywhere(request: ResourceRequest): ResourceRequest {
  const count = request.gpuIds.reduce((sum, { indices }) => sum + indices.length, 0);
  const exact = { per: "job", wishes: [{ type: null, thousandths: count * WHOLE_GPU }] } as const;
  const gpus = count > 0 ? exact : request.gpus;
  return { ...request, gpus, gpuIds: [], nodeList: [], excluded: [] };
}
