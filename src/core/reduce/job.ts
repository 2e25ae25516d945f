/** How events change job records. Illegal transitions are assertions: `decide` never lets them happen. */

import { assert, must } from "../../util/assert.ts";
import type { JobAllocated, JobCleaned, JobEnded, JobRequeued, StepEnded, StepStarted } from "../events.ts";
import {
  type EndedJob,
  isEnded,
  type Job,
  type PendingJob,
  type RunningJob,
  type Step,
  type StepPart,
} from "../job.ts";
import type { Allocation } from "../resources.ts";

/** PENDING to RUNNING, with the first step on its way. */
export function allocated(job: Job, event: JobAllocated, at: number): RunningJob {
  assert(job.state === "PENDING", `job ${job.id} was allocated in state ${job.state}`);
  assert(event.attempt === job.attempt + 1, `job ${job.id}: attempt ${event.attempt} follows ${job.attempt}`);
  const { id, spec, submitAt, requestId } = job;
  const { attempt, limitS, allocation } = event;
  const steps = [firstStep(job, allocation, at)];
  return { state: "RUNNING", id, spec, submitAt, requestId, attempt, startAt: at, limitS, allocation, steps };
}

/** A part of a step runs. */
export function stepStarted(job: Job, event: StepStarted): Job {
  return updatePart(job, event, (part) => ({ ...part, phase: "running" }), null);
}

/** A part of a step is over; the step is, once all its parts are. */
export function stepEnded(job: Job, event: StepEnded, at: number): Job {
  return updatePart(job, event, (part) => ({ ...part, phase: "ended", exits: event.exits }), at);
}

/** The final state, from PENDING or RUNNING. */
export function ended(job: Job, event: JobEnded, at: number): EndedJob {
  assert(!isEnded(job), `job ${job.id} ended twice: ${job.state}, then ${event.state}`);
  const started = job.state === "RUNNING" ? job : null;
  return {
    state: event.state,
    id: job.id,
    spec: job.spec,
    submitAt: job.submitAt,
    requestId: job.requestId,
    attempt: job.attempt,
    startAt: started?.startAt ?? null,
    endAt: at,
    limitS: started?.limitS ?? null,
    allocation: started?.allocation ?? [],
    steps: started?.steps ?? [],
    exit: event.exit,
    cause: event.cause,
    cancelledBy: event.cancelledBy,
    cleanup: event.cleanup,
  };
}

/** One node less to clear. */
export function cleaned(job: Job, event: JobCleaned): EndedJob {
  assert(isEnded(job), `job ${job.id} was cleaned in state ${job.state}`);
  return { ...job, cleanup: job.cleanup.filter((node) => node !== event.node) };
}

/** Back to PENDING; the attempt stays until the next start counts it up. */
export function requeued(job: Job, event: JobRequeued, at: number): PendingJob {
  assert(job.state === "RUNNING", `job ${job.id} was requeued (${event.cause}) in state ${job.state}`);
  const { id, spec, submitAt, requestId, attempt } = job;
  return { state: "PENDING", id, spec, submitAt, requestId, attempt, eligibleAt: at };
}

function firstStep(job: Job, allocation: Allocation, at: number): Step {
  if (job.spec.kind === "batch") {
    const node = must(allocation[0], "the first share of an allocation").node;
    const part: StepPart = { node, firstTask: 0, tasks: 1, phase: "launching", exits: [] };
    return { id: "batch", name: "batch", startAt: at, endAt: null, parts: [part] };
  }
  let firstTask = 0;
  const parts: StepPart[] = [];
  for (const share of allocation) {
    parts.push({ node: share.node, firstTask, tasks: share.tasks, phase: "launching", exits: [] });
    firstTask += share.tasks;
  }
  return { id: 0, name: job.spec.name, startAt: at, endAt: null, parts };
}

function updatePart(
  job: Job,
  event: StepStarted | StepEnded,
  change: (part: StepPart) => StepPart,
  endAt: number | null,
): Job {
  assert(job.state !== "PENDING", `job ${job.id} has no steps while it waits`);
  const steps = job.steps.map((step) => {
    if (step.id !== event.stepId) return step;
    const parts = step.parts.map((part) => (part.node === event.node ? change(part) : part));
    const over = parts.every((part) => part.phase === "ended");
    return { ...step, parts, endAt: over ? endAt : step.endAt };
  });
  return { ...job, steps };
}
