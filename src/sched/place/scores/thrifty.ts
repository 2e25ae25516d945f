/**
 * Fragmentation gradient descent with a price on what others need: GPUs of a type for which many jobs ask by name cost a
 * job more that would do with any, the more so the fewer of them there are. So scarce types are left to those who
 * can't run elsewhere. Coarser steps than FGD's, which keeps more nodes whole (decisions/0018-placement-scores.md).
 */

import type { Node } from "../../../core/node.ts";
import type { Candidate } from "../../../core/node-set.ts";
import type { Typical } from "../workload.ts";
import { fragmentScore, squeeze } from "./fgd.ts";
import type { Fragments } from "./fragments.ts";
import { type Scoring, takenThousandths } from "./score.ts";

const STEPS = 50;

/** What a GPU of a type costs that is asked for by name as often as GPUs are on the whole. */
const PRICE = 0.3;

/** @param typical as for FGD */
export function thriftyScore(typical: () => Typical): Scoring {
  return fragmentScore("thrifty", typical, (fragments, candidates) => {
    const pressure = pressureOn(fragments, candidates);
    return (spot) => {
      const price = spot.isChoosy ? 0 : PRICE * (pressure.get(spot.node) ?? 0) * takenThousandths(spot);
      return [-squeeze(-fragments.growth(spot) - price, STEPS)];
    };
  });
}

/** For each node how much is asked for by name for each GPU that meets it, as a multiple of what is asked for in all. */
function pressureOn(fragments: Fragments, candidates: readonly Candidate[]): ReadonlyMap<Node, number> {
  const { typical } = fragments;
  const nodes = candidates.map(({ node }) => ({ node, admitted: fragments.admitted(node) }));
  const gpus = nodes.reduce((sum, { node }) => sum + node.inventory.gpus.length, 0);
  const asked = typical.reduce((sum, kind) => sum + kind.share * kind.gpus * kind.thousandths, 0);
  const perGpu = typical.map((kind, at) => {
    if (kind.gpus === 0 || (kind.type === null && kind.constraint === "")) return 0;
    let meeting = 0;
    for (const { node, admitted } of nodes) if (admitted[at]) meeting += node.inventory.gpus.length;
    return meeting === 0 || asked === 0 ? 0 : ((kind.share * kind.gpus * kind.thousandths) / asked) * (gpus / meeting);
  });
  if (perGpu.every((amount) => amount === 0)) return new Map();
  return new Map(
    nodes.map(({ node, admitted }) => [node, perGpu.reduce((sum, amount, at) => sum + (admitted[at] ? amount : 0), 0)]),
  );
}
