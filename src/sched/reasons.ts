/** Why jobs wait that may start but find no room, in words. */

import { couldRun, describeRequest, feasibility } from "../core/fit.ts";
import { fold } from "../core/hostlist.ts";
import { isOpen, type Node, withOthersMemory } from "../core/node.ts";
import { type Candidate, candidatesOf } from "../core/node-set.ts";
import { LEAVES_EARLY } from "../core/reservation.ts";
import { formatGpus, type ResourceRequest, WHOLE_GPU } from "../core/resources.ts";
import { cpusOn, demandOf, memoryOn, thousandthsOf } from "../core/room.ts";
import type { Place } from "./places.ts";
import type { Reason } from "./plan.ts";
import type { ScheduleView } from "./view.ts";

/** Most nodes of which a reason tells what is free. */
const FREE_NODES_MAX = 4;

/** Most nodes that a reason names. */
const NODES_NAMED_MAX = 20;

/** Most causes for which nodes are away that a reason tells. */
const CAUSES_NAMED_MAX = 3;

/** Of all who are not the first. */
export const PRIORITY: Reason = { word: "Priority", text: "other jobs come first" };

/** Whether new work may go to a node, and its daemon is there. */
export function takesWork({ isConnected }: ScheduleView, node: Node): boolean {
  return isOpen(node) && isConnected(node.name);
}

/** CPUs, MiB of memory, and thousandths of GPUs. */
interface Amounts {
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: number;
}

/** ` (n1: 1 of 4 GPUs free)`: what there is of what is short, where so few nodes are asked about that it can be read. */
export function freeText(candidates: readonly Candidate[], request: ResourceRequest): string {
  if (candidates.length > FREE_NODES_MAX) return "";
  const short = shortOf(candidates, request);
  const texts = candidates.map((candidate) => {
    const { node } = candidate;
    const { cpus, memoryMiB } = node.inventory;
    const free = freeOn(candidate);
    const parts = [
      ...(short.includes("cpus") ? [`${free.cpus} of ${cpus} CPUs free`] : []),
      ...(short.includes("memoryMiB") ? [`${free.memoryMiB} of ${memoryMiB} MiB of memory free`] : []),
      ...(short.includes("gpus") ? [gpusText(node, free.gpus, request)] : []),
    ];
    return `${node.name}: ${parts.join(", ")}`;
  });
  return ` (${texts.join(", ")})`;
}

/** Of what these nodes together have too little; where only the way it is spread is wrong, the GPUs or else the CPUs. */
function shortOf(candidates: readonly Candidate[], request: ResourceRequest): readonly (keyof Amounts)[] {
  const needed = neededBy(request);
  const free = candidates.map(freeOn);
  const kinds = ["cpus", "memoryMiB", "gpus"] as const;
  const short = kinds.filter((kind) => needed[kind] > free.reduce((sum, one) => sum + one[kind], 0));
  return short.length > 0 ? short : [request.gpus ? "gpus" : "cpus"];
}

/** The least that a request needs on all its nodes together. */
function neededBy(request: ResourceRequest): Amounts {
  const demand = demandOf(request);
  const nodes = request.nodes?.min ?? 1;
  const tasks = request.tasks ?? (request.tasksPerNode || 1) * nodes;
  const times = { job: 1, node: nodes, task: Math.ceil(tasks / demand.tasksPerWish) }[demand.per];
  const gpus = thousandthsOf(
    demand,
    demand.wishes.map(({ count }) => count * times),
  );
  const cpus = cpusOn(request, tasks, gpus);
  return { cpus, gpus, memoryMiB: memoryOn(request, cpus, gpus, 0) * (request.memory?.per === "node" ? nodes : 1) };
}

function freeOn({ node: { inventory }, usage }: Candidate): Amounts {
  // Of a closed one that jobs hold, more is taken than there is.
  const taken = Object.values(usage.gpus).reduce((sum, part) => sum + Math.min(part, WHOLE_GPU), 0);
  return {
    cpus: inventory.cpus - usage.cpus,
    memoryMiB: inventory.memoryMiB - usage.memoryMiB,
    gpus: inventory.gpus.length * WHOLE_GPU - taken,
  };
}

