/** A step as `squeue --steps --json` prints it, with the keys of Slurm's step records that mgpu knows. */

import { number } from "./job-json.ts";
import type { StepRow } from "./step-row.ts";

/** The record of one step. */
export function stepJson(row: StepRow, clusterName: string): Record<string, unknown> {
  return {
    id: { job_id: row.jobId, step_id: row.stepId },
    array: { job_id: row.arrayJobId, task: row.arrayTasks },
    name: row.name,
    cluster: clusterName,
    user: { id: row.uid, name: row.user },
    account: row.account,
    partition: row.partition,
    state: [row.state],
    nodes: { count: row.nodes, list: row.nodeList },
    tasks: { count: row.tasks },
    cpus: number(row.cpus),
    time: {
      start: number(Math.floor(row.startAt / 1000)),
      limit: row.limitS === 0 ? { set: false, infinite: true, number: 0 } : number(Math.ceil(row.limitS / 60)),
    },
    tres_alloc_str: row.tres,
    srun: { host: row.submitHost },
  };
}
