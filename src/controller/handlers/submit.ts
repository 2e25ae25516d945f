/** job.submit: script and environment on disk, then the job in the queue. */

import { submitProblem } from "../../core/decide/submit.ts";
import type { JobSpec } from "../../core/jobspec.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import { type ControllerContext, executeOrThrow } from "../context.ts";
import { estimateStart } from "../estimate.ts";
import { jobName } from "../owners.ts";
import { storeEnvironment, storeScript } from "../stored-inputs.ts";

/** Accepts a job; the same request id again answers with the same job. */
export function submitHandler(context: ControllerContext): UnaryHandler<"job.submit"> {
  return async ({ requestId, job, script, environment, testOnly }, { hello }) => {
    refuseAtEnd(context);
    if (testOnly) {
      return testSubmission(context, { ...job, user: hello.user, scriptDigest: null, environmentDigest: "" });
    }
    const [scriptDigest, environmentDigest] = await Promise.all([
      script === null ? null : storeScript(context, script),
      storeEnvironment(context, environment),
    ]);
    // The end may have begun meanwhile, and has seen to the jobs that it knew.
    refuseAtEnd(context);
    const spec = { ...job, user: hello.user, scriptDigest, environmentDigest };
    const decision = await executeOrThrow(context, { type: "job.submit", requestId, spec });
    if (decision.kind === "deny" || decision.jobId === undefined) throw new RpcError("INTERNAL", "no job id");
    if (job.kind !== "batch") context.owners.expect(jobName(decision.jobId), true);
    return { jobId: decision.jobId, ...mailWarning(context, spec) };
  };
}

function mailWarning({ mailer }: ControllerContext, { mail }: JobSpec): { warnings?: string[] } {
  const problem = mail && mailer.problem();
  return problem ? { warnings: [`there will be no mail: ${problem}`] } : {};
}

function refuseAtEnd(context: ControllerContext): void {
  if (context.isEnding()) throw new RpcError("SHUTTING_DOWN", "mgpu is being ended", "start it again with: mgpu up");
}

/** Says when and where a job would start, and queues nothing. */
function testSubmission(context: ControllerContext, spec: JobSpec) {
  const { state } = context.loop;
  const problem = submitProblem(state, spec);
  if (problem) throw new RpcError(problem.denial.code, problem.denial.message, problem.denial.hint);
  return { jobId: state.nextJobId, estimate: estimateStart(context, spec) };
}
