/**
 * schedule(view, now): which waiting jobs start where, which end unstarted, and who waits for room. Pure.
 *
 * Jobs are looked at in the order given. One that could run on the nodes at hand but has no room now keeps all nodes
 * of its partition: nothing behind it may take what it waits for. The pass stops when every node is kept so. Jobs that may not start yet (held, dependent, too early), and
 * jobs that the nodes at hand could not hold even when empty, stop nobody. Requests of one shape that the nodes can't
 * hold are tried once a pass.
 */

import { couldRun, describeRequest, feasibility } from "../core/fit.ts";
import { fold } from "../core/hostlist.ts";
import type { JobId, NodeName } from "../core/ids.ts";
import type { PendingJob } from "../core/job.ts";
import type { Queue } from "../core/lanes.ts";
import { isOpen, type Node } from "../core/node.ts";
import { type Candidate, candidatesOf } from "../core/node-set.ts";
import { isListed } from "../core/partition-list.ts";
import { formatGpus, type ResourceRequest, WHOLE_GPU } from "../core/resources.ts";
import type { Gate } from "./eligible.ts";
import { chargeGroup, type LimitWait } from "./limits.ts";
import { shapeOf } from "./place/place.ts";
import { couldRunTogether, placeTogether, type Wish } from "./place/together.ts";
import { ANYWHERE, type Place, type Places } from "./places.ts";
import type { End, Plan, Reason, Start } from "./plan.ts";
import { createPools, type Pool, type Pools } from "./pools.ts";

/** What a pass may look at. */
export interface ScheduleView {
  /** Waiting jobs, the most important first. Read as far as needed. */
  readonly pending: Iterable<PendingJob> & Partial<Queue>;
  /** All of them that may end without starting, wherever they stand (deadline, --kill-on-invalid-dep). */
  readonly expiring: Iterable<PendingJob>;
  /** All nodes of the cluster. */
  readonly nodes: readonly Node[];
  /** Whether a node's daemon is connected. */
  readonly isConnected: (node: NodeName) => boolean;
  readonly gate: Gate;
  /** Where jobs may go; anywhere if absent. */
  readonly places?: Places;
}

const PRIORITY: Reason = { word: "Priority", text: "other jobs come first" };

/** How soon a limit that time alone lifts is looked at again: it counts in minutes. */
const LIMIT_RECHECK_MS = 60_000;

/** Most nodes of which a reason tells what is free. */
const FREE_NODES_MAX = 4;

/** Most nodes that a reason names. */
const NODES_NAMED_MAX = 20;

/** A pass under way. */
interface Pass {
  readonly view: ScheduleView;
  readonly now: number;
  /** Nodes that take new work, with what this pass has granted. */
  readonly pools: Pools;
  readonly places: Places;
  /** Tasks of each array that this pass starts. */
  readonly startedOfArray: Map<JobId, number>;
  /** Why requests of a shape can't run on the nodes at hand. */
  readonly impossible: Map<string, Reason>;
  readonly starts: Start[];
  readonly ends: End[];
  readonly reasons: Map<JobId, Reason>;
  readonly groupReasons: Map<string, Reason>;
  readonly wakeTimes: { earliest: number };
}

/** Makes a plan. Never changes its input. */
export function schedule(view: ScheduleView, now: number): Plan {
  const pools = createPools(candidatesOf(view.nodes).filter(({ node }) => takesWork(view, node)));
  const pass: Pass = {
    ...{ view, now, pools, places: view.places ?? (() => ANYWHERE), startedOfArray: new Map(), impossible: new Map() },
    ...{ starts: [], ends: [], reasons: new Map(), groupReasons: new Map() },
    wakeTimes: { earliest: Number.POSITIVE_INFINITY },
  };
  for (const job of view.pending) if (!isHeldBack(pass, job) && !startTasks(pass, job)) break;
  for (const job of view.expiring) endHopeless(pass, job);
  const { starts, ends, reasons, wakeTimes } = pass;
  const wakeAt = Number.isFinite(wakeTimes.earliest) ? Math.max(now, wakeTimes.earliest) : null;
  return { starts, ends, reasons, groupReasons: pass.groupReasons, otherwise: PRIORITY, wakeAt };
}

/** Whether something other than room keeps a job waiting. Notes when time alone changes that. */
function isHeldBack(pass: Pass, job: PendingJob): boolean {
  const found = pass.view.gate.hindrance(job);
  if (found === null) return false;
  if (found.wakeAt !== null) wakeAt(pass, found.wakeAt);
  return true;
}

/** Ends a job if it never can start; notes when its deadline would bring that about. */
function endHopeless(pass: Pass, job: PendingJob): void {
  const { gate } = pass.view;
  const end = gate.endOf(job);
  if (end) pass.ends.push(end);
  const latest = gate.startBy(job);
  if (latest !== null && end === null) wakeAt(pass, latest + 1);
}

function wakeAt({ wakeTimes }: Pass, at: number): void {
  wakeTimes.earliest = Math.min(wakeTimes.earliest, at);
}

