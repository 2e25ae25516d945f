/** Steps that srun makes within a running job. */

import type { CancelStep, CreateStep, LimitStep } from "../commands.ts";
import type { Event } from "../events.ts";
import { isEnded, isOpenStep, type Job, type RunningJob, type Step, type StepPart } from "../job.ts";
import type { StepSpec } from "../jobspec.ts";
import type { ClusterState } from "../state.ts";
import { inWhole, placeStep } from "../step-place.ts";
import { stepHets } from "./allocate.ts";
import { accept, type Decision, deny, ignore, type Refusal } from "./decision.ts";
import { mayTouch } from "./steer.ts";

/** Steps of a job: its record, with all of them, must fit into a frame. Slurm's MaxStepCount is 40,000. */
const STEPS_MAX = 10_000;

/** Makes a step if its job has room for it now, and all other components that take part have. STEP_BUSY: they will have. */
export function decideCreateStep(state: ClusterState, command: CreateStep, now: number): Decision {
  const { jobId, requestId, spec, others = [] } = command;
  const job = hostOf(state, jobId, command.byUid);
  if ("kind" in job) return job;
  const known = job.state === "PENDING" ? undefined : job.steps.find((step) => step.requestId === requestId);
  if (known) return { kind: "ignore", why: "this step was made before", jobId, stepId: known.id };
  const wanted: { readonly host: RunningJob; readonly spec: StepSpec; readonly parts: readonly StepPart[] }[] = [];
  for (const one of [{ jobId, spec }, ...others]) {
    const host = runningHost(state, one.jobId, command.byUid);
    if ("kind" in host) return host;
    const placed = placeStep(host, one.spec.request, one.spec.distribution);
    if ("busy" in placed) return deny("STEP_BUSY", placed.busy, placed.holders);
    if ("problem" in placed) return deny("NOT_FEASIBLE", placed.isTooWide ? TOO_WIDE : NOT_AVAILABLE, placed.problem);
    wanted.push({ host, spec: one.spec, parts: placed.parts });
  }
  const id = Math.max(...wanted.map(({ host }) => host.nextStepId));
  const counts = wanted.map(({ parts }) => parts.reduce((sum, part) => sum + part.tasks.length, 0));
  const hets = others.length > 0 ? stepHets([jobId, ...others.map((one) => one.jobId)], counts) : [];
  const events = wanted.map(({ host, spec: own, parts }, at): Event => {
    const step: Step = {
      ...{ id, name: own.name, spec: own, requestId, startAt: now, endAt: null, parts, state: "RUNNING", ending: null },
      ...(host.suspendedMs > 0 ? { suspendedBeforeMs: host.suspendedMs } : {}),
    };
    return { type: "step.created", jobId: host.id, attempt: host.attempt, step: inWhole(step, hets[at]) };
  });
  return { kind: "accept", events, jobId, stepId: id };
}

const TOO_WIDE = "More processors requested than permitted";
const NOT_AVAILABLE = "Requested node configuration is not available";

function hostOf(state: ClusterState, jobId: number, byUid: number): Job | Refusal {
  const job = state.jobs.get(jobId);
  if (!job) return deny("INVALID_JOB", "Invalid job id specified", `there is no job ${jobId} in the queue`);
  if (mayTouch(job, byUid)) return job;
  return deny("PERMISSION", "Access/permission denied", `job ${jobId} belongs to somebody else`);
}

/** A job that can take a step now. */
function runningHost(state: ClusterState, jobId: number, byUid: number): RunningJob | Refusal {
  const job = hostOf(state, jobId, byUid);
  if ("kind" in job) return job;
  if (isEnded(job)) return deny("JOB_FINISHED", "Job/step already completing or completed");
  if (job.state === "PENDING") return deny("NOT_RUNNING", "Job is pending execution", `job ${jobId} has no nodes yet`);
  if (job.nextStepId >= STEPS_MAX) {
    const hint = `a job may have ${STEPS_MAX} steps: start more programs from within a step, or in another job`;
    return deny("DISABLED", "Step limit reached for this job", hint);
  }
  return job.suspendedAt === null ? job : deny("STEP_BUSY", "Job is suspended");
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

/** Gives one step, or all of a job, another time limit: its owner may lengthen it too, for the job's own holds still. */
export function decideLimitStep(state: ClusterState, command: LimitStep): Decision {
  const { jobId, stepId, limitS, byUid } = command;
  const job = hostOf(state, jobId, byUid);
  if ("kind" in job) return job;
  if (job.state === "PENDING") return deny("NOT_RUNNING", "Job is pending execution", `job ${jobId} has no steps yet`);
  if (isEnded(job)) return deny("JOB_FINISHED", "Job/step already completing or completed");
  const meant = job.steps.filter((step) => isOpenStep(step) && (stepId === null || step.id === stepId));
  if (meant.length === 0) {
    const what = stepId === null ? "no step that runs" : `no step ${stepId} that runs`;
    return deny("INVALID_STEP", "Invalid job id specified", `job ${jobId} has ${what}`);
  }
  const { attempt } = job;
  return accept(...meant.map((step): Event => ({ type: "step.limited", jobId, attempt, stepId: step.id, limitS })));
}
