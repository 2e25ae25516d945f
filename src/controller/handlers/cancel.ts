/** jobs.cancel: ends or signals each selected job; what could not be done is told for each. */

import type { Command } from "../../core/commands.ts";
import type { JobId } from "../../core/ids.ts";
import { isEnded } from "../../core/job.ts";
import type { Params, Result } from "../../protocol/procedures.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { selectJobs } from "../select.ts";

type Outcome = Result<"jobs.cancel">["jobs"][number];

/** Carries the commands out side by side: they share one write. */
export function cancelHandler(context: ControllerContext): UnaryHandler<"jobs.cancel"> {
  return async (params, { hello }) => {
    const jobs = targets(context, params).map((id) => one(context, params, id, hello.user.uid));
    return { jobs: await Promise.all(jobs) };
  };
}

/** With ids: just these, unknown ones included, so that each is answered. Without: the selected ones that live. */
function targets(context: ControllerContext, { filter }: Params<"jobs.cancel">): JobId[] {
  const { state } = context.loop;
  const selected = [...selectJobs(state, filter)];
  if (filter.ids.length === 0) return selected.filter((job) => !isEnded(job)).map((job) => job.id);
  const unknown = filter.ids.filter((id) => !state.jobs.has(id));
  return [...new Set([...selected.map((job) => job.id), ...unknown])];
}

async function one(
  context: ControllerContext,
  { stepId, signal, cause }: Params<"jobs.cancel">,
  jobId: JobId,
  byUid: number,
): Promise<Outcome> {
  const command: Command =
    signal === null
      ? { type: "job.cancel", jobId, byUid, cause }
      : { type: "job.signal", jobId, stepId, signal, byUid };
  const decision = await context.loop.execute(command);
  if (decision.kind !== "deny") return { jobId, error: null };
  const { code, message } = decision.denial;
  return { jobId, error: { code, message } };
}
