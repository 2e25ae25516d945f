/**
 * Jobs that run on a node although no record here accounts for them: those of a journal or a state folder that was
 * lost. What they hold must not be granted again, so the node ends them first (src/decisions/0011-unknown-jobs.md).
 */

import { formatStart, type JobStart } from "../core/ids.ts";
import type { NodeReport } from "../protocol/procedures.ts";
import type { ControllerContext } from "./context.ts";
import { NODE_CALL_DEADLINE_MS } from "./dispatch.ts";
import type { Session } from "./sessions.ts";

/** Jobs named at most. */
const NAMED_MAX = 10;

/** Has a node end what nobody here knows. A node that does not take the order starts over with a new connection. */
export function endStrangers({ log, loop }: ControllerContext, session: Session, strangers: readonly JobStart[]): void {
  if (strangers.length === 0) return;
  const { peer, registration } = session;
  const jobs = strangers.map(formatStart);
  log.warn("a node runs jobs that are not known here: they are ended before anything new starts there", {
    ...{ node: registration.name, starts: jobs.slice(0, NAMED_MAX), count: jobs.length },
  });
  for (const { jobId, attempt } of strangers) {
    // A line in the output of a job that has started again since would stand among what the new start writes.
    const isOlder = (loop.state.jobs.get(jobId)?.attempt ?? 0) > attempt;
    const order = { jobId, attempt, ...(isOlder ? {} : { cause: "node failure" as const }) };
    peer.call("node.terminate", order, { deadlineMs: NODE_CALL_DEADLINE_MS }).catch(() => peer.close());
  }
}

/** Takes in what a node has cleared away. True if that made it ready for new work. */
export function noteCleared({ log }: ControllerContext, session: Session, reports: readonly NodeReport[]): boolean {
  const { strangers, registration } = session;
  if (strangers.size === 0) return false;
  for (const report of reports) if (report.type === "cleaned") strangers.delete(formatStart(report));
  if (strangers.size > 0) return false;
  log.info("nothing unknown runs on a node any more", { node: registration.name });
  return true;
}

/** A sentence for each node that is still being cleared. */
export function strangerProblems({ sessions }: Pick<ControllerContext, "sessions">): string[] {
  return [...sessions.all].flatMap(([node, { strangers }]) => {
    if (strangers.size === 0) return [];
    const jobs = [...new Set([...strangers].map((start) => start.split(".")[0]))];
    const names = jobs.slice(0, NAMED_MAX).join(", ") + (jobs.length > NAMED_MAX ? ", ..." : "");
    const what = jobs.length === 1 ? `job ${names}, which is` : `jobs ${names}, which are`;
    return [`node ${node} still runs ${what} not known here: nothing new starts there until they have ended`];
  });
}
