/** A cluster without machines: commands, passes of the scheduler that are carried out, and a clock. */

import { expect } from "vitest";
import { viewOf } from "../../../src/controller/planner.ts";
import type { Command } from "../../../src/core/commands.ts";
import type { Decision } from "../../../src/core/decide/decision.ts";
import { checkInvariants } from "../../../src/core/invariants.ts";
import type { PendingJob, RunningJob } from "../../../src/core/job.ts";
import type { JobLimits } from "../../../src/core/job-limits.ts";
import { step } from "../../../src/core/kernel.ts";
import { type ClusterState, emptyState } from "../../../src/core/state.ts";
import { gateOf } from "../../../src/sched/eligible.ts";
import type { Plan, Reason } from "../../../src/sched/plan.ts";
import type { SchedulerPolicy } from "../../../src/sched/policy.ts";
import { schedule } from "../../../src/sched/schedule.ts";
import { toldReason } from "../../../src/sched/told.ts";
import { T0 } from "../../unit/support/samples.ts";

export class QueueWorld {
  readonly state: ClusterState = emptyState();
  /** Milliseconds since 1970. */
  now = T0;
  readonly #policy: SchedulerPolicy;
  readonly #running: JobLimits;
  #plan: Plan | null = null;

  constructor(policy: SchedulerPolicy, running: JobLimits = { all: 0, perUser: 0 }) {
    this.#policy = policy;
    this.#running = running;
  }

  /** Nothing is forbidden that a cluster's user or node may do; most is refused. */
  try(command: Command): Decision {
    const { decision } = step(this.state, command, this.now);
    return decision;
  }

  /** What must be accepted. */
  run(command: Command): void {
    const decision = this.try(command);
    if (decision.kind !== "accept") throw new Error(`${command.type}: ${JSON.stringify(decision)}`);
  }

  /** A pass as the controller makes it: what it plans must be accepted, all of it. */
  pass(): Plan {
    const { state, now } = this;
    const known = { policy: this.#policy, running: this.#running, kept: this.#plan?.kept ?? [] };
    const plan = schedule(
      viewOf(state, () => true, now, known),
      now,
      this.#policy,
    );
    for (const start of plan.starts) this.run({ type: "job.allocate", ...start });
    for (const one of plan.preemptions) this.run({ type: "job.preempt", ...one });
    for (const jobId of plan.resumes) this.run({ type: "job.suspend", jobId, tasks: null, byUid: 0, suspend: false });
    for (const end of plan.ends) this.run({ type: "job.expire", ...end });
    expect(checkInvariants(state)).toEqual([]);
    this.#plan = plan;
    return plan;
  }

  /** Why a job waits, as people are told after a pass that started nothing more. */
  reasonOf(job: PendingJob, plan: Plan): Reason {
    const own = gateOf(this.state, this.now, this.#running).waitReason(job);
    return own?.reason ?? toldReason(plan, job) ?? plan.otherwise;
  }

  get running(): readonly RunningJob[] {
    return [...this.state.jobs.values()].flatMap((job) => (job.state === "RUNNING" ? [job] : []));
  }

  get pending(): readonly PendingJob[] {
    return [...this.state.jobs.values()].flatMap((job) => (job.state === "PENDING" ? [job] : []));
  }

  /** A batch job's script ends, and its nodes are cleared. */
  end({ id, attempt, allocation }: RunningJob, code = 0): void {
    const key = { jobId: id, attempt, stepId: "batch" } as const;
    const exits = [{ code, signal: 0 }];
    const ended = { type: "report.stepEnded", key, exits, problem: "", clean: true, outOfMemory: false } as const;
    this.try({ ...ended, node: allocation[0]?.node ?? "" });
    this.clean(
      id,
      attempt,
      allocation.map(({ node }) => node),
    );
  }

  clean(jobId: number, attempt: number, nodes: readonly string[]): void {
    for (const node of nodes) this.try({ type: "report.jobCleaned", node, jobId, attempt });
  }
}
