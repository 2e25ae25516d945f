/** When and where waiting jobs should start, for listings: the scheduler's forecast, kept for as long as it may be repeated. */

import type { JobId } from "../core/ids.ts";
import { beginForecast, type ExpectedStart, forecastStarts } from "../sched/explain/forecast.ts";
import type { Forecast } from "../view/job-details.ts";
import type { ControllerContext } from "./context.ts";
import { viewOf } from "./planner.ts";

/** How long an answer may be repeated while nothing changes, in milliseconds: times move on. */
const AGE_MAX_MS = 2000;

/** How long at least, whatever changes: listings in a loop must not cost the controller a pass each. */
const AGE_MIN_MS = 250;

/** A function that tells the forecast of a job, `null` where there is none. It remembers what it worked out. */
export function createForecaster({
  loop,
  clock,
  isConnected,
  guard,
  order,
}: Pick<ControllerContext, "loop" | "clock" | "isConnected"> & Partial<Pick<ControllerContext, "guard" | "order">>): (
  id: JobId,
) => Forecast | null {
  let known: { seq: number; at: number; starts: ReadonlyMap<JobId, ExpectedStart> } | null = null;
  return (id) => {
    const { state } = loop;
    const job = state.jobs.get(id);
    if (job?.state !== "PENDING") return null;
    const now = clock.now();
    const ageMs = known === null ? Number.POSITIVE_INFINITY : Math.abs(now - known.at);
    if (known === null || ageMs > AGE_MAX_MS || (known.seq !== state.seq && ageMs > AGE_MIN_MS)) {
      const view = viewOf(state, isConnected, now, {
        ...(guard ? { seenBy: (node) => guard.seenBy(node) } : {}),
        ...(order ? { order } : {}),
      });
      known = { seq: state.seq, at: now, starts: forecastStarts(state, view, now) };
    }
    return known.starts.get(id) ?? (job.hold === null ? beginForecast(job, now) : null);
  };
}
