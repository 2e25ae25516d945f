/**
 * A pass of the scheduler as plainly as it can be written: every job in order, every node for every job, every time
 * for every promise, nothing remembered. For one partition, without arrays, heterogeneous jobs, licenses and limits.
 */

import { couldRun } from "../../../src/core/fit.ts";
import { byPriority } from "../../../src/core/lanes.ts";
import { isOpen, weightOf } from "../../../src/core/node.ts";
import {
  type Candidate,
  candidatesOf,
  chooseNodes,
  mayBeAlone,
  offerOf,
  suffices,
  targetsOf,
} from "../../../src/core/node-set.ts";
import { prioritizer } from "../../../src/core/priority.ts";
import { type Allocation, addShare, type NodeUsage, type ResourceRequest } from "../../../src/core/resources.ts";
import { alternativesOf, type Demand, demandOf } from "../../../src/core/room.ts";
import type { ClusterState } from "../../../src/core/state.ts";
import { gateOf } from "../../../src/sched/eligible.ts";
import { holdingsOf } from "../../../src/sched/holdings.ts";
import { leftOver } from "../../../src/sched/place/scores/score.ts";
import { sharesOf, spotOf } from "../../../src/sched/place/shares.ts";
import type { SchedulerPolicy } from "../../../src/sched/policy.ts";

/** Packs: what is left over is the least, weights first, names last. */
export function plainPlace(candidates: readonly Candidate[], request: ResourceRequest): Allocation | null {
  for (const demand of alternativesOf(demandOf(request))) {
    const found = placeOne(candidates, demand);
    if (found) return found;
  }
  return null;
}

function placeOne(candidates: readonly Candidate[], demand: Demand): Allocation | null {
  const offers = candidates.flatMap((candidate) => {
    const offer = offerOf(candidate, demand);
    return offer ? [{ offer, costs: [weightOf(candidate.node), ...leftOver(spotOf(offer, demand))] }] : [];
  });
  offers.sort((a, b) => compare(a.costs, b.costs) || a.offer.position - b.offer.position);
  const ordered = offers.map(({ offer }) => offer);
  const alone = mayBeAlone(demand) ? ordered.find((offer) => suffices(demand, targetsOf(demand), offer)) : undefined;
  const shares = alone && sharesOf(demand, [alone]);
  if (shares) return shares;
  if (demand.request.nodes?.max === 1) return null;
  const several = chooseNodes(demand, ordered);
  return several && sharesOf(demand, several);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) if (value !== b[at]) return value - (b[at] ?? 0);
  return 0;
}

interface Held {
  readonly allocation: Allocation;
  readonly from: number;
  readonly until: number;
}

/** What starts, and what is promised to whom: `7: n1,n2` and `8 at 5000: n1`, times in milliseconds from now. */
export function plainPass(state: ClusterState, now: number, policy: SchedulerPolicy): string[] {
  const nodes = candidatesOf([...state.nodes.values()]).filter(({ node }) => isOpen(node));
  const assumedMs = policy.assumedTimeS * 1000;
  const held: Held[] = [...holdingsOf(state, now, policy.assumedTimeS)].map((one) => ({ ...one, from: now }));
  const promised: Held[] = [];
  const said: string[] = [];
  const gate = gateOf(state, now);
  const usageAt = (node: Candidate, at: number, others: readonly Held[]): NodeUsage => {
    let { usage } = node;
    const sharesOn = ({ allocation }: Held): Allocation => allocation.filter((share) => share.node === node.node.name);
    for (const one of held) if (one.until <= at) for (const share of sharesOn(one)) usage = addShare(usage, share, -1);
    for (const one of others) {
      if (one.from <= at && one.until > at) for (const share of sharesOn(one)) usage = addShare(usage, share, 1);
    }
    return usage;
  };
  const seen = (from: number, until: number, others: readonly Held[]): Candidate[] =>
    nodes.map((node) => {
      const times = [from, ...others.map((one) => one.from).filter((at) => at > from && at < until)];
      return { ...node, usage: times.map((at) => usageAt(node, at, others)).reduce(most) };
    });
  const jobOf = (id: number) => {
    const job = state.jobs.get(id);
    return job?.state === "PENDING" ? job : undefined;
  };
  for (const job of [...byPriority(state.lanes, jobOf, prioritizer(state, now))]) {
    if (gate.hindrance(job)) continue;
    const { request } = job.spec;
    const limitMs = gate.limitS(job) === 0 ? Number.POSITIVE_INFINITY : gate.limitS(job) * 1000;
    const allocation = plainPlace(seen(now, now + limitMs, promised), request);
    if (allocation) {
      for (const share of allocation) {
        const node = nodes.find((one) => one.node.name === share.node);
        if (node) node.usage = addShare(node.usage, share, 1);
      }
      held.push({ allocation, from: now, until: now + (Number.isFinite(limitMs) ? limitMs : assumedMs) });
      said.push(`${job.id}: ${namesOf(allocation)}`);
      continue;
    }
    if (!couldRun(nodes, request) || promised.length >= policy.reservations) continue;
    const ends = [...held, ...promised].map(({ until }) => until).filter((at) => at > now && Number.isFinite(at));
    const times = [...new Set(ends)].sort((a, b) => a - b);
    const first = times.findIndex((at) => plainPlace(seen(at, at, []), request) !== null);
    const at = times.slice(Math.max(0, first)).find((one) => plainPlace(seen(one, one + limitMs, promised), request));
    if (first < 0 || at === undefined) throw new Error("limits are such that everybody finds a time");
    const place = plainPlace(seen(at, at + limitMs, promised), request) ?? [];
    promised.push({ allocation: place, from: at, until: at + (Number.isFinite(limitMs) ? limitMs : assumedMs) });
    said.push(`${job.id} at ${at - now}: ${namesOf(place)}`);
  }
  return said.sort();
}

/** Nodes with their GPUs. */
export function namesOf(allocation: Allocation): string {
  return allocation.map(({ node, gpus }) => `${node}[${gpus.map(({ index }) => index).join()}]`).join();
}

function most(one: NodeUsage, other: NodeUsage): NodeUsage {
  const indices = [...new Set([...Object.keys(one.gpus), ...Object.keys(other.gpus)])].map(Number);
  return {
    cpus: Math.max(one.cpus, other.cpus),
    memoryMiB: Math.max(one.memoryMiB, other.memoryMiB),
    gpus: Object.fromEntries(indices.map((at) => [at, Math.max(one.gpus[at] ?? 0, other.gpus[at] ?? 0)])),
  };
}
