/** The queue of a past moment, in the place of the present one: for commands that list jobs. */

import { historyFilter } from "../core/history.ts";
import type { Job, PendingJob, RunningJob } from "../core/job.ts";
import { queueAt } from "../core/job-at.ts";
import { QOS_DEFAULT } from "../core/jobspec.ts";
import type { JobFilter, JobListRow } from "../protocol/procedures.ts";
import type { Peer } from "../rpc/types.ts";
import { toJobDetails } from "../view/job-details.ts";
import { toJobRow } from "../view/job-row.ts";

/** Rows a chunk. */
const ROWS_A_CHUNK = 500;

/** A peer that answers jobs.list as the controller would have at `at`, milliseconds since 1970. All else is of now. */
export function peerAt(peer: Peer, at: number): Peer {
  const stream = async (method: string, params: unknown, onItem: (item: never) => unknown, options?: never) => {
    if (method !== "jobs.list") return peer.stream(method as never, params as never, onItem as never, options);
    const { filter, fields } = params as { filter: JobFilter; fields: readonly (keyof JobListRow)[] };
    const rows = await rowsAt(peer, at, filter);
    for (let from = 0; from < rows.length; from += ROWS_A_CHUNK) {
      const chunk = rows.slice(from, from + ROWS_A_CHUNK).map((row) => fields.map((field) => row[field]));
      await onItem({ rows: chunk } as never);
    }
    return { now: at };
  };
  return { ...peer, call: peer.call.bind(peer), close: peer.close.bind(peer), stream: stream as Peer["stream"] };
}

async function rowsAt(peer: Peer, at: number, filter: JobFilter): Promise<JobListRow[]> {
  const { ids, tasks = [], users, accounts = [], partitions } = filter;
  const wanted = historyFilter({ ids, tasks, users, accounts, partitions, since: at });
  const jobs: Job[] = [];
  const partitionOf = new Map<number, string>();
  await peer.stream("jobs.history", { filter: wanted, duplicates: true, steps: false }, ({ records }) => {
    for (const { job, partition } of records) {
      if (job.submitAt > at) continue;
      jobs.push(job);
      partitionOf.set(job.id, partition);
    }
  });
  const isWanted = furtherTest(filter);
  return queueAt(jobs, at)
    .filter(isWanted)
    .map((job) => {
      const reason = job.state === "PENDING" && job.eligibleAt > at ? "BeginTime" : "None";
      const row = toJobRow(job, { reason, reasonText: "", partition: partitionOf.get(job.id) ?? "" });
      return { ...row, ...toJobDetails(job, row, null) };
    });
}

/** What is told by how a job stood then, or compared in another way than accounting does. */
function furtherTest({ states, names, nodes = [], qos = [] }: JobFilter): (job: PendingJob | RunningJob) => boolean {
  const has = (list: readonly string[], ...values: readonly string[]): boolean =>
    list.length === 0 || values.some((value) => list.includes(value));
  const lower = names.map((name) => name.toLowerCase());
  return ({ state, spec, allocation }) =>
    has(states, state) &&
    has(lower, spec.name.toLowerCase()) &&
    has(qos, spec.qos ?? QOS_DEFAULT) &&
    has(nodes, ...allocation.map(({ node }) => node));
}
