/** Settings of the scheduler: who may overtake, who makes room, where jobs are placed. */

import { formatPlacement, PLACEMENT, type Placement, parsePlacement, SCORE_NAMES } from "../core/placement.ts";
import {
  formatSchedulerParameters,
  parseSchedulerParameters,
  SCHEDULER_PARAMETERS,
  type SchedulerParameters,
} from "../core/scheduler-parameters.ts";
import { formatDuration, parseTimeLimit } from "../core/time.ts";
import type { Key } from "./setting.ts";

export interface SchedulerSettings {
  /** Whether jobs may start before others that wait for room, where they delay none of the first (Slurm's backfill). */
  readonly schedulerType: (typeof SCHEDULER_TYPES)[number];
  readonly schedulerParameters: SchedulerParameters;
  /** Whose room jobs may have: of those of a QoS that theirs lists, of partitions of a lower tier, or nobody's. */
  readonly preemptType: (typeof PREEMPT_TYPES)[number];
  /** What becomes of a job that makes room, where its QoS or partition says nothing else. */
  readonly preemptMode: (typeof PREEMPT_MODES)[number];
  /** Seconds that a job runs before it may be preempted. */
  readonly preemptExemptS: number;
  /** By which score nodes are chosen for jobs. */
  readonly placement: Placement;
}

const SCHEDULER_TYPES = ["sched/backfill", "sched/builtin"] as const;
const PREEMPT_TYPES = ["preempt/none", "preempt/qos", "preempt/partition_prio"] as const;
const PREEMPT_MODES = ["OFF", "CANCEL", "REQUEUE", "SUSPEND"] as const;

export const SCHEDULER_SETTINGS: { readonly [K in keyof SchedulerSettings]: Key<SchedulerSettings[K]> } = {
  schedulerType: {
    key: "scheduler.type",
    about: "whether jobs may overtake those that wait for room where that delays none that has a promise",
    variable: "MGPU_SCHEDULER_TYPE",
    fallback: "sched/backfill",
    parse: (text) => SCHEDULER_TYPES.find((type) => type === text || type === `sched/${text}`),
    expected: SCHEDULER_TYPES.join(" or "),
  },
  schedulerParameters: {
    key: "scheduler.parameters",
    about: "how far and in which order jobs may overtake",
    format: formatSchedulerParameters,
    variable: "MGPU_SCHEDULER_PARAMETERS",
    fallback: SCHEDULER_PARAMETERS,
    parse(text) {
      const parsed = parseSchedulerParameters(text);
      return "problem" in parsed ? undefined : parsed.value;
    },
    expected:
      "bf_job_part_count_reserve=, bf_max_job_part=, bf_assumed_time=, bf_order=arrival|shortest, bf_predict, queue_order=arrival|slowdown",
  },
  preemptType: {
    key: "scheduler.preempt_type",
    about:
      "whose room jobs may have: that of jobs of a QOS that theirs lists, of partitions of a lower tier, or nobody's",
    variable: "MGPU_PREEMPT_TYPE",
    fallback: "preempt/qos",
    parse: (text) => PREEMPT_TYPES.find((type) => type === text || type === `preempt/${text}`),
    expected: PREEMPT_TYPES.join(", "),
  },
  preemptMode: {
    key: "scheduler.preempt_mode",
    about: "what becomes of a job that makes room for another, where its QOS or partition says nothing else",
    variable: "MGPU_PREEMPT_MODE",
    fallback: "REQUEUE",
    // Suspended jobs always go on by themselves, for which Slurm wants GANG.
    parse: (text) => PREEMPT_MODES.find((mode) => mode === text.toUpperCase().replace(/,GANG$|^GANG,/, "")),
    expected: PREEMPT_MODES.join(", "),
  },
  preemptExemptS: {
    key: "scheduler.preempt_exempt_time",
    about: "how long a job runs before it may be preempted",
    format: (value) => (value === 0 ? "0" : formatDuration(value)),
    variable: "MGPU_PREEMPT_EXEMPT_TIME",
    fallback: 0,
    parse(text) {
      const parsed = text === "-1" ? { value: 0 } : parseTimeLimit(text);
      return "problem" in parsed ? undefined : parsed.value;
    },
    expected: "a time such as 30 (minutes) or 1:30:00",
  },
  placement: {
    key: "scheduler.placement",
    about: "by which score nodes are chosen for jobs",
    format: formatPlacement,
    variable: "MGPU_PLACEMENT",
    fallback: PLACEMENT,
    parse(text) {
      const parsed = parsePlacement(text);
      return "problem" in parsed ? undefined : parsed.value;
    },
    expected: `a score, then PARTITION=score with commas: ${SCORE_NAMES.join(", ")}`,
  },
};
