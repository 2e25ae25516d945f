/** What must always hold of a state. Checked after every event in simulations and property tests. */

import { taskCount, tasksOf } from "./array-spec.ts";
import { isAsleep } from "./asleep.ts";
import { componentsOf, leaderId } from "./het.ts";
import { holdsResources, isEnded, type Job } from "./job.ts";
import { isLaneOf, laneOf } from "./lanes.ts";
import { heldShares } from "./reduce/reduce.ts";
import { addShare, NO_USAGE, type NodeUsage, WHOLE_GPU } from "./resources.ts";
import type { ClusterState } from "./state.ts";

/** Every broken invariant in words; empty when all hold. */
export function checkInvariants(state: ClusterState): string[] {
  return [...checkUsage(state), ...checkIndexes(state), ...checkJobs(state), ...checkPlaces(state)];
}

function checkUsage(state: ClusterState): string[] {
  const problems: string[] = [];
  const sums = new Map<string, NodeUsage>();
  for (const job of state.jobs.values()) {
    for (const share of heldShares(job)) {
      sums.set(share.node, addShare(sums.get(share.node) ?? NO_USAGE, share, 1));
    }
  }
  for (const node of state.nodes.values()) {
    const sum = sums.get(node.name) ?? NO_USAGE;
    if (canonical(sum) !== canonical(node.usage)) {
      problems.push(`${node.name}: usage ${canonical(node.usage)} is not the sum of its jobs ${canonical(sum)}`);
    }
    for (const [index, used] of Object.entries(node.usage.gpus)) {
      if (used < 0 || used > WHOLE_GPU) problems.push(`${node.name}: GPU ${index} holds ${used} thousandths`);
    }
    if (node.usage.cpus < 0 || node.usage.memoryMiB < 0) problems.push(`${node.name}: negative usage`);
  }
  return problems;
}

function checkIndexes(state: ClusterState): string[] {
  const problems: string[] = [];
  for (const job of state.jobs.values()) {
    if (state.pending.has(job.id) !== (job.state === "PENDING")) problems.push(`job ${job.id}: pending index`);
    if (state.active.has(job.id) !== holdsResources(job)) problems.push(`job ${job.id}: active index`);
    if (job.requestId !== "" && state.requests.get(job.requestId) !== job.id) {
      problems.push(`job ${job.id}: request index`);
    }
    if (job.array && !state.arrays.get(job.array.jobId)?.has(job.id)) problems.push(`job ${job.id}: array index`);
    for (const { jobId } of job.state === "PENDING" ? (job.spec.dependency?.terms ?? []) : []) {
      if (!state.dependents.get(jobId)?.has(job.id)) problems.push(`job ${job.id}: dependency index`);
    }
  }
  const lanes = [...state.lanes].flatMap(([key, ids]) => [...ids].map((id) => ({ key, id })));
  const awake = [...state.jobs.values()].filter((job) => job.state === "PENDING" && !isAsleep(state, job));
  if (lanes.length !== awake.length) problems.push("lanes: size");
  for (const { key, id } of lanes) {
    const job = state.jobs.get(id);
    if (job?.state !== "PENDING" || isAsleep(state, job) || !isLaneOf(key, laneOf(state.policy, job), job))
      problems.push(`job ${id}: lane`);
  }
  problems.push(...checkReverse(state, "arrays"), ...checkReverse(state, "dependents"), ...checkArrays(state));
  for (const id of [...state.pending, ...state.active]) {
    if (!state.jobs.has(id)) problems.push(`job ${id}: indexed but unknown`);
  }
  const requests = [...state.jobs.values()].filter((job) => job.requestId !== "").length;
  if (state.requests.size !== requests) problems.push("request index: size");
  return problems;
}

/** Indexes name known records only. */
function checkReverse(state: ClusterState, index: "arrays" | "dependents"): string[] {
  return [...state[index]].flatMap(([key, ids]) =>
    [...ids].filter((id) => !state.jobs.has(id)).map((id) => `${index} of ${key}: ${id} is unknown`),
  );
}

/** Each task of an array is in one record only. */
function checkArrays(state: ClusterState): string[] {
  const problems: string[] = [];
  for (const [arrayJobId, ids] of state.arrays) {
    const records = [...ids].flatMap((id) => state.jobs.get(id) ?? []);
    const count = records.reduce((sum, { array }) => sum + (array ? taskCount(array.tasks) : 0), 0);
    const distinct = new Set(records.flatMap(({ array }) => (array ? [...tasksOf(array.tasks)] : [])));
    if (distinct.size !== count) problems.push(`array ${arrayJobId}: a task has two records`);
    for (const job of records) {
      if (job.state !== "RUNNING" || !job.array || taskCount(job.array.tasks) === 1) continue;
      problems.push(`job ${job.id}: several tasks run as one`);
    }
  }
  return problems;
}

function checkJobs(state: ClusterState): string[] {
  const problems: string[] = [];
  for (const job of state.jobs.values()) {
    problems.push(...checkComponents(state, job));
    if (job.id >= state.nextJobId) problems.push(`job ${job.id}: not below the next id ${state.nextJobId}`);
    if (job.state === "RUNNING" && job.allocation.length === 0) problems.push(`job ${job.id}: runs nowhere`);
    if (job.state === "RUNNING" && job.attempt < 1) problems.push(`job ${job.id}: runs in attempt ${job.attempt}`);
    if (isEnded(job) && job.endAt < job.submitAt) problems.push(`job ${job.id}: ended before it was submitted`);
  }
  return problems;
}

/** The components of a heterogeneous job wait together and start together; those that run don't outlive the first. */
function checkComponents(state: ClusterState, job: Job): string[] {
  if (job.state !== "RUNNING" || !job.spec.het) return [];
  const { id, startAt, attempt } = job;
  const problems: string[] = [];
  for (const other of componentsOf(state, job)) {
    if (other.state === "PENDING") problems.push(`job ${id}: runs while its component ${other.id} waits`);
    if (other.state !== "RUNNING" || (other.startAt === startAt && other.attempt === attempt)) continue;
    problems.push(`job ${id}: was not started together with its component ${other.id}`);
  }
  const leader = state.jobs.get(leaderId(job));
  if (job.spec.kind !== "run" && leader && isEnded(leader)) problems.push(`job ${id}: outlives its first component`);
  return problems;
}

function canonical(usage: NodeUsage): string {
  const gpus = Object.entries(usage.gpus).sort(([a], [b]) => Number(a) - Number(b));
  return JSON.stringify([usage.cpus, usage.memoryMiB, gpus]);
}

/** One default partition at most; nobody runs on a node that is not known. */
function checkPlaces(state: ClusterState): string[] {
  const defaults = [...state.partitions.values()].filter(({ isDefault }) => isDefault).map(({ name }) => name);
  const problems = defaults.length > 1 ? [`several default partitions: ${defaults.join(", ")}`] : [];
  for (const id of state.active) {
    for (const { node } of state.jobs.get(id)?.allocation ?? []) {
      if (!state.nodes.has(node)) problems.push(`job ${id}: holds part of ${node}, which is not known`);
    }
  }
  return problems;
}
