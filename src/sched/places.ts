/** Where a job may go, whatever room there is: the nodes of its partition, and what the partition adds to its request. */

import { effectiveLimit, findPartition } from "../core/decide/submit.ts";
import type { NodeName } from "../core/ids.ts";
import type { PendingJob } from "../core/job.ts";
import { mindsOthers, nodesOfOthers } from "../core/only-user.ts";
import { holdsNode, type Partition } from "../core/partition.ts";
import { LEAVES_EARLY, type Reserved, reservedFor } from "../core/reservation.ts";
import type { ResourceRequest } from "../core/resources.ts";
import type { ClusterState } from "../core/state.ts";

/** Where jobs of one kind may go. */
export interface Place {
  /** Jobs with the same key may use the same nodes. */
  readonly key: string;
  /** Name of the partition; empty for none. */
  readonly partition: string;
  allows(node: NodeName): boolean;
  /** Why a node is not allowed, in words; empty if it is. */
  whyNot(node: NodeName): string;
  /** Nodes of the partition that reservations keep from these jobs. */
  readonly reserved: readonly NodeName[];
  /** A request with what the partition adds. The same object for the same request. */
  adapt(request: ResourceRequest): ResourceRequest;
  /** Nodes that are taken for these jobs whatever room they have: a job of another user is there (--exclusive=user). */
  readonly others: ReadonlySet<NodeName>;
  /** The user who wants no other on the nodes of these jobs, by number; `null` for none. */
  readonly onlyUser: number | null;
  /** CPUs of one node that the jobs of the partition may hold together, 0 for no limit; and what they hold now. */
  readonly cpusMax: number;
  cpusHeld(node: NodeName): number;
}

/** Answers for one moment of one state. */
export type Places = (job: PendingJob) => Place;

/** Anywhere: for questions about room alone. */
export const ANYWHERE: Place = {
  key: "",
  partition: "",
  allows: () => true,
  whyNot: () => "",
  reserved: [],
  adapt: (request) => request,
  others: new Set(),
  onlyUser: null,
  cpusMax: 0,
  cpusHeld: () => 0,
};

/** Where each job of a state may go that starts at `now`. */
export function placesOf(state: ClusterState, now: number): Places {
  const places = new Map<string, Place>();
  const ofPartition = new Map<string, Shared>();
  // Where nothing tells jobs of a partition apart, they are not looked at one by one.
  const isSimple = state.reservations.size === 0 && state.elastic.nodes.size === 0;
  return (job) => {
    const partition = findPartition(state, job.spec);
    if (!partition) return ANYWHERE;
    if (isSimple && !mindsOthers(state, job.spec)) {
      const known = places.get(partition.name);
      if (known) return known;
    }
    const reserved = reservedFor(state, job.spec, effectiveLimit(job.spec, partition), now);
    const key = [partition.name, reserved.key, sharingKey(state, job)].filter((part) => part !== "").join(" ");
    let place = places.get(key);
    if (!place) {
      const shared = ofPartition.get(partition.name) ?? sharedOf(state, partition);
      ofPartition.set(partition.name, shared);
      place = {
        ...shared,
        ...bounds(state, partition, reserved),
        ...sharing(state, job),
        key,
        partition: partition.name,
      };
      places.set(key, place);
    }
    return place;
  };
}

/** Jobs of different users are told apart only where it matters. */
function sharingKey(state: ClusterState, { spec }: PendingJob): string {
  if (!mindsOthers(state, spec)) return "";
  return `${spec.request.onlyUser ? "only" : "user"} ${spec.user.uid}`;
}

function sharing(state: ClusterState, { spec }: PendingJob): Pick<Place, "others" | "onlyUser"> {
  return { others: nodesOfOthers(state, spec), onlyUser: spec.request.onlyUser ? spec.user.uid : null };
}

/** What is the same for all jobs of a partition. */
type Shared = Pick<Place, "adapt" | "cpusMax" | "cpusHeld">;

function bounds(
  state: ClusterState,
  partition: Partition,
  { only, barred, leaving }: Reserved,
): Pick<Place, "allows" | "whyNot" | "reserved"> {
  const nodes = partition.nodes && new Set(partition.nodes);
  const whyNot = (node: NodeName): string => {
    if (nodes !== null && !nodes.has(node)) return `it is not in partition ${partition.name}`;
    if (only !== null && !only.has(node)) return "it is not in the job's reservation";
    if (leaving.has(node)) return LEAVES_EARLY;
    const name = barred.get(node);
    return name === undefined ? "" : `it is reserved (${name}) before the job would be over`;
  };
  const isOpen = only === null && barred.size === 0;
  const every = isOpen ? [] : [...state.nodes.keys()];
  const reserved = every.filter((node) => (nodes === null || nodes.has(node)) && whyNot(node) !== "");
  return { allows: (node) => whyNot(node) === "", whyNot, reserved };
}

function sharedOf(state: ClusterState, partition: Partition): Shared {
  const adapted = new WeakMap<ResourceRequest, ResourceRequest>();
  let held: ReadonlyMap<NodeName, number> | null = null;
  return {
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
