/** What a node is told to start, and the token by which the job's client attaches. */

import type { StepKey } from "../core/ids.ts";
import { formatStepKey } from "../core/ids.ts";
import type { Job, RunningJob } from "../core/job.ts";
import type { ClusterState } from "../core/state.ts";
import type { Digest } from "../platform/digest.ts";
import { holderSocketFor } from "../protocol/holder-socket.ts";
import type { AttachPoint, NodeLaunch } from "../protocol/procedures.ts";
import { partitionName } from "./select.ts";
import type { Sessions } from "./sessions.ts";
import type { Blobs } from "./store/blobs.ts";

/** A step's token follows from a secret of the state folder, so that it survives restarts without being stored. */
export function tokenOf(digest: Digest, secret: string, key: StepKey): string {
  return digest.keyed(secret, `attach ${formatStepKey(key)}`);
}

/** The order for one node. Rejects if the job's stored script or environment is gone. */
export async function launchOrder(
  state: ClusterState,
  blobs: Blobs,
  clusterName: string,
  job: RunningJob,
  key: StepKey,
  token: string,
): Promise<NodeLaunch> {
  const { user, scriptDigest, environmentDigest, ...request } = job.spec;
  const isBatch = key.stepId === "batch";
  const [script, environment] = await Promise.all([
    isBatch && scriptDigest !== null ? blobs.get(scriptDigest) : null,
    blobs.get(environmentDigest),
  ]);
  return {
    key,
    token,
    job: request,
    user,
    partition: partitionName(state, job),
    submitAt: job.submitAt,
    allocation: [...job.allocation],
    limitS: job.limitS,
    startAt: job.startAt,
    clusterName,
    script,
    environment: JSON.parse(new TextDecoder().decode(environment)) as Record<string, string>,
  };
}

/** Holders of a job's steps, ended ones included: their output may still be waiting there. */
export function attachPointsOf(job: Job, sessions: Sessions, token: (key: StepKey) => string): AttachPoint[] {
  if (job.state === "PENDING" || job.spec.kind === "batch") return [];
  const points: AttachPoint[] = [];
  for (const step of job.steps) {
    const key = { jobId: job.id, attempt: job.attempt, stepId: step.id };
    for (const { node, firstTask, tasks } of step.parts) {
      const session = sessions.get(node);
      if (!session) continue;
      const socket = holderSocketFor(session.registration.holder.socket, key, job.spec.pty !== null);
      points.push({ key, node, socket, token: token(key), firstTask, tasks });
    }
  }
  return points;
}
