/**
 * react(after, event): what must be done outside because of an event. Pure, and harmless to repeat. (No state before
 * the event is needed: records say what they are, and an effect is for whoever must be in step with them.)
 * `resumeEffects` gives the same for a whole state, after a restart.
 */

import { limitEnd, mailAt, signalAt, stepEnd } from "./decide/timer.ts";
import type { Effect } from "./effects.ts";
import type { Event } from "./events.ts";
import { isOpenStep, type Job, type RunningJob, type Step, stepLimit } from "./job.ts";
import { UNLIMITED } from "./jobspec.ts";
import { MAIL_PERCENTS } from "./mail-types.ts";
import { SIGCONT, SIGSTOP, SIGTERM } from "./signals.ts";
import type { ClusterState } from "./state.ts";

/**
 * Effects of one event.
 * @param after the state after it
 */
export function react(after: ClusterState, event: Event): Effect[] {
  switch (event.type) {
    case "node.registered":
    case "node.down":
    case "node.updated":
    case "node.deleted":
    case "partition.set":
    case "partition.deleted":
    case "reservation.set":
    case "reservation.deleted":
    case "policy.changed":
    case "licenses.set":
    case "elastic.node.set":
      return [{ type: "schedule" }];
    case "elastic.queue.set":
    case "elastic.queue.deleted":
    case "elastic.node.deleted":
    case "elastic.noted":
    case "feed.set":
    case "feed.deleted":
    case "feed.line":
      return [];
    case "job.purged":
      return [notify(event.jobId)];
    case "job.submitted":
      return [notify(event.job.id), { type: "schedule" }];
    case "array.split":
      return [notify(event.jobId), notify(event.newId)];
    default:
      return jobEffects(after.jobs.get(event.jobId), event);
  }
}

type JobEvent = Extract<Event, { readonly jobId: number }>;

function jobEffects(job: Job | undefined, event: JobEvent): Effect[] {
  switch (event.type) {
    case "job.allocated":
      return [
        ...startEffects(job),
        notify(event.jobId),
        // The pass kept the rest of its nodes from everybody: its own user's jobs may have it.
        ...(job?.spec.request.onlyUser ? [{ type: "schedule" } as const] : []),
      ];
    case "job.ended":
    case "job.requeued":
      return [...clearTimers(job), ...endEffects(job), notify(event.jobId), { type: "schedule" }];
    case "job.updated":
      return [...(job?.state === "RUNNING" ? limitTimers(job) : []), notify(event.jobId), { type: "schedule" }];
    case "job.held":
    case "job.cleaned":
      return [notify(event.jobId), { type: "schedule" }];
    case "job.suspended":
      // What it held may be others' now, or what others hold its own.
      return [...suspendEffects(job), notify(event.jobId), { type: "schedule" }];
    case "job.shrunk": {
      const { jobId, attempt, nodes } = event;
      const ends = nodes.map((node): Effect => ({ type: "node.terminate", node, jobId, attempt, stepId: null }));
      return [...ends, notify(jobId), { type: "schedule" }];
    }
    case "job.preempting":
      return [...(job?.state === "RUNNING" ? graceEffects(job) : []), notify(event.jobId)];
    case "step.ended":
      return [...endedStepTimer(job, event.stepId), notify(event.jobId)];
    case "step.created":
      return [...startEffects(job, event.step.id), notify(event.jobId)];
    case "step.limited":
      return [...limitedStepTimer(job, event.stepId), notify(event.jobId)];
    case "step.ending":
      return [...startEffects(job, event.stepId), notify(event.jobId)];
    default:
      return [notify(event.jobId)];
  }
}

/** All effects that a state implies: launches not yet confirmed, ends not yet confirmed, timers. */
export function resumeEffects(state: ClusterState): Effect[] {
  const effects: Effect[] = [{ type: "schedule" }];
  for (const jobId of state.active) {
    const job = state.jobs.get(jobId);
    effects.push(...startEffects(job), ...endEffects(job));
    // Also after a resume: the node may have been away when it was told, and CONT twice is harmless.
    const wasSuspended = job?.state === "RUNNING" && (job.suspendedAt !== null || job.suspendedMs > 0);
    if (wasSuspended) effects.push(...suspendEffects(job));
  }
  return effects;
}

/** Of {@link resumeEffects}, those that one node must hear of when it registers. */
export function resumeNode(state: ClusterState, node: string): Effect[] {
  return resumeEffects(state).filter((effect) => "node" in effect && effect.node === node);
}

function notify(jobId: number): Effect {
  return { type: "watch.notify", jobId };
}

/** @param stepId of this step only; with none, of all, and of the job itself */
function startEffects(job: Job | undefined, stepId?: Step["id"]): Effect[] {
  if (job?.state !== "RUNNING") return [];
  const steps = stepId === undefined ? job.steps : job.steps.filter((step) => step.id === stepId);
  return [
    ...(stepId === undefined ? limitTimers(job) : []),
    ...steps.filter(isOpenStep).flatMap((step) => [...stepTimer(job, step), ...stepOrders(job, step)]),
  ];
}

