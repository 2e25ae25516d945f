/**
 * What node daemons report. Reports arrive at least once and may be late, so each is checked against the job's
 * present attempt; one that speaks of an older start is ignored.
 */

import type { ReportJobCleaned, ReportStepEnded, ReportStepLost, ReportStepStarted } from "../commands.ts";
import type { Event, StepEnded } from "../events.ts";
import type { StepKey } from "../ids.ts";
import {
  type EndedJob,
  type ExitStatus,
  isEnded,
  type RunningJob,
  type Step,
  type StepPart,
  worstExit,
} from "../job.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, ignore } from "./decision.ts";
import { endJob } from "./steer.ts";

/** A job that was lost so often is not started again: it may be what brings its nodes down. Slurm's default. */
const ATTEMPTS_MAX = 5;

interface Found {
  readonly job: RunningJob | EndedJob;
  readonly step: Step;
  readonly part: StepPart;
}

/** A step runs. */
export function decideStepStarted(state: ClusterState, command: ReportStepStarted): Decision {
  const found = findPart(state, command.key, command.node);
  if (!found) return ignore("unknown step or older attempt");
  if (found.part.phase !== "launching") return ignore("known already");
  const { jobId, attempt, stepId } = command.key;
  return accept({ type: "step.started", jobId, attempt, stepId, node: command.node });
}

/** A step's part is over; with the last part of the job's main step, the job is. */
export function decideStepEnded(state: ClusterState, command: ReportStepEnded): Decision {
  const found = findPart(state, command.key, command.node);
  if (!found) return ignore("unknown step or older attempt");
  if (found.part.phase === "ended") return ignore("known already");
  const { jobId, attempt, stepId } = command.key;
  const ended: StepEnded = { type: "step.ended", jobId, attempt, stepId, node: command.node, exits: command.exits };
  const { job } = found;
  if (isEnded(job) || !isMainStep(job, found.step) || hasOtherParts(found)) return accept(ended);
  const exit = worstExit([...otherExits(found), ...command.exits]);
  const state_ = exit.code === 0 && exit.signal === 0 ? "COMPLETED" : "FAILED";
  const clean = command.clean ? [command.node] : [];
  return accept(ended, endJob(job, state_, exit, command.problem, null, clean));
}

/** A step vanished with its node or holder: the job starts again if it may, else it ends as NODE_FAIL. */
export function decideStepLost(state: ClusterState, command: ReportStepLost): Decision {
  const found = findPart(state, command.key, command.node);
  if (!found) return ignore("unknown step or older attempt");
  if (found.part.phase === "ended") return ignore("known already");
  const { job } = found;
  const { jobId, attempt, stepId } = command.key;
  const exits: ExitStatus[] = Array.from({ length: found.part.tasks }, () => ({ code: 0, signal: 9 }));
  const ended: StepEnded = { type: "step.ended", jobId, attempt, stepId, node: command.node, exits };
  if (isEnded(job)) return accept(ended);
  if (job.spec.requeue && job.allocation.length === 1 && job.attempt < ATTEMPTS_MAX) {
    return accept(ended, { type: "job.requeued", jobId, cause: command.cause });
  }
  return accept(ended, endJob(job, "NODE_FAIL", { code: 0, signal: 9 }, command.cause, null));
}

/** Nothing of an ended job runs on that node any more: its share can be given to others. */
export function decideJobCleaned(state: ClusterState, command: ReportJobCleaned): Decision {
  const job = state.jobs.get(command.jobId);
  if (!job || job.attempt !== command.attempt) return ignore("unknown job or older attempt");
  if (!isEnded(job) || !job.cleanup.includes(command.node)) return ignore("nothing to clear there");
  const events: Event[] = [{ type: "job.cleaned", jobId: job.id, node: command.node }];
  return accept(...events);
}

/** The step whose end is the end of the job: the batch script, or srun's only step. */
function isMainStep(job: RunningJob, step: Step): boolean {
  return step.id === (job.spec.kind === "batch" ? "batch" : 0);
}

function findPart(state: ClusterState, key: StepKey, node: string): Found | undefined {
  const job = state.jobs.get(key.jobId);
  if (!job || job.state === "PENDING" || job.attempt !== key.attempt) return undefined;
  const step = job.steps.find((candidate) => candidate.id === key.stepId);
  const part = step?.parts.find((candidate) => candidate.node === node);
  return step && part ? { job, step, part } : undefined;
}

function hasOtherParts(found: Found): boolean {
  return found.step.parts.some((part) => part !== found.part && part.phase !== "ended");
}

function otherExits(found: Found): ExitStatus[] {
  return found.step.parts.filter((part) => part !== found.part).flatMap((part) => part.exits);
}
