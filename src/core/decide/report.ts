/**
 * What node daemons report. Reports arrive at least once and may be late, so each is checked against the job's
 * present attempt; one that speaks of an older start is ignored.
 */

import type { ReportJobCleaned, ReportStepEnded, ReportStepLost, ReportStepStarted } from "../commands.ts";
import type { Event, StepEnded } from "../events.ts";
import { feasibility } from "../fit.ts";
import { livingOthers } from "../het.ts";
import type { StepKey } from "../ids.ts";
import {
  type EndedJob,
  type ExitStatus,
  mainStepId,
  type RunningJob,
  type Step,
  type StepPart,
  worstExit,
} from "../job.ts";
import type { ClusterState } from "../state.ts";
import { accept, type Decision, ignore } from "./decision.ts";
import { ATTEMPTS_MAX } from "./give-up.ts";
import { endJob, endWhole, requeueWhole } from "./steer.ts";

/** Slurm's exit status of what the kernel (or we) killed for its memory. */
const EXIT_OUT_OF_MEMORY: ExitStatus = { code: 0, signal: 125 };

/** How accounting shows a start that vanished with its node. */
const LOST = { state: "NODE_FAIL", exit: { code: 0, signal: 9 } } as const;

/** How accounting shows a start of which nothing came. */
const EXIT_UNLAUNCHED: ExitStatus = { code: 1, signal: 0 };
const UNLAUNCHED = { state: "NODE_FAIL", exit: EXIT_UNLAUNCHED } as const;

const OUT_OF_MEMORY_CAUSE = "used more memory than it was granted";

/** Starts in a row that may come to nothing because nodes can't start the program, and the pause before the next. */
const LAUNCHES_MAX = 5;
const LAUNCH_WAIT_MS = 5000;

/** Most that --retry-wait grows to: a day. */
const RETRY_WAIT_MAX_S = 86_400;

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
export function decideStepEnded(state: ClusterState, command: ReportStepEnded, now: number): Decision {
  const found = findPart(state, command.key, command.node);
  if (!found) return ignore("unknown step or older attempt");
  if (found.part.phase === "ended") return ignore("known already");
  const { jobId, attempt, stepId } = command.key;
  const usage = command.usage ? { usage: command.usage } : {};
  const { node, exits } = command;
  const ended: StepEnded = { type: "step.ended", jobId, attempt, stepId, node, exits, ...usage };
  const { job, step } = found;
  const events: Event[] = [...outOfMemory(command, step), ended];
  if (job.state !== "RUNNING" || step.id !== mainStepId(job) || hasOtherParts(found)) return accept(...events);
  return accept(...events, ...endOfMainStep(state, job, found, command, now));
}

/** What becomes of a job whose main step is over: it ends, or starts again by itself after a failure. */
function endOfMainStep(
  state: ClusterState,
  job: RunningJob,
  found: Found,
  command: ReportStepEnded,
  now: number,
): Event[] {
  // Each component of srun's heterogeneous job has tasks of its own; a script's end is the end of all components.
  const end = (...how: Parameters<typeof endJob>): Event[] =>
    job.spec.kind === "run" ? [endJob(...how)] : endWhole(state, ...how);
  const clean = command.clean && !hasOtherSteps(job, found.step, command.node) ? [command.node] : [];
  const memory = command.outOfMemory || found.step.ending?.state === "OUT_OF_MEMORY";
  if (memory) return end(job, "OUT_OF_MEMORY", EXIT_OUT_OF_MEMORY, OUT_OF_MEMORY_CAUSE, null, clean);
  const exit = worstExit([...otherExits(found), ...command.exits]);
  if (exit.code === 0 && exit.signal === 0) return end(job, "COMPLETED", exit, command.problem, null, clean);
  // A step that its own user ended takes the job of srun with it.
  if (found.step.ending)
    return end(job, found.step.ending.state, exit, found.step.ending.cause, found.step.ending.by, clean);
  if (command.unwelcome && job.spec.kind === "batch") return unwelcome(state, job, command, clean, now);
  if (command.unlaunched && job.spec.kind === "batch") return unlaunched(state, job, command, clean, now);
  const { retries, retryWaitS } = job.spec;
  if (job.retried >= retries || !isWhole(state, job)) return end(job, "FAILED", exit, command.problem, null, clean);
  const waitMs = Math.min(retryWaitS * 2 ** job.retried, RETRY_WAIT_MAX_S) * 1000;
  const cause = `failed with exit code ${exit.code}:${exit.signal}, try ${job.retried + 1} of ${retries + 1}`;
  return requeueWhole(state, job, cause, now + waitMs, null, clean, job.retried + 1, { state: "FAILED", exit });
}

