/** job.watch: the newest record now and after each change, until the job (or the step that is followed) is over. */

import { mayTouch } from "../../core/decide/steer.ts";
import { fold } from "../../core/hostlist.ts";
import type { StepId } from "../../core/ids.ts";
import { isEnded, type Job, mainStepId, type Step } from "../../core/job.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { JobUpdate } from "../../protocol/procedures.ts";
import type { StreamHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { actingUid } from "../network/access.ts";
import { jobName, stepName } from "../owners.ts";

/** Streams updates; a watcher that is slow skips what is outdated. */
export function watchHandler(context: ControllerContext): StreamHandler<"job.watch"> {
  return async ({ jobId, stepId = null, owner }, sink, { signal, hello }) => {
    const watched = context.loop.state.jobs.get(jobId);
    if (!watched) {
      throw new RpcError("INVALID_JOB", "Invalid job id specified", `there is no job ${jobId} in the queue`);
    }
    // What is sent opens the job's streams, which are its user's alone: who types there acts as that user.
    if (!mayTouch(watched, actingUid(hello))) throw new RpcError("PERMISSION", "Access/permission denied");
    const mayAttach = mayTouch(watched, hello.user.uid);
    const watcher = context.watchers.watch(jobId);
    const name = stepId === null ? jobName(jobId) : stepName(jobId, stepId);
    const release = owner ? context.owners.claim(name) : () => {};
    let attempt: number | null = null;
    try {
      for (;;) {
        await watcher.changed(signal);
        // A client must not take this for a crash and start the controller again.
        if (context.isStopping()) throw new RpcError("SHUTTING_DOWN", "the controller was told to end");
        const job = context.loop.state.jobs.get(jobId);
        if (!job) return {};
        const isRestarted = stepId !== null && attempt !== null && (job.state === "PENDING" || job.attempt > attempt);
        const update = isRestarted ? lostUpdate(context, job, stepId) : updateOf(context, job, stepId);
        attempt ??= job.attempt;
        await sink.send(mayAttach ? update : { ...update, attach: [] });
        if (update.final) return {};
      }
    } finally {
      watcher.end();
      release();
    }
  };
}

function updateOf(context: ControllerContext, job: Job, stepId: StepId | null): JobUpdate {
  const row = context.rowOf(job);
  const steps = job.state === "PENDING" ? [] : job.steps;
  if (stepId === null) {
    const main = steps.filter(({ id }) => id === mainStepId(job));
    const ended = isEnded(job) && !isOver(job) ? { endState: job.state } : {};
    return { row, ...ended, step: null, attach: context.attachPoints(job, main), final: isOver(job) };
  }
  const step = steps.find(({ id }) => id === stepId);
  if (!step) throw new RpcError("INVALID_STEP", "Invalid job id specified", `job ${job.id} has no step ${stepId}`);
  const final = isOver(job) || step.endAt !== null;
  return { row, step: stateOf(step), attach: context.attachPoints(job, [step]), final };
}

/** The last word on a step whose job went back to the queue: its number may be another step's by now. */
function lostUpdate(context: ControllerContext, job: Job, stepId: StepId): JobUpdate {
  const step = { stepId, state: "CANCELLED", endAt: context.clock.now(), nodeList: "", cause: "requeued" } as const;
  return { row: context.rowOf(job), step, attach: [], final: true };
}

function stateOf({ id, state, endAt, parts, ending }: Step): JobUpdate["step"] {
  const nodeList = fold(parts.map((part) => part.node));
  return { stepId: id, state: ending?.state ?? state, endAt, nodeList, cause: ending?.cause ?? "" };
}

function isOver(job: Job): boolean {
  return isEnded(job) && job.cleanup.length === 0;
}
