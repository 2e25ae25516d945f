/** jobs.get: whole records, for scontrol and whoever wants all that is known. job.script: what sbatch stored. */

import type { Job } from "../../core/job.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Hello, JobRow } from "../../protocol/procedures.ts";
import type { StreamHandler, UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { actingUid, maySee } from "../network/access.ts";
import { recordsFor } from "../network/secrets.ts";
import { selectJobs } from "../select.ts";
import { decodeEnvironment } from "../stored-inputs.ts";

/** Records a chunk, each step counted as one: some MB at most, far below the limit of a frame. */
const RECORDS_A_CHUNK = 500;

/** Streams the selected records. */
export function getHandler(context: ControllerContext): StreamHandler<"jobs.get"> {
  return async ({ filter }, sink, { hello }) => {
    const isSeen = maySee(context, hello);
    const recordOf = recordsFor(hello);
    let jobs: { job: Job; row: JobRow }[] = [];
    let records = 0;
    for (const job of selectJobs(context.loop.state, filter)) {
      if (!isSeen(job)) continue;
      jobs.push({ job: recordOf(job), row: context.rowOf(job) });
      records += 1 + (job.state === "PENDING" ? 0 : job.steps.length);
      if (records < RECORDS_A_CHUNK) continue;
      await sink.send({ jobs });
      jobs = [];
      records = 0;
    }
    if (jobs.length > 0) await sink.send({ jobs });
    return { now: context.clock.now() };
  };
}

/** A job of the queue, for its owner and root. */
function ownJob({ loop }: ControllerContext, jobId: number, hello: Hello): Job {
  const uid = actingUid(hello);
  const job = loop.state.jobs.get(jobId);
  if (!job) throw new RpcError("INVALID_JOB", "Invalid job id specified", `there is no job ${jobId} in the queue`);
  if (uid !== 0 && uid !== job.spec.user.uid) throw new RpcError("PERMISSION", "Access/permission denied");
  return job;
}

/** What a batch job was submitted with, for its owner and root. */
export function environmentHandler(context: ControllerContext): UnaryHandler<"job.environment"> {
  return async ({ jobId }, { hello }) => {
    const { spec } = ownJob(context, jobId, hello);
    if (spec.scriptDigest === null) throw new RpcError("INVALID_JOB", "the job is no batch job");
    return { environment: decodeEnvironment(await context.blobs.get(spec.environmentDigest)) };
  };
}

/** The script of a batch job, for its owner and root. */
export function scriptHandler(context: ControllerContext): UnaryHandler<"job.script"> {
  return async ({ jobId }, { hello }) => {
    const job = ownJob(context, jobId, hello);
    if (job.spec.scriptDigest === null) throw new RpcError("INVALID_JOB", "job script retrieval failed: it has none");
    return { script: await context.blobs.get(job.spec.scriptDigest) };
  };
}
