/** Placing: what is granted is allowed, and where anything is allowed something is granted. Small clusters, all sets. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { couldRun } from "../../src/core/fit.ts";
import type { Node } from "../../src/core/node.ts";
import { type Candidate, candidatesOf } from "../../src/core/node-set.ts";
import {
  type Allocation,
  addShare,
  type Gpu,
  NO_USAGE,
  type NodeShare,
  type ResourceRequest,
} from "../../src/core/resources.ts";
import { taskCapacity } from "../../src/core/room.ts";
import { createPlacer, place } from "../../src/sched/place/place.ts";
import { inventory, request, T0 } from "../unit/support/samples.ts";
import { plainPlace } from "./support/plain-pass.ts";

const TYPES = ["a100", "v100"] as const;
const NAMES = ["n2", "n10", "n1", "x", "n3"];
/** NAMES in the order in which Slurm sorts them. */
const ORDER = ["n1", "n2", "n3", "n10", "x"];

interface NodeShape {
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: readonly { readonly type: "a100" | "v100"; readonly isBusy: boolean; readonly isBig: boolean }[];
  readonly usedCpus: number;
  readonly features: readonly string[];
}

const nodeShape: fc.Arbitrary<NodeShape> = fc.record({
  cpus: fc.integer({ min: 1, max: 8 }),
  memoryMiB: fc.integer({ min: 2, max: 12 }),
  gpus: fc.array(
    fc.record({
      type: fc.constantFrom(...TYPES),
      isBusy: fc.integer({ max: 3, min: 0 }).map((n) => n === 0),
      isBig: fc.boolean(),
    }),
    { maxLength: 4, size: "max" },
  ),
  usedCpus: fc.constantFrom(0, 0, 0, 1, 2),
  features: fc.subarray(["f", "g"]),
});

function nodeOf(shape: NodeShape, name: string): Node {
  const gpus = shape.gpus.map(
    ({ type, isBig }, index): Gpu => ({
      ...{ index, uuid: `${name}-${index}`, model: type, type, memoryMiB: isBig ? 80 : 40 },
    }),
  );
  const busy = Object.fromEntries(shape.gpus.flatMap(({ isBusy }, index) => (isBusy ? [[index, 1000]] : [])));
  const usedCpus = Math.min(shape.usedCpus, shape.cpus);
  return {
    name,
    inventory: { ...inventory(), cpus: shape.cpus, memoryMiB: shape.memoryMiB, gpus, features: shape.features },
    registeredAt: T0,
    usage: { cpus: usedCpus, memoryMiB: 0, gpus: busy },
    drain: null,
    down: null,
  };
}

const nodes = fc
  .array(nodeShape, { minLength: 1, maxLength: 4, size: "max" })
  .map((shapes) => shapes.map((shape, at) => nodeOf(shape, NAMES[at] ?? "")));

const wish = fc.record({
  type: fc.constantFrom(null, ...TYPES, "A100"),
  thousandths: fc.integer({ min: 1, max: 3 }).map((count) => count * 1000),
});

const common = fc.record(
  {
    tasksPerNode: fc.constantFrom(0, 0, 1, 2),
    cpusPerTask: fc.constantFrom(null, 1, 2),
    cpusMin: fc.constantFrom(0, 0, 0, 2),
    nodes: fc.option(
      fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(2)).map(([min, more]) => ({ min, max: min + more })),
    ),
    memory: fc.option(fc.record({ per: fc.constantFrom("node", "cpu"), mib: fc.integer({ min: 0, max: 3 }) })),
    exclusive: fc.constantFrom(false, false, false, true),
    overcommit: fc.constantFrom(false, false, false, true),
    nodeList: fc.constantFrom([], [], [], ["n2"], ["n1"], ["n10", "n2"]),
    excluded: fc.constantFrom([], [], [], ["n10"]),
    constraint: fc.constantFrom("", "", "", "f", "f|g", "!f", "[f|g]", "f*1&g*2"),
    contiguous: fc.constantFrom(false, false, false, true),
    spread: fc.constantFrom(false, false, false, true),
  },
  { requiredKeys: [] },
);

