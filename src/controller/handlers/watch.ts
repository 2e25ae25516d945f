/** job.watch: the newest record now and after each change, until the job is over and cleared away. */

import { isEnded, type Job } from "../../core/job.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { StreamHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";

/** Streams updates; a watcher that is slow skips what is outdated. */
export function watchHandler(context: ControllerContext): StreamHandler<"job.watch"> {
  return async ({ jobId, owner }, sink, { signal }) => {
    if (!context.loop.state.jobs.has(jobId)) {
      throw new RpcError("INVALID_JOB", "Invalid job id specified", `there is no job ${jobId} in the queue`);
    }
    const watcher = context.watchers.watch(jobId);
    const release = owner ? context.owners.claim(jobId) : () => {};
    try {
      for (;;) {
        await watcher.changed(signal);
        // A client must not take this for a crash and start the controller again.
        if (context.isStopping()) throw new RpcError("SHUTTING_DOWN", "the controller was told to end");
        const job = context.loop.state.jobs.get(jobId);
        if (!job) return {};
        const final = isOver(job);
        await sink.send({ row: context.rowOf(job), attach: context.attachPoints(job), final });
        if (final) return {};
      }
    } finally {
      watcher.end();
      release();
    }
  };
}

function isOver(job: Job): boolean {
  return isEnded(job) && job.cleanup.length === 0;
}
