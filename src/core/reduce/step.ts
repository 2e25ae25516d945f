/** How events change the steps of a job. */

import { assert } from "../../util/assert.ts";
import type { JobEnded, StepCreated, StepEnded, StepEnding, StepLimited, StepStarted } from "../events.ts";
import { type Job, type RunningJob, type Step, type StepPart, type TerminalState, worstExit } from "../job.ts";

/** A new step, on its way to its nodes. */
export function stepCreated(job: Job, event: StepCreated): RunningJob {
  assert(job.state === "RUNNING", `job ${job.id} got a step in state ${job.state}`);
  const { id } = event.step;
  // A step over several components has the same number in all of them: some numbers are passed over.
  assert(id !== "batch" && id >= job.nextStepId, `job ${job.id}: step ${id} comes before ${job.nextStepId}`);
  return { ...job, steps: [...job.steps, event.step], nextStepId: id + 1 };
}

/** A part of a step runs. */
export function stepStarted(job: Job, event: StepStarted): Job {
  return changeStep(job, event, (step) => withPart(step, event.node, (part) => ({ ...part, phase: "running" })));
}

/** A part of a step is over; the step is, once all its parts are. */
export function stepEnded(job: Job, event: StepEnded, at: number): Job {
  return changeStep(job, event, (step) =>
    concluded(
      withPart(step, event.node, (part) => ({ ...part, phase: "ended", ...outcomeOf(event) })),
      at,
    ),
  );
}

function outcomeOf({ exits, usage }: StepEnded): Pick<StepPart, "exits" | "usage"> {
  return usage ? { exits, usage } : { exits };
}

/** A step is to end before its time. */
export function stepEnding(job: Job, event: StepEnding): Job {
  const { state, by, cause } = event;
  return changeStep(job, event, (step) => ({ ...step, ending: { state, by, cause } }));
}

/** A step has another time limit. */
export function stepLimited(job: Job, event: StepLimited): Job {
  return changeStep(job, event, (step) => ({ ...step, limitS: event.limitS }));
}

/** A step that still runs when its job ends, ends with it. */
export function endingWithJob(step: Step, event: Pick<JobEnded, "state" | "cancelledBy" | "cause">, at: number): Step {
  if (step.endAt !== null || step.ending !== null) return step;
  const state: TerminalState = event.state === "COMPLETED" || event.state === "FAILED" ? "CANCELLED" : event.state;
  return concluded({ ...step, ending: { state, by: event.cancelledBy, cause: event.cause } }, at);
}

/** Steps after nothing runs on some nodes any more: parts of which no end was heard are over too. */
export function partsGone(steps: readonly Step[], nodes: readonly string[], at: number): readonly Step[] {
  const isGone = (part: StepPart): boolean => part.phase !== "ended" && nodes.includes(part.node);
  if (!steps.some((step) => step.parts.some(isGone))) return steps;
  return steps.map((step) => {
    if (!step.parts.some(isGone)) return step;
    const parts = step.parts.map((part): StepPart => (isGone(part) ? { ...part, phase: "ended" } : part));
    return concluded({ ...step, parts }, at);
  });
}

/** Steps after some nodes were lost: what ran there counts as killed. */
export function partsLost(steps: readonly Step[], nodes: readonly string[], at: number): readonly Step[] {
  const killed = steps.map((step) => {
    const isLost = (part: StepPart): boolean => part.phase !== "ended" && nodes.includes(part.node);
    const exits = (part: StepPart) => part.tasks.map(() => ({ code: 0, signal: 9 }));
    return step.parts.some(isLost)
      ? { ...step, parts: step.parts.map((part) => (isLost(part) ? { ...part, exits: exits(part) } : part)) }
      : step;
  });
  return partsGone(killed, nodes, at);
}

/** A step of a start that is over, of which nothing more will be heard. */
export function overAt(step: Step, at: number): Step {
  return (
    partsGone(
      [step],
      step.parts.map(({ node }) => node),
      at,
    )[0] ?? step
  );
}

/** Ended if all its parts are: as it was told to, or as its tasks say. */
function concluded(step: Step, at: number): Step {
  if (step.endAt !== null || step.parts.some((part) => part.phase !== "ended")) return step;
  const exit = worstExit(step.parts.flatMap((part) => part.exits));
  const state = step.ending?.state ?? (exit.code === 0 && exit.signal === 0 ? "COMPLETED" : "FAILED");
  return { ...step, endAt: at, state };
}

function withPart(step: Step, node: string, change: (part: StepPart) => StepPart): Step {
  return { ...step, parts: step.parts.map((part) => (part.node === node ? change(part) : part)) };
}

function changeStep(job: Job, event: { readonly stepId: Step["id"] }, change: (step: Step) => Step): Job {
  assert(job.state !== "PENDING", `job ${job.id} has no steps while it waits`);
  return { ...job, steps: job.steps.map((step) => (step.id === event.stepId ? change(step) : step)) };
}
