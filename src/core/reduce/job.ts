/** How events change job records. Illegal transitions are assertions: `decide` never lets them happen. */

import { assert } from "../../util/assert.ts";
import type {
  JobAllocated,
  JobCleaned,
  JobEnded,
  JobHeld,
  JobPreempting,
  JobRequeued,
  JobShrunk,
  JobSuspended,
  JobUpdated,
} from "../events.ts";
import {
  EARLIER_ATTEMPTS_MAX,
  EARLIER_WISHES_MAX,
  type EarlierAttempt,
  type EndedJob,
  EXIT_OK,
  isEnded,
  type Job,
  type PendingJob,
  type RunningJob,
} from "../job.ts";
import { jobStep } from "../step-place.ts";
import { endingWithJob, overAt, partsGone, partsLost } from "./step.ts";

/** What every record of a job has. */
function common({ id, spec, submitAt, requestId, attempt, array, earlier, changed }: Job) {
  const past = { ...(earlier ? { earlier } : {}), ...(changed ? { changed } : {}) };
  return { id, spec, submitAt, requestId, attempt, array, ...past };
}

/** With what few records have. Those of every job are written out whole: put together of parts they would take several times the time. */
function withPast<J extends RunningJob | EndedJob>(record: J, { earlier, changed }: Job): J {
  if (earlier === undefined && changed === undefined) return record;
  return { ...record, ...(earlier ? { earlier } : {}), ...(changed ? { changed } : {}) };
}

/** PENDING to RUNNING, with the first step, if the job has one of its own, on its way. */
export function allocated(job: Job, event: JobAllocated, at: number): RunningJob {
  assert(job.state === "PENDING", `job ${job.id} was allocated in state ${job.state}`);
  assert(job.cleanup.length === 0, `job ${job.id} was allocated while it is being cleared away`);
  assert(event.attempt === job.attempt + 1, `job ${job.id}: attempt ${event.attempt} follows ${job.attempt}`);
  const { attempt, limitS, allocation, partition = job.spec.partition } = event;
  const first = jobStep(job, allocation, at, event.stepHet);
  const { id, submitAt, requestId, array, eligibleAt, retried } = job;
  const running: RunningJob = {
    id,
    spec: partition === job.spec.partition ? job.spec : { ...job.spec, partition },
    submitAt,
    requestId,
    attempt,
    array,
    state: "RUNNING",
    startAt: at,
    eligibleAt,
    limitS,
    allocation,
    steps: first ? [first] : [],
    nextStepId: first?.id === 0 ? 1 : 0,
    suspendedAt: null,
    suspendedMs: 0,
    signalled: false,
    retried,
  };
  return withPast(job.unlaunched ? { ...running, unlaunched: job.unlaunched } : running, job);
}

/** The final state, from PENDING or RUNNING. Steps that still run end with their job. */
export function ended(job: Job, event: JobEnded, at: number): EndedJob {
  assert(!isEnded(job), `job ${job.id} ended twice: ${job.state}, then ${event.state}`);
  const started = job.state === "RUNNING" ? job : null;
  const steps = (started?.steps ?? []).map((step) => endingWithJob(step, event, at));
  const { id, spec, submitAt, requestId, attempt, array, eligibleAt, allocation, yieldsTo } = job;
  const over: EndedJob = {
    id,
    spec,
    submitAt,
    requestId,
    attempt,
    array,
    state: event.state,
    startAt: started?.startAt ?? null,
    eligibleAt,
    endAt: at,
    limitS: started?.limitS ?? null,
    allocation,
    steps: partsGone(steps, nodesNotIn(job, event.cleanup), at),
    exit: event.exit,
    cause: event.cause,
    cancelledBy: event.cancelledBy,
    cleanup: event.cleanup,
    suspendedMs: started ? suspendedUntil(started, at) : 0,
  };
  return withPast(yieldsTo === undefined ? over : { ...over, yieldsTo }, job);
}

/** What was others' when it ended stays theirs while its processes are cleared away. */
function yielded({ yieldsTo }: Job): Pick<Job, "yieldsTo"> {
  return yieldsTo === undefined ? {} : { yieldsTo };
}

/** One node less to clear. */
export function cleaned(job: Job, event: JobCleaned, at: number): PendingJob | EndedJob {
  assert(job.state !== "RUNNING", `job ${job.id} was cleaned in state ${job.state}`);
  const cleanup = job.cleanup.filter((node) => node !== event.node);
  if (isEnded(job)) return { ...job, cleanup, steps: partsGone(job.steps, [event.node], at) };
  return { ...job, cleanup, allocation: cleanup.length === 0 ? [] : job.allocation };
}

