/** What operators do to nodes. Whether somebody is an operator is asked before (controller/handlers/change.ts). */

import type { DeleteNodes, NodeChanges, UpdateNodes } from "../commands.ts";
import type { Event, NodeUpdated } from "../events.ts";
import { fold } from "../hostlist.ts";
import type { Node } from "../node.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, deny, ignore, type Refusal } from "./decision.ts";
import { giveUp } from "./give-up.ts";

/** Changes all of the nodes, or says what is wrong. A node that is set down loses what runs there. */
export function decideUpdateNodes(state: ClusterState, command: UpdateNodes, now: number): Decision {
  const { changes, by } = command;
  const nodes = findNodes(state, command.nodes);
  if ("kind" in nodes) return nodes;
  const wrong = nodes.filter((node) => !mayEnter(node, changes.state)).map(({ name }) => name);
  if (wrong.length > 0) {
    return deny("INVALID_NODE_STATE", "Invalid node state specified", `${fold(wrong)}: neither down nor drained`);
  }
  const events: Event[] = [];
  const who = by ? { by } : {};
  for (const { name } of nodes) events.push({ type: "node.updated", node: name, ...who, ...changed(changes) });
  if (changes.state === "DOWN") {
    const lost = new Set(nodes.map(({ name }) => name));
    const cause = (names: readonly string[]): string => `node ${fold(names)} was set down: ${changes.reason ?? ""}`;
    events.push(
      ...giveUp(state, { lost, away: new Set(command.away), cause, attemptsMax: Number.POSITIVE_INFINITY }, now),
    );
  }
  return events.length === 0 ? ignore("no such node") : accept(...events);
}

/** Forgets nodes: only those that are away and hold nothing. */
export function decideDeleteNodes(state: ClusterState, command: DeleteNodes): Decision {
  const nodes = findNodes(state, command.nodes);
  if ("kind" in nodes) return nodes;
  const names = nodes.map(({ name }) => name);
  const present = names.filter((name) => !command.away.includes(name));
  if (present.length > 0) {
    return deny("NODE_BUSY", "Requested nodes are busy", `${fold(present)}: connected; end its mgpud first`);
  }
  const busy = names.filter((name) => holders(state, name).length > 0);
  if (busy.length > 0) {
    const hint = `${fold(busy)}: jobs hold part of it; scontrol update NodeName=${fold(busy)} State=DOWN Reason=gone ends them`;
    return deny("NODE_BUSY", "Requested nodes are busy", hint);
  }
  return accept(...names.map((node): Event => ({ type: "node.deleted", node })));
}

/** The nodes of these names, each once; `ALL` as the only one for all there are. */
export function findNodes(state: ClusterState, names: readonly string[]): Node[] | Refusal {
  if (names.length === 1 && names[0]?.toUpperCase() === "ALL") return [...state.nodes.values()];
  const unknown = names.filter((name) => !state.nodes.has(name));
  if (unknown.length > 0) {
    const known = fold([...state.nodes.keys()].slice(0, NODES_NAMED_MAX));
    const hint = `there is no ${fold(unknown)}${known === "" ? "; no node has registered" : `; nodes here: ${known}`}`;
    return deny("INVALID_NODE", "Invalid node name specified", hint);
  }
  return [...new Set(names)].flatMap((name) => state.nodes.get(name) ?? []);
}

/** Nodes that a hint lists. */
const NODES_NAMED_MAX = 20;

/** Only what is out of service can be brought back, as in Slurm. */
function mayEnter(node: Node, order: NodeChanges["state"]): boolean {
  return order !== "RESUME" || node.drain !== null || node.down !== null;
}

function changed(changes: NodeChanges): Omit<NodeUpdated, "type" | "node" | "by"> {
  const { state, reason, ...settings } = changes;
  return {
    ...(Object.keys(settings).length > 0 ? { settings } : {}),
    ...marks(state, reason ?? ""),
    ...(state === undefined && reason !== undefined ? { reason } : {}),
  };
}

function marks(order: NodeChanges["state"], reason: string): Pick<NodeUpdated, "drain" | "down"> {
  switch (order) {
    case "DRAIN":
      return { drain: { reason } };
    case "FAIL":
      return { drain: { reason, isFailing: true } };
    case "DOWN":
      return { down: { reason } };
    case "UNDRAIN":
      return { drain: null };
    case "RESUME":
    case "IDLE":
      return { drain: null, down: null };
    case undefined:
      return {};
  }
}

function holders(state: ClusterState, node: string): number[] {
  return [...state.active].filter((id) => state.jobs.get(id)?.allocation.some((share) => share.node === node));
}
