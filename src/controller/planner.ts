/**
 * Runs the scheduler when something changed, at most once a turn, and keeps its reasons for those who ask.
 *
 * The plan's starts go through the loop like any other command, so capacity is checked again there.
 */

import type { Command } from "../core/commands.ts";
import type { Decision } from "../core/decide/decision.ts";
import type { Job, PendingJob } from "../core/job.ts";
import type { ClusterState } from "../core/state.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Plan, Reason } from "../sched/plan.ts";
import { schedule } from "../sched/schedule.ts";

export interface Planner {
  /** Something that matters to the queue changed. */
  wake(): void;
  /** While stopped, nothing is started: the cluster is being shut down. */
  setStopped(isStopped: boolean): void;
  /** Why a job waits. */
  reasonOf(job: Job): Reason;
}

export interface PlannerPorts {
  readonly clock: Clock;
  readonly log: Log;
  state(): ClusterState;
  execute(command: Command): Promise<Decision>;
  /** Whether a node's daemon is connected. */
  isConnected(node: string): boolean;
}

/** Of a job that does not wait, is about to start, or was not looked at yet. */
const NO_REASON: Reason = { word: "None", text: "" };

/** Starts idle. */
export function createPlanner(ports: PlannerPorts): Planner {
  let isWoken = false;
  let isStopped = false;
  let plan: Plan = { starts: [], reasons: new Map(), otherwise: NO_REASON };
  let starting: ReadonlySet<number> = new Set();
  /** Jobs of this number and above came after the plan was made. */
  let nextJobId = 0;

  const pass = (): void => {
    isWoken = false;
    if (isStopped) return;
    const state = ports.state();
    const nodes = [...state.nodes.values()].filter((node) => ports.isConnected(node.name));
    plan = schedule({ pending: pendingJobs(state), nodes }, ports.clock.now());
    starting = new Set(plan.starts.map(({ jobId }) => jobId));
    nextJobId = state.nextJobId;
    for (const { jobId, allocation } of plan.starts) {
      ports.execute({ type: "job.allocate", jobId, allocation }).then(
        (decision) => {
          if (decision.kind === "deny") ports.log.warn("a planned start was refused", { jobId, ...decision.denial });
        },
        (error: unknown) => ports.log.warn("a planned start failed", { jobId, error: String(error) }),
      );
    }
  };

  const wake = (): void => {
    if (isWoken) return;
    isWoken = true;
    ports.clock.after(0, pass);
  };

  return {
    wake,
    setStopped(value) {
      isStopped = value;
      wake();
    },
    reasonOf(job) {
      if (job.state !== "PENDING" || job.id >= nextJobId || starting.has(job.id)) return NO_REASON;
      return plan.reasons.get(job.id) ?? plan.otherwise;
    },
  };
}

function* pendingJobs(state: ClusterState): Generator<PendingJob> {
  for (const id of state.pending) {
    const job = state.jobs.get(id);
    if (job?.state === "PENDING") yield job;
  }
}
