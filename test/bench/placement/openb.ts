/**
 * Replays Alibaba's GPU sharing trace "openb" on its own cluster, the way the authors of FGD did (Weng et al., USENIX ATC
 * 2023): tasks come one after the other and never end, until they ask for 130 % of the cluster's GPUs. What is
 * measured is the share of the GPUs that is granted when 100 % and 130 % have come; tasks for which there is no room are
 * passed over.
 *
 * The order of the tasks of a seed: shuffled; then, until the sum is 130 %, tasks drawn at random from the list are added,
 * or taken away where the list asks for more. Nodes are in random order. CPUs are in thousandths here.
 *
 * Tasks are placed by the scheduler's own code (sched/place), on records of nodes as the controller has them.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Node } from "../../../src/core/node.ts";
import { type Candidate, candidatesOf } from "../../../src/core/node-set.ts";
import type { ScoreName } from "../../../src/core/placement.ts";
import {
  type Gpu,
  gpuThousandths,
  NO_USAGE,
  PLAIN_REQUEST,
  type ResourceRequest,
} from "../../../src/core/resources.ts";
import { createPlacer } from "../../../src/sched/place/place.ts";
import { scoringOf } from "../../../src/sched/place/scores/scores.ts";
import { take } from "../../../src/sched/place/together.ts";
import { typicalAmong } from "../../../src/sched/place/workload.ts";

/** The lists of tasks that are replayed. */
export const LISTS = ["default", "gpuspec33", "multigpu50", "gpushare100", "cpu250"] as const;

/** The tasks of a list arrive until they ask for this share of all GPUs. */
const ARRIVED_MAX = 1.3;

interface Machine {
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  readonly model: string;
}

/** Share of the cluster's GPUs that is granted, in per cent, when so many per cent were asked for. */
export interface Allocated {
  readonly at100: number;
  readonly at130: number;
}

/** The trace as it lies in a folder (shared/traces/README.md tells the columns). */
export class Openb {
  readonly #folder: string;
  readonly #machines: readonly Machine[];

  constructor(folder: string) {
    this.#folder = folder;
    this.#machines = rowsOf(join(folder, "openb_node_list_gpu_node.csv")).map((row) => ({
      cpus: Number(row.cpu_milli),
      memoryMiB: Number(row.memory_mib),
      gpus: Number(row.gpu),
      model: row.model ?? "",
    }));
  }

  /** The tasks of a list; those that ask for the same are the same object. */
  tasks(list: string): ResourceRequest[] {
    const shapes = new Map<string, ResourceRequest>();
    return rowsOf(join(this.#folder, `openb_pod_list_${list}.csv`)).map((row) => {
      const request = requestOf(row);
      const shape = JSON.stringify(request);
      const known = shapes.get(shape) ?? request;
      shapes.set(shape, known);
      return known;
    });
  }

  /** What a score makes of the tasks in the order of a seed. */
  replay(tasks: readonly ResourceRequest[], seed: number, score: ScoreName): Allocated {
    const random = randomNumbers(seed);
    const capacity = this.#machines.reduce((sum, { gpus }) => sum + gpus * 1000, 0);
    const order = arrivals(tasks, ARRIVED_MAX * capacity, random);
    const candidates = candidatesOf(nodesOf(shuffled(this.#machines, random)));
    const typical = typicalAmong(tasks);
    const place = createPlacer(candidates, scoringOf(score, { typical: () => typical, seed }));
    const byName = new Map(candidates.map((candidate) => [candidate.node.name, candidate]));
    let [arrived, granted, at100] = [0, 0, -1];
    for (const task of order) {
      const asked = thousandthsOf(task);
      if (at100 < 0 && arrived + asked > capacity) at100 = granted;
      arrived += asked;
      const allocation = place(task);
      if (!allocation) continue;
      granted += gpuThousandths(allocation);
      take(
        allocation.flatMap(({ node }): Candidate[] => [byName.get(node)].flatMap((one) => one ?? [])),
        allocation,
      );
    }
    return { at100: (100 * at100) / capacity, at130: (100 * granted) / capacity };
  }
}

function requestOf(row: Readonly<Record<string, string>>): ResourceRequest {
  const count = Number(row.num_gpu);
  const models = count === 0 ? [] : (row.gpu_spec ?? "").split("|").filter((model) => model !== "");
  const thousandths = count === 1 ? Number(row.gpu_milli) : count * 1000;
  return {
    ...PLAIN_REQUEST,
    nodes: { min: 1, max: 1 },
    cpusPerTask: Number(row.cpu_milli),
    memory: { per: "node", mib: Math.max(1, Number(row.memory_mib)) },
    gpus: count === 0 ? null : { per: "node", wishes: [{ type: null, thousandths }] },
    constraint: models.join("|"),
  };
}

function thousandthsOf({ gpus }: ResourceRequest): number {
  return gpus?.wishes.reduce((sum, { thousandths }) => sum + thousandths, 0) ?? 0;
}

/** The order of arrival: all tasks shuffled, then more or fewer of them until they ask for so many thousandths. */
function arrivals(tasks: readonly ResourceRequest[], target: number, random: () => number): ResourceRequest[] {
  const order = shuffled(tasks, random);
  let asked = order.reduce((sum, task) => sum + thousandthsOf(task), 0);
  while (asked > target) {
    const [removed] = order.splice(Math.floor(random() * order.length), 1);
    if (removed) asked -= thousandthsOf(removed);
  }
  while (asked < target) {
    const task = tasks[Math.floor(random() * tasks.length)];
    if (!task || asked + thousandthsOf(task) > target) break;
    asked += thousandthsOf(task);
    order.push(task);
  }
  return order;
}

/** Nodes named in the order given. */
function nodesOf(machines: readonly Machine[]): Node[] {
  return machines.map(({ cpus, memoryMiB, gpus, model }, at): Node => {
    const name = `n${String(at).padStart(4, "0")}`;
    const made = Array.from({ length: gpus }, (_, index): Gpu => {
      return { index, uuid: `${name}-${index}`, model, type: model.toLowerCase(), memoryMiB: 0 };
    });
    return {
      ...{ name, registeredAt: 0, usage: NO_USAGE, drain: null, down: null },
      inventory: {
        ...{ hostname: name, cpus, memoryMiB, gpus: made, gpuProvider: "openb", gpuProblem: null },
        ...{ bootId: "", os: "", arch: "", version: "", features: [model] },
      },
    };
  });
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const list = [...items];
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [list[at], list[other]] = [list[other] as T, list[at] as T];
  }
  return list;
}

/** Mulberry32: numbers from 0 to below 1, the same for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function rowsOf(path: string): Record<string, string>[] {
  const [head = "", ...lines] = readFileSync(path, "utf8").trim().split(/\r?\n/);
  const names = head.split(",");
  return lines.map((line) => {
    const values = line.split(",");
    return Object.fromEntries(names.map((name, at) => [name, values[at] ?? ""]));
  });
}
