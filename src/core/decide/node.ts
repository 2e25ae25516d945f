/** Nodes coming and going. */

import type { MarkNodeDown, RegisterNode } from "../commands.ts";
import type { NodeInventory } from "../node.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, ignore } from "./decision.ts";

/** Takes a node in, or back; an unchanged one needs no event. */
export function decideRegister(state: ClusterState, command: RegisterNode): Decision {
  const known = state.nodes.get(command.node);
  if (known && (!known.down || known.down.by) && sameInventory(known.inventory, command.inventory)) {
    return ignore("registered already with the same equipment");
  }
  return accept({ type: "node.registered", node: command.node, inventory: command.inventory });
}

/** Keeps new work away from a node that does not answer. What runs there keeps running. */
export function decideMarkDown(state: ClusterState, command: MarkNodeDown): Decision {
  const node = state.nodes.get(command.node);
  if (!node || node.down) return ignore("unknown or down already");
  return accept({ type: "node.down", node: command.node, reason: command.reason });
}

/** Inventories are plain data with a fixed order of keys, made by one function. */
function sameInventory(a: NodeInventory, b: NodeInventory): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
