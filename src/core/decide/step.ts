/** Steps that srun makes within a running job. */

import type { CancelStep, CreateStep } from "../commands.ts";
import { isEnded, type Step } from "../job.ts";
import type { ClusterState } from "../state.ts";
import { placeStep } from "../step-place.ts";
import { accept, type Decision, deny, ignore } from "./decision.ts";
import { mayTouch } from "./steer.ts";

/** Steps of a job: its record, with all of them, must fit into a frame. Slurm's MaxStepCount is 40,000. */
const STEPS_MAX = 10_000;

/** Makes a step if its job has room for it now. STEP_BUSY: it will have. */
export function decideCreateStep(state: ClusterState, command: CreateStep, now: number): Decision {
  const { jobId, requestId, spec } = command;
  const job = state.jobs.get(jobId);
  if (!job) return deny("INVALID_JOB", "Invalid job id specified", `there is no job ${jobId} in the queue`);
  if (!mayTouch(job, command.byUid)) {
    return deny("PERMISSION", "Access/permission denied", `job ${jobId} belongs to somebody else`);
  }
  const known = isEnded(job) || job.state === "RUNNING" ? job.steps.find((step) => step.requestId === requestId) : null;
  if (known) return { kind: "ignore", why: "this step was made before", jobId, stepId: known.id };
  if (isEnded(job)) return deny("JOB_FINISHED", "Job/step already completing or completed");
  if (job.state === "PENDING") return deny("NOT_RUNNING", "Job is pending execution", `job ${jobId} has no nodes yet`);
  if (job.suspendedAt !== null) return deny("STEP_BUSY", "Job is suspended");
  if (job.nextStepId >= STEPS_MAX) {
    const hint = `a job may have ${STEPS_MAX} steps: start more programs from within a step, or in another job`;
    return deny("DISABLED", "Step limit reached for this job", hint);
  }
  const placed = placeStep(job, spec.request, spec.distribution);
  if ("busy" in placed) return deny("STEP_BUSY", placed.busy, placed.holders);
  if ("problem" in placed) return deny("NOT_FEASIBLE", "Requested node configuration is not available", placed.problem);
  const id = job.nextStepId;
  const step: Step = {
    ...{ id, name: spec.name, spec, requestId, startAt: now, endAt: null, parts: placed.parts },
    ...{ state: "RUNNING", ending: null },
    ...(job.suspendedMs > 0 ? { suspendedBeforeMs: job.suspendedMs } : {}),
  };
  const { attempt } = job;
  return { kind: "accept", events: [{ type: "step.created", jobId, attempt, step }], jobId, stepId: id };
}

/** Ends one step; the job goes on, unless the step is what the job is. */
export function decideCancelStep(state: ClusterState, command: CancelStep): Decision {
  const { jobId, stepId, byUid, cause } = command;
  const job = state.jobs.get(jobId);
  if (!job) return deny("INVALID_JOB", "Invalid job id specified", `there is no job ${jobId} in the queue`);
  if (!mayTouch(job, byUid)) {
    return deny("PERMISSION", "Access/permission denied", `job ${jobId} belongs to somebody else`);
  }
  if (job.state !== "RUNNING") return deny("JOB_FINISHED", "Job/step already completing or completed");
  const step = job.steps.find((one) => one.id === stepId);
  if (!step) return deny("INVALID_STEP", "Invalid job id specified", `job ${jobId} has no step ${stepId}`);
  if (step.endAt !== null) return deny("JOB_FINISHED", "Job/step already completing or completed");
  if (step.ending !== null) return ignore("the step is being ended");
  const { attempt } = job;
  return accept({ type: "step.ending", jobId, attempt, stepId, state: command.state, by: byUid, cause });
}
