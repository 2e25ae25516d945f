/**
 * What jobs are like of late: kinds of requests with their shares, learned from those that were submitted. Each counts
 * half as much as one that came {@link HALF_LIFE_MS} later.
 */

import type { ResourceRequest } from "../../core/resources.ts";
import { WHOLE_GPU } from "../../core/resources.ts";
import { demandOf } from "../../core/room.ts";

/** Jobs that ask for the same on each of their nodes. */
export interface Kind {
  readonly cpus: number;
  readonly gpus: number;
  /** Of each of these GPUs. */
  readonly thousandths: number;
  /** Lower case; `null` for any. */
  readonly type: string | null;
  /** As in the request. */
  readonly constraint: string;
  /** Part of all jobs that are like this, from 0 to 1. */
  readonly share: number;
}

/** The most common kinds, which together make up {@link COVERED} of all jobs; their shares add up to 1. */
export type Typical = readonly Kind[];

const HALF_LIFE_MS = 7 * 24 * 3600 * 1000;

/** The rest are each too rare to plan for. The value of the published experiments. */
const COVERED = 0.95;

/** Kinds that are remembered, the rarest are forgotten; of them at most so many are typical. */
const KINDS_MAX = 512;
const TYPICAL_MAX = 256;

/** The typical kinds are made anew after so many jobs: each time all nodes are looked at anew. */
const RENEW_AFTER = 200;

/** Exponents of 2 up to which weights grow before they are scaled down. */
const EXPONENT_MAX = 500;

interface Entry {
  readonly kind: Omit<Kind, "share">;
  weight: number;
}

/** Learns from requests one by one. */
export class Workload {
  readonly #entries = new Map<string, Entry>();
  #since: number | null = null;
  #noted = 0;
  #typical: Typical = [];
  #madeAt = 0;

  /**
   * @param at milliseconds since 1970, when it was submitted
   * @param count of an array the number of its tasks
   */
  note(request: ResourceRequest, at: number, count = 1): void {
    this.#since ??= at;
    let exponent = (at - this.#since) / HALF_LIFE_MS;
    if (exponent > EXPONENT_MAX) {
      for (const entry of this.#entries.values()) entry.weight *= 2 ** -exponent;
      this.#since = at;
      exponent = 0;
    }
    const kind = kindOf(request);
    const key = JSON.stringify(kind);
    const entry = this.#entries.get(key) ?? { kind, weight: 0 };
    entry.weight += count * 2 ** exponent;
    this.#entries.set(key, entry);
    this.#noted += 1;
    if (this.#entries.size > KINDS_MAX) this.#forget();
  }

  /** The same object until there is enough news. */
  typical(): Typical {
    const isFirst = this.#typical.length === 0 && this.#noted > 0;
    if (isFirst || this.#noted >= this.#madeAt + RENEW_AFTER) {
      this.#typical = typicalOf([...this.#entries.values()]);
      this.#madeAt = this.#noted;
    }
    return this.#typical;
  }

  /** Half of them at once, so that this is rare. */
  #forget(): void {
    const heaviest = [...this.#entries].sort(([, a], [, b]) => b.weight - a.weight).slice(0, KINDS_MAX / 2);
    this.#entries.clear();
    for (const [key, entry] of heaviest) this.#entries.set(key, entry);
  }
}

/** The typical kinds among requests that all count the same. */
export function typicalAmong(requests: Iterable<ResourceRequest>): Typical {
  const workload = new Workload();
  for (const request of requests) workload.note(request, 0);
  return workload.typical();
}

function typicalOf(entries: readonly Entry[]): Typical {
  const total = entries.reduce((sum, { weight }) => sum + weight, 0);
  const chosen: Entry[] = [];
  let covered = 0;
  const sorted = [...entries].sort((a, b) => b.weight - a.weight || b.kind.cpus - a.kind.cpus);
  for (const entry of sorted) {
    if (covered >= COVERED * total || chosen.length === TYPICAL_MAX) break;
    chosen.push(entry);
    covered += entry.weight;
  }
  return chosen.map(({ kind, weight }) => ({ ...kind, share: weight / covered }));
}

/** What a request comes to on one of its nodes. Of whole GPUs and a part the part counts as whole. */
function kindOf(request: ResourceRequest): Omit<Kind, "share"> {
  const { per, wishes, tasksPerWish } = demandOf(request);
  const nodes = request.nodes?.min ?? 1;
  const tasks = Math.ceil((request.tasks ?? nodes * (request.tasksPerNode || 1)) / nodes);
  const times = { job: 1 / nodes, node: 1, task: tasks / tasksPerWish }[per];
  const gpus = Math.ceil(wishes.reduce((sum, { count }) => sum + count, 0) * times);
  const only = wishes.length === 1 ? wishes[0] : undefined;
  const chosen = request.gpuIds.reduce((sum, { indices }) => sum + indices.length, 0);
  return {
    cpus: request.overcommit ? (request.cpusPerTask ?? 1) : tasks * (request.cpusPerTask ?? 1),
    gpus: gpus || Math.ceil(chosen / nodes),
    thousandths: only?.thousandths ?? WHOLE_GPU,
    type: only?.type ?? null,
    constraint: request.constraint,
  };
}
