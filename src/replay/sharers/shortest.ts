/** Time-sharing policies that know how long jobs run: the least work first. */

import { WHOLE_GPU } from "../../core/resources.ts";
import type { Sharer, Turn } from "../share.ts";

/** The shortest remaining time first. */
export function srtf(): Sharer {
  return sharer(({ leftS }) => leftS);
}

/** The least remaining service first: time by GPUs. */
export function srsf(): Sharer {
  return sharer(({ leftS, task }) => leftS * (task.size / WHOLE_GPU));
}

/** What a job that takes whole nodes is let off of its service, and one that takes several at once. */
const WHOLE_NODE = 0.9;
const SEVERAL_NODES = WHOLE_NODE * WHOLE_NODE;

/**
 * SRSF, but service counts for less where it comes in whole nodes: what such a job leaves behind is a whole node again,
 * never crumbs; and if it has to wait until single GPUs have gathered, those lie idle meanwhile.
 * @param nodeSize GPUs of the largest node, in thousandths
 */
export function wholeNodesFirst(nodeSize: number): Sharer {
  return sharer(({ leftS, task: { size } }) => {
    const factor = size > nodeSize ? SEVERAL_NODES : size === nodeSize ? WHOLE_NODE : 1;
    return leftS * (size / WHOLE_GPU) * factor;
  });
}

function sharer(keyOf: (turn: Turn) => number): Sharer {
  return {
    order(turns) {
      for (const turn of turns) turn.key = keyOf(turn);
      return turns.sort((a, b) => a.key - b.key);
    },
  };
}