function lookAgain(pass: Pass, { changesWithTime }: LimitWait): void {
  if (changesWithTime) wakeAt(pass, pass.now + LIMIT_RECHECK_MS);
}

/** Starts a job, or as many of an array's tasks as there are room and leave for. False if the pass must stop there. */
function startTasks(pass: Pass, job: PendingJob): boolean {
  const { gate } = pass.view;
  // Each of its components comes by in the queue: the first one that waits stands for all.
  if (job.spec.het) return gate.componentsOf(job)[0]?.id !== job.id || startWhole(pass, job);
  if (!job.array) return startOne(pass, job, null);
  const arrayId = job.array.jobId;
  let slots = gate.slotsOf(job) - (pass.startedOfArray.get(arrayId) ?? 0);
  for (const task of gate.openTasks(job)) {
    if (slots <= 0) {
      // The same gate says why once these have started; until then this is what is true of the others.
      pass.reasons.set(job.id, { word: "JobArrayTaskLimit", text: "as many of its tasks run as may at the same time" });
      return true;
    }
    if (!startOne(pass, job, task)) return false;
    if (pass.reasons.has(job.id)) return true;
    pass.startedOfArray.set(arrayId, (pass.startedOfArray.get(arrayId) ?? 0) + 1);
    slots -= 1;
  }
  return true;
}

/** Why a job can't start in a partition now, and the place whose nodes are to be kept for it if it only waits for room. */
interface Miss {
  readonly reason: Reason;
  readonly waitsIn: Place | null;
}

/** Starts a job or a task in the first partition with room, else notes why not. False if the pass must stop there. */
function startOne(pass: Pass, job: PendingJob, taskId: number | null): boolean {
  const misses: Miss[] = [];
  for (const one of pass.view.gate.variantsOf(job)) {
    const miss = startIn(pass, one, taskId);
    if (miss === null) return true;
    misses.push(miss);
  }
  const told = misses.find(({ waitsIn }) => waitsIn !== null) ?? misses[0];
  pass.reasons.set(job.id, told?.reason ?? PRIORITY);
  const kept = misses.flatMap(({ waitsIn }) => waitsIn ?? []);
  for (const place of kept) pass.pools.keep(place);
  return kept.length === 0 || !pass.pools.isDone;
}

/** Starts a job or a task in the partition that it names; else says why not. */
function startIn(pass: Pass, job: PendingJob, taskId: number | null): Miss | null {
  const { pools, impossible } = pass;
  const place = pass.places(job);
  const pool = pools.of(place);
  if (pool === null) return { reason: PRIORITY, waitsIn: null };
  const request = place.adapt(job.spec.request);
  const shape = impossible.size > 0 ? `${place.key} ${shapeOf(request)}` : "";
  const known = impossible.get(shape);
  if (known) return { reason: known, waitsIn: null };
  const { limits } = pass.view.gate;
  const before = limits.check(job, null);
  const allocation = before === null ? pool.place(request) : null;
  // What it would get may be more than it asks for: whole nodes, all the GPUs of a type.
  const blocked = before ?? (allocation && limits.check(job, allocation));
  if (blocked) {
    lookAgain(pass, blocked);
    if (blocked.isForAll && !isListed(job.spec)) passOver(pass, job, blocked);
    return { reason: blocked, waitsIn: null };
  }
  if (allocation) {
    limits.take(job, allocation);
    pass.starts.push({ jobId: job.id, taskId, allocation, ...startPlace(job) });
    pools.take(place, allocation, job.spec.user.uid);
    return null;
  }
  if (couldRun(pool.candidates, request)) {
    const text = `waits for ${describeRequest(request)} to be free${freeText(pool.candidates, request)}`;
    return { reason: { word: "Resources", text }, waitsIn: place };
  }
  const reason = impossibleReason(pass.view, place, request);
  impossible.set(`${place.key} ${shapeOf(request)}`, reason);
  return { reason, waitsIn: null };
}

/** Of a job that may start in several partitions: the one that it is looked at in. */
function startPlace({ spec }: PendingJob): Pick<Start, "partition"> {
  return isListed(spec) && spec.partition !== null ? { partition: spec.partition } : {};
}

/** A component of a heterogeneous job, with where it may go. */
interface Component {
  readonly place: Place;
  readonly pool: Pool;
  readonly request: ResourceRequest;
}

/** A long queue of jobs that a limit keeps waiting is not read to its end. */
function passOver({ view, groupReasons }: Pass, job: PendingJob, reason: Reason): void {
  groupReasons.set(chargeGroup(job), reason);
  view.pending.leaveLane?.();
}

