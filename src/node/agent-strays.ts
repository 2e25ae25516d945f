/**
 * What runs here, for the controller to compare with what it knows: steps on record, and processes that carry this
 * node's mark although no record speaks of them, because the state folder was lost.
 */

import { formatStart, type JobStart, parseStepKey } from "../core/ids.ts";
import type { AgentContext } from "./agent-context.ts";
import { leftNothing } from "./agent-end.ts";

/** Starts of jobs of which something runs here, is about to, or may have been left behind. */
export function startsHere(context: AgentContext): JobStart[] {
  const starts = new Map<string, JobStart>();
  const add = ({ jobId, attempt }: JobStart): void => {
    starts.set(formatStart({ jobId, attempt }), { jobId, attempt });
  };
  for (const entry of context.steps.all()) {
    if (entry.phase !== "ended" || !leftNothing(entry)) add(entry.record.key);
  }
  for (const name of context.survivors()) {
    const key = parseStepKey(name);
    if (!key) continue;
    add(key);
    if (context.steps.ofStart(key.jobId, key.attempt).length === 0) context.strays.add(formatStart(key));
  }
  return [...starts.values()];
}
