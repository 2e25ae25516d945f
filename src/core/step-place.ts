/**
 * Where a step's tasks run within their job's allocation, and what they hold there. Pure.
 *
 * CPUs: a step holds those of its tasks, and waits for them, unless it overlaps. GPUs: a step that asks for some holds
 * those, and parallel steps that ask get different ones; a step that does not ask sees all of the job's, and holds none.
 */

import type { NodeName } from "./ids.ts";
import type { Step, StepHet, StepPart } from "./job.ts";
import type { JobSpec } from "./jobspec.ts";
import { layoutTasks, type TaskDistribution } from "./layout.ts";
import {
  type Allocation,
  formatGpus,
  type GpuGrant,
  gpuThousandths,
  type NodeShare,
  type StepRequest,
  WHOLE_GPU,
} from "./resources.ts";

/** The parts of a step; or why there is no room now, or never. */
export type StepPlacement =
  | { readonly parts: readonly StepPart[] }
  | { readonly busy: string; readonly holders: string }
  /** `isTooWide`: it asks for more CPUs than the whole job has. */
  | { readonly problem: string; readonly isTooWide?: boolean };

/** What the open steps of a job leave of one of its nodes. */
interface Room {
  readonly share: NodeShare;
  readonly cpus: number;
  readonly gpus: readonly GpuGrant[];
}

/** The step that a job starts with: its batch script, or srun's tasks; `null` for an allocation alone. */
export function jobStep(
  job: { readonly spec: JobSpec },
  allocation: Allocation,
  at: number,
  het: StepHet | undefined,
): Step | null {
  const { kind, name, distribution, het: part } = job.spec;
  const first = allocation[0];
  if (kind === "alloc" || !first || (kind === "batch" && part !== null && part.offset > 0)) return null;
  const whole = (id: Step["id"], called: string, parts: readonly StepPart[]): Step => {
    return {
      spec: null,
      requestId: "",
      startAt: at,
      endAt: null,
      state: "RUNNING",
      ending: null,
      id,
      name: called,
      parts,
    };
  };
  if (kind === "batch") return whole("batch", "batch", [partOf(first, [0])]);
  const counts = allocation.map((share) => share.tasks);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const places = inPlaces(distribution, job.spec.request.nodeList, allocation);
  // A list of nodes that does not fit the allocation after all must not keep the tasks from running.
  const layout = layoutTasks(counts, total, places) ?? layoutTasks(counts, total, "block") ?? [];
  const parts = allocation.map((share, index) => partOf(share, layout[index] ?? []));
  return inWhole(whole(0, name, parts), het);
}

/** An arbitrary order counts the nodes as they were named; the allocation may have them in another order. */
function inPlaces(
  distribution: TaskDistribution,
  named: readonly NodeName[],
  allocation: Allocation,
): TaskDistribution {
  if (typeof distribution === "string" || !("arbitrary" in distribution)) return distribution;
  const names = [...new Set(named)];
  const places = names.map((name) => allocation.findIndex(({ node }) => node === name));
  return { arbitrary: distribution.arbitrary.map((index) => places[index] ?? -1) };
}

/** A step with its tasks numbered through all components of a heterogeneous job that it is in. */
export function inWhole(step: Step, het: StepHet | undefined): Step {
  if (!het) return step;
  const parts = step.parts.map((part) => ({ ...part, tasks: part.tasks.map((task) => task + het.firstTask) }));
  return { ...step, parts, het };
}

/** Places a step that srun asks for. */
export function placeStep(
  job: { readonly allocation: Allocation; readonly steps: readonly Step[] },
  request: StepRequest,
  distribution: TaskDistribution,
): StepPlacement {
  const chosen = chooseShares(job.allocation, request);
  if ("problem" in chosen) return chosen;
  const empty = chosen.shares.map((share): Room => ({ share, cpus: share.cpus, gpus: share.gpus }));
  const whenEmpty = fill(empty, request, distribution);
  if (whenEmpty === null) {
    const cpus = job.allocation.reduce((sum, share) => sum + share.cpus, 0);
    const isTooWide = !request.overcommit && (request.tasks ?? 1) * (request.cpusPerTask ?? 1) > cpus;
    return { problem: impossible(job.allocation, request), isTooWide };
  }
  if (request.overlap) return { parts: whenEmpty };
  const parts = fill(
    empty.map((room) => roomLeft(room, job.steps)),
    request,
    distribution,
  );
  if (parts !== null) return { parts };
  return { busy: "Requested nodes are busy", holders: describeHolders(chosen.shares, job.steps) };
}

/** Nodes that are named in a reason to wait. */
const NODES_NAMED_MAX = 3;

