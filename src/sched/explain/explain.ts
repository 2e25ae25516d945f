/**
 * Why a job waits, in all detail. Pure, and in slices: the generator yields whenever it has worked for a while, so
 * that whoever drives it can see to others in between.
 */

import { effectiveLimit, findPartition } from "../../core/decide/submit.ts";
import type { Change, Explanation, StartForecast } from "../../core/explanation.ts";
import { describeRequest } from "../../core/fit.ts";
import type { NodeName } from "../../core/ids.ts";
import type { PendingJob } from "../../core/job.ts";
import { jobLabel } from "../../core/job-label.ts";
import type { Node } from "../../core/node.ts";
import { isListed, namedPartitions } from "../../core/partition-list.ts";
import type { ClusterState } from "../../core/state.ts";
import type { Gate } from "../eligible.ts";
import type { Place } from "../places.ts";
import type { Reason } from "../plan.ts";
import type { ScheduleView } from "../schedule.ts";
import { searchChanges } from "./changes.ts";
import { forecastStart } from "./forecast.ts";
import { nodeVerdicts, wantsGpus } from "./nodes.ts";
import { holdersOf, queueOf } from "./queue.ts";

/** Most nodes that are told of. */
const NODES_TOLD_MAX = 64;

/** What an explanation is made from. */
export interface ExplainFacts {
  readonly state: ClusterState;
  readonly job: PendingJob;
  readonly reason: Reason;
  readonly now: number;
  /** What a pass would look at now. */
  readonly view: ScheduleView;
  /** A gate that has not looked at anything yet. */
  readonly newGate: () => Gate;
  /** Who asks: only what they may change is proposed. */
  readonly byUid: number;
  /** Whether there is time left to look further. */
  readonly hasTime: () => boolean;
}

function barredFrom(place: Place | undefined, node: NodeName): string {
  if (!place) return "";
  const why = place.whyNot(node);
  return why === "" && place.others.has(node) ? "a job of another user is there (--exclusive=user)" : why;
}

/** Explains one record of the queue. */
export function* explain(facts: ExplainFacts): Generator<void, Explanation> {
  const { state, job, reason, view, now, byUid, newGate, hasTime } = facts;
  const { request } = job.spec;
  const { isConnected } = view;
  const bar = (node: Node): string => barredFrom(view.places?.(job), node.name);
  const verdicts = nodeVerdicts(view.nodes, request, { isConnected, bar });
  const { holders, omitted } = holdersOf(state, verdicts, wantsGpus(request));
  yield;
  const { place, ahead } = yield* queueOf(view, job);
  const partition = findPartition(state, job.spec);
  const limitS = partition ? effectiveLimit(job.spec, partition) : 0;
  const search = { ...{ state, view, newGate, job, ahead, now, limitS, byUid } };
  const changes = yield* within(hasTime, searchChanges(search));
  const forecast = hasTime() ? yield* forecastStart(state, view, ahead, job, now) : null;
  yield;
  // The nodes that matter first, where not all can be told of.
  const told = verdicts.length <= NODES_TOLD_MAX ? verdicts : [...verdicts].sort(byInterest);
  return {
    jobId: job.id,
    label: jobLabel(job),
    reason: reason.word,
    reasonText: reason.text,
    request: describeRequest(request),
    partition: isListed(job.spec) ? namedPartitions(job.spec).join() : (partition?.name ?? job.spec.partition ?? ""),
    nodes: told.slice(0, NODES_TOLD_MAX),
    nodesOmitted: Math.max(0, told.length - NODES_TOLD_MAX),
    holders,
    holdersOmitted: omitted,
    place: view.gate.hindrance(job) === null ? place : null,
    forecast: forecast ?? UNKNOWN,
    changes: changes ?? NO_CHANGES,
    isCut: changes === null,
  };
}

const UNKNOWN: StartForecast = { startAt: null, nodeList: "", why: "it was not worked out: the controller is busy" };
const NO_CHANGES: readonly Change[] = [];

const INTEREST = ["free", "busy", "away", "small", "barred"];

function byInterest(a: Explanation["nodes"][number], b: Explanation["nodes"][number]): number {
  return INTEREST.indexOf(a.finding) - INTEREST.indexOf(b.finding);
}

/** Drives a search until it is done, or there is no time left: then `null`. */
function* within<T>(hasTime: () => boolean, search: Generator<void, T>): Generator<void, T | null> {
  for (;;) {
    const step = search.next();
    if (step.done) return step.value;
    if (!hasTime()) return null;
    yield;
  }
}
