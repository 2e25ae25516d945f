/** What becomes of jobs whose nodes are lost: they start again, end, or go on without them, as they asked. */

import type { Event, JobEnded, JobRequeued } from "../events.ts";
import { leaderId } from "../het.ts";
import { mainStepId, type RunningJob } from "../job.ts";
import type { ClusterState } from "../state.ts";
import { endWhole, requeueWhole } from "./steer.ts";

/** A job that was lost so often is not started again: it may be what brings its nodes down. Slurm's default. */
export const ATTEMPTS_MAX = 5;

/** Nodes that are lost, and how. */
export interface Loss {
  readonly lost: ReadonlySet<string>;
  /** Those of them that can't be told to end anything. */
  readonly away: ReadonlySet<string>;
  /** Why jobs that held these of the nodes end, in words. */
  cause(names: readonly string[]): string;
  /** A job that was started so often already ends. */
  readonly attemptsMax: number;
}

/**
 * Ends what runs on lost nodes, or puts it back into the queue. A node that can't be told is not waited for: what it
 * still runs when it comes back is unknown here, and ends before anything new starts there.
 */
export function giveUp(state: ClusterState, loss: Loss, now: number): Event[] {
  const { lost, away } = loss;
  const events: Event[] = [];
  // A heterogeneous job's components go together, at the turn of the first that lost something.
  const done = new Set<number>();
  for (const id of state.active) {
    const job = state.jobs.get(id);
    const names = (job?.allocation ?? []).map(({ node }) => node).filter((node) => lost.has(node));
    if (!job || names.length === 0 || done.has(id)) continue;
    if (job.state !== "RUNNING") {
      const cleaned = names.filter((node) => away.has(node) && job.cleanup.includes(node));
      events.push(...cleaned.map((node): Event => ({ type: "job.cleaned", jobId: id, node })));
      continue;
    }
    if (goesOn(job, lost)) {
      events.push({ type: "job.shrunk", jobId: id, attempt: job.attempt, nodes: names });
      continue;
    }
    for (const event of lostJob(state, job, loss, names, now)) {
      if (done.has(event.jobId)) continue;
      done.add(event.jobId);
      const cleanup = event.cleanup.filter((node) => !lost.has(node) || !away.has(node));
      events.push({ ...event, cleanup });
    }
  }
  return events;
}

/** Whether a job asked to go on without lost nodes (--no-kill), and what it is there for runs on others too. */
function goesOn(job: RunningJob, lost: ReadonlySet<string>): boolean {
  if (!job.spec.noKill || job.allocation.every(({ node }) => lost.has(node))) return false;
  const main = job.steps.find(({ id }) => id === mainStepId(job));
  return main === undefined || main.parts.some(({ node, phase }) => phase !== "ended" && !lost.has(node));
}

/** The whole of a heterogeneous job starts again if its first component, which runs the script, may. */
function lostJob(
  state: ClusterState,
  job: RunningJob,
  { cause, attemptsMax }: Loss,
  names: readonly string[],
  now: number,
): (JobEnded | JobRequeued)[] {
  const leader = state.jobs.get(leaderId(job));
  const { requeue, kind } = (leader?.state === "RUNNING" ? leader : job).spec;
  const exit = { code: 0, signal: 9 };
  if (requeue && kind === "batch" && job.attempt < attemptsMax) {
    const how = { state: "NODE_FAIL", exit } as const;
    return requeueWhole(state, job, cause(names), now, null, [], job.retried, how);
  }
  return endWhole(state, job, "NODE_FAIL", exit, cause(names), null);
}
