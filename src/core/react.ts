/**
 * react(after, event): what must be done outside because of an event. Pure, and harmless to repeat. (No state before
 * the event is needed: records say what they are, and an effect is for whoever must be in step with them.)
 * `resumeEffects` gives the same for a whole state, after a restart.
 */

import { limitEnd } from "./decide/steer.ts";
import type { Effect } from "./effects.ts";
import type { Event } from "./events.ts";
import { type EndedJob, isEnded, type Job, type RunningJob } from "./job.ts";
import type { ClusterState } from "./state.ts";

/**
 * Effects of one event.
 * @param after the state after it
 */
export function react(after: ClusterState, event: Event): Effect[] {
  switch (event.type) {
    case "node.registered":
    case "node.down":
      return [{ type: "schedule" }];
    case "job.purged":
      return [{ type: "watch.notify", jobId: event.jobId }];
    case "job.submitted":
      return [{ type: "watch.notify", jobId: event.job.id }, { type: "schedule" }];
    case "job.allocated":
      return [...startEffects(jobIn(after, event.jobId)), { type: "watch.notify", jobId: event.jobId }];
    case "job.ended":
      return [
        ...clearTimer(jobIn(after, event.jobId)),
        ...endEffects(jobIn(after, event.jobId)),
        { type: "watch.notify", jobId: event.jobId },
        { type: "schedule" },
      ];
    case "job.requeued":
      return [
        ...clearTimer(jobIn(after, event.jobId)),
        { type: "watch.notify", jobId: event.jobId },
        { type: "schedule" },
      ];
    case "job.cleaned":
      return [{ type: "watch.notify", jobId: event.jobId }, { type: "schedule" }];
    case "step.started":
    case "step.ended":
      return [{ type: "watch.notify", jobId: event.jobId }];
  }
}

/** All effects that a state implies: launches not yet confirmed, ends not yet confirmed, timers. */
export function resumeEffects(state: ClusterState): Effect[] {
  const effects: Effect[] = [{ type: "schedule" }];
  for (const jobId of state.active) {
    const job = state.jobs.get(jobId);
    effects.push(...startEffects(job), ...endEffects(job));
  }
  return effects;
}

/** Of {@link resumeEffects}, those that one node must hear of when it registers. */
export function resumeNode(state: ClusterState, node: string): Effect[] {
  return resumeEffects(state).filter((effect) => "node" in effect && effect.node === node);
}

function startEffects(job: Job | undefined): Effect[] {
  if (job?.state !== "RUNNING") return [];
  return [...limitTimer(job), ...unconfirmedLaunches(job)];
}

function clearTimer(job: Job | undefined): Effect[] {
  if (!job || job.attempt === 0) return [];
  return [{ type: "timer.clear", timer: { kind: "limit", jobId: job.id, attempt: job.attempt } }];
}

function limitTimer(job: RunningJob): Effect[] {
  if (job.limitS === 0) return [];
  return [{ type: "timer.set", timer: { kind: "limit", jobId: job.id, attempt: job.attempt }, at: limitEnd(job) }];
}

function unconfirmedLaunches(job: RunningJob): Effect[] {
  const { id: jobId, attempt } = job;
  const effects: Effect[] = [];
  for (const step of job.steps) {
    for (const part of step.parts) {
      if (part.phase !== "launching") continue;
      effects.push({ type: "node.launch", node: part.node, jobId, attempt, stepId: step.id });
    }
  }
  return effects;
}

function endEffects(job: Job | undefined): Effect[] {
  if (!job || !isEnded(job)) return [];
  return job.cleanup.map((node) => terminate(job, node));
}

function terminate(job: EndedJob, node: string): Effect {
  return { type: "node.terminate", node, jobId: job.id, attempt: job.attempt };
}

function jobIn(state: ClusterState, jobId: number): Job | undefined {
  return state.jobs.get(jobId);
}
