/**
 * Where a request goes: best fit, so that large holes stay whole. The nodes on which the least is left over are
 * preferred, GPUs first, so a job without GPUs keeps away from them; and as few nodes as will do, unless the user
 * asked otherwise.
 */

import { type Candidate, chooseNodes, type Offer, offerOf } from "../../core/node-set.ts";
import type { Allocation, ResourceRequest } from "../../core/resources.ts";
import { alternativesOf, cpusOn, type Demand, demandOf, memoryOn, wishCounts, wishedGpus } from "../../core/room.ts";
import { sharesOf } from "./shares.ts";

/**
 * Shares for the whole request on nodes that have room now, in the order of their names; `null` if there is no room.
 * The lowest free GPU indices are granted.
 */
export function place(candidates: readonly Candidate[], request: ResourceRequest): Allocation | null {
  for (const demand of alternativesOf(demandOf(request))) {
    const offers = candidates.flatMap((candidate) => offerOf(candidate, demand) ?? []);
    const chosen = chooseNodes(demand, preferredFirst(demand, offers));
    if (chosen) return sharesOf(demand, chosen);
  }
  return null;
}

function preferredFirst(demand: Demand, offers: readonly Offer[]): Offer[] {
  const ranked = offers.map((offer) => ({ offer, left: leftOver(offer, demand) }));
  ranked.sort((a, b) => compareLeft(a.left, b.left) || a.offer.position - b.offer.position);
  return ranked.map(({ offer }) => offer);
}

/** GPUs, CPUs and memory that would stay free if the node took as much of the job as it can. */
function leftOver({ room, tasks, gpus }: Offer, demand: Demand): readonly number[] {
  const { request } = demand;
  const { inventory } = room.node;
  const most = Math.min(tasks, request.tasks ?? tasks);
  const mostGpus =
    demand.per === "job"
      ? Math.min(gpus, wishedGpus(demand))
      : wishCounts(demand, most).reduce((sum, count) => sum + count, 0);
  const cpus = cpusOn(request, most, mostGpus);
  return [
    room.freeGpus - mostGpus,
    room.cpus - cpus,
    room.memoryMiB - memoryOn(request, cpus, mostGpus, inventory.memoryMiB),
  ];
}

function compareLeft(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