/** Back to PENDING, also after its end; the attempt stays until the next start counts it up. */
export function requeued(job: Job, event: JobRequeued, at: number): PendingJob {
  assert(job.state !== "PENDING", `job ${job.id} was requeued (${event.cause}) in state ${job.state}`);
  const { eligibleAt, hold, cleanup, retried } = event;
  const allocation = cleanup.length === 0 ? [] : job.allocation;
  const earlier = isEnded(job) ? endedAttempt(job) : earlierAttempts(job, event, at);
  const special = {
    ...(event.special ? { special: true as const } : {}),
    ...(event.after === undefined ? {} : { after: event.after }),
  };
  const held = cleanup.length > 0 ? yielded(job) : {};
  return {
    ...common(job),
    ...earlier,
    ...held,
    state: "PENDING",
    eligibleAt,
    hold,
    allocation,
    cleanup,
    retried,
    ...(event.unlaunched ? { unlaunched: event.unlaunched } : {}),
    ...special,
  };
}

/** What is kept of the start that is over. What its steps still run is being ended. */
function earlierAttempts(job: RunningJob, event: JobRequeued, at: number): Pick<Job, "earlier"> {
  const { state, exit = EXIT_OK, cause } = event;
  if (state === undefined) return {};
  const end = { state: state === "REQUEUED" ? "CANCELLED" : state, cause, cancelledBy: null } as const;
  const attempt: EarlierAttempt = {
    ...{ attempt: job.attempt, startAt: job.startAt, endAt: at, limitS: job.limitS, allocation: job.allocation },
    steps: job.steps.map((step) => endingWithJob(step, end, at)).map((step) => overAt(step, at)),
    ...{ state, exit, cause, suspendedMs: suspendedUntil(job, at) },
  };
  return { earlier: [...(job.earlier ?? []), attempt].slice(-EARLIER_ATTEMPTS_MAX) };
}

/** The same of a job that was over before it was put back; nothing of one that never started. */
function endedAttempt(job: EndedJob): Pick<Job, "earlier"> {
  const { attempt, startAt, endAt, allocation, steps, state, exit, cause, suspendedMs } = job;
  if (startAt === null) return {};
  const limitS = job.limitS ?? 0;
  const one = { attempt, startAt, endAt, limitS, allocation, steps, state, exit, cause, suspendedMs };
  return { earlier: [...(job.earlier ?? []), one].slice(-EARLIER_ATTEMPTS_MAX) };
}

/** On hold, or released. */
export function held(job: Job, event: JobHeld): PendingJob {
  assert(job.state === "PENDING", `job ${job.id} was held in state ${job.state}`);
  const { special, ...rest } = job;
  return { ...rest, ...(special && event.hold !== null ? { special } : {}), hold: event.hold };
}

/** With other wishes. */
export function updated(job: Job, event: JobUpdated, at: number): Job {
  assert(!isEnded(job), `job ${job.id} was changed in state ${job.state}`);
  const spec = { ...job.spec, ...event.changes };
  const earlier = event.before ? [...(job.changed ?? []), { at, before: event.before }] : [];
  const changed = earlier.length > 0 ? { changed: earlier.slice(-EARLIER_WISHES_MAX) } : {};
  if (job.state === "RUNNING") return { ...job, spec, ...changed, limitS: event.limitS ?? job.limitS };
  return { ...job, spec, ...changed, eligibleAt: event.eligibleAt ?? job.eligibleAt };
}

/** Stopped, or going on; time spent suspended is counted apart. */
export function suspended(job: Job, event: JobSuspended, at: number): RunningJob {
  assert(job.state === "RUNNING", `job ${job.id} was suspended in state ${job.state}`);
  const { yieldsTo } = event;
  if (event.suspended) return { ...job, suspendedAt: at, ...(yieldsTo === undefined ? {} : { yieldsTo }) };
  const { yieldsTo: _, ...rest } = job;
  // Never 0 after a suspension: it says that there was one.
  return { ...rest, suspendedAt: null, suspendedMs: Math.max(1, suspendedUntil(job, at)) };
}

/** Told to make room. */
export function preempting(job: Job, { at, mode, by, jobId }: JobPreempting): RunningJob {
  assert(job.state === "RUNNING", `job ${jobId} was preempted in state ${job.state}`);
  return { ...job, preempt: { at, mode, by } };
}

/** Without lost nodes; its tasks there count as killed. */
export function shrunk(job: Job, event: JobShrunk, at: number): RunningJob {
  assert(job.state === "RUNNING", `job ${job.id} lost nodes in state ${job.state}`);
  const allocation = job.allocation.filter(({ node }) => !event.nodes.includes(node));
  return { ...job, allocation, steps: partsLost(job.steps, event.nodes, at) };
}

/** Its --signal went out. */
export function signalled(job: Job): RunningJob {
  assert(job.state === "RUNNING", `job ${job.id} was signalled in state ${job.state}`);
  return { ...job, signalled: true };
}

function suspendedUntil(job: RunningJob, at: number): number {
  return job.suspendedMs + (job.suspendedAt === null ? 0 : Math.max(0, at - job.suspendedAt));
}

function nodesNotIn(job: Job, cleanup: readonly string[]): string[] {
  return job.allocation.map((share) => share.node).filter((node) => !cleanup.includes(node));
}
