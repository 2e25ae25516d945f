/** Amounts of memory and GPUs as Slurm's commands print them. */

import { formatGpus } from "../core/resources.ts";
import type { JobRow } from "../protocol/procedures.ts";

const UNITS = ["M", "G", "T", "P"] as const;

/** MiB in the largest unit that divides them: `100M`, `2G`, `1025M`; `0` for none. */
export function formatMemory(memoryMiB: number): string {
  if (memoryMiB === 0) return "0";
  let amount = memoryMiB;
  let unit = 0;
  while (amount % 1024 === 0 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${amount}${UNITS[unit]}`;
}

/** GPUs of a job on each of its nodes: `gres/gpu:2`, `gres/gpu:a100:2`; empty without any. */
export function formatGres({ gpus, gpuType, nodes }: Pick<JobRow, "gpus" | "gpuType" | "nodes">): string {
  if (gpus === 0) return "";
  const type = gpuType === null ? "" : `:${gpuType}`;
  return `gres/gpu${type}:${formatGpus(gpus / Math.max(1, nodes))}`;
}