/** `n1: 1 of 4 CPUs and GPUs 2,3 are free; step 0 holds 3 CPUs and GPUs 0,1`: why a step must wait, node by node. */
function describeHolders(shares: readonly NodeShare[], steps: readonly Step[]): string {
  const texts = shares.slice(0, NODES_NAMED_MAX).map((share) => {
    const { cpus, gpus } = roomLeft({ share, cpus: share.cpus, gpus: share.gpus }, steps);
    const free = `${cpus} of ${share.cpus} CPUs${share.gpus.length > 0 ? ` and ${gpuWords(gpus)}` : ""} are free`;
    const holders = steps.filter(holdsRoom).flatMap((step) => {
      const part = step.parts.find(({ node, phase }) => node === share.node && phase !== "ended");
      if (!part) return [];
      const held = holdsGpus(step) && part.gpus.length > 0 ? ` and ${gpuWords(part.gpus)}` : "";
      return [`step ${step.id} holds ${part.cpus} CPUs${held}`];
    });
    return `${share.node}: ${[free, ...holders].join("; ")}`;
  });
  return [...texts, ...(shares.length > texts.length ? [`${shares.length - texts.length} more nodes`] : [])].join(". ");
}

/** `GPUs 0,1`, with `2 (0.5)` for a part of one. */
function gpuWords(gpus: readonly GpuGrant[]): string {
  const words = gpus.map(({ index, thousandths }) =>
    thousandths === WHOLE_GPU ? String(index) : `${index} (${formatGpus(thousandths)})`,
  );
  return gpus.length === 0 ? "no GPU" : `GPUs ${words.join(",")}`;
}

/** Whether a step keeps others from what it uses. */
function holdsRoom(step: Step): boolean {
  return step.id !== "batch" && step.endAt === null && !step.spec?.request.overlap;
}

function holdsGpus({ spec }: Step): boolean {
  return spec === null || spec.request.gpus !== null;
}

function partOf(share: NodeShare, tasks: readonly number[]): StepPart {
  const { node, cpus, memoryMiB, gpus } = share;
  return { node, tasks, cpus, memoryMiB, gpus, phase: "launching", exits: [] };
}

/** The nodes of the allocation that a step may use, in the order of use. */
function chooseShares(
  allocation: Allocation,
  { nodeList, excluded, firstNode }: StepRequest,
): { readonly shares: readonly NodeShare[] } | { readonly problem: string } {
  const names = new Set(allocation.map((share) => share.node));
  const foreign = nodeList.filter((node) => !names.has(node));
  if (foreign.length > 0)
    return { problem: `the job has no node ${foreign.join(", ")}; it has ${[...names].join(", ")}` };
  if (firstNode >= allocation.length) {
    return { problem: `--relative ${firstNode}: the job has ${allocation.length} nodes, numbered from 0` };
  }
  const turned = [...allocation.slice(firstNode), ...allocation.slice(0, firstNode)];
  const allowed = turned.filter((share) => !excluded.includes(share.node));
  const first = nodeList.flatMap((node) => allowed.find((share) => share.node === node) ?? []);
  const wanted = [...new Set(first)];
  return { shares: [...wanted, ...allowed.filter((share) => !wanted.includes(share))] };
}

function roomLeft({ share }: Room, steps: readonly Step[]): Room {
  let { cpus } = share;
  const taken = new Map<number, number>();
  for (const step of steps) {
    if (!holdsRoom(step)) continue;
    for (const part of step.parts) {
      if (part.node !== share.node || part.phase === "ended") continue;
      cpus -= part.cpus;
      if (!holdsGpus(step)) continue;
      for (const { index, thousandths } of part.gpus) taken.set(index, (taken.get(index) ?? 0) + thousandths);
    }
  }
  const gpus = share.gpus.map((gpu) => ({ ...gpu, thousandths: gpu.thousandths - (taken.get(gpu.index) ?? 0) }));
  return { share, cpus: Math.max(0, cpus), gpus: gpus.filter(({ thousandths }) => thousandths > 0) };
}

