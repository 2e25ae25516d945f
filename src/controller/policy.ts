/** The scheduler's policy as the settings have it. */

import type { Settings } from "../config/settings.ts";
import { taskCount } from "../core/array-spec.ts";
import type { Event } from "../core/events.ts";
import type { Job } from "../core/job.ts";
import type { JobLimits } from "../core/job-limits.ts";
import type { Placement, ScoreName } from "../core/placement.ts";
import type { ClusterState } from "../core/state.ts";
import type { Scoring } from "../sched/place/scores/score.ts";
import { scoringOf } from "../sched/place/scores/scores.ts";
import { type Typical, Workload } from "../sched/place/workload.ts";
import type { SchedulerPolicy } from "../sched/policy.ts";
import { createPredictor } from "../sched/predict.ts";

export interface ControllerPolicy {
  readonly policy: SchedulerPolicy;
  /** Learns how long jobs run from what has happened already in the state. */
  learn(events: readonly Event[]): void;
}

/** Scores that need to know what jobs are like. */
const LEARNING: ReadonlySet<ScoreName> = new Set(["fgd", "thrifty"]);

/** Where chance decides, it decides the same after each start. */
const SEED = 1;

function usesWorkload({ score, byPartition }: Placement): boolean {
  return [score, ...byPartition.values()].some((name) => LEARNING.has(name));
}

function scoringsOf({ score, byPartition }: Placement, typical: () => Typical): (partition: string) => Scoring {
  const made = new Map<ScoreName, Scoring>();
  return (partition) => {
    const name = byPartition.get(partition) ?? score;
    const scoring = made.get(name) ?? scoringOf(name, { typical, seed: SEED });
    made.set(name, scoring);
    return scoring;
  };
}

/** What jobs are like: those that are known when it is first asked, and those that come after. */
function workloadOf(state: () => ClusterState): {
  readonly typical: () => Typical;
  readonly learn: (events: readonly Event[]) => void;
} {
  let workload: Workload | null = null;
  const note = ({ spec, submitAt }: Pick<Job, "spec" | "submitAt">): void =>
    workload?.note(spec.request, submitAt, spec.array ? taskCount(spec.array.tasks) : 1);
  return {
    typical() {
      if (workload === null) {
        workload = new Workload();
        for (const job of [...state().jobs.values()].sort((a, b) => a.submitAt - b.submitAt)) note(job);
      }
      return workload.typical();
    },
    learn(events) {
      for (const event of events) if (event.type === "job.submitted") note(event.job);
    },
  };
}

/** How many jobs may run, as the settings have it now. */
export function runningLimits({ maxRunning, maxRunningPerUser }: Settings): JobLimits {
  return { all: maxRunning, perUser: maxRunningPerUser };
}

/** Jobs without a limit are predicted by what their users' jobs took all the same. */
export function policyOf(settings: Settings, state: () => ClusterState): ControllerPolicy {
  const { schedulerType, schedulerParameters, placement } = settings;
  const { bf_job_part_count_reserve, bf_max_job_part, bf_assumed_time, bf_order, queue_order } = schedulerParameters;
  // How long jobs take is learned for the order of the queue too.
  const isLearning = schedulerParameters.bf_predict || queue_order === "slowdown";
  const predictor = createPredictor();
  const workload = workloadOf(state);
  const policy: SchedulerPolicy = {
    reservations: schedulerType === "sched/builtin" ? 0 : bf_job_part_count_reserve,
    backfillOrder: bf_order,
    backfillDepth: bf_max_job_part,
    queueOrder: queue_order,
    assumedTimeS: bf_assumed_time * 60,
    ...preemptionOf(settings),
    scoringOf: scoringsOf(placement, workload.typical),
    ...(isLearning ? { predictS: (job, limitS) => predictor.predictS(job.spec.user.uid, limitS) } : {}),
  };
  return {
    policy,
    learn(events) {
      if (usesWorkload(placement)) workload.learn(events);
      if (!isLearning) return;
      for (const event of events) {
        if (event.type !== "job.ended") continue;
        const job = state().jobs.get(event.jobId);
        if (!job || !("endAt" in job) || job.startAt === null) continue;
        predictor.note(job.spec.user.uid, (job.endAt - job.startAt - job.suspendedMs) / 1000);
      }
    },
  };
}

const MODES = { OFF: "off", CANCEL: "cancel", REQUEUE: "requeue", SUSPEND: "suspend" } as const;

/** Whose room jobs may have, as the settings say; nobody's where it is absent. */
export function preemptionOf({
  preemptType,
  preemptMode,
  preemptExemptS,
}: Settings): Pick<SchedulerPolicy, "preemption"> {
  if (preemptType === "preempt/none") return {};
  const by = preemptType === "preempt/qos" ? "qos" : "partition";
  return { preemption: { by, mode: MODES[preemptMode], exemptS: preemptExemptS } };
}
