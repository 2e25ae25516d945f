/** What a job's processes are told of its size: nodes, tasks, CPUs, under Slurm's old and new names. Pure. */

import { compressCounts } from "./counts.ts";
import { fold } from "./hostlist.ts";
import type { Allocation } from "./resources.ts";

/** By the name of the variable, for the whole of a job or of a component. */
export function sizeVariables(allocation: Allocation): Record<string, string> {
  const nodeList = fold(allocation.map(({ node }) => node));
  const nodes = String(allocation.length);
  const tasks = String(allocation.reduce((sum, share) => sum + share.tasks, 0));
  return {
    SLURM_JOB_NODELIST: nodeList,
    SLURM_NODELIST: nodeList,
    SLURM_JOB_NUM_NODES: nodes,
    SLURM_NNODES: nodes,
    SLURM_NTASKS: tasks,
    SLURM_NPROCS: tasks,
    SLURM_TASKS_PER_NODE: compressCounts(allocation.map((share) => share.tasks)),
    SLURM_JOB_CPUS_PER_NODE: compressCounts(allocation.map((share) => share.cpus)),
  };
}
