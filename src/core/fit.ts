/** Could a cluster ever run a request, and if not, which wish can't be met; requests and nodes in words. */

import { constraintFeatures } from "./constraint.ts";
import { fold } from "./hostlist.ts";
import { activeFeatures, availableFeatures, type Node, nodeState } from "./node.ts";
import {
  type Candidate,
  candidatesOf,
  chooseNodes,
  compareNodeNames,
  mayBeAlone,
  offerOf,
  suffices,
  targetsOf,
  WISHES_MAX,
} from "./node-set.ts";
import { formatGpus, type Gpu, type GpuRequest, NO_USAGE, type ResourceRequest, WHOLE_GPU } from "./resources.ts";
import { alternativesOf, type Demand, demandOf, wishedGpus } from "./room.ts";

/** Why a request is refused: Slurm's words, and what the cluster has. */
export interface Infeasible {
  readonly code: "NOT_FEASIBLE" | "INVALID_NODE" | "INVALID_FEATURE" | "INVALID_NODE_COUNT";
  readonly message: string;
  readonly hint: string;
}

const UNAVAILABLE = "Requested node configuration is not available";
const BAD_GRES = "Invalid generic resource (gres) specification";

/** At most this many nodes are listed in a refusal: more would not be read. */
const NODES_LISTED_MAX = 8;

/** Which wish these nodes could not meet even if nothing ran on them; `null` if they could run the request. */
export function feasibility(nodes: readonly Node[], request: ResourceRequest): Infeasible | null {
  const demand = demandOf(request);
  return (
    gpuProblem(demand) ??
    nameProblem(nodes, demand) ??
    featureProblem(nodes, demand) ??
    countProblem(nodes, demand) ??
    (couldBe(nodes, demand) ? null : roomProblem(nodes, request))
  );
}

/** Whether these nodes could run the request if nothing ran on them. */
export function couldRun(candidates: readonly Candidate[], request: ResourceRequest): boolean {
  const demands = alternativesOf(demandOf(request));
  if (couldOne(candidates, demands)) return true;
  const empty = candidates.map((candidate) => ({ ...candidate, usage: NO_USAGE }));
  return demands.some((demand) => {
    const offers = empty.flatMap((candidate) => offerOf(candidate, demand) ?? []);
    return chooseNodes(demand, offers) !== null;
  });
}

/** Whether one of the nodes could run all of it: true of most requests, and told by the first such node. In any order. */
function couldOne(nodes: readonly Pick<Candidate, "node">[], demands: readonly Demand[]): boolean {
  return demands.some((demand) => {
    const { required, request } = demand;
    const isNamed = required.length + request.excluded.length > 0 || request.tasksOn !== undefined;
    if (isNamed || !mayBeAlone(demand)) return false;
    const targets = targetsOf(demand);
    return nodes.some(({ node }) => {
      const offer = offerOf({ node, usage: NO_USAGE, position: 0 }, demand);
      return offer !== null && suffices(demand, targets, offer);
    });
  });
}

function couldBe(nodes: readonly Node[], demand: Demand): boolean {
  // Nodes need no order where one of them will do.
  const isSimple = couldOne(
    nodes.map((node) => ({ node })),
    alternativesOf(demand),
  );
  return isSimple || couldRun(candidatesOf(nodes), demand.request);
}

/** `2 GPUs of type a100, 4 CPUs and 1024 MiB of memory on each of 2 nodes`: a request in words. */
export function describeRequest(request: ResourceRequest): string {
  const gpus = [
    ...gpuWords(request),
    ...request.gpuIds.map(({ node, indices }) => `GPU ${indices.join(",")} of ${node}`),
  ];
  return joinWords([...gpus, cpuWords(request), ...memoryWords(request)]) + placeWords(request);
}

/** `node1 has 4 GPUs (a100), 8 CPUs, 64000 MiB of memory (idle)`: a node in words. */
function describeNode(node: Node, withMemory = false): string {
  const { cpus, memoryMiB, gpus } = node.inventory;
  const features = activeFeatures(node);
  const kindOf = (gpu: Gpu): string => (withMemory ? `${gpu.type} of ${gpu.memoryMiB} MiB` : gpu.type);
  const types = [...new Set(gpus.map(kindOf))].join(", ");
  const gpuText = `${countOf(gpus.length, "GPU")}${types ? ` (${types})` : ""}`;
  const featureText =
    features.length > 0 ? `, ${features.length === 1 ? "feature" : "features"} ${features.join(",")}` : "";
  const state = nodeState(node).toLowerCase();
  return `${node.name} has ${gpuText}, ${countOf(cpus, "CPU")}, ${memoryMiB} MiB of memory${featureText} (${state})`;
}