/** Starts all components of a heterogeneous job, or none. False if the pass must stop there. */
function startWhole(pass: Pass, job: PendingJob): boolean {
  const { pools, impossible } = pass;
  const { gate } = pass.view;
  // Of several partitions each component takes the first that is open to it.
  const jobs = gate.componentsOf(job).map((one) => gate.variantsOf(one)[0] ?? one);
  const wait = (reason: Reason): void => {
    for (const one of jobs) pass.reasons.set(one.id, reason);
  };
  const components = jobs.flatMap((one): Component[] => {
    const place = pass.places(one);
    const pool = pools.of(place);
    return pool ? [{ place, pool, request: place.adapt(one.spec.request) }] : [];
  });
  if (components.length < jobs.length) {
    wait(PRIORITY);
    return true;
  }
  const shape = components.map(({ place, request }) => `${place.key} ${shapeOf(request)}`).join();
  const known = impossible.get(shape);
  if (known) {
    wait(known);
    return true;
  }
  const { limits } = pass.view.gate;
  const blocked = firstOf(jobs, (one) => limits.check(one, null));
  if (blocked) {
    lookAgain(pass, blocked);
    wait(blocked);
    return true;
  }
  const usages = pools.all.map(({ usage }) => usage);
  const [allocation, ...others] = placeTogether(pools.all, components.map(toWish)) ?? [];
  if (allocation) {
    const parts = jobs.map((one, at) => ({ job: one, allocation: [allocation, ...others][at] ?? [] }));
    const full = limits.takeAll(parts);
    if (full) {
      for (const [at, candidate] of pools.all.entries()) candidate.usage = usages[at] ?? candidate.usage;
      lookAgain(pass, full);
      wait(full);
      return true;
    }
    const followers = parts.slice(1).map((part) => ({
      ...{ jobId: part.job.id, allocation: part.allocation },
      ...startPlace(part.job),
    }));
    pass.starts.push({ jobId: job.id, taskId: null, allocation, ...startPlace(jobs[0] ?? job), followers });
    for (const [at, { place }] of components.entries())
      pools.note(place, parts[at]?.allocation ?? [], job.spec.user.uid);
    return true;
  }
  if (couldRunTogether(components.map(({ pool, request }) => ({ candidates: pool.candidates, request })))) {
    wait({ word: "Resources", text: `waits for all of its ${jobs.length} components to find room at the same time` });
    for (const { place } of components) pools.keep(place);
    return !pools.isDone;
  }
  const reason = impossibleTogether(pass.view, components);
  impossible.set(shape, reason);
  wait(reason);
  return true;
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | null): R | null {
  for (const item of items) {
    const found = find(item);
    if (found !== null) return found;
  }
  return null;
}

function toWish({ pool, request }: Component): Wish {
  return { request, place: pool.place };
}

function impossibleTogether(view: ScheduleView, components: readonly Component[]): Reason {
  const alone = components.find(({ pool, request }) => !couldRun(pool.candidates, request));
  if (alone) return impossibleReason(view, alone.place, alone.request);
  const text = `each of its ${components.length} components could run, but not all of them at the same time on these nodes`;
  return { word: "BadConstraints", text };
}

function takesWork({ isConnected }: ScheduleView, node: Node): boolean {
  return isOpen(node) && isConnected(node.name);
}

/** ` (n1: 1 of 4 GPUs free)`: what there is, where so few nodes are asked about that it can be read. */
function freeText(candidates: readonly Candidate[], { gpus }: ResourceRequest): string {
  if (candidates.length > FREE_NODES_MAX) return "";
  const texts = candidates.map(({ node: { name, inventory }, usage }) => {
    if (!gpus) return `${name}: ${inventory.cpus - usage.cpus} of ${inventory.cpus} CPUs free`;
    const taken = Object.values(usage.gpus).reduce((sum, thousandths) => sum + thousandths, 0);
    return `${name}: ${formatGpus(inventory.gpus.length * WHOLE_GPU - taken)} of ${inventory.gpus.length} GPUs free`;
  });
  return ` (${texts.join(", ")})`;
}

/** Why the nodes that take work could not run a request even if they were free. */
function impossibleReason(view: ScheduleView, place: Place, request: ResourceRequest): Reason {
  const nodes = view.nodes.filter(({ name }) => place.allows(name));
  if (place.reserved.length > 0) {
    const all = view.nodes.filter(({ name }) => place.allows(name) || place.reserved.includes(name));
    if (feasibility(nodes, request) && !feasibility(all, request)) {
      const names = fold(place.reserved.slice(0, NODES_NAMED_MAX));
      return { word: "ReqNodeNotAvail", text: `${names} may be reserved for other jobs` };
    }
  }
  if (view.nodes.length > 0 && nodes.length === 0) {
    return { word: "PartitionConfig", text: `partition ${place.key} has no nodes` };
  }
  if (view.nodes.length === 0) {
    return { word: "ReqNodeNotAvail", text: `asks for ${describeRequest(request)}, but no node is connected` };
  }
  const never = feasibility(nodes, request);
  if (never) return { word: "BadConstraints", text: `the nodes have changed: ${never.hint}` };
  const missing = candidatesOf(nodes).flatMap(({ node }) => (takesWork(view, node) ? [] : [node.name]));
  const names = fold(missing.slice(0, NODES_NAMED_MAX)) + (missing.length > NODES_NAMED_MAX ? ",..." : "");
  const verb = missing.length === 1 ? "is" : "are";
  const text = `asks for ${describeRequest(request)}, but ${names} ${verb} down, drained or not connected`;
  return { word: "ReqNodeNotAvail", text };
}
