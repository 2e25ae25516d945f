/**
 * When and where waiting jobs should start: the one forecast, for `squeue --start` and for `mgpu why`. Pure.
 *
 * It is a pass of the scheduler itself with a promise for each of the first jobs that wait (conservative backfill), as
 * if every job used its whole time limit and none came after. So it knows partitions, reservations and licenses as the
 * scheduler does, costs one pass, and whatever backfill learns it learns too.
 */

import type { StartForecast } from "../../core/explanation.ts";
import { fold } from "../../core/hostlist.ts";
import type { JobId } from "../../core/ids.ts";
import type { PendingJob } from "../../core/job.ts";
import { jobLabel } from "../../core/job-label.ts";
import type { Node } from "../../core/node.ts";
import { type Allocation, NO_USAGE } from "../../core/resources.ts";
import type { ClusterState } from "../../core/state.ts";
import { HoldingsKeeper } from "../holdings.ts";
import type { Plan } from "../plan.ts";
import { EASY, type SchedulerPolicy } from "../policy.ts";
import { type ScheduleView, schedule, scheduleInSteps } from "../schedule.ts";

/** Waiting jobs of a partition that are told of: a promise costs about as much as a start. */
const JOBS_MAX = 100;

/** Nothing is said of nodes that are held without end: what the scheduler assumes of these, people would take for a promise. */
const CONSERVATIVE: SchedulerPolicy = {
  ...EASY,
  reservations: JOBS_MAX,
  backfillDepth: JOBS_MAX,
  assumedTimeS: Number.POSITIVE_INFINITY,
};

/** When a job should start, in milliseconds since 1970, and its nodes, folded; empty where they are not known. */
export interface ExpectedStart {
  readonly at: number;
  readonly nodes: string;
}

/** Looks for a start of each job as if every job used its whole limit and none came after; as a pass does, and with the same breaks. */
export function* forecastPlan(state: ClusterState, view: ScheduleView, now: number): Generator<void, Plan> {
  const keeper = new HoldingsKeeper();
  yield* keeper.catchUp(state, now, CONSERVATIVE.assumedTimeS);
  const holdings = keeper.bookOf(state, now, CONSERVATIVE.assumedTimeS);
  return yield* scheduleInSteps({ ...view, holdings, expiring: [] }, now, CONSERVATIVE);
}

/** What can be told, by job; of an array's record, of its next task. Yields wherever it may be interrupted. */
export function* forecastStarts(
  state: ClusterState,
  view: ScheduleView,
  now: number,
): Generator<void, Map<JobId, ExpectedStart>> {
  const starts = new Map<JobId, ExpectedStart>();
  const tell = (jobId: JobId, at: number, allocation: Allocation): void => {
    if (starts.has(jobId)) return;
    starts.set(jobId, { at, nodes: fold([...new Set(allocation.map(({ node }) => node))]) });
  };
  const plan = yield* forecastPlan(state, view, now);
  for (const { jobId, allocation, followers = [] } of plan.starts) {
    tell(jobId, now, allocation);
    for (const other of followers) tell(other.jobId, now, other.allocation);
  }
  for (const [jobId, { at, allocation }] of plan.reservations) tell(jobId, at, allocation);
  return starts;
}

/** When a job that must not start before some time starts at the earliest; `null` for all others. */
export function beginForecast({ spec, eligibleAt }: PendingJob, now: number): ExpectedStart | null {
  const at = Math.max(spec.beginAt, eligibleAt);
  return at > now ? { at, nodes: "" } : null;
}

/**
 * The forecast of one job. Yields wherever it may be interrupted.
 * @param ahead the first of those before it that may start
 */
export function* forecastStart(
  state: ClusterState,
  view: ScheduleView,
  ahead: readonly PendingJob[],
  job: PendingJob,
  now: number,
): Generator<void, StartForecast> {
  const waits = view.gate.waitReason(job);
  const later = waits?.reason.word === "BeginTime" ? beginForecast(job, now) : null;
  const found = later ?? (yield* forecastStarts(state, { ...view, pending: [...ahead, job] }, now)).get(job.id);
  if (found) return { startAt: found.at, nodeList: found.nodes, why: "" };
  if (waits) return { startAt: null, nodeList: "", why: waits.reason.text };
  const isFar = ahead.length >= JOBS_MAX;
  return {
    startAt: null,
    nodeList: "",
    why: isFar ? "too many jobs come first" : endlessText(state, view, ahead, job, now),
  };
}

/** What stands in the way where no end is known: nodes that take no work, else jobs without limit. */
function endlessText(
  state: ClusterState,
  view: ScheduleView,
  ahead: readonly PendingJob[],
  job: PendingJob,
  now: number,
): string {
  const { gate, isConnected } = view;
  const idle = [...state.nodes.values()].map((node) => ({ ...node, usage: NO_USAGE }));
  const startOn = (nodes: readonly Node[], isThere: ScheduleView["isConnected"]): Allocation | undefined =>
    schedule({ ...view, nodes, pending: [job], expiring: [], isConnected: isThere }, now).starts[0]?.allocation;
  if (!startOn(idle, isConnected)) {
    const back = idle.map((node) => ({ ...node, drain: null, down: null }));
    const places = startOn(back, () => true)?.map(({ node }) => node) ?? [];
    const away = places.flatMap((name) => awayText(state.nodes.get(name), isConnected));
    return away.length > 0 ? `it needs ${away.join(" and ")}` : "the nodes that take work can't hold it";
  }
  const running = [...state.active].flatMap((id) => {
    const other = state.jobs.get(id);
    return other?.state === "RUNNING" && other.limitS === 0 ? [jobLabel(other)] : [];
  });
  const endless = [...running, ...ahead.filter((other) => gate.limitS(other) === 0).map(jobLabel)];
  if (endless.length === 0) return "the nodes that take work can't hold it";
  const named = endless.slice(0, 3).join(", ") + (endless.length > 3 ? " ..." : "");
  return `${endless.length === 1 ? `job ${named} has` : `jobs ${named} have`} no time limit`;
}

function awayText(node: Node | undefined, isConnected: ScheduleView["isConnected"]): string[] {
  if (!node) return [];
  const { name, down, drain } = node;
  if (down) return [`${name}, which is down: ${down.reason}`];
  if (drain) return [`${name}, which is drained: ${drain.reason}`];
  return isConnected(name) ? [] : [`${name}, whose daemon is not connected`];
}
