/** step.create: makes a step within a running job, as soon as there is room for it. job.complete gives the job back. */

import type { StepId } from "../../core/ids.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { StreamHandler, UnaryHandler } from "../../rpc/types.ts";
import { type ControllerContext, executeOrThrow } from "../context.ts";
import { stepName } from "../owners.ts";
import { storeEnvironment } from "../stored-inputs.ts";

/** Tries, and again after each change of the job, until the step is made or refused. */
export function createStepHandler(context: ControllerContext): StreamHandler<"step.create"> {
  return async ({ requestId, jobId, step, environment, immediate }, sink, { hello, signal }) => {
    const watcher = context.watchers.watch(jobId);
    let said = "";
    try {
      for (;;) {
        await watcher.changed(signal);
        if (context.isStopping()) throw new RpcError("SHUTTING_DOWN", "the controller was told to end");
        // Before each try: while we wait nothing refers to it, and it may be swept away.
        const spec = { ...step, environmentDigest: await storeEnvironment(context, environment) };
        const command = { type: "step.create", jobId, requestId, byUid: hello.user.uid, spec } as const;
        const decision = await context.loop.execute(command);
        if (decision.kind !== "deny") {
          if (isGivenUp(signal)) await endUnwanted(context, jobId, decision.stepId, hello.user.uid);
          return answer(context, jobId, decision.stepId);
        }
        const { code, message, hint } = decision.denial;
        if (code !== "STEP_BUSY" || immediate) throw new RpcError(code, message, hint);
        if (message !== said) await sink.send({ waiting: message, ...(hint ? { holders: hint } : {}) });
        said = message;
      }
    } finally {
      watcher.end();
    }
  };
}

/** Whether the caller took its request back; one whose connection was lost asks again. */
function isGivenUp(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof RpcError && signal.reason.code === "CANCELLED";
}

/** Ends a step whose srun was interrupted while it was made. */
async function endUnwanted(context: ControllerContext, jobId: number, stepId: StepId | undefined, byUid: number) {
  if (stepId === undefined) return;
  const why = { state: "CANCELLED", cause: "its srun was interrupted" } as const;
  await context.loop.execute({ type: "step.cancel", jobId, stepId, byUid, ...why });
}

/** Takes an allocation back. */
export function completeHandler(context: ControllerContext): UnaryHandler<"job.complete"> {
  return async ({ jobId, exit }, { hello }) => {
    await executeOrThrow(context, { type: "job.complete", jobId, byUid: hello.user.uid, exit });
    return {};
  };
}

function answer(context: ControllerContext, jobId: number, stepId: number | "batch" | undefined) {
  const job = context.loop.state.jobs.get(jobId);
  const step = job && job.state !== "PENDING" ? job.steps.find((one) => one.id === stepId) : undefined;
  if (!job || !step || typeof stepId !== "number") {
    throw new RpcError("JOB_FINISHED", "Job/step already completing or completed");
  }
  context.owners.expect(stepName(jobId, stepId), true);
  const tasks = step.parts.reduce((sum, part) => sum + part.tasks.length, 0);
  return { stepId, attempt: job.attempt, tasks: Math.max(1, tasks) };
}
