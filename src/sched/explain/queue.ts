/** Who is ahead of a waiting job, and who holds what it waits for. Pure. */

import { limitEnd } from "../../core/decide/timer.ts";
import type { Earlier, Holder, NodeVerdict, QueuePlace } from "../../core/explanation.ts";
import { describeRequest } from "../../core/fit.ts";
import { fold } from "../../core/hostlist.ts";
import { displayState, type Job, type PendingJob } from "../../core/job.ts";
import { jobLabel } from "../../core/job-label.ts";
import { WHOLE_GPU } from "../../core/resources.ts";
import type { ClusterState } from "../../core/state.ts";
import type { ScheduleView } from "../schedule.ts";

/** Records of the queue that are looked at: far more than a pass starts. */
const QUEUE_MAX = 20_000;

/** Records after which others get their turn. */
const RECORDS_A_SLICE = 500;

/** Jobs ahead that are kept for trying things out: with so many before it, no change of the job would start it. */
const AHEAD_MAX = 200;

const AHEAD_TOLD_MAX = 5;
const HOLDERS_TOLD_MAX = 10;

/** What is known of the queue. */
export interface Queue {
  readonly place: QueuePlace;
  /** The first of those ahead that may start as far as time and dependencies go. */
  readonly ahead: readonly PendingJob[];
}

/** Finds a job's place among those that may start. Yields now and then. */
export function* queueOf(view: ScheduleView, job: PendingJob): Generator<void, Queue> {
  const ahead: PendingJob[] = [];
  let position = 0;
  let open = 0;
  let seen = 0;
  for (const other of view.pending) {
    seen += 1;
    if (seen % RECORDS_A_SLICE === 0) yield;
    if (seen > QUEUE_MAX) break;
    const isSelf = other.id === job.id;
    if (!isSelf && view.gate.hindrance(other) !== null) continue;
    open += 1;
    if (isSelf) position = open;
    else if (position === 0 && ahead.length < AHEAD_MAX) ahead.push(other);
  }
  const place = {
    position: position || open + 1,
    of: Math.max(open, position),
    ahead: ahead.slice(0, AHEAD_TOLD_MAX).map(earlier),
  };
  return { place, ahead };
}

function earlier(job: PendingJob): Earlier {
  const { id, spec } = job;
  return { jobId: id, label: jobLabel(job), user: spec.user.name, request: describeRequest(spec.request) };
}

/** Jobs on nodes that lack something, the one that ends first before the others. */
export function holdersOf(
  state: ClusterState,
  verdicts: readonly NodeVerdict[],
  wantsGpus: boolean,
): { readonly holders: Holder[]; readonly omitted: number } {
  const busy = new Set(verdicts.filter(({ finding }) => finding === "busy").map(({ node }) => node));
  const isGpuLack = verdicts.every(
    ({ finding, lacks }) => finding !== "busy" || lacks.every((text) => text.includes("GPU")),
  );
  const found = [...state.active].flatMap((id) => {
    const job = state.jobs.get(id);
    const holder = job && holderOn(job, busy);
    // Where only GPUs are missing, jobs without any are not to blame.
    return holder && (!(wantsGpus && isGpuLack) || holder.gpus > 0) ? [holder] : [];
  });
  found.sort(
    (a, b) => (a.until ?? Number.POSITIVE_INFINITY) - (b.until ?? Number.POSITIVE_INFINITY) || a.jobId - b.jobId,
  );
  const holders = found.slice(0, HOLDERS_TOLD_MAX);
  return { holders, omitted: found.length - holders.length };
}

function holderOn(job: Job, nodes: ReadonlySet<string>): Holder | null {
  const shares = job.allocation.filter(({ node }) => nodes.has(node));
  if (shares.length === 0) return null;
  const sum = (of: (share: (typeof shares)[number]) => number): number =>
    shares.reduce((total, share) => total + of(share), 0);
  const end = job.state === "RUNNING" ? limitEnd(job) : Number.POSITIVE_INFINITY;
  return {
    jobId: job.id,
    label: jobLabel(job),
    user: job.spec.user.name,
    state: job.state === "PENDING" ? "COMPLETING" : displayState(job),
    nodeList: fold(shares.map(({ node }) => node)),
    gpus: sum(({ gpus }) => gpus.reduce((total, { thousandths }) => total + thousandths, 0)) / WHOLE_GPU,
    cpus: sum(({ cpus }) => cpus),
    memoryMiB: sum(({ memoryMiB }) => memoryMiB),
    until: Number.isFinite(end) ? end : null,
  };
}