/** Wishes for GPUs that no cluster could meet. */
function gpuProblem(demand: Demand): Infeasible | null {
  const { request, wishes, per, byGpus } = demand;
  const { nodes, tasks, tasksPerGpu } = request;
  const refuse = (hint: string): Infeasible => ({ code: "NOT_FEASIBLE", message: BAD_GRES, hint });
  if (wishes.length > WISHES_MAX)
    return refuse(`asked for ${wishes.length} types and pieces of GPUs, at most ${WISHES_MAX} can be`);
  if (per !== "job") return null;
  const gpus = wishedGpus(demand);
  if (gpus < Math.max(nodes?.min ?? 1, demand.required.length)) {
    const count = Math.max(nodes?.min ?? 1, demand.required.length);
    return refuse(
      `asked for ${countOf(gpus, "GPU")} on ${count} nodes, but each node of a job gets at least one of its GPUs`,
    );
  }
  if (byGpus && tasks !== null && tasks > gpus * tasksPerGpu) {
    return refuse(`${tasks} tasks, ${tasksPerGpu} for each GPU, need more than ${countOf(gpus, "GPU")}`);
  }
  return null;
}

function nameProblem(nodes: readonly Node[], demand: Demand): Infeasible | null {
  const { nodes: range, excluded } = demand.request;
  if (demand.required.length + excluded.length + demand.indices.size === 0) return null;
  const known = new Set(nodes.map((node) => node.name));
  const refuse = (hint: string): Infeasible => ({ code: "INVALID_NODE", message: "Invalid node name specified", hint });
  const unknown = [...new Set([...demand.required, ...excluded])].filter((name) => !known.has(name));
  if (unknown.length > 0) return refuse(`there is no node ${unknown.join(", ")}; the nodes here are ${listOf(nodes)}`);
  const both = demand.required.filter((name) => excluded.includes(name));
  if (both.length > 0) return refuse(`${both.join(", ")} is asked for and excluded`);
  for (const [name, indices] of demand.indices) {
    const node = nodes.find((one) => one.name === name);
    const missing = indices.find((index) => !node?.inventory.gpus.some((gpu) => gpu.index === index));
    if (node && missing !== undefined) {
      return { code: "NOT_FEASIBLE", message: UNAVAILABLE, hint: `there is no GPU ${missing}: ${describeNode(node)}` };
    }
  }
  const named = demand.required.length;
  if (named <= (range?.max ?? named)) return null;
  return badCount(`${countOf(named, "node")} named, but at most ${range?.max} asked for`);
}

function badCount(hint: string): Infeasible {
  return { code: "INVALID_NODE_COUNT", message: "Node count specification invalid", hint };
}

function featureProblem(nodes: readonly Node[], { constraint }: Demand): Infeasible | null {
  if (!constraint) return null;
  const known = new Set(nodes.flatMap(availableFeatures));
  const unknown = [...constraintFeatures(constraint)].filter((name) => !known.has(name));
  if (unknown.length === 0) return null;
  const here = known.size === 0 ? "the nodes here have none" : `features here: ${[...known].sort().join(", ")}`;
  const hint = `no node has the feature ${unknown.join(", ")}; ${here}`;
  return { code: "INVALID_FEATURE", message: "Invalid feature specification", hint };
}

function countProblem(nodes: readonly Node[], { request }: Demand): Infeasible | null {
  const least = request.nodes?.min ?? 1;
  if (least <= nodes.length) return null;
  const verb = nodes.length === 1 ? "is" : "are";
  return badCount(`asked for ${countOf(least, "node")}; there ${verb} ${nodes.length}: ${listOf(nodes)}`);
}

/** One wish less, and what its absence says when the rest can be met. In the order in which they are tried. */
const RELAXATIONS: readonly (readonly [Partial<ResourceRequest>, string])[] = [
  [{ excluded: [] }, "only nodes that are excluded could hold it"],
  [{ constraint: "" }, "the nodes with these features can't hold it"],
  [{ contiguous: false }, "no nodes next to each other can hold it"],
  [{ exclusive: false }, "whole nodes can't hold it"],
  [{ gpuMemoryMiB: 0 }, "too few GPUs have that much memory"],
  [{ gpuAllowed: undefined }, "too few GPUs have the indices that are allowed"],
  [{ memory: null }, "there is not enough memory"],
  [{ cpusMin: 0 }, "no node has so many CPUs"],
  [{ cpusPerGpu: 0 }, "there are not enough CPUs for each GPU"],
  [{ cpusPerTask: null }, "there are not enough CPUs for each task"],
  [{ overcommit: true }, "there are not enough CPUs"],
  [{ tasksPerNode: 0 }, "there are not enough nodes for so few tasks on each"],
  [{ gpus: null, gpuIds: [], tasksPerGpu: 0 }, "there are not enough GPUs"],
  [{ nodes: null }, "it does not fit on so many nodes"],
];