function gpusText(node: Node, free: number, { gpuMemoryMiB }: ResourceRequest): string {
  const closed = Object.entries(node.closedGpus ?? {}).map(([index, why]) => `; GPU ${index} gets no new jobs: ${why}`);
  const others = gpuMemoryMiB > 0 ? othersText(node) : "";
  return `${formatGpus(free)} of ${node.inventory.gpus.length} GPUs free${closed.join("")}${others}`;
}

/** `; others use 71680 of the 81920 MiB of GPU 0`: what requests for memory of GPUs can't have. */
function othersText(node: Node): string {
  const all = withOthersMemory(node).inventory.gpus;
  const texts = Object.entries(node.othersMiB ?? {}).map(([index, mib]) => {
    const whole = all.find((gpu) => String(gpu.index) === index)?.memoryMiB ?? 0;
    return `; others use ${Math.min(mib, whole)} of the ${whole} MiB of GPU ${index}`;
  });
  return texts.join("");
}

/** Why nodes could not run a request even if they were free. */
export interface Impossible {
  readonly reason: Reason;
  /** They could if reservations did not keep some of them from its jobs. */
  readonly isReserved: boolean;
}

/** Why the nodes that take work could not run a request even if they were free. */
export function impossibleReason(view: ScheduleView, place: Place, request: ResourceRequest): Impossible {
  const nodes = view.nodes.filter(({ name }) => place.allows(name));
  if (place.reserved.length > 0) {
    const all = view.nodes.filter(({ name }) => place.allows(name) || place.reserved.includes(name));
    const isReserved = couldRun(candidatesOf(all.filter((node) => takesWork(view, node))), request);
    if (isReserved || (feasibility(nodes, request) && !feasibility(all, request))) {
      const names = fold(place.reserved.slice(0, NODES_NAMED_MAX));
      const isLeaving = place.reserved.every((name) => place.whyNot(name) === LEAVES_EARLY);
      const text = isLeaving ? `${names}: ${LEAVES_EARLY}` : `${names} may be reserved for other jobs`;
      return { reason: { word: "ReqNodeNotAvail", text }, isReserved };
    }
  }
  return { reason: lackReason(view, nodes, place, request), isReserved: false };
}

function lackReason(view: ScheduleView, nodes: readonly Node[], place: Place, request: ResourceRequest): Reason {
  if (view.nodes.length > 0 && nodes.length === 0) {
    return { word: "PartitionConfig", text: `partition ${place.key} has no nodes` };
  }
  if (view.nodes.length === 0) {
    return { word: "ReqNodeNotAvail", text: `asks for ${describeRequest(request)}, but no node is connected` };
  }
  const never = feasibility(nodes.map(withOthersMemory), request);
  if (!never && feasibility(nodes, request)) {
    const taken = nodes.filter(({ othersMiB }) => othersMiB).slice(0, FREE_NODES_MAX);
    const others = taken.map((node) => `${node.name}${othersText(node).replace("; ", ": ")}`).join(", ");
    return { word: "Resources", text: `waits for ${describeRequest(request)} to be free (${others})` };
  }
  if (never) return { word: "BadConstraints", text: `the nodes have changed: ${never.hint}` };
  const missing = candidatesOf(nodes).flatMap(({ node }) => (takesWork(view, node) ? [] : [node]));
  const text = `asks for ${describeRequest(request)}, but ${awayTexts(missing).join("; ")}`;
  return { word: "ReqNodeNotAvail", text };
}

/** `n[1,3] are drained: new disks`: why each of these nodes takes no work, those of one cause together. */
function awayTexts(nodes: readonly Node[]): string[] {
  const alike = new Map<string, string[]>();
  for (const node of nodes) {
    const why = whyAway(node);
    const names = alike.get(why);
    if (names) names.push(node.name);
    else alike.set(why, [node.name]);
  }
  const texts = [...alike].slice(0, CAUSES_NAMED_MAX).map(([why, names]) => {
    const named = fold(names.slice(0, NODES_NAMED_MAX)) + (names.length > NODES_NAMED_MAX ? ",..." : "");
    return `${named} ${names.length === 1 ? "is" : "are"} ${why}`;
  });
  return alike.size > CAUSES_NAMED_MAX ? [...texts, "..."] : texts;
}

function whyAway({ down, drain }: Node): string {
  if (down) return `down: ${down.reason}`;
  return drain ? `drained: ${drain.reason}` : "not connected";
}
