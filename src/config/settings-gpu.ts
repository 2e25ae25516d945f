/** Settings of how busy GPUs may be with processes of others before they get no new jobs. */

import { type Key, positive } from "./setting.ts";

export interface GpuSettings {
  /** Part of a GPU's memory that others may use, 0 to 1. */
  readonly gpuMemoryThreshold: number;
  /** Part of the time that others may keep it busy, 0 to 1: the mean over the window. */
  readonly gpuLoadThreshold: number;
  /** Seconds over which the load is looked at. */
  readonly gpuWindowS: number;
  /** Milliseconds that an answer of the driver holds. */
  readonly gpuQueryMs: number;
}

/** A part from 0 to 1; 1 for any amount, since nothing is above it. */
function part(text: string): number | undefined {
  return /^(0(\.\d{1,6})?|1(\.0{1,6})?|\.\d{1,6})$/.test(text) ? Number(text) : undefined;
}

export const GPU_SETTINGS: { readonly [K in keyof GpuSettings]: Key<GpuSettings[K]> } = {
  gpuMemoryThreshold: {
    key: "gpu.memory_threshold",
    about: "part of a GPU's memory that processes of others may use before it gets no new jobs; 1 for any",
    isLive: true,
    variable: "MGPU_GPU_MEMORY_THRESHOLD",
    fallback: 0.8,
    parse: part,
    expected: "a number from 0 to 1",
  },
  gpuLoadThreshold: {
    key: "gpu.load_threshold",
    about: "the same of how busy they keep it, on average over the window",
    isLive: true,
    variable: "MGPU_GPU_LOAD_THRESHOLD",
    fallback: 0.8,
    parse: part,
    expected: "a number from 0 to 1",
  },
  gpuWindowS: {
    key: "gpu.utilization_window",
    about: "seconds over which that average goes",
    isLive: true,
    variable: "MGPU_GPU_UTILIZATION_WINDOW",
    fallback: 60,
    parse: positive,
    expected: "seconds, at least 1",
  },
  gpuQueryMs: {
    key: "gpu.query_interval",
    about: "seconds for which a node's answer from its GPUs' driver holds",
    variable: "MGPU_GPU_QUERY_INTERVAL",
    fallback: 5000,
    parse: (text) =>
      /^\d{1,6}(\.\d{1,3})?$/.test(text) && Number(text) > 0 ? Math.round(1000 * Number(text)) : undefined,
    format: (value) => String(value / 1000),
    expected: "seconds above 0, such as 5 or 0.5",
  },
};
