/** Sums of what jobs used within a time, by user and account; kept small however many jobs there are. */

import { isEnded, type Job } from "../job.ts";
import type { NodeInventory } from "../node.ts";
import type { Tres } from "./records.ts";
import { addTres, scaleTres, tresOf } from "./tres.ts";

/** Name of the account above; empty for none. */
export type ParentOf = (account: string) => string;

export interface UsageReport {
  readonly clusterName: string;
  /** TRES seconds of each user within each account. */
  readonly users: ReadonlyMap<string, { readonly user: string; readonly account: string; readonly seconds: Tres }>;
  /** TRES seconds of each account with all below it. */
  readonly accounts: ReadonlyMap<string, Tres>;
  readonly total: Tres;
  /** TRES seconds that the nodes of today could have given. */
  readonly capacity: Tres;
  readonly parentOf: ParentOf;
  add(job: Job): void;
}

interface Frame {
  readonly clusterName: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly until: number;
  readonly nodes: readonly { readonly inventory: Pick<NodeInventory, "cpus" | "memoryMiB" | "gpus"> }[];
  readonly parentOf: ParentOf;
}

/** Most accounts above one another. */
const DEPTH_MAX = 100;

/** No sums yet. */
export function createUsageReport({ clusterName, since, until, nodes, parentOf }: Frame): UsageReport {
  const users = new Map<string, { readonly user: string; readonly account: string; readonly seconds: Tres }>();
  const accounts = new Map<string, Tres>();
  const report = { clusterName, users, accounts, total: {} as Tres, parentOf };
  const add = (job: Job): void => {
    const seconds = secondsWithin(job, since, until);
    if (seconds === null) return;
    const { account: own, user } = job.spec;
    const account = own ?? "";
    const key = `${account}\0${user.name}`;
    users.set(key, { user: user.name, account, seconds: addTres(users.get(key)?.seconds ?? {}, seconds) });
    report.total = addTres(report.total, seconds);
    let above = account;
    for (let depth = 0; above !== "" && depth < DEPTH_MAX; depth++) {
      accounts.set(above, addTres(accounts.get(above) ?? {}, seconds));
      above = parentOf(above);
    }
  };
  return Object.assign(report, { add, capacity: capacityOf(nodes, (until - since) / 1000) });
}

/** What a job held within a time; `null` if it did not run then. */
function secondsWithin(job: Job, since: number, until: number): Tres | null {
  if (job.state === "PENDING" || job.startAt === null) return null;
  const endAt = isEnded(job) ? job.endAt : until;
  const ranMs = Math.min(endAt, until) - Math.max(job.startAt, since);
  if (ranMs <= 0) return null;
  return scaleTres(tresOf(job.allocation, { cpu: 1 }), ranMs / 1000);
}

function capacityOf(nodes: Frame["nodes"], seconds: number): Tres {
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
