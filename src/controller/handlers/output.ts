/** job.output: part of a step's output file, fetched from the node where it lies. */

import { mayTouch } from "../../core/decide/steer.ts";
import type { JobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import { outputsOf } from "../../core/outputs.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { actingUid } from "../network/access.ts";

/** Jobs of the past that are remembered between the windows of one file. */
const REMEMBERED_MAX = 16;

const READ_DEADLINE_MS = 15_000;

/** Only files that the job's own record names are read, and with its owner's rights. */
export function outputHandler(context: ControllerContext): UnaryHandler<"job.output"> {
  const past = new Map<JobId, Job>();
  return async ({ jobId, stepId, node, path, from, bytes }, { hello }) => {
    const job = context.loop.state.jobs.get(jobId) ?? past.get(jobId) ?? (await finishedJob(context, jobId));
    if (!job) throw new RpcError("INVALID_JOB", "Invalid job id specified", `there never was a job ${jobId}`);
    if (!context.loop.state.jobs.has(jobId)) remember(past, job);
    const { user } = job.spec;
    if (!mayTouch(job, actingUid(hello))) {
      throw new RpcError("PERMISSION", "Access/permission denied", `job ${jobId} is ${user.name}'s`);
    }
    const step = outputsOf(job).find((one) => one.stepId === stepId);
    if (!step?.files.some((file) => file.node === node && file.path === path)) {
      throw new RpcError("INVALID_STEP", `step ${jobId}.${stepId} has no output in ${path} on ${node}`);
    }
    const session = context.sessions.get(node);
    if (!session) throw new RpcError("NODE_AWAY", `node ${node}, which has ${path}, is not connected`);
    const order = { path, user, from, bytes };
    return session.peer.call("node.read", order, { deadlineMs: READ_DEADLINE_MS });
  };
}

function remember(past: Map<JobId, Job>, job: Job): void {
  past.delete(job.id);
  past.set(job.id, job);
  for (const id of past.keys()) if (past.size > REMEMBERED_MAX) past.delete(id);
}

/** The newest of that number: a job may have been requeued after its line was written. */
async function finishedJob(context: ControllerContext, jobId: JobId): Promise<Job | undefined> {
  let found: Job | undefined;
  for await (const jobs of context.readFinished({ since: null, ids: new Set([jobId]) }, () => {})) {
    found = jobs.findLast(({ id }) => id === jobId) ?? found;
  }
  return found;
}
