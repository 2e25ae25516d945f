/** Requests as they are looked at: read once, and what nodes offer them worked out once for nodes that are alike. */

import { mayBeAlone, type Offer, targetsOf } from "../../core/node-set.ts";
import type { ResourceRequest } from "../../core/resources.ts";
import { alternativesOf, type Demand, demandOf, thousandthsOf } from "../../core/room.ts";
import { Classes } from "./classes.ts";
import { type Needs, needsOf } from "./needs.ts";
import type { Rate } from "./scores/score.ts";

/** Shapes that are remembered; then all are forgotten. */
const SHAPES_MAX = 4096;

/** Classes of nodes of which is remembered what they offer to one demand; then all are forgotten. */
const LOOKS_MAX = 4096;

/** Requests with the same shape fit in the same places. */
export function shapeOf(request: ResourceRequest): string {
  let shape = names.get(request);
  if (shape === undefined) {
    const text = JSON.stringify(request);
    // The same object for the same text: maps compare it faster.
    shape = known.get(text) ?? text;
    if (known.size >= SHAPES_MAX) known.clear();
    known.set(shape, shape);
    names.set(request, shape);
  }
  return shape;
}

const known = new Map<string, string>();

/** Requests never change and are kept as long as their jobs. */
const names = new WeakMap<ResourceRequest, string>();

/** One way to meet a request. */
export class Asked {
  readonly demand: Demand;
  readonly targets: readonly number[];
  readonly isForOne: boolean;
  readonly needs: Needs;
  /** CPUs and thousandths of GPUs that it takes in all, wherever; never more than it takes in the end. */
  readonly inAll: { readonly cpus: number; readonly gpus: number };
  /** It is about nodes by name: those that are alike are not alike to it. */
  readonly isNamed: boolean;
  /** Where it finds room it finds room, too, where less is in use: no rule of thumb is needed. */
  readonly isMonotonic: boolean;
  /** By class of node: what counts towards the targets; `null` for a node that offers nothing. */
  readonly #gains = new Map<number, readonly number[] | null>();
  readonly #costs = new WeakMap<Rate, Map<number, readonly number[]>>();

  constructor(demand: Demand) {
    const { request } = demand;
    this.demand = demand;
    this.targets = targetsOf(demand);
    this.isForOne = mayBeAlone(demand);
    this.needs = needsOf(demand);
    this.inAll = inAllOf(demand);
    this.isMonotonic = isMonotonic(demand, this.targets);
    this.isNamed = demand.required.length + request.excluded.length > 0 || request.tasksOn !== undefined;
  }

  /** What nodes of a class offer; `look` tells of one of them. */
  gainsOf(number: number, look: () => Offer | null): readonly number[] | null {
    const known = this.#gains.get(number);
    if (known !== undefined) return known;
    const found = look()?.gains ?? null;
    if (this.#gains.size >= LOOKS_MAX) this.#gains.clear();
    this.#gains.set(number, found);
    return found;
  }

  /** Costs by class of node, as somebody rates them. */
  costsBy(rate: Rate): Map<number, readonly number[]> {
    let known = this.#costs.get(rate);
    if (!known || known.size >= LOOKS_MAX) {
      known = new Map();
      this.#costs.set(rate, known);
    }
    return known;
  }
}

/** Sets of nodes are searched for by one sum alone, and GPUs are dealt out in one way only. */
function isMonotonic(demand: Demand, targets: readonly number[]): boolean {
  const { request, wishes, hasPieces, hasIdleNodes, byGpus } = demand;
  if (request.contiguous || (hasPieces && (wishes.length > 1 || (wishes[0]?.count ?? 0) > 1))) return false;
  // One task is on whatever node is chosen.
  const isTrivial = request.tasks === 1 && !byGpus && !hasIdleNodes;
  return targets.length - (isTrivial ? 1 : 0) <= 1;
}

function inAllOf({ request, per, wishes }: Demand): Asked["inAll"] {
  const isExact = per === "job" && !request.gpus?.byMemory && request.gpuMemoryMiB === 0;
  const counts = wishes.map(({ count }) => count);
  const cpus = request.tasks === null || request.overcommit ? 0 : request.tasks * (request.cpusPerTask ?? 1);
  return { cpus, gpus: isExact ? thousandthsOf({ wishes }, counts) : 0 };
}

/** Shapes that were asked for, kept from pass to pass. */
export class Shapes {
  readonly classes = new Classes();
  readonly #asked = new Map<string, readonly Asked[]>();

  /** The ways to meet a request, in the order in which they are tried. */
  waysOf(request: ResourceRequest): readonly Asked[] {
    const shape = shapeOf(request);
    const known = this.#asked.get(shape);
    if (known) return known;
    if (this.#asked.size >= SHAPES_MAX) this.#asked.clear();
    const made = alternativesOf(demandOf(request)).map((demand) => new Asked(demand));
    this.#asked.set(shape, made);
    return made;
  }
}
