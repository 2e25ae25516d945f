/** What a job waits for, and what that waits for: as a tree of text. */

import { type DependencyTerm, NO_DEPENDENCY } from "../core/dependency.ts";
import type { Job } from "../core/job.ts";
import { jobLabel } from "../core/job-label.ts";
import type { JobFilter } from "../protocol/procedures.ts";
import type { Peer } from "../rpc/types.ts";

/** Deeper and longer trees are for mgpu-squeue -o %E. */
const DEPTH_MAX = 5;
const LINES_MAX = 40;

/** Lines of the tree under a job; none without dependencies. @throws RpcError as calls do */
export async function dependencyLines(peer: Peer, job: Job): Promise<string[]> {
  const known = await gather(peer, job);
  const lines: string[] = [];
  const add = (parent: Job, indent: string, depth: number): void => {
    const { terms, any } = parent.spec.dependency ?? NO_DEPENDENCY;
    for (const term of terms) {
      if (lines.length === LINES_MAX) return;
      const found = known.get(term.jobId);
      lines.push(`${indent}${any ? "? " : "- "}${termText(term, found)}`);
      if (found && depth < DEPTH_MAX) add(found, `${indent}  `, depth + 1);
    }
  };
  add(job, "", 1);
  return lines;
}

/** The jobs that are depended on, level by level. */
async function gather(peer: Peer, job: Job): Promise<ReadonlyMap<number, Job>> {
  const known = new Map<number, Job>();
  let wanted = idsOf([job]);
  for (let depth = 0; depth < DEPTH_MAX && wanted.length > 0; depth++) {
    const found: Job[] = [];
    const filter: JobFilter = { ids: wanted.slice(0, LINES_MAX), users: [], states: [], names: [], partitions: [] };
    await peer.stream("jobs.get", { filter }, ({ jobs }) => {
      for (const one of jobs) found.push(one.job);
    });
    for (const one of found) known.set(one.array?.jobId ?? one.id, one);
    wanted = idsOf(found).filter((id) => !known.has(id));
  }
  return known;
}

function idsOf(jobs: readonly Job[]): number[] {
  return [
    ...new Set(jobs.flatMap((job) => (job.spec.dependency ?? NO_DEPENDENCY).terms.map(({ jobId }) => jobId))),
  ].filter((id) => id > 0);
}

/** `afterok:12 train RUNNING`. */
function termText({ type, jobId, taskId }: DependencyTerm, job: Job | undefined): string {
  if (type === "singleton") return "singleton: no other job of this name and user";
  const task = taskId === null ? "" : taskId === "all" ? "_*" : `_${taskId}`;
  const about = job ? `${job.spec.name} ${job.state}` : "has left the queue";
  return `${type}:${job && taskId === null ? jobLabel(job) : `${jobId}${task}`} ${about}`;
}