/** The different ways to ask for tasks and GPUs. */
const geometry: fc.Arbitrary<Partial<ResourceRequest>> = fc.oneof(
  fc.record({ tasks: fc.option(fc.integer({ min: 1, max: 9 })) }),
  fc.record({
    tasks: fc.option(fc.integer({ min: 1, max: 6 })),
    gpus: fc.record({
      per: fc.constantFrom("job", "node", "task"),
      wishes: fc.array(wish, { minLength: 1, maxLength: 2 }),
    }),
    gpuMemoryMiB: fc.constantFrom(0, 0, 60),
    cpusPerGpu: fc.constantFrom(0, 0, 1, 2),
    memory: fc.option(fc.record({ per: fc.constantFrom("node", "cpu", "gpu"), mib: fc.integer({ min: 1, max: 2 }) })),
  }),
  fc.record({
    tasks: fc.constant(null),
    tasksPerGpu: fc.integer({ min: 1, max: 2 }),
    tasksPerNode: fc.constant(0),
    gpus: fc.record({ per: fc.constantFrom("job", "node"), wishes: fc.array(wish, { minLength: 1, maxLength: 1 }) }),
  }),
  fc.record({ tasks: fc.integer({ min: 1, max: 6 }), tasksPerGpu: fc.integer({ min: 1, max: 2 }) }),
  fc.record({
    tasks: fc.option(fc.integer({ min: 1, max: 3 })),
    gpuIds: fc
      .array(fc.record({ node: fc.constantFrom("n1", "n2"), indices: fc.uniqueArray(fc.nat(2), { minLength: 1 }) }), {
        minLength: 1,
        maxLength: 2,
      })
      .map((ids) => ids.filter((one, at) => ids.findIndex((other) => other.node === one.node) === at)),
  }),
);

const anyRequest = fc
  .tuple(common, geometry)
  .map(([one, other]) => request({ tasks: null, ...one, ...other } as Partial<ResourceRequest>));

test("what is granted is allowed; nothing is granted only if nothing is allowed", () => {
  let granted = 0;
  let refused = 0;
  fc.assert(
    fc.property(nodes, anyRequest, (cluster, wanted) => {
      const allocation = place(candidatesOf(cluster), wanted);
      if (allocation) {
        granted += 1;
        expect(problemsOf(cluster, wanted, allocation)).toEqual([]);
      } else {
        refused += 1;
        expect(findAny(cluster, wanted)).toBe(null);
      }
    }),
    { numRuns: 6000 },
  );
  // Neither half of the test is idle.
  expect(granted).toBeGreaterThan(300);
  expect(refused).toBeGreaterThan(300);
});

/** Few wishes that are hard to meet together: many CPUs here, many GPUs there, types that compete for them. */
const tightNode = fc.record({
  cpus: fc.integer({ min: 1, max: 6 }),
  memoryMiB: fc.constant(9),
  gpus: fc.array(fc.record({ type: fc.constantFrom(...TYPES), isBusy: fc.constant(false), isBig: fc.constant(true) }), {
    maxLength: 4,
  }),
  usedCpus: fc.constant(0),
  features: fc.constant([]),
});
const tightNodes = fc
  .array(tightNode, { minLength: 3, maxLength: 5 })
  .map((shapes) => shapes.map((shape, at) => nodeOf(shape, NAMES[at] ?? "")));
