/** How events change the records of nodes. */

import { must } from "../../util/assert.ts";
import type { Event, NodeUpdated } from "../events.ts";
import type { Node, NodeMark } from "../node.ts";
import { NO_USAGE } from "../resources.ts";
import type { ClusterState } from "../state.ts";

export type NodeEvent = Extract<Event, { type: "node.registered" | "node.down" | "node.updated" | "node.deleted" }>;

/** Applies an event of a node. @param at when it happened, milliseconds since 1970 */
export function changeNode(state: ClusterState, event: NodeEvent, at: number): void {
  if (event.type === "node.registered") return registered(state, event, at);
  const node = must(state.nodes.get(event.node), `node ${event.node}`);
  switch (event.type) {
    case "node.down":
      state.nodes.set(node.name, { ...node, down: { reason: event.reason, at } });
      return;
    case "node.updated":
      state.nodes.set(node.name, updated(node, event, at));
      return;
    case "node.deleted":
      state.nodes.delete(node.name);
      return;
  }
}

/** A node that an operator set down stays so when it comes back; one that was missed does not. */
function registered(state: ClusterState, event: Extract<NodeEvent, { type: "node.registered" }>, at: number): void {
  const { node: name, inventory } = event;
  const known = state.nodes.get(name);
  const down = known?.down?.by ? known.down : null;
  const fresh = { usage: NO_USAGE, drain: null };
  state.nextJobId = Math.max(state.nextJobId, (event.jobIdSeen ?? 0) + 1);
  state.nodes.set(name, { ...fresh, ...known, name, inventory, registeredAt: at, down });
}

function updated(node: Node, event: NodeUpdated, at: number): Node {
  const { by, reason, settings } = event;
  const who = by ? { by } : {};
  const mark = (before: NodeMark | null, now: NodeUpdated["drain"]): NodeMark | null => {
    if (now !== undefined) return now && { ...now, at, ...who };
    return before && reason !== undefined ? { ...before, reason, at, ...who } : before;
  };
  return {
    ...node,
    drain: mark(node.drain, event.drain),
    down: mark(node.down, event.down),
    ...(settings ? { settings: { ...node.settings, ...settings } } : {}),
  };
}
