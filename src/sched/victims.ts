/** Whose room a waiting job may have: Slurm's preempt/qos and preempt/partition_prio. */

import { mayRequeue } from "../core/decide/preempt.ts";
import { findPartition } from "../core/decide/submit.ts";
import { limitEnd } from "../core/decide/timer.ts";
import { isFollower } from "../core/het.ts";
import type { PendingJob, RunningJob } from "../core/job.ts";
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
  // A heterogeneous job would have to go as a whole.
  if (job.preempt || job.suspendedAt !== null || job.spec.het || isFollower(job)) return null;
  if (now - job.startAt < policy.exemptS * 1000) return null;
  const rule = policy.by === "qos" ? byQos(state, by, job) : byPartition(state, by, job);
  const mode = rule && modeOf(rule.mode, policy.mode);
  if (!rule || !mode || mode === "off") return null;
  const { id: jobId, attempt, allocation } = job;
  const real = mode === "requeue" && !mayRequeue(job) ? "cancel" : mode;
  return { jobId, attempt, allocation, mode: real, graceS: real === "suspend" ? 0 : rule.graceS };
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