function clearTimers(job: Job | undefined): Effect[] {
  if (!job || job.attempt === 0) return [];
  const { id: jobId, attempt } = job;
  return [
    { type: "timer.clear", timer: { kind: "limit", jobId, attempt } },
    { type: "timer.clear", timer: { kind: "signal", jobId, attempt } },
    { type: "timer.clear", timer: { kind: "preempt", jobId, attempt } },
    ...(job.spec.mail ? MAIL_PERCENTS : []).map(
      (percent): Effect => ({ type: "timer.clear", timer: { kind: `mail${percent}`, jobId, attempt } }),
    ),
  ];
}

/** Timers that ring at no time are cleared: the limit they were set for may be gone. */
function limitTimers(job: RunningJob): Effect[] {
  const { id: jobId, attempt } = job;
  const times = [
    ["limit", limitEnd(job)],
    ["signal", signalAt(job)],
    ["preempt", job.preempt?.at ?? Number.POSITIVE_INFINITY],
    ...(job.spec.mail ? MAIL_PERCENTS : []).map((percent) => [`mail${percent}`, mailAt(job, percent)] as const),
  ] as const;
  return times.flatMap(([kind, at]): Effect[] => {
    if (Number.isFinite(at)) return [{ type: "timer.set", timer: { kind, jobId, attempt }, at }];
    const wasSet = kind === "signal" ? job.spec.signal !== null : kind !== "preempt";
    return wasSet ? [{ type: "timer.clear", timer: { kind, jobId, attempt } }] : [];
  });
}

/** A step that is over needs its timer no longer. */
function endedStepTimer(job: Job | undefined, stepId: Step["id"]): Effect[] {
  const step = job && job.state !== "PENDING" ? job.steps.find(({ id }) => id === stepId) : undefined;
  if (!job || !step || step.endAt === null || stepLimit(step) === UNLIMITED) return [];
  return [{ type: "timer.clear", timer: { kind: "step", jobId: job.id, attempt: job.attempt, stepId } }];
}

/** None that rings at no time; while the job is suspended the one that was set is cleared. */
function stepTimer(job: RunningJob, step: Step): Effect[] {
  if (stepLimit(step) === UNLIMITED) return [];
  return setStepTimer(job, step);
}

/** The limit that a timer was set for may be gone. */
function limitedStepTimer(job: Job | undefined, stepId: Step["id"]): Effect[] {
  const step = job?.state === "RUNNING" ? job.steps.find(({ id }) => id === stepId) : undefined;
  return job?.state === "RUNNING" && step ? setStepTimer(job, step) : [];
}

function setStepTimer(job: RunningJob, step: Step): Effect[] {
  const timer = { kind: "step", jobId: job.id, attempt: job.attempt, stepId: step.id } as const;
  const at = stepEnd(job, step);
  return [Number.isFinite(at) ? { type: "timer.set", timer, at } : { type: "timer.clear", timer }];
}

/** What nodes still have to do for a step: end it, or start their parts of it. */
function stepOrders({ id: jobId, attempt }: RunningJob, { id: stepId, parts, ending }: Step): Effect[] {
  const effects: Effect[] = [];
  for (const { node, phase } of parts) {
    if (phase === "ended") continue;
    // Also to be ended: the node must know of a launch before it can report its end.
    if (phase === "launching") effects.push({ type: "node.launch", node, jobId, attempt, stepId });
    if (ending) effects.push({ type: "node.terminate", node, jobId, attempt, stepId });
  }
  return effects;
}

/** As Slurm: CONT and TERM when the grace time begins. */
function graceEffects(job: RunningJob): Effect[] {
  const { id: jobId, attempt } = job;
  const orders = job.allocation.flatMap(({ node }) =>
    [SIGCONT, SIGTERM].map((signal): Effect => ({ type: "node.signal", node, jobId, attempt, target: "full", signal })),
  );
  return [...limitTimers(job), ...orders];
}

function suspendEffects(job: Job | undefined): Effect[] {
  if (job?.state !== "RUNNING") return [];
  const { id: jobId, attempt } = job;
  const signal = job.suspendedAt === null ? SIGCONT : SIGSTOP;
  const orders = job.allocation.map(
    ({ node }): Effect => ({ type: "node.signal", node, jobId, attempt, target: "full", signal }),
  );
  return [...limitTimers(job), ...job.steps.filter(isOpenStep).flatMap((step) => stepTimer(job, step)), ...orders];
}

function endEffects(job: Job | undefined): Effect[] {
  if (!job || job.state === "RUNNING") return [];
  const { id: jobId, attempt } = job;
  return job.cleanup.map((node) => ({ type: "node.terminate", node, jobId, attempt, stepId: null }));
}
