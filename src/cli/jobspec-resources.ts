/** From option values to the geometry of a job or a step, with every rule between options that needs no cluster. */

import type { Distribution } from "../core/distribution.ts";
import { expand } from "../core/hostlist.ts";
import type { TaskDistribution } from "../core/layout.ts";
import {
  formatGpus,
  type GpuRequest,
  type MemoryRequest,
  type NodeGpuIds,
  type ResourceRequest,
  type StepRequest,
  WHOLE_GPU,
} from "../core/resources.ts";
import { errnoText } from "../util/errno.ts";
import type { CommandContext } from "./context.ts";
import { asksForGpus, asksForMemoryAlone, byMemory, gpuShape, type NodeRange, type Shape } from "./jobspec-gpus.ts";
import type { NodeListWish } from "./options/geometry.ts";
import type { Wishes } from "./options/reading.ts";
import type { SubmitName } from "./options/submit.ts";

/** What of the resources could be put together. */
export interface Resources<R> {
  readonly request: R;
  readonly distribution: TaskDistribution;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

type FileContext = Pick<CommandContext, "files" | "environment">;

/** Found on the way; all of it is told at once. */
interface Notes {
  readonly problems: string[];
  readonly warnings: string[];
}

/** Nodes that were named, each as often as it was. */
interface NamedNodes {
  readonly named: readonly string[];
  readonly excluded: readonly string[];
}

/** The geometry of a job. */
export function jobResources(wishes: Wishes, context: FileContext): Resources<ResourceRequest> {
  const notes: Notes = { problems: [], warnings: [] };
  const { values } = wishes;
  const nodes = namedNodes(wishes, context, notes);
  const shape: Shape = {
    tasks: values.ntasks ?? null,
    nodes: values.nodes ?? null,
    tasksPerNode: values["ntasks-per-node"] ?? 0,
  };
  const request = assemble(wishes, shape, nodes, notes, true);
  const alone = values.exclusive === "user" ? { onlyUser: true } : { exclusive: values.exclusive === "node" };
  const { distribution, ...rest } = finish({ ...request, ...alone }, wishes, nodes.named, notes);
  if (typeof distribution === "string" || !("arbitrary" in distribution)) return { distribution, ...rest };
  return { distribution, ...rest, request: { ...rest.request, tasksOn: countNames(nodes.named) } };
}

/** How often each name stands in a list. */
function countNames(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/**
 * A request whose GPUs may take several nodes: as in Slurm each of those has a task, and how many they are is seen when
 * the job starts. Not with a terminal, which one task has.
 */
export function withOpenTasks(request: ResourceRequest, { values }: Pick<Wishes, "values">): ResourceRequest {
  const { gpus, nodes, tasksPerGpu, tasksPerNode } = request;
  const isOpen = values.ntasks === undefined && nodes === null && tasksPerNode === 0 && tasksPerGpu === 0;
  const count = gpus?.per === "job" ? gpus.wishes.reduce((sum, { thousandths }) => sum + thousandths, 0) : 0;
  return isOpen && count > WHOLE_GPU ? { ...request, tasks: null } : request;
}

/** The geometry of a step: what srun was told, else what its variables say of the enclosing job. */
export function stepResources(wishes: Wishes, context: FileContext): Resources<StepRequest> {
  const notes: Notes = { problems: [], warnings: [] };
  const { values, inherited } = wishes;
  const nodes = namedNodes(wishes, context, notes);
  const isOwnShape =
    values.ntasks !== undefined || values.nodes !== undefined || values["ntasks-per-node"] !== undefined;
  // Tasks on each node say how many there are, whatever the job's variables count.
  const ntasks = values.ntasks ?? (values["ntasks-per-node"] === undefined ? inherited.ntasks : undefined);
  const relative = values.relative ?? 0;
  const shape: Shape = {
    tasks: ntasks ?? null,
    nodes: values.nodes ?? fewer(inherited.nodes, relative),
    tasksPerNode: values["ntasks-per-node"] ?? (isOwnShape ? 0 : (inherited["ntasks-per-node"] ?? 0)),
  };
  const request = assemble(wishes, shape, nodes, notes, wishes.isTyped("nodes"));
  if (values["gpu-mem"] !== undefined) {
    const instead = "ask for a number of its GPUs, such as --gpus=0.5";
    notes.problems.push(
      `${wishes.place("gpu-mem")}: GPUs are chosen by memory when the job starts; within it ${instead}`,
    );
  }
  const perTask = inherited["gpus-per-task"];
  const cpusPerTask = request.cpusPerTask ?? (isOwnShape ? null : (inherited["cpus-per-task"] ?? null));
  const step: StepRequest = {
    ...request,
    cpusPerTask,
    tasksPerGpu: request.tasksPerGpu || (inherited["ntasks-per-gpu"] ?? 0),
    gpus: !asksForGpus(values) && perTask !== undefined ? { per: "task", wishes: perTask } : request.gpus,
    overcommit: request.overcommit || inherited.overcommit === true,
    overlap: values.overlap === true || values["external-launcher"] === true,
    exact: [values.exact, values.exclusive, values["cpus-per-task"]].some((value) => value !== undefined),
    firstNode: relative,
  };
  return finish(step, wishes, nodes.named, notes);
}

function finish<R>(request: R, wishes: Wishes, named: readonly string[], notes: Notes): Resources<R> {
  const { values, inherited, place } = wishes;
  const wanted = values.distribution ?? inherited.distribution;
  const distribution = taskDistribution(wanted, named);
  if (distribution !== null) return { request, distribution, ...notes };
  const needs = "arbitrary needs --nodelist, or SLURM_HOSTFILE, with a node's name for each task";
  return {
    request,
    distribution: "block",
    ...notes,
    problems: [...notes.problems, `${place("distribution")}: ${needs}`],
  };
}

/** `null` for an order that is nowhere given. */
function taskDistribution(wanted: Distribution | undefined, named: readonly string[]): TaskDistribution | null {
  const tasks = wanted?.tasks ?? "block";
  if (tasks !== "arbitrary") return tasks;
  const nodes = [...new Set(named)];
  return named.length === 0 ? null : { arbitrary: named.map((node) => nodes.indexOf(node)) };
}

/** All that jobs and steps have in common. */
function assemble(
  wishes: Wishes,
  given: Shape,
  { named, excluded }: NamedNodes,
  notes: Notes,
  warns: boolean,
): ResourceRequest {
  const { values, place } = wishes;
  const gpuIds = values["node-gpu-ids"] ?? [];
  const chosen = [...new Set([...named, ...gpuIds.map(({ node }) => node)])];
  const listed = limitNodes(withListed(withArbitrary(given, wishes, named), chosen, wishes, notes), notes, warns);
  const outcome = gpuIds.length === 0 && asksForMemoryAlone(values) ? byMemory(listed) : gpuShape(wishes, listed);
  if ("problem" in outcome) notes.problems.push(outcome.problem);
  const shape = "problem" in outcome ? { ...listed, gpus: null } : outcome;
  if (listed.tasks !== null && shape.tasks !== null && listed.tasks !== shape.tasks) {
    notes.warnings.push(`${place("ntasks-per-gpu")} makes it ${shape.tasks} tasks rather than ${listed.tasks}`);
  }
  const gpusProblem = gpuIds.length > 0 && shape.gpus !== null ? chosenTwice(gpuIds, shape.gpus) : "";
  if (gpusProblem !== "") notes.problems.push(`${place("node-gpu-ids")} ${gpusProblem}`);
  const { gpus, ...fitted } = fillTasks(limitNodes(shape, notes, warns));
  return {
    ...fitted,
    cpusPerTask: cpusPerTask(wishes, notes),
    cpusPerGpu: values["cpus-per-gpu"] ?? 0,
    tasksPerGpu: values["ntasks-per-gpu"] ?? 0,
    cpusMin: values.mincpus ?? 0,
    memory: memoryRequest(wishes, gpus !== null || gpuIds.length > 0, notes),
    gpus: gpuIds.length > 0 ? null : gpus,
    gpuIds,
    gpuMemoryMiB: values["gpu-mem"] ?? 0,
    ...(values["allowed-gpus"] ? { gpuAllowed: values["allowed-gpus"] } : {}),
    exclusive: false,
    overcommit: values.overcommit ?? false,
    nodeList: fitted.nodes === null ? chosen : chosen.slice(0, fitted.nodes.max),
    excluded,
    constraint: values.constraint ?? "",
    contiguous: values.contiguous ?? false,
    spread: values["spread-job"] ?? false,
  };
}

/** What is wrong with a wish for GPUs beside the list of them; nothing if it only counts them. */
function chosenTwice(gpuIds: readonly NodeGpuIds[], { per, wishes }: GpuRequest): string {
  const listed = gpuIds.reduce((sum, { indices }) => sum + indices.length, 0);
  const wished = wishes.reduce((sum, { thousandths }) => sum + thousandths, 0);
  if (per !== "job" || wishes.some(({ type }) => type !== null)) {
    return "says already which GPUs: leave out the other options for GPUs";
  }
  return wished === listed * WHOLE_GPU ? "" : `lists ${listed} whole GPUs, but --gpus asks for ${formatGpus(wished)}`;
}

/** An arbitrary order has a task for each name, on just these nodes. */
function withArbitrary(shape: Shape, { values, inherited }: Wishes, named: readonly string[]): Shape {
  const isArbitrary = (values.distribution ?? inherited.distribution)?.tasks === "arbitrary";
  if (!isArbitrary || named.length === 0) return shape;
  const size = new Set(named).size;
  return { ...shape, tasks: shape.tasks ?? named.length, nodes: shape.nodes ?? { min: size, max: size } };
}

/** Named nodes are the least; without a number of tasks they are all. */
function withListed(shape: Shape, chosen: readonly string[], { place }: Wishes, { problems }: Notes): Shape {
  const size = chosen.length;
  const { nodes, tasks } = shape;
  if (size === 0) return shape;
  if (nodes === null) return tasks === null ? { ...shape, nodes: { min: size, max: size } } : shape;
  if (size > nodes.max) {
    problems.push(`${place("nodes")}: invalid number of nodes (-N ${size}-${nodes.max}): ${size} are named`);
    return shape;
  }
  return { ...shape, nodes: { min: Math.max(size, nodes.min), max: nodes.max } };
}

/** No more nodes than tasks, and no limit of tasks a node that can't hold. */
function limitNodes<S extends Shape>(shape: S, { warnings }: Notes, warns: boolean): S {
  const { tasks, nodes, tasksPerNode } = shape;
  if (tasks === null || nodes === null) return shape;
  if (tasks < nodes.min && warns) {
    warnings.push(`can't run ${tasks} processes on ${nodes.min} nodes, setting nnodes to ${tasks}`);
  }
  const fewer = { min: Math.min(nodes.min, tasks), max: Math.min(nodes.max, tasks) };
  if (tasksPerNode === 0 || tasks <= tasksPerNode * fewer.max) return { ...shape, nodes: fewer };
  const requested = `the requested tasks ${tasks} with the maximum number of requested nodes ${fewer.max}`;
  const what = `can't honor --ntasks-per-node set to ${tasksPerNode} which doesn't match ${requested}`;
  warnings.push(`${what}. Ignoring --ntasks-per-node.`);
  return { ...shape, nodes: fewer, tasksPerNode: 0 };
}

/** The number of tasks where it follows from the nodes. */
function fillTasks<S extends Shape>(shape: S): S {
  const { tasks, nodes, tasksPerNode } = shape;
  const count = nodes === null ? 1 : nodes.min === nodes.max ? nodes.min : null;
  return tasks !== null || count === null ? shape : { ...shape, tasks: count * (tasksPerNode || 1) };
}

function cpusPerTask({ values, place }: Wishes, { problems }: Notes): number | null {
  const perTask = values["cpus-per-task"] ?? values["tres-per-task"]?.cpus ?? null;
  if (perTask !== null && values["cpus-per-gpu"] !== undefined) {
    problems.push(`${place("cpus-per-gpu")} is mutually exclusive with ${place("cpus-per-task")}`);
  }
  return perTask;
}

const MEMORY_OPTIONS = [
  ["mem", "node"],
  ["mem-per-cpu", "cpu"],
  ["mem-per-gpu", "gpu"],
] as const;

/** 0 leaves memory uncounted. */
function memoryRequest({ values, place }: Wishes, hasGpus: boolean, { problems }: Notes): MemoryRequest | null {
  const given = MEMORY_OPTIONS.filter(([name]) => values[name] !== undefined);
  const [first] = given;
  if (first === undefined) return null;
  if (given.length > 1) problems.push("--mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.");
  const [name, per] = first;
  const mib = values[name] ?? 0;
  if (per === "gpu" && mib > 0 && !hasGpus) problems.push(`${place(name)}: no GPUs are asked for`);
  return mib === 0 ? null : { per, mib };
}

function namedNodes(wishes: Wishes, context: FileContext, notes: Notes): NamedNodes {
  const { values, inherited } = wishes;
  const name = values.nodelist === undefined ? "nodefile" : "nodelist";
  const named = namesOf(values[name], name, wishes, context, notes);
  const isArbitrary = (values.distribution ?? inherited.distribution)?.tasks === "arbitrary";
  const hostFile = context.environment.SLURM_HOSTFILE;
  const fromFile = isArbitrary && named.length === 0 && hostFile ? { file: hostFile } : undefined;
  return {
    named: fromFile === undefined ? named : namesOf(fromFile, "distribution", wishes, context, notes),
    excluded: [...new Set(namesOf(values.exclude, "exclude", wishes, context, notes))],
  };
}

/** Names in a file stand one a line, or parted by commas or blanks; `#` starts a comment. */
function namesOf(
  wish: NodeListWish | undefined,
  name: SubmitName,
  { place }: Wishes,
  { files }: FileContext,
  { problems }: Notes,
): readonly string[] {
  if (wish === undefined) return [];
  if ("names" in wish) return wish.names;
  try {
    const text = new TextDecoder().decode(files.read(wish.file)).replace(/#.*$/gm, "");
    const names = expand(
      text
        .split(/[\s,]+(?![^[]*\])/)
        .filter(Boolean)
        .join(","),
    );
    if (names !== undefined && names.length > 0) return names;
    problems.push(`${place(name)}: ${wish.file}: Invalid node name specified: expected names such as n1 or n[2-4]`);
  } catch (error) {
    problems.push(`${place(name)}: ${wish.file}: ${errnoText(error)}`);
  }
  return [];
}

/** What is left of the job's nodes behind the first so many. */
function fewer(nodes: NodeRange | undefined, skipped: number): NodeRange | null {
  if (nodes === undefined) return null;
  if (skipped === 0) return nodes;
  return { min: 1, max: Math.max(1, nodes.max - skipped) };
}
