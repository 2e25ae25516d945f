/** Where a job may go, whatever room there is: the nodes of its partition, and what the partition adds to its request. */

import { findPartition } from "../core/decide/submit.ts";
import type { NodeName } from "../core/ids.ts";
import type { PendingJob } from "../core/job.ts";
import { holdsNode, type Partition } from "../core/partition.ts";
import type { ResourceRequest } from "../core/resources.ts";
import type { ClusterState } from "../core/state.ts";

/** Where jobs of one kind may go. */
export interface Place {
  /** Jobs with the same key may use the same nodes. */
  readonly key: string;
  allows(node: NodeName): boolean;
  /** Why a node is not allowed, in words; empty if it is. */
  whyNot(node: NodeName): string;
  /** A request with what the partition adds. The same object for the same request. */
  adapt(request: ResourceRequest): ResourceRequest;
  /** CPUs of one node that the jobs of this place may hold together, 0 for no limit; and what they hold now. */
  readonly cpusMax: number;
  cpusHeld(node: NodeName): number;
}

/** Answers for one moment of one state. */
export type Places = (job: PendingJob) => Place;

/** Anywhere: for questions about room alone. */
export const ANYWHERE: Place = {
  key: "",
  allows: () => true,
  whyNot: () => "",
  adapt: (request) => request,
  cpusMax: 0,
  cpusHeld: () => 0,
};

/** Where each job of a state may go. */
export function placesOf(state: ClusterState): Places {
  const places = new Map<string, Place>();
  return (job) => {
    const partition = findPartition(state, job.spec);
    if (!partition) return ANYWHERE;
    let place = places.get(partition.name);
    if (!place) {
      place = placeOf(state, partition);
      places.set(partition.name, place);
    }
    return place;
  };
}

function placeOf(state: ClusterState, partition: Partition): Place {
  const nodes = partition.nodes && new Set(partition.nodes);
  const adapted = new WeakMap<ResourceRequest, ResourceRequest>();
  let held: ReadonlyMap<NodeName, number> | null = null;
  return {
    key: partition.name,
    allows: (node) => nodes === null || nodes.has(node),
    whyNot: (node) => (nodes === null || nodes.has(node) ? "" : `it is not in partition ${partition.name}`),
    adapt(request) {
      if (!addsAnything(partition)) return request;
      const known = adapted.get(request) ?? adaptTo(partition, request);
      adapted.set(request, known);
      return known;
    },
    cpusMax: partition.maxCpusPerNode,
    cpusHeld(node) {
      held ??= cpusOf(state, partition);
      return held.get(node) ?? 0;
    },
  };
}

function addsAnything({ isExclusive, minNodes, maxNodes }: Partition): boolean {
  return isExclusive || minNodes > 1 || maxNodes > 0;
}

function adaptTo({ isExclusive, minNodes, maxNodes }: Partition, request: ResourceRequest): ResourceRequest {
  const { min, max } = request.nodes ?? { min: 1, max: request.tasks ?? Number.MAX_SAFE_INTEGER };
  const least = Math.max(min, minNodes);
  const most = Math.max(least, maxNodes > 0 ? Math.min(max, maxNodes) : max);
  const isNarrower = least > min || most < max;
  return {
    ...request,
    exclusive: request.exclusive || isExclusive,
    ...(isNarrower ? { nodes: { min: least, max: most } } : {}),
  };
}

/** CPUs that the jobs of a partition hold on each node. */
function cpusOf(state: ClusterState, partition: Partition): ReadonlyMap<NodeName, number> {
  const held = new Map<NodeName, number>();
  for (const id of state.active) {
    const job = state.jobs.get(id);
    if (!job || findPartition(state, job.spec)?.name !== partition.name) continue;
    for (const { node, cpus } of job.allocation) {
      if (holdsNode(partition, node)) held.set(node, (held.get(node) ?? 0) + cpus);
    }
  }
  return held;
}
