/**
 * When a waiting job should start: the scheduler's own passes, run ahead in time, as if every job used its whole time
 * limit and nothing new came. Pure.
 */

import { withoutTask } from "../../core/array-spec.ts";
import { effectiveLimit, findPartition } from "../../core/decide/submit.ts";
import { limitEnd } from "../../core/decide/timer.ts";
import type { StartForecast } from "../../core/explanation.ts";
import { fold } from "../../core/hostlist.ts";
import type { PendingJob } from "../../core/job.ts";
import { jobLabel } from "../../core/job-label.ts";
import type { Node } from "../../core/node.ts";
import { type Allocation, addShare, NO_USAGE } from "../../core/resources.ts";
import type { ClusterState } from "../../core/state.ts";
import type { Gate } from "../eligible.ts";
import type { Start } from "../plan.ts";
import { type ScheduleView, schedule } from "../schedule.ts";

/** Moments that are looked at: each is one pass. */
const PASSES_MAX = 100;

/** Slurm gives a job that is being cleared away about so long; in milliseconds. */
const CLEARING_MS = 5000;

/** An allocation that will be given back. */
interface Held {
  readonly allocation: Allocation;
  readonly until: number;
  readonly label: string;
}

/** Runs time ahead until the job starts. Yields after each pass. */
export function* forecastStart(
  state: ClusterState,
  view: ScheduleView,
  ahead: readonly PendingJob[],
  job: PendingJob,
  now: number,
): Generator<void, StartForecast> {
  let nodes: readonly Node[] = [...state.nodes.values()];
  let held = holdings(state, now);
  let waiting: readonly PendingJob[] = [...ahead, job];
  let at = now;
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const gate = gateAt(view.gate, at);
    const plan = schedule({ ...view, nodes, pending: waiting, expiring: [], gate }, at);
    const own = plan.starts.find(({ jobId }) => jobId === job.id);
    if (own) return { startAt: at, nodeList: fold(own.allocation.map(({ node }) => node)), why: "" };
    for (const start of plan.starts) {
      const starter = waiting.find(({ id }) => id === start.jobId);
      if (!starter) continue;
      held = [...held, { allocation: start.allocation, until: endOf(state, starter, at), label: jobLabel(starter) }];
      nodes = changed(nodes, start.allocation, 1);
    }
    waiting = withoutStarted(waiting, plan.starts);
    yield;
    const next = nextMoment(view.gate, waiting, held, at);
    if (!Number.isFinite(next))
      return { startAt: null, nodeList: "", why: endlessText(state, view, job, held, nodes, at) };
    for (const one of held) if (one.until <= next) nodes = changed(nodes, one.allocation, -1);
    held = held.filter(({ until }) => until > next);
    at = next;
  }
  return { startAt: null, nodeList: "", why: "too many jobs come first" };
}

function holdings(state: ClusterState, now: number): Held[] {
  return [...state.active].flatMap((id) => {
    const job = state.jobs.get(id);
    if (!job) return [];
    const until = job.state === "RUNNING" ? Math.max(now + CLEARING_MS, limitEnd(job)) : now + CLEARING_MS;
    return [{ allocation: job.allocation, until, label: jobLabel(job) }];
  });
}

/** What time alone lifts is lifted when it has come. */
function gateAt(gate: Gate, at: number): Gate {
  return {
    ...gate,
    hindrance(job) {
      const found = gate.hindrance(job);
      return found?.wakeAt !== null && found !== null && found.wakeAt <= at ? null : found;
    },
  };
}

function endOf(state: ClusterState, { spec }: PendingJob, at: number): number {
  const partition = findPartition(state, spec);
  const limitS = partition ? effectiveLimit(spec, partition) : 0;
  return limitS === 0 ? Number.POSITIVE_INFINITY : at + limitS * 1000;
}

function withoutStarted(waiting: readonly PendingJob[], starts: readonly Start[]): readonly PendingJob[] {
  if (starts.length === 0) return waiting;
  return waiting.flatMap((job) => {
    const own = starts.filter(({ jobId }) => jobId === job.id);
    if (own.length === 0) return [job];
    if (!job.array) return [];
    let { tasks } = job.array;
    for (const { taskId } of own) if (taskId !== null) tasks = withoutTask(tasks, taskId);
    return tasks.length === 0 ? [] : [{ ...job, array: { ...job.array, tasks } }];
  });
}

/** The next time at which something ends, or a job's own time comes. */
function nextMoment(gate: Gate, waiting: readonly PendingJob[], held: readonly Held[], at: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { until } of held) next = Math.min(next, until);
  for (const job of waiting) {
    const wakeAt = gate.hindrance(job)?.wakeAt ?? 0;
    if (wakeAt > at) next = Math.min(next, wakeAt);
  }
  return next;
}

/** Why nothing that ends by itself lets it start: jobs without limit where they stand in its way, else nodes. */
function endlessText(
  state: ClusterState,
  view: ScheduleView,
  job: PendingJob,
  held: readonly Held[],
  nodes: readonly Node[],
  at: number,
): string {
  const hindrance = view.gate.waitReason(job);
  if (hindrance) return hindrance.reason.text;
  const startOn = (there: readonly Node[], isConnected: ScheduleView["isConnected"]) =>
    schedule({ ...view, nodes: there, pending: [job], expiring: [], isConnected }, at).starts[0]?.allocation;
  const endless = held.filter(({ until }) => !Number.isFinite(until));
  const freed = endless.reduce((kept, { allocation }) => changed(kept, allocation, -1), nodes);
  if (endless.length > 0 && startOn(freed, view.isConnected)) {
    const labels = endless.map(({ label }) => label);
    const named = labels.slice(0, 3).join(", ") + (labels.length > 3 ? " ..." : "");
    return `${labels.length === 1 ? `job ${named} has` : `jobs ${named} have`} no time limit`;
  }
  const back = [...state.nodes.values()].map((node) => ({ ...node, usage: NO_USAGE, drain: null, down: null }));
  const places = startOn(back, () => true)?.map(({ node }) => node) ?? [];
  const away = places.flatMap((name) => awayText(state.nodes.get(name), view.isConnected));
  return away.length > 0 ? `it needs ${away.join(" and ")}` : "the nodes that take work can't hold it";
}

function awayText(node: Node | undefined, isConnected: ScheduleView["isConnected"]): string[] {
  if (!node) return [];
  const { name, down, drain } = node;
  if (down) return [`${name}, which is down: ${down.reason}`];
  if (drain) return [`${name}, which is drained: ${drain.reason}`];
  return isConnected(name) ? [] : [`${name}, whose daemon is not connected`];
}

function changed(nodes: readonly Node[], allocation: Allocation, sign: 1 | -1): readonly Node[] {
  const shares = new Map(allocation.map((share) => [share.node, share]));
  return nodes.map((node) => {
    const share = shares.get(node.name);
    return share ? { ...node, usage: addShare(node.usage, share, sign) } : node;
  });
}
