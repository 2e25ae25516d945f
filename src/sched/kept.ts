/**
 * Promises are kept from pass to pass: those of the pass before are in the profile from the start, and each job gives
 * its own back only when its turn comes. So whatever a job finds earlier, it does not find at the cost of another one's
 * promise.
 */

import { type Allocation, WHOLE_GPU } from "../core/resources.ts";
import { shapeOf } from "./place/shapes.ts";
import type { Place } from "./places.ts";
import type { Pools } from "./pools.ts";
import type { Profile, Promised } from "./profile.ts";

/** A promise that outlives its pass. */
export interface Kept extends Promised {
  /** Of the request that it was made for. */
  readonly shape: string;
}

/** Of one pass. */
export class KeptPromises {
  readonly #profile: Profile;
  #left: Kept[];
  readonly #made: Kept[] = [];
  readonly #before: ReadonlySet<number>;

  /** @param before what the pass before made, of jobs that may still start */
  constructor(profile: Profile, before: Iterable<Kept>) {
    this.#profile = profile;
    this.#left = [...before];
    this.#before = new Set(this.#left.map(({ jobId }) => jobId));
    for (const one of this.#left) profile.promise(one);
  }

  /** Whether jobs hold promises whose turn has not come yet. */
  get hasMore(): boolean {
    return this.#left.length > 0;
  }

  /** What this pass promised, for the next one. */
  get made(): readonly Kept[] {
    return this.#made;
  }

  /**
   * Whether some job has no promise any more, and did not start: jobs whose turn came before were kept from its nodes, and
   * nothing else may happen that makes them be looked at again.
   */
  hasLapsed(isStarted: (jobId: number) => boolean): boolean {
    const made = new Set(this.#made.map(({ jobId }) => jobId));
    return [...this.#before].some((jobId) => !made.has(jobId) && !isStarted(jobId));
  }

  /** Takes the first promise of each of some jobs back: their turn has come. Empty unless all of them have one. */
  take(jobIds: readonly number[]): readonly Kept[] {
    if (this.#left.length === 0) return [];
    const own = jobIds.flatMap((id) => this.#left.find(({ jobId }) => jobId === id) ?? []);
    this.#left = this.#left.filter((one) => !own.includes(one));
    for (const one of own) this.#profile.withdraw(one);
    return own.length === jobIds.length ? own : [];
  }

  /** Takes the promises of all jobs whose turn has not come. The answer puts them back, so many milliseconds later. */
  lift(): (laterMs: number) => void {
    const lifted = this.#left;
    this.#left = [];
    for (const one of lifted) this.#profile.withdraw(one);
    return (laterMs) => {
      this.#left = lifted.map((one) => ({ ...one, at: one.at + laterMs, until: one.until + laterMs }));
      for (const one of this.#left) this.#profile.promise(one);
    };
  }

  /** Keeps what was found for a job. */
  make(promised: Promised, place: Place, request: Parameters<typeof shapeOf>[0]): void {
    const made = { ...promised, shape: shapeOf(place.adapt(request)) };
    this.#made.push(made);
    this.#profile.promise(made);
  }
}

/** Whether shares that were promised are still there from a time until another. */
export function isThere(
  { pools, profile }: { readonly pools: Pools; readonly profile: Profile },
  place: Place,
  allocation: Allocation,
  [from, until]: readonly [number, number],
): boolean {
  return allocation.every((share) => {
    const candidate = pools.all.find(({ node }) => node.name === share.node);
    if (!candidate || !place.allows(share.node)) return false;
    const usage = profile.usageBetween(candidate, from, until);
    const { inventory } = candidate.node;
    return (
      usage.cpus + share.cpus <= inventory.cpus &&
      usage.memoryMiB + share.memoryMiB <= inventory.memoryMiB &&
      share.gpus.every(({ index, uuid, thousandths }) => {
        const isSame = inventory.gpus.some((gpu) => gpu.index === index && gpu.uuid === uuid);
        return isSame && (usage.gpus[index] ?? 0) + thousandths <= WHOLE_GPU;
      })
    );
  });
}
