/** Whose room a waiting job may have: Slurm's preempt/qos and preempt/partition_prio. */

import { mayRequeue } from "../core/decide/preempt.ts";
import { findPartition } from "../core/decide/submit.ts";
import { limitEnd } from "../core/decide/timer.ts";
import { livingOthers } from "../core/het.ts";
import type { PendingJob, RunningJob } from "../core/job.ts";
import type { Partition } from "../core/partition.ts";
import { prioritizer } from "../core/priority.ts";
import { heldShares } from "../core/reduce/reduce.ts";
import type { ClusterState } from "../core/state.ts";
import type { PreemptionPolicy } from "./policy.ts";
import type { Preempting, Victim } from "./preempt.ts";

/** What may be preempted in a state. Running jobs are looked at when the first job asks. */
export function preemptingIn(state: ClusterState, policy: PreemptionPolicy, now: number): Preempting | undefined {
  if (!isPossible(state, policy)) return undefined;
  let running: readonly RunningJob[] | null = null;
  const known = new Map<string, readonly Victim[]>();
  return {
    victimsOf(job) {
      const key = `${job.spec.qos}\0${findPartition(state, job.spec)?.name}`;
      let victims = known.get(key);
      if (!victims) {
        running ??= leastImportantFirst(state, now);
        victims = running.flatMap((one) => victimOf(state, policy, job, one, now) ?? []);
        known.set(key, victims);
      }
      return victims;
    },
    get leaving() {
      return [...state.active].flatMap((id) => {
        const job = state.jobs.get(id);
        return job && (job.state !== "RUNNING" || job.preempt) ? heldShares(job) : [];
      });
    },
    get yielded() {
      return yieldedIn(state, now);
    },
  };
}

/** What becomes of jobs of a partition where others need their room, as far as their partition decides that. */
export function partitionPreemptMode(
  state: ClusterState,
  policy: PreemptionPolicy | undefined,
  { preemptMode = "off" }: Pick<Partition, "preemptMode">,
): PreemptionPolicy["mode"] {
  if (!policy) return "off";
  if (policy.by === "partition") return modeOf(preemptMode, policy.mode);
  // What their QOS says; the cluster's mode where it says nothing.
  return isPossible(state, policy) ? policy.mode : "off";
}

/** A pass without any preemption pays nothing for it. */
function isPossible(state: ClusterState, { by, mode }: PreemptionPolicy): boolean {
  if (by === "qos") return [...state.policy.qos.values()].some(({ preempt }) => preempt.length > 0);
  const modes = [...state.partitions.values()].some(({ preemptMode = "off" }) => modeOf(preemptMode, mode) !== "off");
  return modes && new Set([...state.partitions.values()].map(({ priorityTier }) => priorityTier)).size > 1;
}

function leastImportantFirst(state: ClusterState, now: number): readonly RunningJob[] {
  const jobs = [...state.active].flatMap((id) => {
    const job = state.jobs.get(id);
    return job?.state === "RUNNING" ? [job] : [];
  });
  const { priorityOf } = prioritizer(state, now);
  const ranked = jobs.map((job) => ({ job, priority: priorityOf(job) }));
  ranked.sort((a, b) => a.priority - b.priority || b.job.startAt - a.job.startAt || b.job.id - a.job.id);
  return ranked.map(({ job }) => job);
}

function victimOf(
  state: ClusterState,
  policy: PreemptionPolicy,
  by: PendingJob,
  job: RunningJob,
  now: number,
): Victim | null {
  if (job.preempt || job.suspendedAt !== null || now - job.startAt < policy.exemptS * 1000) return null;
  const rule = ruleFor(state, policy, by, job);
  const { id: jobId, attempt, allocation } = job;
  if (job.spec.het) return rule && wholeVictim(state, policy, by, job, rule);
  if (!rule) return null;
  const real = rule.mode === "requeue" && !mayRequeue(job) ? "cancel" : rule.mode;
  return { jobId, attempt, allocation, mode: real, graceS: real === "suspend" ? 0 : rule.graceS };
}

/**
 * A heterogeneous job goes as a whole, if each of its components may: the first that runs stands for all. It is not
 * suspended, since its components would find their room again one by one: it starts again, or ends.
 */
function wholeVictim(
  state: ClusterState,
  policy: PreemptionPolicy,
  by: PendingJob,
  job: RunningJob,
  { mode, graceS }: RealRule,
): Victim | null {
  const parts = [job, ...livingOthers(state, job)].sort((a, b) => a.id - b.id);
  const isAll = parts.every(
    (one) => one.state === "RUNNING" && !one.preempt && ruleFor(state, policy, by, one) !== null,
  );
  const [first] = parts;
  if (!isAll || first?.id !== job.id) return null;
  const real = mode !== "cancel" && mayRequeue(job) ? "requeue" : "cancel";
  const allocation = parts.flatMap((one) => one.allocation);
  return { jobId: job.id, attempt: job.attempt, allocation, mode: real, graceS, parts: parts.map(({ id }) => id) };
}

interface RealRule {
  readonly mode: Victim["mode"];
  readonly graceS: number;
}

/** What may be done to a job for another one; `null` for nothing. */
function ruleFor(state: ClusterState, policy: PreemptionPolicy, by: PendingJob, job: RunningJob): RealRule | null {
  const rule = policy.by === "qos" ? byQos(state, by, job) : byPartition(state, by, job);
  const mode = rule && modeOf(rule.mode, policy.mode);
  return rule && mode && mode !== "off" ? { mode, graceS: rule.graceS } : null;
}

type Mode = "cluster" | "cancel" | "requeue" | "suspend" | "off";

function modeOf(own: Mode, cluster: PreemptionPolicy["mode"]): PreemptionPolicy["mode"] {
  return own === "cluster" ? cluster : own;
}

interface Rule {
  readonly mode: Mode;
  readonly graceS: number;
}

function byQos({ policy }: ClusterState, by: PendingJob, job: RunningJob): Rule | null {
  const [own, other] = [by.spec.qos, job.spec.qos].map((name) => (name === null ? undefined : policy.qos.get(name)));
  if (!own || !other?.name || !own.preempt.includes(other.name)) return null;
  return { mode: other.preemptMode, graceS: other.graceTimeS };
}

function byPartition(state: ClusterState, by: PendingJob, job: RunningJob): Rule | null {
  const [own, other] = [findPartition(state, by.spec), findPartition(state, job.spec)];
  if (!own || !other || own.priorityTier <= other.priorityTier) return null;
  return { mode: other.preemptMode ?? "off", graceS: other.graceTimeS };
}

function yieldedIn(state: ClusterState, now: number): Preempting["yielded"] {
  return [...state.active].flatMap((id) => {
    const job = state.jobs.get(id);
    if (job?.state !== "RUNNING" || job.yieldsTo === undefined) return [];
    const { allocation, yieldsTo, suspendedAt } = job;
    const left = limitEnd({ ...job, suspendedAt: null }) - (suspendedAt ?? now);
    const isEarly = state.jobs.get(yieldsTo)?.state === "PENDING";
    return [{ jobId: id, allocation, leftMs: Math.max(1000, left), isEarly }];
  });
}
