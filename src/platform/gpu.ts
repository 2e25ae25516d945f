/**
 * GPUs as an argument: what a machine has and how busy it is. NVIDIA through nvidia-smi, or fake ones for tests,
 * demos and laptops. Choosing a provider gives one, or one sentence on what is wrong with the setting.
 */

import type { Clock } from "./clock.ts";
import { fakeProvider, readFakeGpus } from "./gpu-fake.ts";
import { nvidiaProvider } from "./gpu-nvidia.ts";
import { programRunner, type RunProgram } from "./gpu-run.ts";

/** One GPU; the same record as `core/resources.ts` keeps. */
export interface DetectedGpu {
  /** Position in PCI bus order. A MIG instance has 100 times (its GPU's position + 1) plus its own number. */
  readonly index: number;
  readonly uuid: string;
  /** In full, for people: `NVIDIA A100-SXM4-80GB`. */
  readonly model: string;
  /** Short lower-case name for requests: `a100`. */
  readonly type: string;
  readonly memoryMiB: number;
  /** What is between it and each GPU, in the words of `nvidia-smi topo -m`: `["X", "NV12", "SYS"]`. */
  readonly links?: readonly string[];
  /** CPUs near it: `0-15,32-47`. */
  readonly cpuAffinity?: string;
}

export interface GpuInventory {
  /** `nvidia`, `fake` or `none`. */
  readonly provider: string;
  readonly gpus: readonly DetectedGpu[];
  /** Why GPUs may be missing from the list, in words; `null` when all is well. */
  readonly problem: string | null;
}

/** A process that uses a GPU, whoever started it. */
export interface GpuProcess {
  readonly pid: number;
  /** 0 where the driver does not say. */
  readonly memoryMiB: number;
  /** Its part of the GPU's load; `null` or absent where the driver does not say. */
  readonly utilisationPercent?: number | null;
}

/** How busy one physical GPU is. `null` for what the driver does not say. */
export interface GpuLoad {
  readonly index: number;
  readonly utilisationPercent: number | null;
  readonly memoryUsedMiB: number | null;
  readonly temperatureC: number | null;
  readonly powerW: number | null;
  readonly processes: readonly GpuProcess[];
}

/** Neither call rejects: trouble is the inventory's `problem`, and then there is no load. */
export interface GpuProvider {
  inventory(): Promise<GpuInventory>;
  load(): Promise<GpuLoad[]>;
}

export interface ProviderChoice {
  /** A count of fake GPUs or the path of a file that lists them; empty for real ones. */
  readonly fakeGpus: string;
  /** Name of the node: makes the UUIDs of fake GPUs differ from node to node and stay the same on each. */
  readonly hostname: string;
  readonly clock: Clock;
  /** How long an answer of the driver holds, in milliseconds; everybody who asks meanwhile shares it. */
  readonly cacheMs?: number;
  /** How nvidia-smi is run; tests give their own. */
  readonly run?: RunProgram;
}

/** As a driver's answers hold for a while, so do those of fake GPUs. */
function cachedLoad(
  provider: GpuProvider,
  { clock, cacheMs = 0 }: Pick<ProviderChoice, "clock" | "cacheMs">,
): GpuProvider {
  let known: { readonly at: number; readonly loads: Promise<GpuLoad[]> } | null = null;
  return {
    ...provider,
    load() {
      const now = clock.monotonic();
      if (known === null || now - known.at >= cacheMs) known = { at: now, loads: provider.load() };
      return known.loads;
    },
  };
}

/** The provider for this machine, or what is wrong with the setting in one sentence. */
export function chooseGpuProvider(choice: ProviderChoice): { provider: GpuProvider } | { problem: string } {
  const { clock, cacheMs } = choice;
  if (choice.fakeGpus === "") return { provider: nvidiaProvider(choice.run ?? programRunner(), clock, cacheMs) };
  const read = readFakeGpus(choice.fakeGpus, choice.hostname);
  const again = () => readFakeGpus(choice.fakeGpus, choice.hostname);
  return "problem" in read ? read : { provider: cachedLoad(fakeProvider(read.gpus, again), choice) };
}
