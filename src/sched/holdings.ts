/** What jobs of a state hold, and until when at the latest. */

import { findPartition } from "../core/decide/submit.ts";
import { limitEnd } from "../core/decide/timer.ts";
import type { Job } from "../core/job.ts";
import { heldShares } from "../core/reduce/reduce.ts";
import type { ClusterState } from "../core/state.ts";
import type { Holding } from "./profile.ts";

/** A job whose time is over, or that is being cleared away, is given so long before its nodes are free. */
const CLEARING_MS = 5000;

/** @param assumedS seconds after which jobs without a limit are taken to be over; Infinity for never */
export function* holdingsOf(state: ClusterState, now: number, assumedS: number): Generator<Holding> {
  for (const id of state.active) {
    const job = state.jobs.get(id);
    if (!job) continue;
    yield {
      jobId: id,
      allocation: heldShares(job),
      until: endOf(job, now, assumedS),
      licenses: job.spec.licenses,
      partition: findPartition(state, job.spec)?.name ?? "",
    };
  }
}

function endOf(job: Job, now: number, assumedS: number): number {
  if (job.state !== "RUNNING") return now + CLEARING_MS;
  const end = Math.min(limitEnd(job), job.preempt?.at ?? Number.POSITIVE_INFINITY);
  if (Number.isFinite(end)) return Math.max(now + CLEARING_MS, end);
  // Who ran for longer than anybody thought may well do so for as long again.
  return now + Math.max(job.startAt + assumedS * 1000 - now, now - job.startAt);
}
