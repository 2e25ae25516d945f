/**
 * schedule(view, now): which waiting jobs start where, and why the others wait. Pure.
 *
 * Jobs are looked at in order of their ids. The first that could run on the nodes at hand but has no room now stops
 * the pass: nothing behind it may take what it waits for. A job that no present node could hold even when empty
 * (its node is down or drained) stops nobody. Requests of one shape are tried once a pass.
 */

import { describeRequest, fitsEmptyNode } from "../core/fit.ts";
import type { JobId } from "../core/ids.ts";
import type { PendingJob } from "../core/job.ts";
import type { Node } from "../core/node.ts";
import { type Allocation, addShare, type ResourceRequest } from "../core/resources.ts";
import { type Candidate, placeBestFit } from "./place/best-fit.ts";
import type { Plan, Reason, Start } from "./plan.ts";

/** What a pass may look at. */
export interface ScheduleView {
  /** Waiting jobs by ascending id. Read as far as needed. */
  readonly pending: Iterable<PendingJob>;
  /** Nodes that can be reached, in a fixed order. */
  readonly nodes: readonly Node[];
}

const PRIORITY: Reason = { word: "Priority", text: "jobs that were submitted earlier come first" };

/** Makes a plan. Never changes its input. */
export function schedule(view: ScheduleView, now: number): Plan {
  const candidates: Candidate[] = view.nodes
    .filter((node) => node.down === null && node.drain === null)
    .map((node) => ({ node, usage: node.usage }));
  const starts: Start[] = [];
  const reasons = new Map<JobId, Reason>();
  const impossible = new Map<string, Reason>();
  for (const job of view.pending) {
    if (job.eligibleAt > now) {
      reasons.set(job.id, { word: "BeginTime", text: "its begin time is not reached" });
      continue;
    }
    const { request } = job.spec;
    const shape = shapeOf(request);
    const known = impossible.get(shape);
    if (known) {
      reasons.set(job.id, known);
      continue;
    }
    const allocation = placeBestFit(candidates, request);
    if (allocation) {
      starts.push({ jobId: job.id, allocation });
      take(candidates, allocation);
    } else if (candidates.some(({ node }) => fitsEmptyNode(node, request))) {
      reasons.set(job.id, { word: "Resources", text: `waits for ${describeRequest(request)} to be free on one node` });
      break;
    } else {
      const reason = unavailable(request, view.nodes.length);
      impossible.set(shape, reason);
      reasons.set(job.id, reason);
    }
  }
  return { starts, reasons, otherwise: PRIORITY };
}

function take(candidates: readonly Candidate[], allocation: Allocation): void {
  for (const share of allocation) {
    const candidate = candidates.find(({ node }) => node.name === share.node);
    if (candidate) candidate.usage = addShare(candidate.usage, share, 1);
  }
}

function unavailable(request: ResourceRequest, nodeCount: number): Reason {
  const wish = describeRequest(request);
  const nodes = nodeCount === 0 ? "no node is connected" : "the nodes that have it are down, drained or not connected";
  return { word: "ReqNodeNotAvail", text: `asks for ${wish}, but ${nodes}` };
}

/** Requests with the same shape fit in the same places. */
function shapeOf(request: ResourceRequest): string {
  const { tasks, cpusPerTask, memoryMiBPerNode, gpus } = request;
  return `${tasks}x${cpusPerTask} ${memoryMiBPerNode} ${gpus?.thousandths ?? 0}:${gpus?.type ?? ""}`;
}