/** Parts on as many of the rooms as needed; `null` if they don't suffice. */
function fill(rooms: readonly Room[], request: StepRequest, distribution: TaskDistribution): StepPart[] | null {
  const listed = listedOn(distribution);
  const capacities = rooms.map((room, index) => {
    return { room, capacity: Math.min(capacityOf(room, request), listed?.get(index) ?? (listed ? 0 : Infinity)) };
  });
  // The nodes that were named come first, and each of them must take part.
  if (capacities.slice(0, new Set(request.nodeList).size).some((one) => one.capacity === 0)) return null;
  const usable = capacities.filter((one) => one.capacity > 0);
  const counts = countTasks(
    usable.map((one) => one.capacity),
    request,
    usable.map((one) => one.room.share.tasks),
  );
  if (counts === null) return null;
  const used = usable.slice(0, counts.length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const layout = layoutTasks(counts, total, distribution);
  const gpus = shareGpus(
    used.map((one) => one.room),
    counts,
    request,
  );
  if (gpus === null || layout === null) return null;
  return used.map(({ room: { share } }, index) => {
    const tasks = layout[index] ?? [];
    const cpus = request.overcommit ? Math.min(1, share.cpus) : tasks.length * (request.cpusPerTask ?? 1);
    return {
      ...{ node: share.node, tasks, cpus, gpus: gpus[index] ?? [] },
      ...{ memoryMiB: memoryOf(share, request, cpus, gpus[index] ?? []), phase: "launching", exits: [] },
    };
  });
}

/** How many tasks a list names for each node; `null` where there is none. Named nodes come first. */
function listedOn(distribution: TaskDistribution): ReadonlyMap<number, number> | null {
  if (typeof distribution === "string" || !("arbitrary" in distribution)) return null;
  const counts = new Map<number, number>();
  for (const index of distribution.arbitrary) counts.set(index, (counts.get(index) ?? 0) + 1);
  return counts;
}

/** Most tasks of the step that fit into a room. */
function capacityOf({ cpus, gpus }: Room, request: StepRequest): number {
  const byCpus = request.overcommit ? Number.MAX_SAFE_INTEGER : Math.floor(cpus / (request.cpusPerTask ?? 1));
  const most = request.tasksPerNode > 0 ? Math.min(byCpus, request.tasksPerNode) : byCpus;
  const wish = request.gpus;
  if (!wish || wish.wishes.length === 0) return most;
  if (wish.per === "node" && takeGpus(gpus, wishedPieces(request), 1) === null) return 0;
  if (wish.per !== "task") return most;
  // Halving the interval: more tasks never need fewer GPUs.
  let high =
    Math.min(
      most,
      gpus.reduce((sum, { thousandths }) => sum + thousandths, 0),
    ) + 1;
  let low = 0;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (takeGpus(gpus, wishedPieces(request), middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** How many tasks go to each of the first so many rooms; `null` if there is not room for all. */
function countTasks(
  capacities: readonly number[],
  request: StepRequest,
  own: readonly number[],
): readonly number[] | null {
  const { nodes, nodeList } = request;
  const total = request.tasks;
  const most = Math.min(nodes?.max ?? capacities.length, capacities.length, total ?? Number.MAX_SAFE_INTEGER);
  const least = Math.max(nodes?.min ?? 1, nodeList.length, 1);
  if (total === null) {
    const count = nodes ? most : Math.max(least, Math.min(1, most));
    if (count < least) return null;
    const each = request.tasksPerNode || 1;
    const counts = capacities.slice(0, count).map(() => each);
    return counts.every((tasks, index) => tasks <= (capacities[index] ?? 0)) ? counts : null;
  }
  if (nodes || nodeList.length > 0)
    return most < least ? null : spreadEvenly(capacities.slice(0, nodes ? most : least), total, own);
  return fillUp(capacities, total);
}

/** Node after node up to its capacity. */
function fillUp(capacities: readonly number[], total: number): number[] | null {
  const counts: number[] = [];
  let left = total;
  for (const capacity of capacities) {
    if (left === 0) break;
    const count = Math.min(capacity, left);
    counts.push(count);
    left -= count;
  }
  return left === 0 ? counts : null;
}

/** As the job's own tasks lie, if these are as many; else one each in turn, up to each node's capacity. */
function spreadEvenly(capacities: readonly number[], total: number, own: readonly number[]): number[] | null {
  const alike = own.slice(0, capacities.length);
  const isAlike =
    alike.reduce((sum, tasks) => sum + tasks, 0) === total &&
    alike.every((tasks, index) => tasks > 0 && tasks <= (capacities[index] ?? 0));
  if (isAlike) return alike;
  if (capacities.reduce((sum, one) => sum + Math.min(one, total), 0) < total) return null;
  const counts = capacities.map(() => 0);
  for (let left = total; left > 0; ) {
    for (const [index, capacity] of capacities.entries()) {
      if (left === 0) break;
      if ((counts[index] ?? 0) >= capacity) continue;
      counts[index] = (counts[index] ?? 0) + 1;
      left -= 1;
    }
  }
  return counts;
}

/** So many GPUs, or parts of them, of one type. */
interface Pieces {
  readonly type: string | null;
  readonly count: number;
  readonly thousandths: number;
}

/** What a request wishes for once: parts first, so that they go where something is gone already; any type last. */
function wishedPieces({ gpus }: StepRequest): readonly Pieces[] {
  const pieces = (gpus?.wishes ?? []).flatMap(({ type, thousandths }): Pieces[] => [
    { type, count: thousandths % WHOLE_GPU === 0 ? 0 : 1, thousandths: thousandths % WHOLE_GPU },
    { type, count: Math.floor(thousandths / WHOLE_GPU), thousandths: WHOLE_GPU },
  ]);
  return pieces.sort((a, b) => Number(a.type === null) - Number(b.type === null));
}

/** What so many times these pieces take of what is left; lowest indices first, parts where they fit best. `null` for no room. */
function takeGpus(left: readonly GpuGrant[], pieces: readonly Pieces[], times: number): GpuGrant[] | null {
  const taken = new Map<GpuGrant, number>();
  for (const { type, count, thousandths } of pieces) {
    const fitting = ofType(left, type);
    for (let number = count * times; number > 0; number--) {
      let best: GpuGrant | null = null;
      let least = Number.POSITIVE_INFINITY;
      for (const gpu of fitting) {
        const over = gpu.thousandths - (taken.get(gpu) ?? 0) - thousandths;
        if (over >= 0 && over < least) [best, least] = [gpu, over];
      }
      if (best === null) return null;
      taken.set(best, (taken.get(best) ?? 0) + thousandths);
    }
  }
  return [...taken].map(([gpu, thousandths]) => ({ ...gpu, thousandths })).sort((a, b) => a.index - b.index);
}

/** GPUs of each part: those asked for; all of the job's where none were asked for. */
function shareGpus(
  rooms: readonly Room[],
  counts: readonly number[],
  request: StepRequest,
): (readonly GpuGrant[])[] | null {
  const wish = request.gpus;
  if (!wish) return rooms.map(({ share }) => share.gpus);
  const pieces = wishedPieces(request);
  if (wish.per !== "job") {
    const grants = rooms.map(({ gpus }, at) => takeGpus(gpus, pieces, wish.per === "task" ? (counts[at] ?? 0) : 1));
    return grants.every((list) => list !== null) ? grants : null;
  }
  let dealt = rooms.map((): Pieces[] => []);
  for (const one of pieces) {
    const next = inProportion(one, dealt, rooms, counts);
    if (next === null) return null;
    dealt = next;
  }
  return rooms.map(({ gpus }, at) => takeGpus(gpus, dealt[at] ?? [], 1) ?? []);
}

/** The pieces of one wish over the parts, by their tasks as far as each has room beside what it was dealt before. */
function inProportion(
  { type, count, thousandths }: Pieces,
  before: readonly (readonly Pieces[])[],
  rooms: readonly Room[],
  tasks: readonly number[],
): Pieces[][] | null {
  const given = rooms.map(() => 0);
  const dealtTo = (at: number, number: number): Pieces[] => [
    ...(before[at] ?? []),
    { type, count: number, thousandths },
  ];
  for (let left = count; left > 0; left--) {
    let best = -1;
    let need = Number.POSITIVE_INFINITY;
    for (const [at, { gpus }] of rooms.entries()) {
      const number = (given[at] ?? 0) + 1;
      const load = number / Math.max(1, tasks[at] ?? 1);
      if (load < need && takeGpus(gpus, dealtTo(at, number), 1)) [best, need] = [at, load];
    }
    if (best < 0) return null;
    given[best] = (given[best] ?? 0) + 1;
  }
  return given.map((number, at) => dealtTo(at, number));
}

function ofType(gpus: readonly GpuGrant[], type: string | null): readonly GpuGrant[] {
  return type === null ? gpus : gpus.filter((gpu) => gpu.type === type.toLowerCase());
}

function memoryOf(share: NodeShare, { memory }: StepRequest, cpus: number, gpus: readonly GpuGrant[]): number {
  if (!memory) return share.memoryMiB;
  const count = memory.per === "node" ? 1 : memory.per === "cpu" ? cpus : thousandthsOf(gpus) / WHOLE_GPU;
  return Math.min(Math.ceil(memory.mib * count), share.memoryMiB || Number.MAX_SAFE_INTEGER);
}

function thousandthsOf(gpus: readonly GpuGrant[]): number {
  return gpus.reduce((sum, { thousandths }) => sum + thousandths, 0);
}

function impossible(allocation: Allocation, { tasks, cpusPerTask, gpus, nodes }: StepRequest): string {
  const cpus = allocation.reduce((sum, share) => sum + share.cpus, 0);
  const count = formatGpus(gpuThousandths(allocation));
  const asked = [
    tasks === null ? "" : `${tasks} tasks of ${cpusPerTask ?? 1} CPUs`,
    nodes ? `${nodes.min} nodes` : "",
    gpus ? `${formatGpus(gpus.wishes.reduce((sum, wish) => sum + wish.thousandths, 0))} GPUs per ${gpus.per}` : "",
  ].filter((part) => part !== "");
  return `asked for ${asked.join(", ")}; the job has ${allocation.length} nodes, ${cpus} CPUs and ${count} GPUs`;
}
