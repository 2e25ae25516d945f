/** Some of a machine's GPUs: those that whoever lent the machine gave. */

import type { DetectedGpu, GpuProvider } from "./gpu.ts";

/**
 * A provider that knows of no others.
 * @param words as CUDA_VISIBLE_DEVICES has them: indices, or UUIDs or their beginnings, with commas; nothing else is a GPU
 */
export function onlyGpus(provider: GpuProvider, words: string): GpuProvider {
  const wanted = words.split(",").filter((word) => /^(\d+|(GPU|MIG)-.+)$/.test(word.trim()));
  const isOurs = ({ index, uuid }: Pick<DetectedGpu, "index" | "uuid">): boolean =>
    wanted.some((word) => (/^\d+$/.test(word) ? Number(word) === index : uuid.startsWith(word)));
  return {
    async inventory() {
      const found = await provider.inventory();
      const gpus = found.gpus.filter(isOurs);
      const lost = wanted.length - gpus.length;
      const problem = lost > 0 ? `${lost} of the GPUs ${wanted.join(",")} that were given are not found` : null;
      return { ...found, gpus, problem: found.problem ?? problem };
    },
    async load() {
      const { gpus } = await provider.inventory();
      const ours = new Set(gpus.filter(isOurs).map(({ index }) => index));
      // A MIG instance is as loaded as its GPU.
      return (await provider.load()).filter(({ index }) => {
        return ours.has(index) || [...ours].some((one) => one >= 100 && Math.floor(one / 100) - 1 === index);
      });
    },
  };
}
