/** What is said while mgpu ends. */

import { formatTimestamp } from "../../core/time.ts";
import type { Result } from "../../protocol/procedures.ts";
import type { CommandContext } from "../context.ts";

/** Job ids named at most. */
const IDS_LISTED_MAX = 10;

/** `waiting for jobs 3, 5 to end; KILL follows at 12:03:05` */
export function endingText(
  { jobs, killAt }: NonNullable<Result<"controller.status">["ending"]>,
  { clock, utcOffsetMinutes }: Pick<CommandContext, "clock" | "utcOffsetMinutes">,
): string {
  if (jobs.length === 0) return "waiting for the daemons to end";
  const more = jobs.length > IDS_LISTED_MAX ? ` and ${jobs.length - IDS_LISTED_MAX} more` : "";
  const ids = `${jobs.length === 1 ? "job" : "jobs"} ${jobs.slice(0, IDS_LISTED_MAX).join(", ")}${more}`;
  const time = formatTimestamp(killAt, utcOffsetMinutes).slice("2026-11-21T".length);
  return `waiting for ${ids} to end; ${killAt > clock.now() ? "KILL follows" : "KILL was sent"} at ${time}`;
}
