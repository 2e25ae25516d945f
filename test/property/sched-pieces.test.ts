/** Parts of GPUs: no GPU is granted beyond its size, and where there is room for all parts something is granted. */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Node } from "../../src/core/node.ts";
import { candidatesOf } from "../../src/core/node-set.ts";
import { type Allocation, addShare, type Gpu, type ResourceRequest } from "../../src/core/resources.ts";
import { place } from "../../src/sched/place/place.ts";
import { inventory, request, T0 } from "../unit/support/samples.ts";

const TYPES = ["a100", "v100"] as const;
const HELD = [0, 0, 300, 500, 700, 1000];

const nodes = fc
  .array(
    fc.record({
      cpus: fc.integer({ min: 1, max: 4 }),
      gpus: fc.array(fc.record({ type: fc.constantFrom(...TYPES), held: fc.constantFrom(...HELD) }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((shapes) =>
    shapes.map(({ cpus, gpus }, at): Node => {
      const made = gpus.map(({ type }, index): Gpu => {
        return { index, uuid: `n${at}-${index}`, model: type, type, memoryMiB: type === "a100" ? 80 : 40 };
      });
      const taken = Object.fromEntries(gpus.flatMap(({ held }, index) => (held > 0 ? [[index, held]] : [])));
      const usage = { cpus: 0, memoryMiB: 0, gpus: taken };
      return {
        ...{ name: `n${at}`, registeredAt: T0, usage, drain: null, down: null },
        inventory: { ...inventory(), cpus, gpus: made, features: [] },
      };
    }),
  );

const SIZES = [200, 300, 500, 700, 1000, 1200, 1500, 2000, 2300, 2500];
const wanted = fc
  .record({
    per: fc.constantFrom("job" as const, "node" as const, "task" as const),
    thousandths: fc.constantFrom(...SIZES),
    type: fc.constantFrom(null, null, ...TYPES),
    tasks: fc.integer({ min: 1, max: 4 }),
    exactNodes: fc.constantFrom(0, 0, 1, 2),
  })
  .map(({ per, thousandths, type, tasks, exactNodes }) =>
    request({
      tasks: Math.max(tasks, exactNodes),
      nodes: exactNodes === 0 ? null : { min: exactNodes, max: exactNodes },
      gpus: { per, wishes: [{ type, thousandths }] },
    }),
  );

test("what is granted fits and is what was asked for; nothing is granted only where nothing could be", () => {
  const seen = { granted: 0, refused: 0 };
  fc.assert(
    fc.property(nodes, wanted, (cluster, one) => {
      const allocation = place(candidatesOf(cluster), one);
      if (allocation) expect(problemsOf(cluster, one, allocation)).toEqual([]);
      else expect(isPossible(cluster, one)).toBe(false);
      seen[allocation ? "granted" : "refused"] += 1;
    }),
    { numRuns: 5000 },
  );
  expect(Math.min(seen.granted, seen.refused)).toBeGreaterThan(300);
});

test("one request after the other never holds more than a GPU is", () => {
  fc.assert(
    fc.property(nodes, fc.array(wanted, { minLength: 2, maxLength: 12 }), (cluster, requests) => {
      const candidates = candidatesOf(cluster);
      for (const one of requests) {
        for (const share of place(candidates, one) ?? []) {
          const candidate = candidates.find(({ node }) => node.name === share.node);
          if (candidate) candidate.usage = addShare(candidate.usage, share, 1);
        }
      }
      for (const { node, usage } of candidates) {
        expect(usage.cpus).toBeLessThanOrEqual(node.inventory.cpus);
        for (const held of Object.values(usage.gpus)) expect(held).toBeLessThanOrEqual(1000);
      }
    }),
    { numRuns: 1000 },
  );
});

function problemsOf(cluster: readonly Node[], one: ResourceRequest, allocation: Allocation): string[] {
  const problems: string[] = [];
  const [wish] = one.gpus?.wishes ?? [];
  if (!wish) return problems;
  for (const { node: name, gpus, tasks } of allocation) {
    const node = cluster.find((candidate) => candidate.name === name);
    for (const { index, thousandths, type } of gpus) {
      if ((node?.usage.gpus[index] ?? 0) + thousandths > 1000) problems.push(`GPU ${index} of ${name} is too full`);
      if (wish.type !== null && type !== wish.type) problems.push(`GPU ${index} of ${name} is a ${type}`);
    }
    const sum = gpus.reduce((total, { thousandths }) => total + thousandths, 0);
    const due = { job: sum, node: wish.thousandths, task: wish.thousandths * tasks }[one.gpus?.per ?? "job"];
    if (sum !== due || sum === 0) problems.push(`${sum} on ${name} rather than ${due}`);
    // Only a part may come from a GPU that others use.
    const whole = gpus.filter(({ thousandths }) => thousandths === 1000).length;
    if (one.gpus?.per === "node" && whole < Math.floor(wish.thousandths / 1000)) problems.push(`${whole} whole ones`);
  }
  const total = allocation.flatMap(({ gpus }) => gpus).reduce((sum, { thousandths }) => sum + thousandths, 0);
  if (one.gpus?.per === "job" && total !== wish.thousandths) problems.push(`${total} altogether`);
  if (allocation.reduce((sum, { tasks }) => sum + tasks, 0) !== one.tasks) problems.push("tasks");
  return problems;
}

/** Whether any choice of nodes, tasks and GPUs does, by trying all. */
function isPossible(cluster: readonly Node[], one: ResourceRequest): boolean {
  const [wish] = one.gpus?.wishes ?? [];
  const tasks = one.tasks ?? 1;
  if (!wish) return true;
  const pieces = piecesOf(wish.thousandths);
  for (let set = 1; set < 1 << cluster.length; set++) {
    const chosen = cluster.filter((_, at) => (set >> at) & 1);
    if (one.nodes && chosen.length !== one.nodes.min) continue;
    if (chosen.length > tasks) continue;
    for (const counts of splits(tasks, chosen.length)) {
      if (!chosen.every(({ inventory: has }, at) => has.cpus >= (counts[at] ?? 0))) continue;
      if (one.gpus?.per === "job" ? canDeal(chosen, pieces, wish.type) : canHoldAll(chosen, counts, one)) return true;
    }
  }
  return false;
}

function canHoldAll(chosen: readonly Node[], counts: readonly number[], { gpus }: ResourceRequest): boolean {
  const [wish] = gpus?.wishes ?? [];
  return chosen.every((node, at) => {
    const times = gpus?.per === "task" ? (counts[at] ?? 0) : 1;
    const pieces = Array.from({ length: times }, () => piecesOf(wish?.thousandths ?? 0)).flat();
    return pack(freeOf(node, wish?.type ?? null), pieces);
  });
}

/** Each node gets at least one of the pieces, each piece a GPU. */
function canDeal(chosen: readonly Node[], pieces: readonly number[], type: string | null): boolean {
  const walk = (at: number, dealt: readonly (readonly number[])[]): boolean => {
    if (at === pieces.length) {
      return dealt.every((some, index) => {
        const node = chosen[index];
        return some.length > 0 && node !== undefined && pack(freeOf(node, type), some);
      });
    }
    return chosen.some((_, to) =>
      walk(
        at + 1,
        dealt.map((some, index) => (index === to ? [...some, pieces[at] ?? 0] : some)),
      ),
    );
  };
  return walk(
    0,
    chosen.map(() => []),
  );
}

function piecesOf(thousandths: number): number[] {
  const rest = thousandths % 1000;
  return [...Array<number>(Math.floor(thousandths / 1000)).fill(1000), ...(rest > 0 ? [rest] : [])];
}

function freeOf({ inventory: has, usage }: Node, type: string | null): number[] {
  return has.gpus
    .filter((gpu) => type === null || gpu.type === type)
    .map(({ index }) => 1000 - (usage.gpus[index] ?? 0));
}

function pack(free: readonly number[], pieces: readonly number[]): boolean {
  const [first, ...rest] = pieces;
  if (first === undefined) return true;
  return free.some((left, at) => left >= first && pack(free.with(at, left - first), rest));
}

/** All ways to give so many tasks to so many nodes, at least one each. */
function splits(tasks: number, count: number): number[][] {
  if (count === 1) return tasks > 0 ? [[tasks]] : [];
  return Array.from({ length: tasks }, (_, at) => at + 1).flatMap((own) =>
    splits(tasks - own, count - 1).map((others) => [own, ...others]),
  );
}
