/** Variables that say how a step's tasks are laid out and bound, where that was asked for. Pure. */

import { formatGpuBind } from "../core/gpu-bind.ts";
import { distributionVariables } from "../core/wish-variables.ts";
import type { NodeLaunch } from "../protocol/procedures.ts";
import { cpuVariables } from "./launch-cpus.ts";

/** How tasks are laid out and bound. A batch script's plain order is no wish. */
export function layoutVariables(launch: NodeLaunch): Record<string, string> {
  const { program, key } = launch;
  const { distribution, gpuBind } = program;
  const isPlain = key.stepId === "batch" && distribution === "block";
  return {
    ...(isPlain ? {} : distributionVariables(distribution)),
    ...(key.stepId === "batch" ? {} : cpuVariables(launch)),
    ...(gpuBind ? { SLURM_GPU_BIND: formatGpuBind(gpuBind) } : {}),
  };
}
