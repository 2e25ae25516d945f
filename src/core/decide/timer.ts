/** Timers that `react` asked for: time limits of jobs and steps, and --signal. */

import type { FireTimer } from "../commands.ts";
import { EXIT_OK, type RunningJob, type Step } from "../job.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, ignore } from "./decision.ts";
import { endWhole } from "./steer.ts";

/** Answers a timer, unless it belongs to an older start or rings too early. */
export function decideTimer(state: ClusterState, command: FireTimer, now: number): Decision {
  const { timer } = command;
  const job = state.jobs.get(timer.jobId);
  if (job?.state !== "RUNNING" || job.attempt !== timer.attempt) return ignore("the timer's start of the job is over");
  switch (timer.kind) {
    case "limit":
      if (now < limitEnd(job)) return ignore("the time limit is not over");
      return accept(...endWhole(state, job, "TIMEOUT", EXIT_OK, "time limit", null));
    case "signal":
      return signalJob(job, now);
    case "step": {
      const step = job.steps.find((one) => one.id === timer.stepId);
      if (!step || step.endAt !== null || step.ending !== null) return ignore("the step is over");
      if (now < stepEnd(step)) return ignore("the step's time limit is not over");
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

/** When a step's own time is over, in milliseconds since 1970; Infinity without a limit. */
export function stepEnd(step: Step): number {
  const limitS = step.spec?.timeLimitS ?? 0;
  return limitS === 0 ? Number.POSITIVE_INFINITY : step.startAt + limitS * 1000;
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