function roomProblem(nodes: readonly Node[], request: ResourceRequest): Infeasible {
  const candidates = candidatesOf(nodes);
  const asked = [`asked for ${describeRequest(request)}`];
  const anyType = request.gpus && {
    ...request.gpus,
    wishes: request.gpus.wishes.map((wish) => ({ ...wish, type: null })),
  };
  const relaxations: typeof RELAXATIONS = [
    ...RELAXATIONS.slice(0, 5),
    [{ gpus: anyType }, "too few GPUs are of that type"],
    ...RELAXATIONS.slice(5),
  ];
  const why = relaxations.find(([less]) => couldRun(candidates, { ...request, ...less }));
  if (why) asked.push(why[1]);
  const listed = nodes.slice(0, NODES_LISTED_MAX).map((node) => describeNode(node, request.gpuMemoryMiB > 0));
  if (nodes.length > listed.length) listed.push(`and ${nodes.length - listed.length} more nodes`);
  const cpus = nodes.reduce((sum, node) => sum + node.inventory.cpus, 0);
  const needed = request.overcommit ? 1 : (request.tasks ?? 1) * (request.cpusPerTask ?? 1);
  const message = needed > cpus && nodes.length > 1 ? "More processors requested than permitted" : UNAVAILABLE;
  return { code: "NOT_FEASIBLE", message, hint: [...asked, ...listed].join("; ") };
}

function gpuWords({ gpus, gpuMemoryMiB, gpuIds }: ResourceRequest): string[] {
  if (!gpus || gpuIds.length > 0) return [];
  const memory = gpuMemoryMiB > 0 ? ` with ${gpuMemoryMiB} MiB of memory` : "";
  if (gpus.byMemory) return [`part of a GPU${memory}`];
  return gpus.wishes.map(({ type, thousandths }) => {
    const noun = thousandths <= WHOLE_GPU ? "GPU" : "GPUs";
    return `${formatGpus(thousandths)} ${noun}${type ? ` of type ${type}` : ""}${memory}${perWords(gpus.per)}`;
  });
}

function perWords(per: GpuRequest["per"]): string {
  return { job: "", node: " on each node", task: " for each task" }[per];
}

function cpuWords({ tasks, tasksPerNode, cpusPerTask, cpusPerGpu, overcommit, nodes }: ResourceRequest): string {
  if (cpusPerGpu > 0) return `${countOf(cpusPerGpu, "CPU")} for each GPU`;
  const each = cpusPerTask ?? 1;
  if (overcommit) return `${countOf(each, "CPU")} on each node`;
  if (tasks !== null) return countOf(tasks * each, "CPU");
  return `${countOf((tasksPerNode || 1) * each, "CPU")}${nodes ? " on each node" : ""}`;
}

function memoryWords({ memory }: ResourceRequest): string[] {
  if (!memory) return [];
  if (memory.per === "node" && memory.mib === 0) return ["all memory of each node"];
  const per = { node: "", cpu: " for each CPU", gpu: " for each GPU" }[memory.per];
  return [`${memory.mib} MiB of memory${per}`];
}

/** Where it must be. */
function placeWords({
  nodes,
  nodeList,
  excluded,
  constraint,
  contiguous,
  exclusive,
  onlyUser,
}: ResourceRequest): string {
  const words: string[] = [];
  if (nodes || constraint !== "" || contiguous || exclusive) {
    const count = nodes && (nodes.min === nodes.max ? String(nodes.min) : `${nodes.min}-${nodes.max}`);
    words.push(`on${count ? ` ${count}` : ""}${exclusive ? " whole" : ""} ${count === "1" ? "node" : "nodes"}`);
  }
  if (onlyUser) words.push("without jobs of other users");
  if (contiguous) words.push("next to each other");
  if (constraint !== "") words.push(`with ${constraint}`);
  if (nodeList.length > 0) words.push(`including ${fold([...nodeList].sort(compareNodeNames))}`);
  if (excluded.length > 0) words.push(`without ${fold([...excluded].sort(compareNodeNames))}`);
  return words.map((word) => ` ${word}`).join("");
}

function listOf(nodes: readonly Node[]): string {
  return fold(nodes.map((node) => node.name).sort(compareNodeNames));
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function joinWords(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
