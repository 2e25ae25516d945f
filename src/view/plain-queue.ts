/** The queue in plain words, as `mgpu queue` tells it: where jobs run or what they wait for, and what nodes have free. */

import { formatGpus, WHOLE_GPU } from "../core/resources.ts";
import type { JobRow, NodeRow } from "../protocol/procedures.ts";
import { countText } from "./cluster-text.ts";
import { textTable } from "./text-table.ts";

/** What is looked at of a job. */
export type PlainJob = Pick<
  JobRow,
  "id" | "name" | "user" | "state" | "reason" | "reasonText" | "nodeList" | "gpus" | "gpuIds" | "command"
>;

export const PLAIN_FIELDS = [
  ...(["id", "name", "user", "state", "reason", "reasonText", "nodeList", "gpus", "gpuIds", "command"] as const),
] satisfies readonly (keyof PlainJob)[];

/** Reasons of jobs that wait for nothing but room. */
const FOR_ROOM: readonly string[] = ["Resources", "Priority", "None"];

/** Both tables. */
export function plainQueue(jobs: readonly PlainJob[], nodes: readonly NodeRow[]): string {
  const rows = jobs.map((job) => [String(job.id), job.user, job.name, plainState(job)]);
  const table = rows.length === 0 ? "no jobs\n" : textTable(["JOB", "USER", "NAME", "STATE"], rows);
  const lines = nodes.map((node) => `${plainNode(node)}\n`);
  return `${table}\n${lines.length === 0 ? "no nodes\n" : lines.join("")}`;
}

/** `running on node002:gpu0`, `queued (waiting for 2 GPUs)`. */
export function plainState(job: PlainJob): string {
  const { state } = job;
  if (state === "PENDING") return `queued (${waitText(job)})`;
  if (state === "RUNNING") return `running on ${placeText(job)}`;
  const where = placeText(job);
  return where === "" ? state.toLowerCase() : `${state.toLowerCase()} on ${where}`;
}

/** `node001: 2 GPUs (1 free, 1 busy)`; what keeps jobs off it follows. */
export function plainNode({ name, inventory, usage, connected, state, reason, closedGpus = {} }: NodeRow): string {
  const count = inventory.gpus.length;
  const parts = inventory.gpus.map(({ index }) => usage.gpus[index] ?? 0);
  const free = inventory.gpus.filter(({ index }) => !usage.gpus[index] && closedGpus[index] === undefined).length;
  const busy = parts.filter((part) => part >= WHOLE_GPU).length;
  const shared = parts.filter((part) => part > 0 && part < WHOLE_GPU).length;
  const words = [
    `${free} free`,
    ...(shared > 0 ? [`${shared} shared`] : []),
    ...(busy > 0 || shared === 0 ? [`${busy} busy`] : []),
  ];
  const gpus = count === 0 ? "no GPUs" : `${countText(count, "GPU")} (${words.join(", ")})`;
  const away = connected ? "" : "; not responding";
  const why = reason === "" ? "" : `; ${state.toLowerCase()}: ${reason}`;
  const closed = Object.entries(closedGpus).map(([index, text]) => `; gpu${index} ${text}`);
  return `${name}: ${gpus}${closed.join("")}${away}${why}`;
}

/** `node002:gpu0`, `node001:gpu0,gpu1 node002:gpu0`; nodes alone where it has no GPUs. */
function placeText({ gpuIds, nodeList }: PlainJob): string {
  if (gpuIds === "") return nodeList;
  const places = gpuIds.split(";").map((place) => {
    const at = place.lastIndexOf(":");
    const indices = place.slice(at + 1).split(",");
    return `${place.slice(0, at)}:${indices.map((index) => `gpu${index}`).join(",")}`;
  });
  return places.join(" ");
}

function waitText({ reason, reasonText, gpus }: PlainJob): string {
  if (!FOR_ROOM.includes(reason)) return reasonText || reason;
  if (gpus === 0) return "waiting for a node";
  return `waiting for ${gpus === WHOLE_GPU ? "1 GPU" : `${formatGpus(gpus)} GPUs`}`;
}
