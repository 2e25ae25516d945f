/**
 * When and where waiting jobs should start: the scheduler's own passes, played ahead of time on a copy of the nodes,
 * as if every job ran until its time limit and none came after.
 *
 * Bounded: the first jobs of the queue only, and so many ends of running ones; what lies beyond is not told. Jobs that
 * wait for something else than room and time (held, dependent) are not told either.
 */

import { effectiveLimit, findPartition } from "../core/decide/submit.ts";
import { limitEnd } from "../core/decide/timer.ts";
import { fold } from "../core/hostlist.ts";
import type { JobId } from "../core/ids.ts";
import type { PendingJob } from "../core/job.ts";
import { UNLIMITED } from "../core/jobspec.ts";
import type { Node } from "../core/node.ts";
import { type Allocation, addShare } from "../core/resources.ts";
import type { ClusterState } from "../core/state.ts";
import { gateOf, OPEN_GATE } from "../sched/eligible.ts";
import { schedule } from "../sched/schedule.ts";
import type { Forecast } from "../view/job-details.ts";
import type { ControllerContext } from "./context.ts";
import { viewOf } from "./planner.ts";

/** Waiting jobs that are looked at. */
const JOBS_MAX = 100;

/** Moments at which the scheduler is asked what starts. */
const PASSES_MAX = 200;

/** How long an answer may be repeated: listings in a loop must not cost a forecast each. */
const AGE_MAX_MS = 2000;

/** What is taken to be free at some time. */
interface Release {
  readonly at: number;
  readonly allocation: Allocation;
}

/** A function that tells the forecast of a job, `null` where there is none. It remembers what it worked out. */
export function createForecaster({
  loop,
  clock,
  isConnected,
}: Pick<ControllerContext, "loop" | "clock" | "isConnected">): (id: JobId) => Forecast | null {
  let known: { readonly seq: number; readonly at: number; readonly starts: ReadonlyMap<JobId, Forecast> } | null = null;
  return (id) => {
    const { state } = loop;
    if (!state.pending.has(id)) return null;
    const now = clock.now();
    if (known?.seq !== state.seq || now - known.at > AGE_MAX_MS) {
      known = { seq: state.seq, at: now, starts: forecast(state, isConnected, now) };
    }
    return known.starts.get(id) ?? null;
  };
}

/** The starts that can be told, by job; of an array's record that of its first task. */
export function forecast(
  state: ClusterState,
  isConnected: (node: string) => boolean,
  now: number,
): Map<JobId, Forecast> {
  const starts = new Map<JobId, Forecast>();
  const releases = releasesOf(state, now);
  let open = tellable(state, isConnected, now);
  let nodes: readonly Node[] = [...state.nodes.values()];
  let at = now;
  for (let pass = 0; pass < PASSES_MAX && open.length > 0 && Number.isFinite(at); pass++) {
    nodes = takeDue(releases, at).reduce((kept, share) => withShares(kept, share, -1), nodes);
    const pending = open.filter((job) => job.eligibleAt <= at).map(alone);
    const plan = schedule({ pending, expiring: [], nodes, isConnected, gate: OPEN_GATE }, at);
    for (const { jobId, allocation } of plan.starts) {
      starts.set(jobId, { at, nodes: fold(allocation.map((share) => share.node)) });
      nodes = withShares(nodes, allocation, 1);
      const limitS = limitOf(state, jobId);
      if (limitS !== UNLIMITED) releases.push({ at: at + limitS * 1000, allocation });
    }
    open = open.filter((job) => !starts.has(job.id));
    at = nextMoment(open, releases, at);
  }
  return starts;
}

/** The first waiting jobs, less those that something else than room and time keeps waiting. */
function tellable(state: ClusterState, isConnected: (node: string) => boolean, now: number): PendingJob[] {
  const gate = gateOf(state, now);
  const jobs: PendingJob[] = [];
  for (const job of viewOf(state, isConnected, now).pending) {
    const word = gate.hindrance(job)?.word;
    if (word === undefined || word === "BeginTime" || word === "JobArrayTaskLimit") jobs.push(job);
    if (jobs.length === JOBS_MAX) break;
  }
  return jobs;
}

/** What running jobs hold, until their time limit; those without one never give it back. */
function releasesOf(state: ClusterState, now: number): Release[] {
  return [...state.active].flatMap((id) => {
    const job = state.jobs.get(id);
    if (job === undefined || job.state === "PENDING") return [];
    // What is being cleared away is free at once, as far as anybody can tell.
    if (job.state !== "RUNNING") return [{ at: now, allocation: job.allocation }];
    return job.limitS === UNLIMITED ? [] : [{ at: Math.max(now + 1, limitEnd(job)), allocation: job.allocation }];
  });
}

/** Removes what is free by `at`. */
function takeDue(releases: Release[], at: number): Allocation[] {
  const due = releases.filter((release) => release.at <= at);
  const later = releases.filter((release) => release.at > at);
  releases.splice(0, releases.length, ...later);
  return due.map(({ allocation }) => allocation);
}

/** The next moment at which something may start; Infinity for none. */
function nextMoment(open: readonly PendingJob[], releases: readonly Release[], at: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const release of releases) next = Math.min(next, release.at);
  for (const { eligibleAt } of open) if (eligibleAt > at) next = Math.min(next, eligibleAt);
  return next;
}

/** One task of an array stands for all. */
function alone(job: PendingJob): PendingJob {
  return job.array ? { ...job, array: null } : job;
}

function limitOf(state: ClusterState, id: JobId): number {
  const spec = state.jobs.get(id)?.spec;
  const partition = spec && findPartition(state, spec);
  return partition ? effectiveLimit(spec, partition) : (spec?.timeLimitS ?? UNLIMITED);
}

function withShares(nodes: readonly Node[], allocation: Allocation, sign: 1 | -1): readonly Node[] {
  const shares = new Map(allocation.map((share) => [share.node, share]));
  return nodes.map((node) => {
    const share = shares.get(node.name);
    return share ? { ...node, usage: addShare(node.usage, share, sign) } : node;
  });
}
