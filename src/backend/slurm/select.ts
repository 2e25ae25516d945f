/** Which of Slurm's jobs a filter means; as the controller's own selection reads it. Pure. */

import { intersect } from "../../core/array-spec.ts";
import type { JobFilter } from "../../protocol/procedures.ts";
import type { SlurmJob } from "./jobs.ts";

/** The number by which an array or a heterogeneous job is known. */
function groupOf({ job, row }: SlurmJob): number {
  return job.array?.jobId ?? (row.hetJobId || job.id);
}

/** Whether one is meant by its number, the number of its array or its component; all are where none is named. */
function isNamed(one: SlurmJob, { ids, tasks = [], components = [] }: JobFilter): boolean {
  if (ids.length === 0 && tasks.length === 0 && components.length === 0) return true;
  const { job, row } = one;
  const group = groupOf(one);
  if (ids.includes(job.id) || ids.includes(group)) return true;
  if (tasks.some(({ jobId, tasks: set }) => jobId === group && job.array && intersect(job.array.tasks, set).length > 0))
    return true;
  return components.some(({ jobId, offset }) => jobId === group && row.hetOffset === offset);
}

/** The jobs that meet every criterion of a filter, in the order given. */
export function selected(jobs: readonly SlurmJob[], filter: JobFilter): SlurmJob[] {
  const lower = filter.names.map((name) => name.toLowerCase());
  const has = (list: readonly string[] | undefined, ...values: readonly string[]): boolean =>
    list === undefined || list.length === 0 || values.some((value) => list.includes(value));
  return jobs.filter((one) => {
    const { job, row } = one;
    return (
      isNamed(one, filter) &&
      has(filter.users, row.user, String(row.uid)) &&
      has(filter.states, row.state, job.state) &&
      has(lower, row.name.toLowerCase()) &&
      has(filter.partitions, ...row.partition.split(",")) &&
      has(filter.accounts, row.account) &&
      has(filter.qos, row.qos) &&
      has(filter.reservations, row.reservation) &&
      has(filter.licenses, ...job.spec.licenses.map(({ name }) => name)) &&
      has(filter.nodes, ...job.allocation.map(({ node }) => node))
    );
  });
}
