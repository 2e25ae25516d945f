/** Where a job would start, and when at the latest: for --test-only. */

import { limitEnd } from "../core/decide/timer.ts";
import { fold } from "../core/hostlist.ts";
import type { PendingJob } from "../core/job.ts";
import type { JobSpec } from "../core/jobspec.ts";
import { isListed } from "../core/partition-list.ts";
import { heldShares } from "../core/reduce/reduce.ts";
import { type Allocation, addShare, type NodeUsage } from "../core/resources.ts";
import type { ClusterState } from "../core/state.ts";
import type { Result } from "../protocol/procedures.ts";
import { gateOf, OPEN_GATE } from "../sched/eligible.ts";
import { forecastPlan } from "../sched/explain/forecast.ts";
import type { Plan } from "../sched/plan.ts";
import type { ScheduleView } from "../sched/schedule.ts";
import type { ControllerContext } from "./context.ts";
import { viewOf } from "./planner.ts";
import { slowly } from "./slices.ts";

type Estimate = NonNullable<Result<"job.submit">["estimate"]>;

/**
 * Looks for room now, and then when running jobs reach their time limits, in slices. Jobs that wait are left out of
 * account; `startAt` is null where a job without a limit stands in the way.
 */
export function estimateStart(
  { loop, clock, isConnected, guard }: ControllerContext,
  specs: readonly [JobSpec, ...JobSpec[]],
): Promise<Estimate> {
  const { state } = loop;
  const now = Math.max(clock.now(), ...specs.map(({ beginAt }) => beginAt));
  const given = givenBack(state, now);
  const view = viewOf(state, isConnected, now, {
    seenBy: (node) => guard.seenBy({ ...node, usage: given.get(node.name) ?? node.usage }),
  });
  return slowly(clock, estimate(state, view, specs, now));
}

function* estimate(
  state: ClusterState,
  view: ScheduleView,
  specs: readonly JobSpec[],
  now: number,
): Generator<void, Estimate> {
  const { length: size } = specs;
  const jobs = specs.map((spec, offset): PendingJob => {
    const own = { ...spec, array: null, het: size > 1 ? { offset, size } : null };
    return {
      ...{ state: "PENDING", id: state.nextJobId + offset, spec: own, submitAt: now, attempt: 0 },
      ...{ requestId: "", array: null, eligibleAt: now, hold: null, allocation: [], cleanup: [], retried: 0 },
    };
  });
  const { variantsOf, limitS } = gateOf(state, now);
  const gate = { ...OPEN_GATE, componentsOf: () => jobs, variantsOf, limitS };
  const { preemption, ...own } = view;
  const plan = yield* forecastPlan(state, { ...own, pending: jobs, gate }, now);
  return foundIn(plan, jobs, now);
}

/** What is in use where jobs will be over before a later time than now. */
function givenBack(state: ClusterState, at: number): ReadonlyMap<string, NodeUsage> {
  const usages = new Map<string, NodeUsage>();
  for (const id of state.active) {
    const job = state.jobs.get(id);
    if (job?.state !== "RUNNING" || limitEnd(job) > at) continue;
    for (const share of heldShares(job)) {
      const usage = usages.get(share.node) ?? state.nodes.get(share.node)?.usage;
      if (usage) usages.set(share.node, addShare(usage, share, -1));
    }
  }
  return usages;
}

/** @param jobs what the plan is for */
function foundIn({ starts, kept }: Plan, jobs: readonly PendingJob[], now: number): Estimate {
  const ids = jobs.map(({ id }) => id);
  const isSeveral = jobs[0] !== undefined && isListed(jobs[0].spec);
  const [start] = starts;
  const promised = kept.filter(({ jobId }) => ids.includes(jobId));
  const shares: Allocation = start
    ? [start, ...(start.followers ?? [])].flatMap(({ allocation }) => allocation)
    : promised.flatMap(({ allocation }) => allocation);
  return {
    startAt: start ? now : (promised[0]?.at ?? null),
    nodeList: fold([...new Set(shares.map((share) => share.node))]),
    cpus: shares.reduce((sum, share) => sum + share.cpus, 0),
    partition: start?.partition ?? (isSeveral ? (promised[0]?.partition ?? null) : null),
  };
}
