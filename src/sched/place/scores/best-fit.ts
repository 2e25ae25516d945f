/**
 * What is left over in CPUs and GPUs, each as a share of what the largest node has, added up in whole per cent. Source:
 * the best-fit baseline of Weng et al., "Beware of Fragmentation", USENIX ATC 2023, and its published simulator.
 */

import type { Candidate } from "../../../core/node-set.ts";
import { WHOLE_GPU } from "../../../core/resources.ts";
import { leftOver, type Rate, type Scoring } from "./score.ts";

export const BEST_FIT: Scoring = { name: "best-fit", isAlike: true, prepare };

function prepare(candidates: readonly Candidate[]): Rate {
  let [cpusMax, gpusMax] = [1, WHOLE_GPU];
  for (const { node } of candidates) {
    cpusMax = Math.max(cpusMax, node.inventory.cpus);
    gpusMax = Math.max(gpusMax, node.inventory.gpus.length * WHOLE_GPU);
  }
  return (spot) => {
    const [gpus, cpus] = leftOver(spot);
    const left = (0.5 * cpus) / cpusMax + (0.5 * gpus) / gpusMax;
    return [-Math.trunc((1 - left) * 100)];
  };
}
