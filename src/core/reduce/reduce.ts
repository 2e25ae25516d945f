/** reduce(state, event, at): the only way state changes. Same events, same state; no clock, no chance. */

import { assert, assertNever, must } from "../../util/assert.ts";
import { difference } from "../array-spec.ts";
import { noteEnded, noteSubmitted } from "../done.ts";
import type { ArraySplit, Event, PolicyChanged } from "../events.ts";
import { holdsResources, type Job, type PendingJob } from "../job.ts";
import { type Partition, storedPartition } from "../partition.ts";
import { changePolicy, isPolicyOn } from "../policy/state.ts";
import { addUsage } from "../policy/usage.ts";
import { addShare, type NodeShare } from "../resources.ts";
import { type ClusterState, dropJob, putJob, recountPolicy } from "../state.ts";
import { changeElastic, type ElasticEvent } from "./elastic.ts";
import { changeFeed, type FeedEvent } from "./feed.ts";
import { allocated, cleaned, ended, held, preempting, requeued, shrunk, signalled, suspended, updated } from "./job.ts";
import { changeNode, type NodeEvent } from "./node.ts";
import { stepCreated, stepEnded, stepEnding, stepLimited, stepStarted } from "./step.ts";

/**
 * Applies one event to the state in place. Records are replaced, never changed, so that whoever read one keeps it.
 * @param at when it happened, milliseconds since 1970
 */
export function reduce(state: ClusterState, event: Event, at: number): void {
  switch (event.type) {
    case "job.submitted":
      state.nextJobId = event.job.id + 1;
      putJob(state, event.job);
      return noteSubmitted(state, event.job);
    case "array.split":
      return split(state, event);
    case "job.purged":
      return dropJob(state, jobOf(state, event.jobId));
    case "node.registered":
    case "node.down":
    case "node.updated":
    case "node.deleted":
      return changeNode(state, event, at);
    case "partition.set":
      return putPartition(state, storedPartition(event.partition));
    case "partition.deleted":
      state.partitions.delete(event.partition);
      return;
    case "reservation.set":
      state.reservations.set(event.reservation.name, event.reservation);
      return;
    case "reservation.deleted":
      state.reservations.delete(event.reservation);
      return;
    case "licenses.set":
      state.licenses.clear();
      for (const { name, count } of event.licenses) state.licenses.set(name, count);
      return;
    case "feed.set":
    case "feed.deleted":
    case "feed.line":
      return changeFeed(state, event);
    case "elastic.queue.set":
    case "elastic.queue.deleted":
    case "elastic.node.set":
    case "elastic.node.deleted":
    case "elastic.noted":
      return changeElastic(state, event, at);
    case "policy.changed":
      return policyChanged(state, event);
    default:
      return changeJob(state, event, at);
  }
}

type JobEvent = Exclude<
  Event,
  | {
      type:
        | "job.submitted"
        | "job.purged"
        | "array.split"
        | "policy.changed"
        | "licenses.set"
        | "partition.set"
        | "partition.deleted"
        | "reservation.set"
        | "reservation.deleted";
    }
  | NodeEvent
  | FeedEvent
  | ElasticEvent
>;

function changeJob(state: ClusterState, event: JobEvent, at: number): void {
  const before = jobOf(state, event.jobId);
  const after = nextRecord(before, event, at);
  moveUsage(state, before, after);
  if (before.state === "RUNNING" && after.state !== "RUNNING" && isPolicyOn(state.policy)) {
    addUsage(state.policy, before, at);
  }
  putJob(state, after);
  if (event.type === "job.ended") noteEnded(state, after);
}

function nextRecord(job: Job, event: JobEvent, at: number): Job {
  switch (event.type) {
    case "job.allocated":
      return allocated(job, event, at);
    case "job.ended":
      return ended(job, event, at);
    case "job.cleaned":
      return cleaned(job, event, at);
    case "job.requeued":
      return requeued(job, event, at);
    case "job.held":
      return held(job, event);
    case "job.updated":
      return updated(job, event, at);
    case "job.suspended":
      return suspended(job, event, at);
    case "job.preempting":
      return preempting(job, event);
    case "job.shrunk":
      return shrunk(job, event, at);
    case "job.signalled":
      return signalled(job);
    case "step.created":
      return stepCreated(job, event);
    case "step.started":
      return stepStarted(job, event);
    case "step.ended":
      return stepEnded(job, event, at);
    case "step.limited":
      return stepLimited(job, event);
    case "step.ending":
      return stepEnding(job, event);
    default:
      return assertNever(event);
  }
}

/** The keys under which jobs are counted may be others now. */
function policyChanged(state: ClusterState, { changes }: PolicyChanged): void {
  for (const change of changes) changePolicy(state.policy, change);
  state.policy.version += 1;
  recountPolicy(state);
}

/** Some waiting tasks get a record of their own, in all else the same. */
function split(state: ClusterState, event: ArraySplit): void {
  const job = jobOf(state, event.jobId);
  assert(job.state === "PENDING" && job.array, `job ${job.id} is no waiting array`);
  const rest = difference(job.array.tasks, event.tasks);
  assert(rest.length > 0, `job ${job.id} keeps none of its tasks`);
  const taken: PendingJob = {
    ...job,
    id: event.newId,
    requestId: "",
    array: { ...job.array, tasks: event.tasks },
  };
  state.nextJobId = event.newId + 1;
  putJob(state, { ...job, array: { ...job.array, tasks: rest } });
  putJob(state, taken);
}

/** There is one default partition at most. */
function putPartition(state: ClusterState, partition: Partition): void {
  if (partition.isDefault) {
    for (const other of state.partitions.values()) {
      if (other.isDefault) state.partitions.set(other.name, { ...other, isDefault: false });
    }
  }
  state.partitions.set(partition.name, partition);
}

/** Grants and returns shares of nodes so that a node's usage is always the sum of what its jobs hold. */
function moveUsage(state: ClusterState, before: Job, after: Job): void {
  const held = heldShares(before);
  const holds = heldShares(after);
  if (held.length === holds.length) return;
  for (const share of held) if (!holds.includes(share)) changeUsage(state, share, -1);
  for (const share of holds) if (!held.includes(share)) changeUsage(state, share, 1);
}

/** The shares a job holds: all while it runs (none while it yields), those of nodes still to be cleared afterwards. */
export function heldShares(job: Job): readonly NodeShare[] {
  if (!holdsResources(job) || job.yieldsTo !== undefined) return [];
  if (job.state === "RUNNING") return job.allocation;
  return job.allocation.filter((share) => job.cleanup.includes(share.node));
}

function changeUsage(state: ClusterState, share: NodeShare, sign: 1 | -1): void {
  const node = must(state.nodes.get(share.node), `node ${share.node}`);
  state.nodes.set(node.name, { ...node, usage: addShare(node.usage, share, sign) });
}

function jobOf(state: ClusterState, jobId: number): Job {
  return must(state.jobs.get(jobId), `job ${jobId}`);
}
