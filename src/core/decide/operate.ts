/** What operators do to nodes. Whether somebody is an operator is asked before (controller/handlers/change.ts). */

import type { DeleteNodes, NodeChanges, UpdateNodes } from "../commands.ts";
import type { Event, JobEnded, JobRequeued, NodeUpdated } from "../events.ts";
import { leaderId } from "../het.ts";
import { fold } from "../hostlist.ts";
import type { RunningJob } from "../job.ts";
import type { Node } from "../node.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, deny, ignore, type Refusal } from "./decision.ts";
import { endWhole, requeueWhole } from "./steer.ts";

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
  for (const { name } of nodes) events.push({ type: "node.updated", node: name, by, ...changed(changes) });
  if (changes.state === "DOWN") {
    const lost = new Set(nodes.map(({ name }) => name));
    events.push(...giveUp(state, lost, command, changes.reason ?? "", now));
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

/**
 * Ends what runs on nodes that were set down, or puts it back into the queue. A node that can't be told is not waited
 * for: what it still runs when it comes back is unknown here, and ends before anything new starts there.
 */
function giveUp(
  state: ClusterState,
  lost: ReadonlySet<string>,
  { away }: UpdateNodes,
  reason: string,
  now: number,
): Event[] {
  const events: Event[] = [];
  // A heterogeneous job's components go together, at the turn of the first that lost something.
  const done = new Set<number>();
  for (const id of state.active) {
    const job = state.jobs.get(id);
    const names = (job?.allocation ?? []).map(({ node }) => node).filter((node) => lost.has(node));
    if (!job || names.length === 0 || done.has(id)) continue;
    if (job.state === "RUNNING" && job.spec.noKill && names.length < job.allocation.length) continue;
    const gone = names.filter((node) => away.includes(node));
    if (job.state !== "RUNNING") {
      const cleaned = gone.filter((node) => job.cleanup.includes(node));
      events.push(...cleaned.map((node): Event => ({ type: "job.cleaned", jobId: id, node })));
      continue;
    }
    for (const event of lostJob(state, job, `node ${fold(names)} was set down: ${reason}`, now)) {
      if (done.has(event.jobId)) continue;
      done.add(event.jobId);
      const cleanup = event.cleanup.filter((node) => !lost.has(node) || !away.includes(node));
      events.push({ ...event, cleanup });
    }
  }
  return events;
}

/** The whole of a heterogeneous job starts again if its first component, which runs the script, may. */
function lostJob(state: ClusterState, job: RunningJob, cause: string, now: number): (JobEnded | JobRequeued)[] {
  const leader = state.jobs.get(leaderId(job));
  const { requeue, kind } = (leader?.state === "RUNNING" ? leader : job).spec;
  if (requeue && kind === "batch") return requeueWhole(state, job, cause, now, null);
  return endWhole(state, job, "NODE_FAIL", { code: 0, signal: 9 }, cause, null);
}

function holders(state: ClusterState, node: string): number[] {
  return [...state.active].filter((id) => state.jobs.get(id)?.allocation.some((share) => share.node === node));
}
