/** What a node offers: the machine's facts and GPUs, with the settings' word above them. */

import type { Settings } from "../config/settings.ts";
import type { NodeInventory } from "../core/node.ts";
import type { GpuProvider } from "../platform/gpu.ts";
import type { HostFacts } from "../platform/host.ts";

/** A function that looks again each time it is called. Trouble with the GPUs is told in the inventory. */
export function createInventory(
  host: HostFacts,
  provider: GpuProvider,
  settings: Pick<Settings, "nodeAddress" | "cpus" | "memoryMiB" | "features" | "nodeWeight">,
  version: string,
  memoryLimits?: string,
): () => Promise<NodeInventory> {
  return async () => {
    const found = await provider.inventory();
    const address = settings.nodeAddress || host.address();
    return {
      hostname: host.hostname,
      ...(address ? { address } : {}),
      cpus: settings.cpus || host.cpus,
      memoryMiB: settings.memoryMiB || host.memoryMiB,
      gpus: found.gpus.map(({ index, uuid, model, type, memoryMiB, links, cpuAffinity }) => ({
        ...{ index, uuid, model, type, memoryMiB },
        ...(links ? { links } : {}),
        ...(cpuAffinity ? { cpuAffinity } : {}),
      })),
      gpuProvider: found.provider,
      gpuProblem: found.problem,
      ...(memoryLimits === undefined ? {} : { memoryLimits }),
      bootId: host.bootId,
      os: host.os,
      arch: host.arch,
      features: [...settings.features],
      ...(settings.nodeWeight === 1 ? {} : { weight: settings.nodeWeight }),
      version,
    };
  };
}
