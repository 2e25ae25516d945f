/**
 * The nodes that jobs of one place may use in a pass, with what the pass has granted.
 *
 * Places may share nodes. Once a job waits for room, the nodes of its place are kept for it: no job behind it gets any
 * of them, from whatever partition it is.
 */

import type { NodeName } from "../core/ids.ts";
import type { Candidate } from "../core/node-set.ts";
import { type Allocation, type NodeUsage, type ResourceRequest, WHOLE_GPU } from "../core/resources.ts";
import { createPlacer } from "./place/place.ts";
import { take } from "./place/together.ts";
import type { Place } from "./places.ts";

export interface Pool {
  readonly candidates: readonly Candidate[];
  place(request: ResourceRequest): Allocation | null;
}

export interface Pools {
  /** What jobs of a place may use now; `null` if all of it is kept for jobs before them. */
  of(place: Place): Pool | null;
  /** Keeps the nodes of a place for the job that waits for them. */
  keep(place: Place): void;
  /** Grants to a job (of a user, by number) of a place what was found for it. */
  take(place: Place, allocation: Allocation, uid: number): void;
  /** Counts for a place what was taken from {@link all} already. */
  note(place: Place, allocation: Allocation, uid: number): void;
  /** All nodes that take new work, with what the pass has granted. */
  readonly all: readonly Candidate[];
  /** Whether every node is kept for somebody. */
  readonly isDone: boolean;
}

/** Pools of nodes that take new work. */
export function createPools(open: readonly Candidate[]): Pools {
  const pools = new Map<string, Pool | null>();
  const kept = new Set<NodeName>();
  const granted = new Map<string, Map<NodeName, number>>();
  /** Of the jobs that this pass starts. */
  const users = new Map<NodeName, Set<number>>();

  const make = (place: Place): Pool | null => {
    const own = open.filter(({ node }) => place.allows(node.name));
    const free = own.filter(({ node }) => !kept.has(node.name));
    // A partition without nodes that take work has a pool all the same: its jobs are told what is missing.
    if (own.length > 0 && free.length === 0) return null;
    const given = granted.get(place.key) ?? new Map<NodeName, number>();
    granted.set(place.key, given);
    const limited = place.cpusMax > 0 ? free.map((one) => capped(one, place, given)) : free;
    const minds = place.others.size > 0 || place.onlyUser !== null;
    const candidates = minds ? limited.map((one) => unlessTaken(one, () => isTaken(place, one.node.name))) : limited;
    return { candidates, place: createPlacer(candidates) };
  };

  const isTaken = ({ others, onlyUser }: Place, node: NodeName): boolean => {
    const newcomers = users.get(node);
    const isOther = onlyUser !== null && newcomers !== undefined && [...newcomers].some((uid) => uid !== onlyUser);
    return isOther || others.has(node);
  };

  const note = (place: Place, allocation: Allocation, uid: number): void => {
    const given = granted.get(place.key);
    for (const { node, cpus } of allocation) {
      given?.set(node, (given.get(node) ?? 0) + cpus);
      users.set(node, (users.get(node) ?? new Set()).add(uid));
    }
    if (place.onlyUser === null) return;
    // Its own user's jobs get what is left of these nodes in the next pass, which knows whose they are.
    for (const { node } of allocation) kept.add(node);
    pools.clear();
  };

  return {
    of(place) {
      const known = pools.get(place.key);
      if (known !== undefined) return known;
      const made = make(place);
      pools.set(place.key, made);
      return made;
    },
    keep(place) {
      for (const { node } of open) if (place.allows(node.name)) kept.add(node.name);
      pools.clear();
    },
    take(place, allocation, uid) {
      take(open, allocation);
      note(place, allocation, uid);
    },
    note,
    all: open,
    get isDone() {
      return open.length > 0 && open.every(({ node }) => kept.has(node.name));
    },
  };
}

/** A node as it is, or full. */
function unlessTaken(base: Candidate, isTaken: () => boolean): Candidate {
  const { inventory } = base.node;
  const full: NodeUsage = {
    ...{ cpus: inventory.cpus, memoryMiB: inventory.memoryMiB },
    gpus: Object.fromEntries(inventory.gpus.map(({ index }) => [index, WHOLE_GPU])),
  };
  return {
    ...{ node: base.node, position: base.position },
    get usage() {
      return isTaken() ? full : base.usage;
    },
  };
}

/** A node as jobs of a place see it that may hold only some of its CPUs together. */
function capped(base: Candidate, place: Place, given: ReadonlyMap<NodeName, number>): Candidate {
  const { node, position } = base;
  const cpus = Math.min(place.cpusMax, node.inventory.cpus);
  const now = (usage: NodeUsage): NodeUsage => {
    const held = place.cpusHeld(node.name) + (given.get(node.name) ?? 0);
    const free = Math.min(cpus - held, node.inventory.cpus - usage.cpus);
    return { ...usage, cpus: cpus - Math.max(0, free) };
  };
  return {
    node: { ...node, inventory: { ...node.inventory, cpus } },
    position,
    get usage() {
      return now(base.usage);
    },
  };
}
