/** A running job makes room for another one: it is ended, put back into the queue, or stopped until the other is over. */

import type { PreemptJob } from "../commands.ts";
import type { Event } from "../events.ts";
import { leaderId, livingOthers } from "../het.ts";
import { EXIT_OK, type RunningJob } from "../job.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, ignore } from "./decision.ts";
import { endWhole, requeueWhole } from "./steer.ts";

/** Preempts a job at once; or, where it has a grace time, tells it and does so when that is over. */
export function decidePreempt(state: ClusterState, command: PreemptJob, now: number): Decision {
  const job = state.jobs.get(command.jobId);
  if (job?.state !== "RUNNING" || job.attempt !== command.attempt) return ignore("the job runs no longer");
  if (job.preempt || job.suspendedAt !== null) return ignore("the job is preempted or suspended already");
  const { mode, graceS, by } = command;
  const whole = wholeOf(state, job);
  if (mode === "suspend") {
    return accept(
      ...whole.map(({ id, attempt }): Event => {
        return { type: "job.suspended", jobId: id, attempt, suspended: true, yieldsTo: by };
      }),
    );
  }
  if (graceS === 0) return accept(...preemptNow(state, job, mode, by, now));
  const at = now + graceS * 1000;
  return accept(
    ...whole.map(({ id, attempt }): Event => ({ type: "job.preempting", jobId: id, attempt, at, mode, by })),
  );
}

/** The events of a preemption whose time has come. Jobs that can't start again end. */
export function preemptNow(
  state: ClusterState,
  job: RunningJob,
  mode: "cancel" | "requeue",
  by: number,
  now: number,
): Event[] {
  const first = wholeOf(state, job)[0] ?? job;
  const cause = `preempted for job ${by}`;
  if (mode === "requeue" && mayRequeue(first)) {
    const how = { state: "PREEMPTED", exit: EXIT_OK } as const;
    const events = requeueWhole(state, first, cause, now, null, [], first.retried, how);
    return events.map((event) => ({ ...event, after: by }));
  }
  return endWhole(state, first, "PREEMPTED", EXIT_OK, cause, null);
}

/** Whether a job can be put back into the queue: its user allows it, and there is a script that starts again. */
export function mayRequeue({ spec }: Pick<RunningJob, "spec">): boolean {
  return spec.kind === "batch" && spec.requeue;
}

/** The running components of a heterogeneous job, the first one before the others; any other job alone. */
function wholeOf(state: ClusterState, job: RunningJob): readonly RunningJob[] {
  const leader = state.jobs.get(leaderId(job));
  const first = leader?.state === "RUNNING" ? leader : job;
  return [first, ...livingOthers(state, first)].filter((one): one is RunningJob => one.state === "RUNNING");
}
