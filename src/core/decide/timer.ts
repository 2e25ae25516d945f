/** Timers that `react` asked for: time limits of jobs and steps, and --signal. */

import type { FireTimer } from "../commands.ts";
import type { Event } from "../events.ts";
import { EXIT_OK, type RunningJob, type Step, stepLimit } from "../job.ts";
import type { MailPercent } from "../mail-types.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, ignore } from "./decision.ts";
import { preemptNow } from "./preempt.ts";
import { endWhole } from "./steer.ts";

/** How late mail about a time limit may be. */
const MAIL_LATE_MS = 60_000;

/** Answers a timer, unless it belongs to an older start or rings too early. */
export function decideTimer(state: ClusterState, command: FireTimer, now: number): Decision {
  const { timer } = command;
  const job = state.jobs.get(timer.jobId);
  if (job?.state !== "RUNNING" || job.attempt !== timer.attempt) return ignore("the timer's start of the job is over");
  switch (timer.kind) {
    case "limit":
      if (now < limitEnd(job)) return ignore("the time limit is not over");
      return accept(...endOfTime(state, job, now));
    case "preempt":
      if (!job.preempt || now < job.preempt.at) return ignore("the grace time is not over");
      return accept(...preemptNow(state, job, job.preempt.mode, job.preempt.by, now));
    case "signal":
      return signalJob(job, now);
    case "mail50":
      return mailLimit(job, 50, now);
    case "mail80":
      return mailLimit(job, 80, now);
    case "mail90":
      return mailLimit(job, 90, now);
    case "step": {
      const step = job.steps.find((one) => one.id === timer.stepId);
      if (!step || step.endAt !== null || step.ending !== null) return ignore("the step is over");
      if (now < stepEnd(job, step)) return ignore("the step's time limit is not over");
      const { jobId, attempt, stepId } = timer;
      const ending = { state: "TIMEOUT", by: null, cause: "time limit" } as const;
      return accept({ type: "step.ending", jobId, attempt, stepId, ...ending });
    }
  }
}

/**
 * When a running job's time is over, in milliseconds since 1970: its time limit without the time it was suspended, or
 * its deadline. Infinity without either, and while it is suspended.
 */
export function limitEnd(job: RunningJob): number {
  if (job.suspendedAt !== null) return Number.POSITIVE_INFINITY;
  const deadline = job.spec.deadlineAt || Number.POSITIVE_INFINITY;
  const limit = job.limitS === 0 ? Number.POSITIVE_INFINITY : job.startAt + job.limitS * 1000 + job.suspendedMs;
  return Math.min(deadline, limit);
}

/** When --signal is due, in milliseconds since 1970; Infinity if there is none, or it was sent. */
export function signalAt(job: RunningJob): number {
  const { signal } = job.spec;
  if (!signal || job.signalled) return Number.POSITIVE_INFINITY;
  return Math.max(job.startAt, limitEnd(job) - signal.leadS * 1000);
}

/** When mail about so much of the time limit is due, milliseconds since 1970; Infinity if there will be none. */
export function mailAt(job: RunningJob, percent: MailPercent): number {
  const limitMs = job.limitS * 1000;
  const isWanted = job.spec.mail?.types.includes(`TIME_LIMIT_${percent}`) ?? false;
  if (limitMs === 0 || !isWanted || job.suspendedAt !== null) return Number.POSITIVE_INFINITY;
  return job.startAt + job.suspendedMs + (limitMs * percent) / 100;
}

/**
 * When a step's own time is over, in milliseconds since 1970: without the time that its job was suspended meanwhile.
 * Infinity without a limit, and while the job is suspended.
 */
export function stepEnd(job: RunningJob, step: Step): number {
  const limitS = stepLimit(step);
  if (limitS === 0 || job.suspendedAt !== null) return Number.POSITIVE_INFINITY;
  return step.startAt + limitS * 1000 + job.suspendedMs - (step.suspendedBeforeMs ?? 0);
}

/** A deadline is no time limit: Slurm has a state of its own for it. */
function endOfTime(state: ClusterState, job: RunningJob, now: number): Event[] {
  const { deadlineAt } = job.spec;
  const isDeadline = deadlineAt !== 0 && now >= deadlineAt;
  if (isDeadline) return endWhole(state, job, "DEADLINE", EXIT_OK, "its deadline was reached", null);
  return endWhole(state, job, "TIMEOUT", EXIT_OK, "time limit", null);
}

/** Mail is not kept in the state: one that is long due was sent before a restart. */
function mailLimit(job: RunningJob, percent: MailPercent, now: number): Decision {
  const at = mailAt(job, percent);
  if (now < at) return ignore("that much of the time limit is not over");
  if (now > at + MAIL_LATE_MS) return ignore("that mail was sent long ago");
  return { kind: "accept", events: [], mail: { jobId: job.id, percent } };
}

function signalJob(job: RunningJob, now: number): Decision {
  const { signal } = job.spec;
  if (!signal || job.signalled) return ignore("sent already");
  if (now < signalAt(job)) return ignore("the signal is not due");
  const target = signal.batchOnly && job.spec.kind === "batch" ? "batch" : "steps";
  return {
    kind: "accept",
    events: [{ type: "job.signalled", jobId: job.id, attempt: job.attempt }],
    signal: { jobId: job.id, target, signal: signal.signal },
  };
}
