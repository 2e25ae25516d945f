/** Reservations: nodes that for some time are there for some users or accounts only. */

import type { ElasticNode } from "./elastic/records.ts";
import type { NodeName } from "./ids.ts";
import type { JobSpec } from "./jobspec.ts";
import type { Operator } from "./node.ts";

/**
 * Slurm's flags that mgpu honours.
 * - `MAINT`, `OVERLAP`: may be on nodes that another reservation has; MAINT is shown as such
 * - `IGNORE_JOBS`: made although jobs run there past its start
 * - `HOURLY` ... `WEEKEND`: comes back
 * - `FLEX`: its jobs may use other nodes too, and go on after its end
 * - `SPEC_NODES`, `ALL_NODES`, `PART_NODES`: how its nodes were named
 * - `STATIC_ALLOC`: its nodes stay as they were chosen; that is always so
 */
export const RESERVATION_FLAGS = [
  "MAINT",
  "OVERLAP",
  "IGNORE_JOBS",
  "HOURLY",
  "DAILY",
  "WEEKLY",
  "WEEKDAY",
  "WEEKEND",
  "FLEX",
  "SPEC_NODES",
  "ALL_NODES",
  "PART_NODES",
  "STATIC_ALLOC",
] as const;

export type ReservationFlag = (typeof RESERVATION_FLAGS)[number];

export interface Reservation {
  readonly name: string;
  /** Milliseconds since 1970: of one that comes back, the present or next time. */
  readonly startAt: number;
  readonly endAt: number;
  readonly nodes: readonly NodeName[];
  /** Who may use it: users by name, and accounts. */
  readonly users: readonly string[];
  readonly accounts: readonly string[];
  /** `null` for any. */
  readonly partition: string | null;
  readonly flags: readonly ReservationFlag[];
  readonly by: Operator;
  /** By how many minutes the clocks of whoever made it are ahead of UTC: whose days are meant. Absent for 0. */
  readonly utcOffsetMinutes?: number | undefined;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Whether it holds at a time. */
export function isActive({ startAt, endAt }: Reservation, now: number): boolean {
  return startAt <= now && now < endAt;
}

/** The same reservation at its first time that ends after `now`; `null` if it does not come back. */
export function nextTime(reservation: Reservation, now: number): Reservation | null {
  const { flags, startAt, endAt, utcOffsetMinutes = 0 } = reservation;
  const localAt = startAt + utcOffsetMinutes * 60_000;
  const isWeekly = flags.includes("WEEKDAY") || flags.includes("WEEKEND");
  const stepMs = flags.includes("HOURLY")
    ? HOUR_MS
    : flags.includes("WEEKLY")
      ? 7 * DAY_MS
      : isWeekly || flags.includes("DAILY")
        ? DAY_MS
        : 0;
  if (stepMs === 0) return null;
  let steps = Math.max(1, Math.floor((now - endAt) / stepMs) + 1);
  while (isWeekly && isWeekend(localAt + steps * stepMs) !== flags.includes("WEEKEND")) steps++;
  return { ...reservation, startAt: startAt + steps * stepMs, endAt: endAt + steps * stepMs };
}

/** Saturday or Sunday, of a local time. */
function isWeekend(atMs: number): boolean {
  // 1970 began on a Thursday.
  const day = (Math.floor(atMs / DAY_MS) + 4) % 7;
  return day === 0 || day === 6;
}

/** Whether a job's user may use it. Root may use all. */
export function mayUse(
  { users, accounts }: Reservation,
  { user, account }: Pick<JobSpec, "user" | "account">,
): boolean {
  return user.uid === 0 || users.includes(user.name) || (account !== null && accounts.includes(account));
}

/** Which nodes reservations leave to a job that starts now. */
export interface Reserved {
  /** The only ones that it may use; `null` for all. */
  readonly only: ReadonlySet<NodeName> | null;
  /** Those that it must not use, with whose they are. */
  readonly barred: ReadonlyMap<NodeName, string>;
  /** Nodes that leave before the job would be over. */
  readonly leaving: ReadonlySet<NodeName>;
  /** One text for all jobs of which this is equally true. */
  readonly key: string;
}

/** Why a node of another batch system is not for a job. */
export const LEAVES_EARLY = "its allocation ends before the job would be over";

const NOTHING: ReadonlySet<NodeName> = new Set();
const FREE: Reserved = { only: null, barred: new Map(), leaving: NOTHING, key: "" };

/** What nodes are there for, and for how long. */
export interface Bookings {
  readonly reservations: ReadonlyMap<string, Reservation>;
  /** Nodes that another batch system lends. */
  readonly elastic: { readonly nodes: ReadonlyMap<NodeName, Pick<ElasticNode, "endsAt">> };
}

/** @param limitS seconds that the job may run, 0 for no limit: it must not run into another's reservation */
export function reservedFor(
  { reservations, elastic: { nodes } }: Bookings,
  spec: Pick<JobSpec, "reservation">,
  limitS: number,
  now: number,
): Reserved {
  if (reservations.size === 0 && nodes.size === 0) return FREE;
  const own = spec.reservation === null ? undefined : reservations.get(spec.reservation);
  const until = limitS === 0 ? Number.POSITIVE_INFINITY : now + limitS * 1000;
  const barred = new Map<NodeName, string>();
  const names: string[] = [];
  for (const other of reservations.values()) {
    if (other === own || other.endAt <= now || other.startAt >= until) continue;
    // What was put over another one on purpose is not kept from its own jobs.
    if (own && mayOverlap(own)) continue;
    names.push(other.name);
    for (const node of other.nodes) barred.set(node, other.name);
  }
  const only = own && !own.flags.includes("FLEX") ? new Set(own.nodes) : null;
  if (own) for (const node of own.nodes) barred.delete(node);
  const leaving =
    nodes.size === 0
      ? NOTHING
      : new Set(
          [...nodes].flatMap(([node, { endsAt }]) => {
            // How long it stays is not known yet: nothing is.
            return endsAt === null || endsAt < until ? [node] : [];
          }),
        );
  const gone = leaving.size === 0 ? "" : `|${[...leaving].join()}`;
  return { only, barred, leaving, key: `${own?.name ?? ""}|${names.join()}${gone}` };
}

/** Whether it may have nodes that another one has at the same time. */
export function mayOverlap({ flags }: Pick<Reservation, "flags">): boolean {
  return flags.includes("MAINT") || flags.includes("OVERLAP");
}
