/** job.explain: why a job waits, worked out in slices between which the controller sees to others. */

import { hasTask } from "../../core/array-spec.ts";
import type { Explanation } from "../../core/explanation.ts";
import type { PendingJob } from "../../core/job.ts";
import { type ClusterState, recordsOf } from "../../core/state.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import { gateOf } from "../../sched/eligible.ts";
import { explain } from "../../sched/explain/explain.ts";
import type { ControllerContext } from "../context.ts";
import { actingUid, maySee } from "../network/access.ts";
import { viewOf } from "../planner.ts";
import { slowly } from "../slices.ts";

/** How long the search works before others get their turn, in milliseconds. */
const SLICE_MS = 3;

/** How much time one explanation may take in all, in milliseconds of work and waiting. */
const BUDGET_MS = 500;

/** Explains one job after the other: whoever asks for many waits for them, and nobody else does. */
export function explainHandler(context: ControllerContext): UnaryHandler<"job.explain"> {
  let last: Promise<unknown> = Promise.resolve();
  return async ({ jobId, taskId }, { hello }) => {
    const work = async () => {
      const { state } = context.loop;
      if (!recordsOf(state, jobId).some(maySee(context, hello)))
        throw new RpcError("INVALID_JOB", "Invalid job id specified");
      const job = waitingJob(state, jobId, taskId);
      const explanation = job && (await explainSlowly(context, job, actingUid(hello)));
      return { explanation, now: context.clock.now() };
    };
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
  };
}

/** The waiting record that is meant; of an array with one task of its own, that task alone. */
function waitingJob(state: ClusterState, jobId: number, taskId: number | null): PendingJob | null {
  for (const job of recordsOf(state, jobId)) {
    if (job.state !== "PENDING") continue;
    if (taskId === null) return job;
    if (!job.array || !hasTask(job.array.tasks, taskId)) continue;
    return { ...job, array: { ...job.array, tasks: [{ first: taskId, last: taskId, step: 1 }] } };
  }
  return null;
}

/** Whether machines of other batch systems are on their way for it. */
function withAllocations({ elastic }: ControllerContext, { id }: PendingJob, found: Explanation): Explanation {
  const allocations = elastic.crew?.prospects(id) ?? [];
  return allocations.length === 0 ? found : { ...found, allocations };
}

async function explainSlowly(context: ControllerContext, job: PendingJob, byUid: number): Promise<Explanation> {
  const { clock, loop, isConnected, guard, order } = context;
  const now = clock.now();
  const begun = clock.monotonic();
  const work = explain({
    ...{ job, now, byUid, state: loop.state, reason: context.reasonOf(job) },
    view: viewOf(loop.state, isConnected, now, { seenBy: (node) => guard.seenBy(node), order }),
    newGate: () => gateOf(loop.state, now),
    hasTime: () => clock.monotonic() - begun < BUDGET_MS,
  });
  return withAllocations(context, job, await slowly(clock, work, SLICE_MS));
}
