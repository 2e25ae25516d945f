/** Cancelling and signalling jobs. */

import type { CancelJob, FireTimer, PurgeJob, SignalJob } from "../commands.ts";
import type { JobEnded } from "../events.ts";
import { EXIT_OK, type ExitStatus, isEnded, type Job, type RunningJob, type TerminalState } from "../job.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, deny, ignore } from "./decision.ts";

/** Ends a waiting job at once; a running one's state is decided now, its processes are ended by its nodes. */
export function decideCancel(state: ClusterState, command: CancelJob): Decision {
  const job = state.jobs.get(command.jobId);
  if (!job) return denyUnknown(command.jobId);
  if (!mayTouch(job, command.byUid)) return denyAccess(command.jobId);
  if (isEnded(job)) return deny("JOB_FINISHED", `Job/step already completing or completed`);
  return accept(endJob(job, "CANCELLED", EXIT_OK, command.cause, command.byUid));
}

/** Passes a signal to a running job's nodes; changes no state. */
export function decideSignal(state: ClusterState, command: SignalJob): Decision {
  const job = state.jobs.get(command.jobId);
  if (!job) return denyUnknown(command.jobId);
  if (!mayTouch(job, command.byUid)) return denyAccess(command.jobId);
  if (isEnded(job)) return deny("JOB_FINISHED", "Job/step already completing or completed");
  if (job.state === "PENDING") {
    return deny(
      "NOT_RUNNING",
      "Job is pending execution",
      "a waiting job has no processes; scancel without --signal removes it",
    );
  }
  const { jobId, stepId, signal } = command;
  return { kind: "accept", events: [], signal: { jobId, stepId, signal } };
}

/** A time limit is over: the job ends as TIMEOUT, unless the timer belongs to an older start. */
export function decideTimer(state: ClusterState, command: FireTimer, now: number): Decision {
  const { jobId, attempt } = command.timer;
  const job = state.jobs.get(jobId);
  if (job?.state !== "RUNNING" || job.attempt !== attempt) return ignore("the timer's start of the job is over");
  if (now < limitEnd(job)) return ignore("the time limit is not over");
  return accept(endJob(job, "TIMEOUT", EXIT_OK, "time limit", null));
}

/** A finished and cleared job leaves the hot state. */
export function decidePurge(state: ClusterState, command: PurgeJob): Decision {
  const job = state.jobs.get(command.jobId);
  if (!job) return ignore("the job is gone already");
  if (!isEnded(job) || job.cleanup.length > 0) return ignore("the job is not over");
  return accept({ type: "job.purged", jobId: job.id });
}

/** When a running job's time is over, in milliseconds since 1970; Infinity without a limit. */
export function limitEnd(job: RunningJob): number {
  return job.limitS === 0 ? Number.POSITIVE_INFINITY : job.startAt + job.limitS * 1000;
}

/** The event that decides a job's final state; nodes of a running job still have to clear up. */
export function endJob(
  job: Exclude<Job, { readonly state: TerminalState }>,
  state: TerminalState,
  exit: ExitStatus,
  cause: string,
  cancelledBy: number | null,
  clean: readonly string[] = [],
): JobEnded {
  const nodes = job.state === "RUNNING" ? job.allocation.map((share) => share.node) : [];
  const cleanup = nodes.filter((node) => !clean.includes(node));
  return { type: "job.ended", jobId: job.id, state, exit, cause, cancelledBy, cleanup };
}

function mayTouch(job: Job, uid: number): boolean {
  return uid === 0 || uid === job.spec.user.uid;
}

function denyUnknown(jobId: number): Decision {
  return deny("INVALID_JOB", "Invalid job id specified", `there is no job ${jobId} in the queue`);
}

function denyAccess(jobId: number): Decision {
  return deny("PERMISSION", "Access/permission denied", `job ${jobId} belongs to somebody else`);
}
