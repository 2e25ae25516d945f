/** Where a job would start, and when at the latest: for --test-only. */

import { limitEnd } from "../core/decide/timer.ts";
import { fold } from "../core/hostlist.ts";
import type { PendingJob, RunningJob } from "../core/job.ts";
import type { JobSpec } from "../core/jobspec.ts";
import type { Node } from "../core/node.ts";
import { addShare } from "../core/resources.ts";
import type { ClusterState } from "../core/state.ts";
import type { Result } from "../protocol/procedures.ts";
import { gateOf, OPEN_GATE } from "../sched/eligible.ts";
import { placesOf } from "../sched/places.ts";
import { type ScheduleView, schedule } from "../sched/schedule.ts";
import type { ControllerContext } from "./context.ts";

type Estimate = NonNullable<Result<"job.submit">["estimate"]>;

/**
 * Looks for room now, and then after each running job has reached its time limit. Jobs that wait are left out of
 * account; `startAt` is null where a job without a limit stands in the way.
 */
export function estimateStart(
  { loop, clock, isConnected, guard }: ControllerContext,
  specs: readonly [JobSpec, ...JobSpec[]],
): Estimate {
  const { state } = loop;
  const now = Math.max(clock.now(), ...specs.map(({ beginAt }) => beginAt));
  let nodes: readonly Node[] = [...state.nodes.values()].map((node) => guard.seenBy(node));
  const tryAt = (at: number): Estimate | null => startAt(state, specs, { nodes, isConnected }, at);
  const found = tryAt(now);
  if (found) return found;
  for (const job of runningByEnd(state)) {
    nodes = without(nodes, job);
    const later = tryAt(Math.max(now, limitEnd(job)));
    if (later) return later;
  }
  return { startAt: null, nodeList: "", cpus: 0, partition: null };
}

function startAt(
  state: ClusterState,
  specs: readonly JobSpec[],
  place: Pick<ScheduleView, "nodes" | "isConnected">,
  at: number,
): Estimate | null {
  const { length: size } = specs;
  const jobs = specs.map((spec, offset): PendingJob => {
    const own = { ...spec, array: null, het: size > 1 ? { offset, size } : null };
    return {
      ...{ state: "PENDING", id: state.nextJobId + offset, spec: own, submitAt: at, attempt: 0 },
      ...{ requestId: "", array: null, eligibleAt: at, hold: null, allocation: [], cleanup: [], retried: 0 },
    };
  });
  const { variantsOf } = gateOf(state, at);
  const gate = { ...OPEN_GATE, componentsOf: () => jobs, variantsOf };
  const view = { ...place, pending: jobs, expiring: [], gate, places: placesOf(state, at) };
  const [start] = schedule(view, at).starts;
  if (!start) return null;
  const shares = [start, ...(start.followers ?? [])].flatMap(({ allocation }) => allocation);
  const cpus = shares.reduce((sum, share) => sum + share.cpus, 0);
  return {
    startAt: at,
    nodeList: fold([...new Set(shares.map((share) => share.node))]),
    cpus,
    partition: start.partition ?? null,
  };
}

function runningByEnd(state: ClusterState): RunningJob[] {
  const jobs = [...state.active].flatMap((id) => {
    const job = state.jobs.get(id);
    return job?.state === "RUNNING" && Number.isFinite(limitEnd(job)) ? [job] : [];
  });
  return jobs.sort((a, b) => limitEnd(a) - limitEnd(b));
}

function without(nodes: readonly Node[], job: RunningJob): readonly Node[] {
  return nodes.map((node) => {
    const share = job.allocation.find((one) => one.node === node.name);
    return share ? { ...node, usage: addShare(node.usage, share, -1) } : node;
  });
}
