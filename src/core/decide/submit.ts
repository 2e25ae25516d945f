/** May a job enter the queue. */

import type { SubmitJob } from "../commands.ts";
import { describeNode, describeRequest, fitsEmptyNode } from "../fit.ts";
import type { PendingJob } from "../job.ts";
import { type JobSpec, UNLIMITED } from "../jobspec.ts";
import type { Node } from "../node.ts";
import type { Partition } from "../partition.ts";
import type { ClusterState } from "../state.ts";
import { type Decision, deny } from "./decision.ts";

/** At most this many nodes are listed in a refusal: more would not be read. */
const NODES_LISTED_MAX = 8;

/** Accepts a job, or says which of its wishes no node of the cluster can ever meet. */
export function decideSubmit(state: ClusterState, command: SubmitJob, now: number): Decision {
  const known = state.requests.get(command.requestId);
  if (known !== undefined) return { kind: "ignore", why: "this submission was accepted before", jobId: known };
  const partition = findPartition(state, command.spec);
  if (!partition) return denyPartition(state, command.spec);
  const limit = command.spec.timeLimitS;
  if (exceeds(limit, partition.maxTimeS)) {
    return deny(
      "INVALID_TIME_LIMIT",
      "Requested time limit is invalid (missing or exceeds some limit)",
      `partition ${partition.name} allows at most ${Math.floor(partition.maxTimeS / 60)} minutes`,
    );
  }
  const nodes = [...state.nodes.values()];
  if (nodes.length > 0 && !nodes.some((node) => fitsEmptyNode(node, command.spec.request))) {
    return denyRequest(command.spec, nodes);
  }
  const job: PendingJob = {
    state: "PENDING",
    id: state.nextJobId,
    spec: command.spec,
    submitAt: now,
    attempt: 0,
    requestId: command.requestId,
    eligibleAt: now,
  };
  return { kind: "accept", events: [{ type: "job.submitted", job }], jobId: job.id };
}

/** The partition a job goes to: the one it names, else the default. */
export function findPartition(state: ClusterState, spec: JobSpec): Partition | undefined {
  if (spec.partition !== null) return state.partitions.get(spec.partition);
  for (const partition of state.partitions.values()) if (partition.isDefault) return partition;
  return undefined;
}

/** Seconds that the job may run, 0 for no limit. */
export function effectiveLimit(spec: JobSpec, partition: Partition): number {
  if (spec.timeLimitS !== null) return spec.timeLimitS;
  return partition.defaultTimeS !== UNLIMITED ? partition.defaultTimeS : partition.maxTimeS;
}

function exceeds(limitS: number | null, maxS: number): boolean {
  if (maxS === UNLIMITED || limitS === null) return false;
  return limitS === UNLIMITED || limitS > maxS;
}

function denyPartition(state: ClusterState, spec: JobSpec): Decision {
  const names = [...state.partitions.keys()].join(", ");
  return deny("INVALID_PARTITION", `invalid partition specified: ${spec.partition}`, `partitions here: ${names}`);
}

function denyRequest(spec: JobSpec, nodes: readonly Node[]): Decision {
  const listed = nodes.slice(0, NODES_LISTED_MAX).map(describeNode);
  if (nodes.length > listed.length) listed.push(`and ${nodes.length - listed.length} more nodes`);
  const asked = describeRequest(spec.request);
  return deny(
    "NOT_FEASIBLE",
    "Requested node configuration is not available",
    `asked for ${asked} on one node; ${listed.join("; ")}`,
  );
}
