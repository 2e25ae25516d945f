/** Which jobs stand against a removal: those that are charged to what is to go, and are not over. */

import type { Association } from "../../../core/policy/records.ts";
import type { PolicyState } from "../../../core/policy/state.ts";
import type { Peer } from "../../../rpc/types.ts";
import { jobFilter } from "../../filters.ts";
import type { Draft } from "./draft.ts";

/** Jobs that are named: more would not be read. */
const JOBS_MAX = 20;

interface Active {
  readonly id: number;
  readonly account: string;
  readonly user: string;
  readonly qos: string;
  readonly partition: string;
}

/**
 * Slurm's words with the jobs, or nothing where none stands against it.
 * @param before accounts and QoS as they are
 */
export async function busyLines(peer: Peer, draft: Draft, before: PolicyState, cluster: string): Promise<string[]> {
  const associations: Association[] = [];
  const qos = new Set<string>();
  for (const change of draft.changes) {
    if (!("drop" in change)) continue;
    if (change.drop === "association") associations.push(...[before.associations.get(change.id) ?? []].flat());
    else if (change.drop === "qos") qos.add(change.name);
  }
  if (associations.length === 0 && qos.size === 0) return [];
  const isMeant = (job: Active): boolean =>
    qos.has(job.qos) ||
    associations.some(({ account, user, partition }) => {
      return account === job.account && user === job.user && (partition === "" || partition === job.partition);
    });
  const jobs = (await activeJobs(peer)).filter(isMeant);
  if (jobs.length === 0) return [];
  const lines = jobs.slice(0, JOBS_MAX).map(({ id, account, user }) => {
    const names = `A = ${account.padEnd(10)} U = ${user.padEnd(9)}`;
    return `  JobID = ${String(id).padEnd(10)} C = ${cluster.padEnd(10)} ${names}`;
  });
  const more = jobs.length > JOBS_MAX ? [`  and ${jobs.length - JOBS_MAX} more`] : [];
  return [" Error with request: Job(s) active, cancel job(s) before remove", ...lines, ...more];
}

async function activeJobs(peer: Peer): Promise<Active[]> {
  const jobs: Active[] = [];
  const filter = jobFilter({ states: ["PENDING", "RUNNING", "SUSPENDED"] });
  const fields = ["id", "account", "user", "qos", "partition"] as const;
  await peer.stream("jobs.list", { filter, fields: [...fields] }, ({ rows }) => {
    for (const [id, account, user, qos, partition] of rows) {
      jobs.push({ id, account, user, qos, partition } as Active);
    }
  });
  return jobs;
}
