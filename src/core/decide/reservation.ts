/** What operators do to reservations, and their end. Whether somebody is an operator is asked before. */

import type { CreateReservation, DeleteReservation, ExpireReservation, UpdateReservation } from "../commands.ts";
import type { Event } from "../events.ts";
import { fold } from "../hostlist.ts";
import { EXIT_OK, isEnded, type Job } from "../job.ts";
import { compareNodeNames } from "../node-set.ts";
import { holdsNode, type Partition } from "../partition.ts";
import { mayOverlap, nextTime, type Reservation } from "../reservation.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, deny, ignore, type Refusal } from "./decision.ts";
import { findNodes } from "./operate.ts";
import { endWhole, onePerJob } from "./steer.ts";
import { limitEnd } from "./timer.ts";

const INVALID = "Requested reservation is invalid";

/** Makes a reservation of named nodes, or of so many that nobody has. */
export function decideCreateReservation(state: ClusterState, command: CreateReservation, now: number): Decision {
  const { reservation, nodeCount } = command;
  const { name } = reservation;
  if (state.reservations.has(name))
    return deny("INVALID_RESERVATION", "Duplicate reservation name", `${name} is taken`);
  return put(state, reservation, nodeCount, now);
}

/** Changes a reservation. What runs goes on. */
export function decideUpdateReservation(state: ClusterState, command: UpdateReservation, now: number): Decision {
  const { name, changes, nodeCount } = command;
  const known = state.reservations.get(name);
  return known ? put(state, { ...known, ...changes }, nodeCount, now) : unknown(name);
}

/** Removes a reservation in which nothing runs. */
export function decideDeleteReservation(state: ClusterState, { name }: DeleteReservation): Decision {
  if (!state.reservations.has(name)) return unknown(name);
  const running = jobsIn(state, name).map(({ id }) => id);
  if (running.length === 0) return accept({ type: "reservation.deleted", reservation: name });
  const hint = `jobs run in it: ${running.slice(0, IDS_NAMED_MAX).join(", ")}`;
  return deny("RESERVATION_BUSY", "Requested reservation is in use", hint);
}

/** The end of a reservation's time: jobs that still run in it end, unless it is flexible; it may come back. */
export function decideExpireReservation(state: ClusterState, { name }: ExpireReservation, now: number): Decision {
  const reservation = state.reservations.get(name);
  if (!reservation || reservation.endAt > now) return ignore("gone, or not over");
  const next = nextTime(reservation, now);
  const events: Event[] = [];
  if (!reservation.flags.includes("FLEX")) {
    const running = jobsIn(state, name).filter((job) => job.state === "RUNNING");
    events.push(
      // A heterogeneous job's leader ends components that have a turn of their own.
      ...onePerJob(
        running.flatMap((job) => endWhole(state, job, "TIMEOUT", EXIT_OK, `reservation ${name} is over`, null)),
      ),
    );
  }
  events.push(
    next ? { type: "reservation.set", reservation: next } : { type: "reservation.deleted", reservation: name },
  );
  return accept(...events);
}

const IDS_NAMED_MAX = 10;

function jobsIn(state: ClusterState, name: string): Job[] {
  return [...state.active].flatMap((id) => {
    const job = state.jobs.get(id);
    return job && !isEnded(job) && job.spec.reservation === name ? [job] : [];
  });
}

function put(state: ClusterState, wanted: Reservation, nodeCount: number, now: number): Decision {
  const { startAt, endAt, users, accounts } = wanted;
  if (endAt <= startAt || endAt <= now) {
    return deny("INVALID_RESERVATION", "Invalid time specification", "it would be over before it begins");
  }
  if (users.length === 0 && accounts.length === 0) {
    return deny("INVALID_RESERVATION", "Either Users and/or Accounts must be specified");
  }
  const partition = wanted.partition === null ? undefined : state.partitions.get(wanted.partition);
  if (wanted.partition !== null && !partition) {
    return deny("INVALID_PARTITION", "Invalid partition name specified", `there is no partition ${wanted.partition}`);
  }
  const nodes = nodeCount > 0 ? pick(state, wanted, partition, nodeCount) : named(state, wanted, partition);
  if ("kind" in nodes) return nodes;
  const reservation = { ...wanted, nodes };
  const problem = clashProblem(state, reservation);
  return problem ?? accept({ type: "reservation.set", reservation });
}

function named(state: ClusterState, wanted: Reservation, partition: Partition | undefined): string[] | Refusal {
  const found = findNodes(state, wanted.nodes);
  if ("kind" in found) return found;
  const own =
    wanted.flags.includes("PART_NODES") && partition ? found.filter(({ name }) => holdsNode(partition, name)) : found;
  if (own.length === 0) return deny("INVALID_NODE_COUNT", "Node count specification invalid", "there is no such node");
  const outside = partition ? own.filter(({ name }) => !holdsNode(partition, name)) : [];
  if (outside.length > 0) {
    const hint = `not in partition ${partition?.name}: ${fold(outside.map(({ name }) => name))}`;
    return deny("INVALID_NODE", "Requested nodes not in this partition", hint);
  }
  return own.map(({ name }) => name).sort(compareNodeNames);
}

/** So many nodes that are free of jobs and reservations then; those in service first. */
function pick(
  state: ClusterState,
  wanted: Reservation,
  partition: Partition | undefined,
  count: number,
): string[] | Refusal {
  const own = [...state.nodes.values()].filter(({ name }) => !partition || holdsNode(partition, name));
  const free = own.filter(({ name }) => clashProblem(state, { ...wanted, nodes: [name] }) === null);
  const rank = (isOut: boolean): number => (isOut ? 1 : 0);
  free.sort(
    (a, b) =>
      rank(a.down !== null || a.drain !== null) - rank(b.down !== null || b.drain !== null) ||
      compareNodeNames(a.name, b.name),
  );
  if (free.length < count) {
    const hint = `${count} nodes are asked for, ${free.length} of ${own.length} are free then`;
    return deny("NODE_BUSY", "Requested nodes are busy", hint);
  }
  return free
    .slice(0, count)
    .map(({ name }) => name)
    .sort(compareNodeNames);
}

/** Another reservation, or jobs that run past the start, on the same nodes. */
function clashProblem(state: ClusterState, reservation: Reservation): Refusal | null {
  const { name, nodes, startAt, endAt, flags } = reservation;
  const other = mayOverlap(reservation)
    ? undefined
    : [...state.reservations.values()].find(
        (one) =>
          one.name !== name &&
          !mayOverlap(one) &&
          one.startAt < endAt &&
          startAt < one.endAt &&
          one.nodes.some((node) => nodes.includes(node)),
      );
  if (other) {
    const words = "Requested reservation overlaps with another reservation";
    return deny("INVALID_RESERVATION", words, `it is ${other.name}; Flags=OVERLAP allows it`);
  }
  if (flags.includes("IGNORE_JOBS") || flags.includes("MAINT")) return null;
  const late = [...state.active].filter((id) => {
    const job = state.jobs.get(id);
    if (job?.state !== "RUNNING" || job.spec.reservation === name || limitEnd(job) <= startAt) return false;
    return job.allocation.some((share) => nodes.includes(share.node));
  });
  if (late.length === 0) return null;
  const hint = `jobs run there past its start: ${late.slice(0, IDS_NAMED_MAX).join(", ")}; Flags=IGNORE_JOBS allows it`;
  return deny("NODE_BUSY", "Requested nodes are busy", hint);
}

function unknown(name: string): Refusal {
  return deny("INVALID_RESERVATION", INVALID, `there is no reservation ${name}`);
}
