/** What may be said of jobs that wait, found out in the plainest way, by nothing that the scheduler uses. */

import { isEnded, type Job, type PendingJob } from "../../../src/core/job.ts";
import type { JobLimits } from "../../../src/core/job-limits.ts";
import type { Limits } from "../../../src/core/policy/records.ts";
import type { NodeShare } from "../../../src/core/resources.ts";
import type { ClusterState } from "../../../src/core/state.ts";

/** Jobs that hold something, or are being cleared away. */
export function holders(state: ClusterState): readonly Job[] {
  return [...state.jobs.values()].filter((job) => job.state === "RUNNING" || job.cleanup.length > 0);
}

function gpusOf({ allocation }: Pick<Job, "allocation">): number {
  return allocation.reduce((sum, { gpus }) => sum + gpus.length, 0);
}

function isOf(
  job: Job,
  { user, qos, account }: Readonly<Partial<Record<"user" | "qos" | "account", string>>>,
): boolean {
  const { spec } = job;
  return (
    (user === undefined || spec.user.name === user) &&
    (qos === undefined || spec.qos === qos) &&
    (account === undefined || spec.account === account)
  );
}

/** Jobs and GPUs that are held by all of some kind. */
export function heldBy(state: ClusterState, whose: Parameters<typeof isOf>[1]): { jobs: number; gpus: number } {
  const own = holders(state).filter((job) => isOf(job, whose));
  return { jobs: own.length, gpus: own.reduce((sum, job) => sum + gpusOf(job), 0) };
}

/** What is set in a test. */
export interface Rules {
  readonly qos: Readonly<Record<string, Limits>>;
  readonly accounts: Readonly<Record<string, Limits>>;
  readonly users: Readonly<Record<string, Limits>>;
  readonly running: JobLimits;
  readonly licenses: number;
}

/** Limits that are broken now, in words. */
export function brokenLimits(state: ClusterState, { qos, accounts, users, running, licenses }: Rules): string[] {
  const broken: string[] = [];
  const most = (what: string, amount: number, limit: number | undefined): void => {
    if (limit !== undefined && amount > limit) broken.push(`${what}: ${amount} of ${limit}`);
  };
  for (const [name, limits] of Object.entries(qos)) {
    most(`jobs of QOS ${name}`, heldBy(state, { qos: name }).jobs, limits.grpJobs);
    most(`GPUs of QOS ${name}`, heldBy(state, { qos: name }).gpus, limits.grpTres?.["gres/gpu"]);
    for (const user of Object.keys(users)) {
      most(`jobs of ${user} in QOS ${name}`, heldBy(state, { qos: name, user }).jobs, limits.maxJobsPU);
      most(`GPUs of ${user} in QOS ${name}`, heldBy(state, { qos: name, user }).gpus, limits.maxTresPU?.["gres/gpu"]);
    }
  }
  for (const [account, limits] of Object.entries(accounts)) {
    most(`jobs of account ${account}`, heldBy(state, { account }).jobs, limits.grpJobs);
    most(`GPUs of account ${account}`, heldBy(state, { account }).gpus, limits.grpTres?.["gres/gpu"]);
  }
  for (const [user, limits] of Object.entries(users))
    most(`jobs of ${user}`, heldBy(state, { user }).jobs, limits.maxJobs);
  const live = [...state.jobs.values()].filter(({ state: word }) => word === "RUNNING");
  if (running.all > 0) most("running jobs", live.length, running.all);
  for (const user of running.perUser > 0 ? Object.keys(users) : []) {
    most(`running jobs of ${user}`, live.filter((job) => isOf(job, { user })).length, running.perUser);
  }
  most("licenses", usedLicenses(state), licenses);
  return broken;
}

export function usedLicenses(state: ClusterState): number {
  return holders(state).reduce((sum, { spec }) => sum + spec.licenses.reduce((own, { count }) => own + count, 0), 0);
}

/** What is in the way on each node: not what is left behind already, and nothing of those who were stopped for others. */
function inTheWay(state: ClusterState): readonly NodeShare[] {
  return holders(state).flatMap((job) => {
    if (job.yieldsTo !== undefined) return [];
    return job.state === "RUNNING" ? job.allocation : job.allocation.filter(({ node }) => job.cleanup.includes(node));
  });
}

/** Whether a job finds room on some nodes; with `null` for what is held, on idle ones. Of the requests that these tests make. */
export function hasRoom(
  state: ClusterState,
  { spec: { request } }: PendingJob,
  nodes: readonly string[],
  held: readonly NodeShare[] = inTheWay(state),
): boolean {
  const gpus = request.gpus?.wishes.reduce((sum, { thousandths }) => sum + thousandths / 1000, 0) ?? 0;
  const good = nodes.filter((name) => {
    const node = state.nodes.get(name);
    if (!node || node.drain || node.down) return false;
    const shares = held.filter((share) => share.node === name);
    const cpus = shares.reduce((sum, share) => sum + share.cpus, 0);
    const taken = new Set(shares.flatMap((share) => share.gpus.map(({ index }) => index))).size;
    const { inventory } = node;
    if (request.exclusive) return shares.length === 0;
    return inventory.cpus - cpus >= (request.tasks ?? 1) && inventory.gpus.length - taken >= gpus;
  });
  return good.length >= (request.nodes?.min ?? 1);
}

/** Whether a job that another one waits for is not over. */
export function waitsForSomebody(state: ClusterState, { spec }: PendingJob): boolean {
  const names = new Set((spec.dependency?.terms ?? []).map((term) => term.jobId));
  return [...state.jobs.values()].some((other) => {
    const isNamed = names.has(other.id) || (other.array !== null && names.has(other.array.jobId));
    return isNamed && (!isEnded(other) || other.cleanup.length > 0);
  });
}
