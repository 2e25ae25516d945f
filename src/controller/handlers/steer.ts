/** jobs.steer: holds, releases, requeues, suspends, resumes or changes each selected job. */

import type { Command } from "../../core/commands.ts";
import type { Params } from "../../protocol/procedures.ts";
import type { UnaryHandler } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";
import { forEachJob } from "../for-each-job.ts";
import { actingUid } from "../network/access.ts";
import type { Selected } from "../select.ts";

type Action = Params<"jobs.steer">["action"];

/** Carries the commands out side by side: they share one write. */
export function steerHandler(context: ControllerContext): UnaryHandler<"jobs.steer"> {
  return async ({ filter, action }, { hello }) => ({
    jobs: await forEachJob(
      context,
      filter,
      () => true,
      (selected) => commandOf(action, selected, actingUid(hello)),
      action.type !== "update" && action.type !== "stepLimit",
    ),
  });
}

function commandOf(action: Action, { job, tasks }: Selected, byUid: number): Command {
  const asked = { jobId: job.id, tasks, byUid };
  switch (action.type) {
    case "hold":
      return {
        type: "job.hold",
        ...asked,
        hold: action.by === "admin" && byUid !== job.spec.user.uid ? "admin" : "user",
      };
    case "release":
      return { type: "job.hold", ...asked, hold: null };
    case "requeue":
      return { type: "job.requeue", ...asked, hold: action.hold, special: action.special === true };
    case "suspend":
    case "resume":
      return { type: "job.suspend", ...asked, suspend: action.type === "suspend" };
    case "stepLimit":
      return { type: "step.limit", jobId: job.id, stepId: action.stepId, limitS: action.limitS, byUid };
    case "update":
      return {
        type: "job.update",
        ...asked,
        changes: action.changes as Extract<Command, { type: "job.update" }>["changes"],
      };
  }
}
