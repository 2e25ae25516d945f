/** step.create: makes a step within a running job, as soon as there is room for it. job.complete gives the job back. */

import { componentAt } from "../../core/het.ts";
import type { StepId } from "../../core/ids.ts";
import type { StepOrder } from "../../core/jobspec.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Params } from "../../protocol/procedures.ts";
import type { StreamHandler, UnaryHandler } from "../../rpc/types.ts";
import { type ControllerContext, executeOrThrow } from "../context.ts";
import { actingUid } from "../network/access.ts";
import { stepName } from "../owners.ts";
import { encodeEnvironment, storeEncoded } from "../stored-inputs.ts";

/** Tries, and again after each change of the jobs that take part, until the step is made or refused. */
export function createStepHandler(context: ControllerContext): StreamHandler<"step.create"> {
  return async (params, sink, { hello, signal }) => {
    const { requestId, immediate } = params;
    const programs = [params, ...(params.others ?? [])];
    await context.checkPrograms(
      ...programs.map(({ step, environment }) => ({ kind: "run" as const, program: step, environment, script: null })),
    );
    const parts = partsOf(context, params);
    const watchers = parts.map(({ jobId }) => context.watchers.watch(jobId));
    let said = "";
    try {
      for (;;) {
        await Promise.race(watchers.map((watcher) => watcher.changed(signal)));
        if (context.isStopping()) throw new RpcError("SHUTTING_DOWN", "the controller was told to end");
        // Before each try: while we wait nothing refers to it, and it may be swept away.
        const [first, ...others] = await Promise.all(parts.map((part) => stored(context, part)));
        if (!first) throw new RpcError("INTERNAL", "a step without any part");
        // Not an operator: who makes a step in somebody's job runs programs as that user.
        const { uid } = hello.user;
        const command = { type: "step.create", ...first, requestId, byUid: uid } as const;
        const decision = await context.loop.execute(others.length === 0 ? command : { ...command, others });
        if (decision.kind !== "deny") {
          if (isGivenUp(signal)) await endUnwanted(context, parts, decision.stepId, uid);
          return answer(context, parts, decision.stepId);
        }
        const { code, message, hint } = decision.denial;
        if (code !== "STEP_BUSY" || immediate) throw new RpcError(code, message, hint);
        if (message !== said) await sink.send({ waiting: message, ...(hint ? { holders: hint } : {}) });
        said = message;
      }
    } finally {
      for (const watcher of watchers) watcher.end();
    }
  };
}

/** What a step is in one job: the only one, or a component. */
interface StepPart {
  readonly jobId: number;
  readonly step: StepOrder;
  /** Encoded once, however often the step is tried. */
  readonly environment: Uint8Array;
}

/** The parts of the step, each with its component's own number. Throws for a component that there is not. */
function partsOf({ loop }: ControllerContext, params: Params<"step.create">): readonly StepPart[] {
  const { jobId, step, environment, component, others = [] } = params;
  if (component === undefined) return [{ jobId, step, environment: encodeEnvironment(environment) }];
  const wanted = [{ component, step, environment }, ...others];
  if (new Set(wanted.map((part) => part.component)).size < wanted.length) {
    throw new RpcError("NOT_FEASIBLE", "Requested node configuration is not available", "a component is named twice");
  }
  return wanted.map((part) => {
    const job = componentAt(loop.state, jobId, part.component);
    if (job) return { jobId: job.id, step: part.step, environment: encodeEnvironment(part.environment) };
    const hint = `job ${jobId} has no component ${part.component}`;
    throw new RpcError("INVALID_JOB", "Invalid job id specified", hint);
  });
}

async function stored(context: ControllerContext, { jobId, step, environment }: StepPart) {
  return { jobId, spec: { ...step, environmentDigest: await storeEncoded(context, environment) } };
}

/** Whether the caller took its request back; one whose connection was lost asks again. */
function isGivenUp(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof RpcError && signal.reason.code === "CANCELLED";
}

/** Ends a step whose srun was interrupted while it was made. */
async function endUnwanted(
  context: ControllerContext,
  parts: readonly StepPart[],
  stepId: StepId | undefined,
  byUid: number,
) {
  if (stepId === undefined) return;
  const why = { state: "CANCELLED", cause: "its srun was interrupted" } as const;
  await Promise.all(
    parts.map(({ jobId }) => context.loop.execute({ type: "step.cancel", jobId, stepId, byUid, ...why })),
  );
}

/** Takes an allocation back. */
export function completeHandler(context: ControllerContext): UnaryHandler<"job.complete"> {
  return async ({ jobId, exit }, { hello }) => {
    await executeOrThrow(context, { type: "job.complete", jobId, byUid: actingUid(hello), exit });
    return {};
  };
}

function answer(context: ControllerContext, parts: readonly StepPart[], stepId: number | "batch" | undefined) {
  let tasks = 0;
  let attempt = 1;
  for (const { jobId } of parts) {
    const job = context.loop.state.jobs.get(jobId);
    const step = job && job.state !== "PENDING" ? job.steps.find((one) => one.id === stepId) : undefined;
    if (!job || !step || typeof stepId !== "number") {
      throw new RpcError("JOB_FINISHED", "Job/step already completing or completed");
    }
    context.owners.expect(stepName(jobId, stepId), true);
    tasks += step.parts.reduce((sum, part) => sum + part.tasks.length, 0);
    attempt = job.attempt;
  }
  return { stepId: Number(stepId), attempt, tasks: Math.max(1, tasks), jobIds: parts.map(({ jobId }) => jobId) };
}
