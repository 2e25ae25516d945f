/**
 * The variables of an allocation that salloc's command gets: those of Slurm's manual of salloc, under their old and new
 * names. A variable that repeats a wish is set only when it was wished: programs take its presence for that. Pure.
 */

import { compressCounts } from "../core/counts.ts";
import { formatGpuBind } from "../core/gpu-bind.ts";
import { fold } from "../core/hostlist.ts";
import type { RunningJob } from "../core/job.ts";
import { UNLIMITED } from "../core/jobspec.ts";
import { distributionVariables, wishVariables } from "../core/wish-variables.ts";

/** What the job's record does not say. */
export interface AllocationFacts {
  readonly clusterName: string;
  readonly partition: string;
}

/** The variables, by name. */
export function allocationVariables(
  job: RunningJob,
  { clusterName, partition }: AllocationFacts,
): Record<string, string> {
  const { spec, allocation } = job;
  const { request } = spec;
  const id = String(job.id);
  const nodeList = fold(allocation.map((share) => share.node));
  const nodes = String(allocation.length);
  const gpus = allocation.flatMap((share) => share.gpus.map(({ index }) => index));
  const startS = Math.floor(job.startAt / 1000);
  return {
    SLURM_JOB_ID: id,
    SLURM_JOBID: id,
    SLURM_JOB_NAME: spec.name,
    SLURM_JOB_NODELIST: nodeList,
    SLURM_NODELIST: nodeList,
    SLURM_JOB_NUM_NODES: nodes,
    SLURM_NNODES: nodes,
    ...taskVariables(request.tasks),
    SLURM_TASKS_PER_NODE: compressCounts(allocation.map((share) => share.tasks)),
    SLURM_JOB_CPUS_PER_NODE: compressCounts(allocation.map((share) => share.cpus)),
    SLURM_JOB_PARTITION: partition,
    SLURM_CLUSTER_NAME: clusterName,
    SLURM_SUBMIT_DIR: spec.workDir,
    SLURM_SUBMIT_HOST: spec.submitHost,
    SLURM_JOB_START_TIME: String(startS),
    ...(job.limitS === UNLIMITED ? {} : { SLURM_JOB_END_TIME: String(startS + job.limitS) }),
    ...(gpus.length > 0 ? { SLURM_JOB_GPUS: gpus.join(",") } : {}),
    ...(spec.account === null ? {} : { SLURM_JOB_ACCOUNT: spec.account }),
    ...(spec.qos === null ? {} : { SLURM_JOB_QOS: spec.qos }),
    ...(spec.reservation === null ? {} : { SLURM_JOB_RESERVATION: spec.reservation }),
    ...activationVariable(spec.activation),
    ...(spec.gpuBind === null ? {} : { SLURM_GPU_BIND: formatGpuBind(spec.gpuBind) }),
    ...wishVariables(request),
    ...(spec.distribution === "block" ? {} : distributionVariables(spec.distribution)),
  };
}

/** Steps of the allocation run in the environment that was asked for, on their nodes. */
function activationVariable(activation: RunningJob["spec"]["activation"]): Record<string, string> {
  if (!activation) return {};
  return { [activation.kind === "venv" ? "MGPU_VENV" : "MGPU_CONDA_ENV"]: activation.name };
}

/** Number of tasks, if the user said one. */
function taskVariables(tasks: number | null): Record<string, string> {
  return tasks === null ? {} : { SLURM_NTASKS: String(tasks), SLURM_NPROCS: String(tasks) };
}
