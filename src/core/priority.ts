/**
 * A job's place in the queue: the higher its priority the earlier; equals go by their number.
 *
 * Without accounts and QoS it is the job's own wish, or the same for all, less its nice value. With them it is
 * Slurm's multifactor priority (its page "Multifactor Priority Plugin"): factors from 0 to 1, each times its weight,
 * summed, less the nice value.
 */

import { findPartition } from "./decide/submit.ts";
import type { Job } from "./job.ts";
import { isListed, partitionsInOrder } from "./partition-list.ts";
import { type FairShare, fairShares } from "./policy/fair-share.ts";
import { findAssociation, isPolicyOn, type PolicyState } from "./policy/state.ts";
import { wishedTres } from "./policy/tres.ts";
import { usageAt } from "./policy/usage.ts";
import type { ClusterState } from "./state.ts";

/** What a job has whose user asked for nothing, where there are no accounts. */
const PRIORITY_DEFAULT = 100_000;

/** What a job asks for, as far as its priority depends on it. */
export type Ranked = Pick<Job, "spec" | "eligibleAt"> & { readonly startAt?: number | null };

/** Factors of one job, each from 0 to 1. */
export interface Factors {
  readonly age: number;
  readonly fairShare: number;
  readonly jobSize: number;
  readonly partition: number;
  readonly qos: number;
  /** By TRES. */
  readonly tres: Readonly<Record<string, number>>;
}

/** The same weighed: what each adds to the priority. */
export interface PriorityParts extends Omit<Factors, "tres"> {
  readonly tres: Readonly<Record<string, number>>;
  readonly nice: number;
  /** The sum, at least 1; a priority that was set stands for all. */
  readonly priority: number;
}

/** Reckons priorities at a moment; remembers shares and sizes, so it must not outlive that moment for long. */
export interface Prioritizer {
  /** Whether jobs differ by more than their wishes. */
  readonly isMultifactor: boolean;
  readonly now: number;
  factorsOf(job: Ranked): Factors;
  partsOf(job: Ranked): PriorityParts;
  priorityOf(job: Ranked): number;
  /** Of the job's partition: a higher one comes first, whatever the priority. */
  tierOf(job: Ranked): number;
}

/** The job's own wish, or the default, less its nice value; never below 1, which is the lowest that is no hold. */
export function priorityOf({ spec }: Pick<Job, "spec">): number {
  return Math.max(1, (spec.priority ?? PRIORITY_DEFAULT) - spec.nice);
}

/** Fair shares at a moment, running jobs included: a look at each of them. */
export function sharesAt(state: ClusterState, now: number): ReadonlyMap<number, FairShare> {
  if (!isPolicyOn(state.policy)) return new Map();
  const running = [...state.active].flatMap((id) => {
    const job = state.jobs.get(id);
    return job?.state === "RUNNING" ? [job] : [];
  });
  return fairShares(state.policy, usageAt(state.policy, running, now));
}

/**
 * Priorities of a state's jobs at a moment.
 * @param shares fair shares of a while ago, where they need not be new
 */
export function prioritizer(state: ClusterState, now: number, shares = sharesAt(state, now)): Prioritizer {
  const { policy } = state;
  if (!isPolicyOn(policy)) return plain(state, now);
  const { config } = policy;
  const sizes = clusterSize(state);
  const topFactor = Math.max(0, ...[...state.partitions.values()].map(({ priorityJobFactor }) => priorityJobFactor));
  const topQos = Math.max(0, ...[...policy.qos.values()].map(({ priority }) => priority));
  const factorsOf = ({ spec, eligibleAt, startAt }: Ranked): Factors => {
    const tres = wishedTres(spec.request, config.billingWeights);
    const waitedS = Math.max(0, Math.min(now, startAt ?? now) - eligibleAt) / 1000;
    const size = sizes.cpu > 0 ? Math.min(1, ((tres.cpu ?? 0) / sizes.cpu + (tres.node ?? 0) / sizes.node) / 2) : 0;
    const qos = spec.qos === null ? undefined : policy.qos.get(spec.qos);
    return {
      age: config.maxAgeS > 0 ? Math.min(1, waitedS / config.maxAgeS) : 1,
      fairShare: shareOf(policy, shares, spec)?.factor ?? 0,
      jobSize: config.favorSmall ? 1 - size : size,
      partition: topFactor > 0 ? (findPartition(state, spec)?.priorityJobFactor ?? 0) / topFactor : 0,
      qos: topQos > 0 ? (qos?.priority ?? 0) / topQos : 0,
      tres: Object.fromEntries(
        Object.keys(config.weightTres).map((name) => [name, Math.min(1, (tres[name] ?? 0) / (sizes[name] || 1))]),
      ),
    };
  };
  const partsOf = (job: Ranked): PriorityParts => {
    const factors = factorsOf(job);
    const tres = Object.entries(factors.tres).map(
      ([name, factor]) => [name, factor * (config.weightTres[name] ?? 0)] as const,
    );
    const parts = {
      age: factors.age * config.weightAge,
      fairShare: factors.fairShare * config.weightFairShare,
      jobSize: factors.jobSize * config.weightJobSize,
      partition: factors.partition * config.weightPartition,
      qos: factors.qos * config.weightQos,
    };
    const weighed = tres.reduce((sum, [, part]) => sum + part, 0);
    const sum = parts.age + parts.fairShare + parts.jobSize + parts.partition + parts.qos + weighed;
    const priority = job.spec.priority ?? Math.max(1, Math.floor(sum - job.spec.nice));
    return { ...parts, tres: Object.fromEntries(tres), nice: job.spec.nice, priority };
  };
  return {
    isMultifactor: true,
    now,
    factorsOf,
    partsOf,
    priorityOf: (job) => partsOf(job).priority,
    tierOf: tierIn(state),
  };
}

function tierIn(state: ClusterState): (job: Ranked) => number {
  return ({ spec }) => {
    const [partition = spec.partition] = isListed(spec) ? partitionsInOrder(state.partitions, spec) : [];
    return findPartition(state, { partition })?.priorityTier ?? 0;
  };
}

function plain(state: ClusterState, now: number): Prioritizer {
  const factors = { age: 0, fairShare: 0, jobSize: 0, partition: 0, qos: 0, tres: {} };
  return {
    ...{ isMultifactor: false, now, priorityOf, tierOf: tierIn(state) },
    factorsOf: () => factors,
    partsOf: (job) => ({ ...factors, nice: job.spec.nice, priority: priorityOf(job) }),
  };
}

/** The fair share of a job's user; none for a job without an account. */
function shareOf(
  policy: PolicyState,
  shares: ReadonlyMap<number, FairShare>,
  { account, user, partition }: Ranked["spec"],
): FairShare | undefined {
  const association = account === null ? undefined : findAssociation(policy, account, user.name, partition ?? "");
  return association && shares.get(association.id);
}

/** All that the cluster has, by TRES. */
function clusterSize(state: ClusterState): { readonly cpu: number; readonly node: number } & Record<string, number> {
  const size: { cpu: number; node: number } & Record<string, number> = { cpu: 0, node: state.nodes.size, mem: 0 };
  for (const { inventory } of state.nodes.values()) {
    size.cpu += inventory.cpus;
    size.mem = (size.mem ?? 0) + inventory.memoryMiB;
    size["gres/gpu"] = (size["gres/gpu"] ?? 0) + inventory.gpus.length;
  }
  return size;
}