/** A script whose node could not start it had no try of its own: it goes back, to that node or another one. */
function unlaunched(
  state: ClusterState,
  job: RunningJob,
  { node, problem }: ReportStepEnded,
  clean: readonly string[],
  now: number,
): Event[] {
  const times = (job.unlaunched ?? 0) + 1;
  const cause = `node ${node} could not start it, ${times} of ${LAUNCHES_MAX} times: ${problem}`;
  if (times >= LAUNCHES_MAX) return endWhole(state, job, "FAILED", EXIT_UNLAUNCHED, cause, null, clean);
  const back = requeueWhole(state, job, cause, now + LAUNCH_WAIT_MS, null, clean, job.retried, UNLAUNCHED);
  return back.map((event) => ({ ...event, unlaunched: times }));
}

/** A script of a user whom its node does not know goes to other nodes; where there is none for it, it waits for somebody to mend that. */
function unwelcome(
  state: ClusterState,
  job: RunningJob,
  { node, problem }: ReportStepEnded,
  clean: readonly string[],
  now: number,
): Event[] {
  const request = { ...job.spec.request, excluded: [...job.spec.request.excluded, node] };
  const isElsewhere = job.spec.het === null && feasibility([...state.nodes.values()], request) === null;
  const requeue = (cause: string, hold: "user" | null): Event[] =>
    requeueWhole(state, job, cause, now, hold, clean, job.retried, UNLAUNCHED);
  if (!isElsewhere)
    return requeue(`${problem}; held: no other node can run it, release it when that is mended`, "user");
  const before = { request: job.spec.request };
  return [
    ...requeue(`${problem}; other nodes are tried`, null),
    { type: "job.updated", jobId: job.id, changes: { request }, before },
  ];
}

/** Whether all components of a heterogeneous job run still: one step goes over them, so none is tried again without the others. */
function isWhole(state: ClusterState, job: RunningJob): boolean {
  return job.spec.kind !== "run" || job.spec.het === null || livingOthers(state, job).length === job.spec.het.size - 1;
}

/** A step vanished with its node or holder: its job starts again if it may, else it ends as NODE_FAIL. */
export function decideStepLost(state: ClusterState, command: ReportStepLost, now: number): Decision {
  const found = findPart(state, command.key, command.node);
  if (!found) return ignore("unknown step or older attempt");
  if (found.part.phase === "ended") return ignore("known already");
  const { job, step } = found;
  const { jobId, attempt, stepId } = command.key;
  const exits: ExitStatus[] = found.part.tasks.map(() => ({ code: 0, signal: 9 }));
  const ended: StepEnded = { type: "step.ended", jobId, attempt, stepId, node: command.node, exits };
  if (job.state !== "RUNNING" || step.id !== mainStepId(job)) return accept(ended);
  const clean = hasOtherSteps(job, step, command.node) ? [] : [command.node];
  if (job.spec.requeue && job.spec.kind === "batch" && job.attempt < ATTEMPTS_MAX) {
    return accept(ended, ...requeueWhole(state, job, command.cause, now, null, clean, job.retried, LOST));
  }
  return accept(ended, ...endWhole(state, job, "NODE_FAIL", { code: 0, signal: 9 }, command.cause, null));
}

/** Nothing of an ended job runs on that node any more: its share can be given to others. */
export function decideJobCleaned(state: ClusterState, command: ReportJobCleaned): Decision {
  const { jobId, attempt, node } = command;
  const job = state.jobs.get(jobId);
  if (!job || job.attempt !== attempt) return ignore("unknown job or older attempt");
  if (job.state === "RUNNING" || !job.cleanup.includes(node)) return ignore("nothing to clear there");
  return accept({ type: "job.cleaned", jobId, node });
}

function outOfMemory({ key, outOfMemory }: ReportStepEnded, step: Step): Event[] {
  if (!outOfMemory || step.ending) return [];
  const { jobId, attempt, stepId } = key;
  return [
    { type: "step.ending", jobId, attempt, stepId, state: "OUT_OF_MEMORY", by: null, cause: OUT_OF_MEMORY_CAUSE },
  ];
}

/** Whether another step of the job may still run something on a node. */
function hasOtherSteps(job: RunningJob, main: Step, node: string): boolean {
  return job.steps.some(
    (step) => step !== main && step.parts.some((part) => part.node === node && part.phase !== "ended"),
  );
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
