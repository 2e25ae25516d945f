/** What a batch system gave to the job in which a node daemon runs. */

import type { Environment } from "../config/places.ts";

export interface GivenAllocation {
  /** The job's number there. */
  readonly id: string;
  /** `null` for all of the machine. */
  readonly cpus: number | null;
  readonly memoryMiB: number | null;
  /** As CUDA_VISIBLE_DEVICES has them; empty for none. */
  readonly gpus: string;
}

/** What Slurm's variables say, or what is missing. Source: Slurm's manual of sbatch, output environment variables. */
export function readSlurmAllocation(env: Environment): GivenAllocation | { readonly problem: string } {
  const { SLURM_JOB_ID: id = "" } = env;
  if (!/^\d+$/.test(id)) return { problem: "this is no job of Slurm: SLURM_JOB_ID is not set" };
  const cpus = count(env.SLURM_CPUS_ON_NODE);
  const perCpu = count(env.SLURM_MEM_PER_CPU);
  const memoryMiB = count(env.SLURM_MEM_PER_NODE) ?? (perCpu !== null && cpus !== null ? perCpu * cpus : null);
  // Within a cgroup of devices these count from 0 again, as the driver does there; SLURM_JOB_GPUS would not.
  const gpus =
    env.CUDA_VISIBLE_DEVICES ?? env.ROCR_VISIBLE_DEVICES ?? env.GPU_DEVICE_ORDINAL ?? env.SLURM_JOB_GPUS ?? "";
  return { id, cpus, memoryMiB, gpus };
}

function count(text: string | undefined): number | null {
  return text !== undefined && /^[1-9]\d*$/.test(text) ? Number(text) : null;
}
