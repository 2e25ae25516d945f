/** controller.shutdown: ends the nodes' daemons and this one. Running jobs keep it from doing so, unless forced. */

import type { Job } from "../../core/job.ts";
import { sleep } from "../../platform/clock.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";

/** Time for the nodes to say that nothing runs any more, beyond the kill wait. */
const CLEANUP_GRACE_MS = 5000;
const POLL_MS = 20;
/** At most this many ids are named in a refusal. */
const IDS_LISTED_MAX = 10;

/**
 * Refuses with JOBS_RUNNING, or cancels what runs and ends everything. Waiting batch jobs stay in the queue; waiting
 * sruns are cancelled, because their clients end with the controller.
 */
export function shutdownHandler(context: ControllerContext): UnaryHandler<"controller.shutdown"> {
  return async ({ force }, { hello }) => {
    const { state } = context.loop;
    const active = [...state.active];
    if (active.length > 0 && !force) throw jobsRunning(active);
    context.setEnding(true);
    try {
      return { cancelled: await endAll(context, active, hello.user.uid) };
    } catch (error) {
      // The controller stays, so it must go on working.
      context.setEnding(false);
      throw error;
    }
  };
}

/** Cancels what can't go on, ends the nodes' daemons, then this program. Answers with the cancelled jobs. */
async function endAll(context: ControllerContext, active: readonly number[], byUid: number): Promise<number[]> {
  const { state } = context.loop;
  const lost = [...active, ...state.pending].filter((id) => endsWithController(state.jobs.get(id)));
  await Promise.all(
    lost.map((jobId) => context.loop.execute({ type: "job.cancel", jobId, tasks: null, byUid, cause: "mgpu down" })),
  );
  await cleared(context);
  for (const { peer } of context.sessions.all.values()) {
    await peer.call("node.shutdown", { holders: true }).catch(() => {});
  }
  context.stop();
  return lost;
}

function endsWithController(job: Job | undefined): boolean {
  return job?.state === "RUNNING" || (job?.state === "PENDING" && job.spec.kind !== "batch");
}

async function cleared({ loop, clock, settings, log }: ControllerContext): Promise<void> {
  const end = clock.monotonic() + settings.killWaitS * 1000 + CLEANUP_GRACE_MS;
  while (loop.state.active.size > 0) {
    if (clock.monotonic() > end) {
      log.warn("ending although some nodes did not confirm that their jobs are gone", { jobs: [...loop.state.active] });
      return;
    }
    await sleep(clock, POLL_MS);
  }
}

function jobsRunning(ids: readonly number[]): RpcError {
  const listed = ids.slice(0, IDS_LISTED_MAX).join(", ");
  const more = ids.length > IDS_LISTED_MAX ? ` and ${ids.length - IDS_LISTED_MAX} more` : "";
  const what = ids.length === 1 ? `job ${listed} is` : `jobs ${listed}${more} are`;
  return new RpcError(
    "JOBS_RUNNING",
    `${what} still running`,
    "wait for them, cancel them, or use --force to end them",
  );
}
