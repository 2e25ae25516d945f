/** controller.shutdown: ends the nodes' daemons and this one. Running jobs keep it from doing so, unless forced. */

import type { JobId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import { sleep } from "../../platform/clock.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import { endAwayHolders } from "../away.ts";
import type { ControllerContext } from "../context.ts";
import { actingUid } from "../network/access.ts";

/** Time for the nodes to say that nothing runs any more, beyond the kill wait. */
const CLEANUP_GRACE_MS = 5000;
const POLL_MS = 20;
/** At most this many ids are named in a refusal. */
const IDS_LISTED_MAX = 10;
/** Time for a node to pass an order on to its holder before it is told to end itself. */
const ORDER_MS = 500;

/**
 * Refuses with JOBS_RUNNING, or cancels what runs and ends everything. Waiting batch jobs stay in the queue; waiting
 * sruns are cancelled, because their clients end with the controller. Where nothing can be stored any more, only a
 * forced shutdown goes on: the jobs are ended, and nothing says so on disk.
 */
export function shutdownHandler(context: ControllerContext): UnaryHandler<"controller.shutdown"> {
  return async ({ force }, { hello }) => {
    const active = [...context.loop.state.active];
    if (active.length > 0 && !force) throw jobsRunning(active);
    context.beginEnding(context.clock.now() + context.settings.killWaitS * 1000);
    try {
      const ended = await endJobs(context, active, actingUid(hello), force);
      await endNodes(context);
      await context.forgetSettings();
      context.stop();
      return ended;
    } catch (error) {
      // The controller stays, so it must go on working.
      context.giveUpEnding();
      throw error;
    }
  };
}

/** Cancels what can't go on; answers once nothing of it runs, but for what is out of reach. */
async function endJobs(
  context: ControllerContext,
  active: readonly JobId[],
  byUid: number,
  force: boolean,
): Promise<{ readonly cancelled: JobId[]; readonly left: string[] }> {
  const lost = [...active, ...context.loop.state.pending].filter((id) => endsWithController(context, id));
  try {
    await cancel(context, lost, byUid);
    const left = await endAwayHolders(context);
    await cleared(context);
    // What was on its way to the disk when the end began.
    const { active: started, pending } = context.loop.state;
    const late = [...started, ...pending].filter((id) => endsWithController(context, id));
    await cancel(context, late, byUid);
    return { cancelled: [...lost, ...late], left };
  } catch (error) {
    if (!force || !(error instanceof RpcError) || error.code !== "STORAGE") throw error;
    context.log.error("ending although the end of the jobs can't be stored", { jobs: lost, error: error.message });
    await terminateUnrecorded(context, active);
    return { cancelled: lost, left: [] };
  }
}

async function cancel({ loop }: ControllerContext, jobs: readonly JobId[], byUid: number): Promise<void> {
  await Promise.all(
    jobs.map((jobId) => loop.execute({ type: "job.cancel", jobId, tasks: null, byUid, cause: "mgpu down" })),
  );
}

function endsWithController({ loop }: ControllerContext, id: JobId): boolean {
  const job: Job | undefined = loop.state.jobs.get(id);
  return job?.state === "RUNNING" || (job?.state === "PENDING" && job.spec.kind !== "batch");
}

/** Waits for the nodes that are there to confirm that nothing runs any more. */
async function cleared({ loop, clock, settings, log, isConnected }: ControllerContext): Promise<void> {
  const end = clock.monotonic() + settings.killWaitS * 1000 + CLEANUP_GRACE_MS;
  const isHopeful = (id: JobId): boolean => {
    const job = loop.state.jobs.get(id);
    return job?.state === "RUNNING" || (job?.cleanup.some(isConnected) ?? false);
  };
  while ([...loop.state.active].some(isHopeful)) {
    if (clock.monotonic() > end) {
      log.warn("ending although some nodes did not confirm that their jobs are gone", { jobs: [...loop.state.active] });
      return;
    }
    await sleep(clock, POLL_MS);
  }
}

/** Has the nodes end jobs without a word in the journal: their holders see it through, and end after it. */
async function terminateUnrecorded(context: ControllerContext, active: readonly JobId[]): Promise<void> {
  for (const id of active) {
    const job = context.loop.state.jobs.get(id);
    if (!job || job.state === "PENDING") continue;
    for (const { node } of job.allocation) {
      const order = { jobId: id, attempt: job.attempt };
      await context.sessions
        .get(node)
        ?.peer.call("node.terminate", order)
        .catch(() => {});
    }
  }
  await sleep(context.clock, ORDER_MS);
}

/** Those of other machines wait for the next controller: nobody here could start them again. */
async function endNodes({ sessions }: ControllerContext): Promise<void> {
  const here = [...sessions.all.values()].filter(({ caller }) => caller === undefined);
  for (const { peer } of here) await peer.call("node.shutdown", { holders: true }).catch(() => {});
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
