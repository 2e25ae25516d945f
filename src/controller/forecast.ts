/** When and where waiting jobs should start, for listings: the scheduler's forecast, kept for as long as it may be repeated. */

import type { JobId } from "../core/ids.ts";
import { beginForecast, type ExpectedStart, forecastStarts } from "../sched/explain/forecast.ts";
import type { Forecast } from "../view/job-details.ts";
import type { ControllerContext } from "./context.ts";
import { viewOf } from "./planner.ts";
import { slowly } from "./slices.ts";

/** How long an answer may be repeated while nothing changes, in milliseconds: times move on. */
const AGE_MAX_MS = 2000;

/** How long at least, whatever changes: listings in a loop must not cost the controller a pass each. */
const AGE_MIN_MS = 250;

/** Rather than that it takes a tenth of the time, an answer is repeated for longer. */
const AGE_MIN_PER_MS = 10;

/** Tells the forecast of a job, `null` where there is none. */
type Forecaster = (id: JobId) => Forecast | null;

/** Works out a forecast for listings in slices, and remembers it: who asks meanwhile waits for the same. */
export function createForecaster({
  loop,
  clock,
  isConnected,
  guard,
  order,
}: Pick<ControllerContext, "loop" | "clock" | "isConnected"> &
  Partial<Pick<ControllerContext, "guard" | "order">>): () => Promise<Forecaster> {
  let known: Known | null = null;
  let working: Promise<Known> | null = null;
  const isFresh = ({ seq, at, tookMs }: Known): boolean => {
    const ageMs = Math.abs(clock.now() - at);
    const leastMs = Math.max(AGE_MIN_MS, AGE_MIN_PER_MS * tookMs);
    return ageMs <= leastMs || (ageMs <= AGE_MAX_MS && seq === loop.state.seq);
  };
  const work = async (): Promise<Known> => {
    const { state } = loop;
    const [at, begun, { seq }] = [clock.now(), clock.monotonic(), state];
    const view = viewOf(state, isConnected, at, {
      ...(guard ? { seenBy: (node) => guard.seenBy(node) } : {}),
      ...(order ? { order } : {}),
    });
    const starts = await slowly(clock, forecastStarts(state, view, at));
    return { seq, at, tookMs: clock.monotonic() - begun, starts };
  };
  return async () => {
    if (known === null || !isFresh(known)) {
      working ??= work().finally(() => {
        working = null;
      });
      known = await working;
    }
    const { starts } = known;
    return (id) => {
      const job = loop.state.jobs.get(id);
      if (job?.state !== "PENDING") return null;
      return starts.get(id) ?? (job.hold === null ? beginForecast(job, clock.now()) : null);
    };
  };
}

interface Known {
  /** Of the state, and when it was looked at; milliseconds since 1970. */
  readonly seq: number;
  readonly at: number;
  readonly tookMs: number;
  readonly starts: ReadonlyMap<JobId, ExpectedStart>;
}
