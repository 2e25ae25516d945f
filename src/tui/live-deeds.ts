/** What the controller is asked to change, and what it says to that. */

import type { NodeRow, Params, Result } from "../protocol/procedures.ts";
import type { Peer } from "../rpc/types.ts";
import { filterFor } from "./live-records.ts";
import type { Action, Deed } from "./model.ts";

type NodeAction = Extract<Action, { type: "drain" | "resume" | "pause" | "unpause" }>;
type JobAction = Exclude<Action, NodeAction | { type: "cancel" }>;

/** Does it; a sentence about it. @throws Error with what was refused */
export async function act(peer: Peer, deed: Deed): Promise<string> {
  const { action, jobIds, target } = deed;
  if (isOfNode(action)) return changeNode(peer, deed, action);
  const filter = filterFor(jobIds);
  const answer =
    action.type === "cancel"
      ? await peer.call("jobs.cancel", { filter, stepId: null, signal: action.signal, cause: "" })
      : await peer.call("jobs.steer", { filter, action: steerAction(action) });
  const isSignal = action.type === "cancel" && action.signal !== null;
  return resultText(answer, target, isSignal ? "signalled" : DONE[action.type]);
}

function isOfNode(action: Action): action is NodeAction {
  return ["drain", "resume", "pause", "unpause"].includes(action.type);
}

const NODE_DONE: Readonly<Record<NodeAction["type"], string>> = {
  drain: "drained",
  resume: "resumed",
  pause: "gets no new jobs",
  unpause: "gets jobs again",
};

async function changeNode(peer: Peer, { node, gpus, target }: Deed, action: NodeAction): Promise<string> {
  const changes = await nodeChanges(peer, node, gpus, action);
  await peer.call("cluster.change", { change: { type: "nodes.update", nodes: [node], changes } });
  return `${target}: ${NODE_DONE[action.type]}`;
}

type NodeChanges = Extract<Params<"cluster.change">["change"], { type: "nodes.update" }>["changes"];

async function nodeChanges(
  peer: Peer,
  node: string,
  gpus: readonly number[],
  action: NodeAction,
): Promise<NodeChanges> {
  if (action.type === "drain") return { state: "DRAIN", reason: action.reason };
  if (action.type === "resume") return { state: "RESUME" };
  // The paused ones are set as a whole: those of others stay.
  const { nodes } = await peer.call("nodes.list", {});
  const { pausedGpus = {} }: Partial<NodeRow> = nodes.find(({ name }) => name === node) ?? {};
  const named = new Set(gpus.map(String));
  const others = Object.entries(pausedGpus).filter(([index]) => !named.has(index));
  const paused = action.type === "pause" ? [...named].map((index) => [index, action.reason] as const) : [];
  return { pausedGpus: Object.fromEntries([...others, ...paused]) };
}

function steerAction(action: JobAction): Params<"jobs.steer">["action"] {
  switch (action.type) {
    case "hold":
      return { type: "hold", by: "user" };
    case "release":
      return { type: "release" };
    case "requeue":
      return { type: "requeue", hold: false };
    case "nice":
      return { type: "update", changes: { nice: action.value } };
    case "priority":
      return { type: "update", changes: { priority: action.value } };
    case "limit":
      return { type: "update", changes: { timeLimitS: action.value } };
  }
}

const DONE: Readonly<Record<JobAction["type"] | "cancel", string>> = {
  cancel: "told to end",
  hold: "held",
  release: "released",
  requeue: "requeued",
  nice: "changed",
  priority: "changed",
  limit: "changed",
};

/** @throws Error with what was refused, and how many were not */
function resultText({ jobs }: Result<"jobs.steer">, target: string, done: string): string {
  const refused = jobs.flatMap(({ error, label, jobId }) => (error ? [`${label ?? jobId}: ${error.message}`] : []));
  if (refused.length === 0) return `${target}: ${done}`;
  const others = jobs.length - refused.length;
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : "";
  throw new Error(`${refused[0]}${more}${others > 0 ? `; ${others} ${done}` : ""}`);
}
