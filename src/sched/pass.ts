/** A pass under way: what its parts share. */

import type { JobId } from "../core/ids.ts";
import type { PendingJob } from "../core/job.ts";
import type { JobSpec } from "../core/jobspec.ts";
import { isListed } from "../core/partition-list.ts";
import { KeptPromises } from "./kept.ts";
import { chargeGroup, type LimitWait } from "./limits.ts";
import { PassMemory } from "./memory.ts";
import { ANYWHERE, type Place, type Places } from "./places.ts";
import type { End, Preemption, Reason, Start } from "./plan.ts";
import type { SchedulerPolicy } from "./policy.ts";
import { createPools, type Pools } from "./pools.ts";
import { Profile } from "./profile.ts";
import { type Impossible, takesWork } from "./reasons.ts";
import type { ScheduleView } from "./view.ts";

export interface Pass {
  readonly view: ScheduleView;
  readonly now: number;
  readonly policy: SchedulerPolicy;
  /** Nodes that take new work, with what this pass has granted. */
  readonly pools: Pools;
  readonly memory: PassMemory;
  readonly places: Places;
  readonly profile: Profile;
  readonly kept: KeptPromises;
  /** Tasks of each array that this pass starts. */
  readonly startedOfArray: Map<JobId, number>;
  /** By place and shape: why such requests can't run on the nodes at hand; `null` for those that could. */
  readonly impossible: Map<string, Map<string, Impossible | null>>;
  /** By partition. */
  readonly queues: Map<string, PartitionQueue>;
  /** Where jobs wait for room; and by key whether a place shares nodes with these. */
  readonly contested: { readonly places: Place[]; readonly known: Map<string, boolean> };
  readonly starts: Start[];
  /** Of jobs that start in part or in whole: what they asked for. */
  readonly planned: Map<JobId, JobSpec>;
  readonly ends: End[];
  readonly preemptions: Preemption[];
  readonly resumes: JobId[];
  readonly reasons: Map<JobId, Reason>;
  readonly groupReasons: Map<string, Reason>;
  readonly wishReasons: Map<string, Reason>;
  readonly wakeTimes: { earliest: number };
}

/** How far the queue of a partition has come. */
export interface PartitionQueue {
  /** To jobs that wait for room. */
  promises: number;
  /** To jobs that wait for the end of a reservation. They stand in nobody's way before: the others' are not fewer for them. */
  promisesAfter: number;
  /** Jobs that were tried since the first that waits for room. */
  tried: number;
}

/** How soon a limit that time alone lifts is looked at again: it counts in minutes. */
const LIMIT_RECHECK_MS = 60_000;

/** A pass that has looked at nothing yet. */
export function beginPass(view: ScheduleView, now: number, policy: SchedulerPolicy): Pass {
  const profile = new Profile(view.holdings ?? [], now);
  const memory = view.memory ?? new PassMemory();
  const open = memory.open(view.nodes, (node) => takesWork(view, node));
  const pools = createPools(open, profile, now, policy.scoringOf, memory);
  return {
    ...{ view, now, policy, pools, memory, profile, kept: new KeptPromises(profile, view.kept ?? []) },
    ...{ places: view.places ?? (() => ANYWHERE) },
    ...{
      startedOfArray: new Map(),
      impossible: new Map(),
      queues: new Map(),
      contested: { places: [], known: new Map() },
    },
    ...{
      starts: [],
      planned: new Map(),
      ends: [],
      preemptions: [],
      resumes: [],
      reasons: new Map(),
      groupReasons: new Map(),
      wishReasons: new Map(),
    },
    wakeTimes: { earliest: Number.POSITIVE_INFINITY },
  };
}

/** Until when a job runs that starts at a time, in milliseconds since 1970; Infinity without a limit. */
export function untilOf({ view: { gate } }: Pass, job: PendingJob, at: number): number {
  const limitS = gate.limitS(job);
  return limitS === 0 ? Number.POSITIVE_INFINITY : at + limitS * 1000;
}

/** Notes when time alone changes something. */
export function wakeAt({ wakeTimes }: Pass, at: number): void {
  wakeTimes.earliest = Math.min(wakeTimes.earliest, at);
}

/** A limit is looked at again when it may be in the way no more. */
export function lookAgain(pass: Pass, { changesWithTime }: LimitWait): void {
  if (changesWithTime) wakeAt(pass, pass.now + LIMIT_RECHECK_MS);
}

/** A long queue of jobs that a limit keeps waiting is not read to its end. */
export function passOver({ view, groupReasons }: Pass, job: PendingJob, reason: Reason): void {
  if (isListed(job.spec)) return;
  groupReasons.set(chargeGroup(job), reason);
  view.pending.leaveLane?.();
}

/** How far the queue of a partition has come. */
export function queueOf({ queues }: Pass, partition: string): PartitionQueue {
  let queue = queues.get(partition);
  if (!queue) {
    queue = { promises: 0, promisesAfter: 0, tried: 0 };
    queues.set(partition, queue);
  }
  return queue;
}

/** Notes that a job waits for room in some places. */
export function contest({ contested }: Pass, places: readonly Place[]): void {
  contested.places.push(...places);
  contested.known.clear();
}

/** Whether a job waits for room on nodes that are this place's too. */
export function isContested({ contested: { places, known }, pools }: Pass, place: Place): boolean {
  let found = known.get(place.key);
  if (found === undefined) {
    const isShared = (other: Place): boolean =>
      other.key === place.key || pools.all.some(({ node: { name } }) => other.allows(name) && place.allows(name));
    found = places.some(isShared);
    known.set(place.key, found);
  }
  return found;
}
