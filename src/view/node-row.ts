/** A node as sinfo lists it: one record, made by the controller, the same for tables and JSON. */

import { type Node, nodeState } from "../core/node.ts";
import type { NodeRow } from "../protocol/procedures.ts";

/**
 * The node's row.
 * @param connected whether its daemon is connected right now
 * @param partitions names of the partitions that it belongs to
 */
export function toNodeRow(node: Node, connected: boolean, partitions: readonly string[]): NodeRow {
  const { inventory, usage } = node;
  return {
    name: node.name,
    state: nodeState(node),
    reason: node.down?.reason ?? node.drain?.reason ?? "",
    connected,
    partitions: [...partitions],
    inventory: { ...inventory },
    usage: { ...usage },
  };
}
