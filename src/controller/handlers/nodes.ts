/** nodes.list */

import type { UnaryHandler } from "../../rpc/types.ts";
import { toNodeRow } from "../../view/node-row.ts";
import type { ControllerContext } from "../context.ts";

/** Every node that ever registered, by name. */
export function nodesHandler({ loop, sessions, clock }: ControllerContext): UnaryHandler<"nodes.list"> {
  return () => {
    const partitions = [...loop.state.partitions.keys()];
    const nodes = [...loop.state.nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return {
      nodes: nodes.map((node) => toNodeRow(node, sessions.get(node.name) !== undefined, partitions)),
      now: clock.now(),
    };
  };
}
