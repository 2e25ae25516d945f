/** job.submit: script and environment on disk, then the job in the queue. */

import { RpcError } from "../../protocol/errors.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import { type ControllerContext, executeOrThrow } from "../context.ts";
import { storageError, storageProblem } from "../storage-error.ts";

/** Accepts a job; the same request id again answers with the same job. */
export function submitHandler(context: ControllerContext): UnaryHandler<"job.submit"> {
  return async ({ requestId, job, script, environment }, { hello }) => {
    refuseAtEnd(context);
    const [scriptDigest, environmentDigest] = await storeInputs(context, script, environment);
    // The end may have begun meanwhile, and has seen to the jobs that it knew.
    refuseAtEnd(context);
    const spec = { ...job, user: hello.user, scriptDigest, environmentDigest };
    const decision = await executeOrThrow(context, { type: "job.submit", requestId, spec });
    if (decision.kind === "deny" || decision.jobId === undefined) throw new RpcError("INTERNAL", "no job id");
    if (job.kind === "run") context.owners.expect(decision.jobId);
    return { jobId: decision.jobId };
  };
}

function refuseAtEnd(context: ControllerContext): void {
  if (context.isEnding()) throw new RpcError("SHUTTING_DOWN", "mgpu is being ended", "start it again with: mgpu up");
}

async function storeInputs(
  { blobs, log }: ControllerContext,
  script: Uint8Array | null,
  environment: Readonly<Record<string, string>>,
): Promise<[string | null, string]> {
  try {
    const encoded = new TextEncoder().encode(JSON.stringify(environment));
    return await Promise.all([script === null ? null : blobs.put(script), blobs.put(encoded)]);
  } catch (error) {
    log.error("a script or environment can't be stored", { error: String(error) });
    throw storageError(storageProblem(error));
  }
}
