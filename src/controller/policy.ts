/** The scheduler's policy as the settings have it. */

import type { Settings } from "../config/settings.ts";
import type { Event } from "../core/events.ts";
import type { ClusterState } from "../core/state.ts";
import type { SchedulerPolicy } from "../sched/policy.ts";
import { createPredictor } from "../sched/predict.ts";

export interface ControllerPolicy {
  readonly policy: SchedulerPolicy;
  /** Learns how long jobs run from what has happened already in the state. */
  learn(events: readonly Event[]): void;
}

/** Jobs without a limit are predicted by what their users' jobs took all the same. */
export function policyOf(settings: Settings, state: () => ClusterState): ControllerPolicy {
  const { schedulerType, schedulerParameters } = settings;
  const { bf_job_part_count_reserve, bf_max_job_part, bf_assumed_time, bf_order, bf_predict } = schedulerParameters;
  const predictor = createPredictor();
  const policy: SchedulerPolicy = {
    reservations: schedulerType === "sched/builtin" ? 0 : bf_job_part_count_reserve,
    backfillOrder: bf_order,
    backfillDepth: bf_max_job_part,
    assumedTimeS: bf_assumed_time * 60,
    ...preemptionOf(settings),
    ...(bf_predict ? { predictS: (job, limitS) => predictor.predictS(job.spec.user.uid, limitS) } : {}),
  };
  return {
    policy,
    learn(events) {
      if (!bf_predict) return;
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

function preemptionOf({ preemptType, preemptMode, preemptExemptS }: Settings): Pick<SchedulerPolicy, "preemption"> {
  if (preemptType === "preempt/none") return {};
  const by = preemptType === "preempt/qos" ? "qos" : "partition";
  return { preemption: { by, mode: MODES[preemptMode], exemptS: preemptExemptS } };
}