const tightRequest = fc
  .record({
    tasks: fc.option(fc.integer({ min: 2, max: 12 })),
    nodes: fc.integer({ min: 2, max: 3 }).map((count) => ({ min: count, max: count })),
    cpusPerGpu: fc.constantFrom(0, 1, 2),
    gpus: fc.record({
      per: fc.constant("job" as const),
      wishes: fc.array(
        fc.record({
          type: fc.constantFrom(null, ...TYPES),
          thousandths: fc.integer({ min: 1, max: 5 }).map((count) => count * 1000),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  })
  .map((wishes) => request(wishes));

test("the same where tasks and GPUs of several types compete", () => {
  let granted = 0;
  fc.assert(
    fc.property(tightNodes, tightRequest, (cluster, wanted) => {
      const allocation = place(candidatesOf(cluster), wanted);
      if (allocation) expect(problemsOf(cluster, wanted, allocation)).toEqual([]);
      else expect(findAny(cluster, wanted)).toBe(null);
      if (allocation) granted += 1;
    }),
    { numRuns: 6000 },
  );
  expect(granted).toBeGreaterThan(600);
});

test("the same nodes in any order give the same shares", () => {
  fc.assert(
    fc.property(nodes, anyRequest, (cluster, wanted) => {
      const one = place(candidatesOf(cluster), wanted);
      expect(place(candidatesOf([...cluster].reverse()), structuredClone(wanted))).toEqual(one);
    }),
    { numRuns: 500 },
  );
});

test("what fits now fits when nothing runs, and a node's capacity is what can be placed on it", () => {
  fc.assert(
    fc.property(nodes, anyRequest, (cluster, wanted) => {
      if (place(candidatesOf(cluster), wanted)) expect(couldRun(candidatesOf(cluster), wanted)).toBe(true);
      const [node] = cluster;
      if (!node || wanted.tasks === null || wanted.gpus?.per === "job") return;
      const single = { ...wanted, nodes: null, nodeList: [], gpuIds: [], constraint: "", contiguous: false };
      const capacity = taskCapacity(node, single);
      for (const tasks of [1, 2, 3, 5]) {
        const fits = place(candidatesOf([node]), { ...single, tasks }) !== null;
        if (tasks <= wanted.tasks) expect(fits, `${tasks} of ${capacity}`).toBe(tasks <= capacity);
      }
    }),
    { numRuns: 1000 },
  );
});

test("a pass never grants a node's CPUs, memory or GPUs twice", () => {
  fc.assert(
    fc.property(nodes, fc.array(anyRequest, { minLength: 2, maxLength: 8 }), (cluster, requests) => {
      const candidates: Candidate[] = candidatesOf(cluster);
      const placeNext = createPlacer(candidates);
      // Twice each, as jobs of one shape often follow one another: what is remembered must be what is true.
      for (const one of requests.flatMap((wanted) => [wanted, structuredClone(wanted)])) {
        const allocation = placeNext(one);
        expect(allocation).toEqual(plainPlace(candidates, one));
        for (const share of allocation ?? []) {
          const candidate = candidates.find(({ node }) => node.name === share.node);
          if (candidate) candidate.usage = addShare(candidate.usage, share, 1);
        }
      }
      for (const { node, usage } of candidates) {
        expect(usage.cpus).toBeLessThanOrEqual(node.inventory.cpus);
        expect(usage.memoryMiB).toBeLessThanOrEqual(node.inventory.memoryMiB);
        for (const used of Object.values(usage.gpus)) expect(used).toBeLessThanOrEqual(1000);
      }
    }),
    { numRuns: 500 },
  );
});

/** Every rule that an allocation breaks. Written without the scheduler's own helpers. */
function problemsOf(cluster: readonly Node[], wanted: ResourceRequest, allocation: Allocation): string[] {
  const names = allocation.map((share) => share.node);
  const problems = setProblems(cluster, wanted, names);
  if (names.join() !== ORDER.filter((name) => names.includes(name)).join()) problems.push("order of nodes");
  for (const share of allocation) {
    const node = cluster.find((one) => one.name === share.node);
    if (node) problems.push(...shareProblems(node, wanted, share));
    else problems.push(`no node ${share.node}`);
  }
  const tasks = allocation.reduce((sum, share) => sum + share.tasks, 0);
  if (wanted.tasks !== null && tasks !== wanted.tasks) problems.push(`${tasks} tasks`);
  if (tasks >= names.length && allocation.some((share) => share.tasks === 0)) problems.push("a node without a task");
  if (wanted.gpus?.per === "job" && !wanted.exclusive) {
    const types = allocation.flatMap((share) => share.gpus.map((gpu) => gpu.type));
    if (!isDealt(wanted, types, 1)) problems.push(`GPUs ${types}`);
    if (wanted.gpus.wishes.length === 1 && allocation.some((share) => share.gpus.length === 0)) problems.push("no GPU");
  }
  return problems;
}

/** Rules on the nodes as a set. */
function setProblems(cluster: readonly Node[], wanted: ResourceRequest, names: readonly string[]): string[] {
  const problems: string[] = [];
  const features = names.map((name) => cluster.find((node) => node.name === name)?.inventory.features ?? []);
  const having = (feature: string): number => features.filter((some) => some.includes(feature)).length;
  const required = [...wanted.nodeList, ...wanted.gpuIds.map((ids) => ids.node)];
  if (!required.every((name) => names.includes(name))) problems.push("required nodes");
  if (names.some((name) => wanted.excluded.includes(name))) problems.push("excluded nodes");
  if (names.length < (wanted.nodes?.min ?? 1) || names.length > (wanted.nodes?.max ?? 99)) problems.push("node count");
  const order = ORDER.filter((name) => cluster.some((node) => node.name === name));
  const places = names.map((name) => order.indexOf(name)).sort();
  if (wanted.contiguous && (places.at(-1) ?? 0) - (places[0] ?? 0) !== names.length - 1)
    problems.push("not contiguous");
  const all = names.length;
  const fulfilled: Record<string, boolean> = {
    "": true,
    f: having("f") === all,
    "f|g": features.every((some) => some.length > 0),
    "!f": having("f") === 0,
    "[f|g]": having("f") === all || having("g") === all,
    "f*1&g*2": having("f") >= 1 && having("g") >= 2,
  };
  if (!fulfilled[wanted.constraint]) problems.push(`constraint ${wanted.constraint}`);
  return problems;
}

function shareProblems(node: Node, wanted: ResourceRequest, share: NodeShare): string[] {
  const problems: string[] = [];
  const { inventory: has, usage } = node;
  if (share.cpus > has.cpus - usage.cpus || share.memoryMiB > has.memoryMiB - usage.memoryMiB) problems.push("no room");
  for (const { index, uuid, type, thousandths } of share.gpus) {
    const gpu = has.gpus[index];
    if (gpu?.uuid !== uuid || gpu.type !== type || thousandths !== 1000) problems.push(`GPU ${index} is another`);
    if (usage.gpus[index]) problems.push(`GPU ${index} is busy`);
    if (!wanted.exclusive && (gpu?.memoryMiB ?? 0) < wanted.gpuMemoryMiB) problems.push(`GPU ${index} is too small`);
  }
  const ids = wanted.gpuIds.find((one) => one.node === node.name)?.indices ?? [];
  const indices = share.gpus.map((gpu) => gpu.index);
  if (wanted.exclusive) {
    if (usage.cpus > 0 || Object.keys(usage.gpus).length > 0) problems.push("not alone");
    if (share.cpus !== has.cpus || indices.length !== has.gpus.length) problems.push("not the whole node");
    return problems;
  }
  if (wanted.gpuIds.length > 0 && indices.join() !== [...ids].sort((a, b) => a - b).join()) problems.push("other GPUs");
  if (!isShareMet(wanted, share)) problems.push(`share ${JSON.stringify(share)}`);
  return problems;
}

/** Whether CPUs, memory, tasks and GPUs of a share go together. */
function isShareMet(wanted: ResourceRequest, { tasks, cpus, memoryMiB, gpus }: NodeShare): boolean {
  const each = wanted.cpusPerTask ?? 1;
  const forTasks = wanted.overcommit ? (tasks > 0 ? each : 0) : each * tasks;
  if (cpus !== Math.max(1, forTasks, gpus.length * wanted.cpusPerGpu, wanted.cpusMin)) return false;
  if (wanted.memory && wanted.memory.mib > 0) {
    const times = { node: 1, cpu: cpus, gpu: gpus.length }[wanted.memory.per];
    if (memoryMiB !== wanted.memory.mib * times) return false;
  }
  if (wanted.tasksPerNode > 0 && tasks > wanted.tasksPerNode) return false;
  const types = gpus.map((gpu) => gpu.type);
  if (wanted.tasksPerGpu > 0) {
    if (wanted.tasks === null && tasks !== wanted.tasksPerGpu * gpus.length) return false;
    if (wanted.tasks !== null && gpus.length !== Math.ceil(tasks / wanted.tasksPerGpu)) return false;
  } else if (wanted.tasks === null && tasks !== (wanted.tasksPerNode || 1)) {
    return false;
  }
  if (wanted.gpus?.per === "node") return isDealt(wanted, types, 1);
  if (wanted.gpus?.per === "task") return isDealt(wanted, types, tasks);
  return true;
}

/** Whether the GPUs are just those of all wishes so many times over. */
function isDealt({ gpus }: ResourceRequest, types: readonly string[], times: number): boolean {
  const left = [...types];
  const wishes = [...(gpus?.wishes ?? [])].sort((a, b) => Number(a.type === null) - Number(b.type === null));
  for (const { type, thousandths } of wishes) {
    for (let count = (thousandths / 1000) * times; count > 0; count--) {
      const at = type === null ? 0 : left.indexOf(type.toLowerCase());
      if (left.length === 0 || at < 0) return false;
      left.splice(at, 1);
    }
  }
  return left.length === 0;
}

/** Any allocation that breaks no rule, by trying all; `null` if there is none. */
function findAny(cluster: readonly Node[], wanted: ResourceRequest): string | null {
  for (let set = 1; set < 1 << cluster.length; set++) {
    const chosen = cluster.filter((_, at) => (set >> at) & 1);
    const names = chosen.map((node) => node.name);
    if (setProblems(cluster, wanted, names).length > 0) continue;
    // Nodes without a task are for those who asked for so many.
    const named = new Set([...wanted.nodeList, ...wanted.gpuIds.map((ids) => ids.node)]).size;
    if (wanted.tasks !== null && names.length > Math.max(wanted.tasks, wanted.nodes?.min ?? 1, named)) continue;
    const options = chosen.map((node) => sharesOn(node, wanted));
    const found = combine(options, wanted, names.length);
    if (found) return JSON.stringify(found);
  }
  return null;
}

function sharesOn(node: Node, wanted: ResourceRequest): { tasks: number; types: string[] }[] {
  const free = node.inventory.gpus.filter((gpu) => !node.usage.gpus[gpu.index] && gpu.memoryMiB >= wanted.gpuMemoryMiB);
  const ids = wanted.gpuIds.find((one) => one.node === node.name)?.indices;
  if (ids?.some((index) => !free.some((gpu) => gpu.index === index))) return [];
  if (wanted.exclusive && (node.usage.cpus > 0 || Object.keys(node.usage.gpus).length > 0)) return [];
  const sets = new Map<string, Gpu[]>();
  for (let bits = 0; bits < 1 << free.length; bits++) {
    const some = free.filter((_, at) => (bits >> at) & 1);
    if (wanted.gpuIds.length > 0 && some.map((gpu) => gpu.index).join() !== [...(ids ?? [])].sort().join()) continue;
    sets.set(
      some
        .map((gpu) => gpu.type)
        .sort()
        .join(),
      some,
    );
  }
  const shares: { tasks: number; types: string[] }[] = [];
  for (const gpus of sets.values()) {
    if (!wanted.gpus && wanted.gpuIds.length === 0 && wanted.tasksPerGpu === 0 && gpus.length > 0) continue;
    for (let tasks = 0; tasks <= (wanted.tasks ?? 9); tasks++) {
      const grants = gpus.map(({ index, uuid, type }) => ({ index, uuid, type, thousandths: 1000 }));
      const share = shareFor(node, wanted, tasks, grants);
      const plain = { ...wanted, exclusive: false };
      if (shareProblems(node, plain, share).length === 0) shares.push({ tasks, types: gpus.map((gpu) => gpu.type) });
    }
  }
  return shares;
}

function shareFor(node: Node, wanted: ResourceRequest, tasks: number, gpus: NodeShare["gpus"]): NodeShare {
  const each = wanted.cpusPerTask ?? 1;
  const forTasks = wanted.overcommit ? Math.min(1, tasks) * each : tasks * each;
  const cpus = Math.max(1, forTasks, gpus.length * wanted.cpusPerGpu, wanted.cpusMin);
  const { memory } = wanted;
  const mib = memory?.per === "node" && memory.mib === 0 ? node.inventory.memoryMiB : (memory?.mib ?? 0);
  const memoryMiB = mib * { node: 1, cpu: cpus, gpu: gpus.length }[memory?.per ?? "node"];
  return { node: node.name, tasks, cpus, memoryMiB, gpus };
}

/** One share of each node, with the right sums; the first that is found. */
function combine(
  options: readonly (readonly { tasks: number; types: string[] }[])[],
  wanted: ResourceRequest,
  count: number,
): { tasks: number; types: string[] }[] | null {
  const perJob = wanted.gpus?.per === "job";
  const isIdle = wanted.tasks !== null && wanted.tasks < count;
  const walk = (at: number, tasks: number, types: string[]): { tasks: number; types: string[] }[] | null => {
    if (at === options.length) {
      if (wanted.tasks !== null && tasks !== wanted.tasks) return null;
      return !perJob || isDealt(wanted, types, 1) ? [] : null;
    }
    for (const share of options[at] ?? []) {
      if (share.tasks === 0 && !isIdle) continue;
      if (perJob && share.types.length === 0) continue;
      if (wanted.tasks !== null && tasks + share.tasks > wanted.tasks) continue;
      const rest = walk(at + 1, tasks + share.tasks, perJob ? [...types, ...share.types] : types);
      if (rest) return [share, ...rest];
    }
    return null;
  };
  return walk(0, 0, []);
}

test("an idle cluster holds what an idle node of it holds", () => {
  fc.assert(
    fc.property(nodes, anyRequest, (cluster, wanted) => {
      const idle = cluster.map((node) => ({ ...node, usage: NO_USAGE }));
      expect(couldRun(candidatesOf(cluster), wanted)).toBe(place(candidatesOf(idle), wanted) !== null);
    }),
    { numRuns: 500 },
  );
});
