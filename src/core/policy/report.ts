/** Sums of what jobs used within a time, by user, account, wckey, size and reservation; small however many jobs there are. */

import { isEnded, type Job } from "../job.ts";
import type { NodeInventory } from "../node.ts";
import type { Tres } from "./records.ts";
import { addTres, scaleTres, tresOf } from "./tres.ts";

/** Name of the account above; empty for none. */
export type ParentOf = (account: string) => string;

/** CPU seconds of jobs and how many they were, one sum for each range of CPUs. */
export interface SizeSums {
  readonly account: string;
  readonly wckey: string;
  readonly seconds: number[];
  readonly jobs: number[];
}

export interface UsageReport {
  readonly clusterName: string;
  /** TRES seconds of each user within each account. */
  readonly users: ReadonlyMap<string, { readonly user: string; readonly account: string; readonly seconds: Tres }>;
  /** The same of each user and wckey; jobs without one are left out. */
  readonly wckeys: ReadonlyMap<string, { readonly user: string; readonly wckey: string; readonly seconds: Tres }>;
  /** Of each account and wckey. */
  readonly sizes: ReadonlyMap<string, SizeSums>;
  /** TRES seconds of the jobs of each reservation. */
  readonly reservations: ReadonlyMap<string, Tres>;
  /** TRES seconds of each account with all below it. */
  readonly accounts: ReadonlyMap<string, Tres>;
  readonly total: Tres;
  /** TRES seconds that the nodes of today could have given. */
  readonly capacity: Tres;
  readonly parentOf: ParentOf;
  add(job: Job): void;
}

/** What nodes have. */
export type CapacityNode = { readonly inventory: Pick<NodeInventory, "cpus" | "memoryMiB" | "gpus"> };

interface Frame {
  readonly clusterName: string;
  /** Milliseconds since 1970; what is still to come is no usage. */
  readonly since: number;
  readonly until: number;
  readonly nodes: readonly CapacityNode[];
  readonly parentOf: ParentOf;
  /** CPUs from which the ranges after the first begin, ascending. */
  readonly grouping: readonly number[];
}

/** Most accounts above one another. */
const DEPTH_MAX = 100;

/** No sums yet. */
export function createUsageReport(frame: Frame): UsageReport {
  const { clusterName, since, until, nodes, parentOf, grouping } = frame;
  const users = new Map<string, { readonly user: string; readonly account: string; readonly seconds: Tres }>();
  const wckeys = new Map<string, { readonly user: string; readonly wckey: string; readonly seconds: Tres }>();
  const [accounts, reservations] = [new Map<string, Tres>(), new Map<string, Tres>()];
  const sizes = new Map<string, SizeSums>();
  const report = { clusterName, users, wckeys, sizes, reservations, accounts, total: {} as Tres, parentOf };
  const add = (job: Job): void => {
    const seconds = secondsWithin(job, since, until);
    if (seconds === null || job.state === "PENDING") return;
    const { account: own, wckey, reservation } = job.spec;
    const user = job.spec.user.name;
    const account = own ?? "";
    const [key, named] = [`${account}\0${user}`, `${wckey}\0${user}`];
    users.set(key, { user, account, seconds: addTres(users.get(key)?.seconds ?? {}, seconds) });
    if (wckey !== "") wckeys.set(named, { user, wckey, seconds: addTres(wckeys.get(named)?.seconds ?? {}, seconds) });
    if (reservation) reservations.set(reservation, addTres(reservations.get(reservation) ?? {}, seconds));
    addSize(sizes, grouping, { account, wckey, cpus: cpusOf(job), seconds: seconds.cpu ?? 0 });
    report.total = addTres(report.total, seconds);
    let above = account;
    for (let depth = 0; above !== "" && depth < DEPTH_MAX; depth++) {
      accounts.set(above, addTres(accounts.get(above) ?? {}, seconds));
      above = parentOf(above);
    }
  };
  return Object.assign(report, { add, capacity: capacityOf(nodes, (until - since) / 1000) });
}

function addSize(
  sizes: Map<string, SizeSums>,
  grouping: readonly number[],
  { account, wckey, cpus, seconds }: Pick<SizeSums, "account" | "wckey"> & { cpus: number; seconds: number },
): void {
  const key = `${account}\0${wckey}`;
  const ranges = (): number[] => Array.from({ length: grouping.length + 1 }, () => 0);
  const sums = sizes.get(key) ?? { account, wckey, seconds: ranges(), jobs: ranges() };
  sizes.set(key, sums);
  const range = grouping.filter((from) => cpus >= from).length;
  sums.seconds[range] = (sums.seconds[range] ?? 0) + seconds;
  sums.jobs[range] = (sums.jobs[range] ?? 0) + 1;
}

function cpusOf({ allocation }: Job): number {
  return allocation.reduce((sum, { cpus }) => sum + cpus, 0);
}

/** What a job held within a time; `null` if it did not run then. */
function secondsWithin(job: Job, since: number, until: number): Tres | null {
  if (job.state === "PENDING" || job.startAt === null) return null;
  const endAt = isEnded(job) ? job.endAt : until;
  const ranMs = Math.min(endAt, until) - Math.max(job.startAt, since);
  if (ranMs <= 0) return null;
  return scaleTres(tresOf(job.allocation, { cpu: 1 }), ranMs / 1000);
}

/** TRES seconds that nodes can give in a time. */
export function capacityOf(nodes: readonly CapacityNode[], seconds: number): Tres {
  const all: Record<string, number> = { cpu: 0, mem: 0, node: nodes.length, billing: 0 };
  for (const { inventory } of nodes) {
    all.cpu = (all.cpu ?? 0) + inventory.cpus;
    all.mem = (all.mem ?? 0) + inventory.memoryMiB;
    for (const { type } of inventory.gpus) {
      for (const name of ["gres/gpu", `gres/gpu:${type}`]) all[name] = (all[name] ?? 0) + 1;
    }
  }
  all.billing = all.cpu ?? 0;
  return scaleTres(all, seconds);
}
