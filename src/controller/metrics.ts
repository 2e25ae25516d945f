/** Numbers for Prometheus: counted as things happen, put together when somebody asks. */

import type { Event } from "../core/events.ts";
import type { JobId } from "../core/ids.ts";
import { isEnded, type Job } from "../core/job.ts";
import { closedGpusOf } from "../core/node.ts";
import { type Counters, noCounts, prometheusText, RUN_BUCKETS_S } from "../view/prometheus.ts";
import type { ControllerContext } from "./context.ts";
import { problemsOf } from "./handlers/status.ts";

export interface Counting {
  readonly counters: Counters;
  /** Events that have happened in the state. */
  onEvents(events: readonly Event[]): void;
  /** A pass of the scheduler took so many microseconds. */
  onPass(microseconds: number): void;
}

/** All counters at 0. */
export function createCounting(jobOf: (id: JobId) => Job | undefined): Counting {
  const counters = noCounts();
  const count = (event: Event): void => {
    if (event.type === "job.submitted") counters.submitted += 1;
    else if (event.type === "job.allocated") counters.started += 1;
    else if (event.type === "job.requeued") counters.requeued += 1;
    else if (event.type === "job.ended") {
      counters.ended.set(event.state, (counters.ended.get(event.state) ?? 0) + 1);
      const job = jobOf(event.jobId);
      if (job && isEnded(job) && job.startAt !== null) {
        noteRun(counters, (job.endAt - job.startAt - job.suspendedMs) / 1000);
      }
    }
  };
  return {
    counters,
    onPass(microseconds) {
      counters.passes += 1;
      counters.passSeconds += microseconds / 1e6;
    },
    onEvents(events) {
      for (const event of events) count(event);
    },
  };
}

function noteRun(counters: Counters, ranS: number): void {
  const at = RUN_BUCKETS_S.findIndex((bound) => ranS <= bound);
  const place = at < 0 ? RUN_BUCKETS_S.length : at;
  counters.runs[place] = (counters.runs[place] ?? 0) + 1;
  counters.runSeconds += Math.max(0, ranS);
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const PLAIN = "text/plain; charset=utf-8";

/** Answers GET: `/metrics` for Prometheus, `/health` for probes (200 if all is well, else 503 with the problems). */
export async function metricsPage(context: ControllerContext, path: string): Promise<Page> {
  if (path === "/health") {
    const problems = await problemsOf(context);
    return { status: problems.length > 0 ? 503 : 200, type: PLAIN, body: `${problems.join("\n") || "ok"}\n` };
  }
  if (path !== "/metrics") return { status: 404, type: PLAIN, body: "there are /metrics and /health\n" };
  const { loop, clock, settings, identity, isConnected, sessions, guard } = context;
  const problems = (await problemsOf(context)).length;
  const { counters } = context.statistics;
  const { version, startedAt } = identity;
  const cluster = settings.clusterName;
  const { state } = loop;
  const body = prometheusText({
    state,
    counters,
    version,
    cluster,
    now: clock.now(),
    startedAt,
    isConnected,
    problems,
    gpuUse: (node) => sessions.vitalsOf(node)?.gpus ?? [],
    closedGpus: (node) => closedGpusOf(node, guard.blockedOn(node.name)),
  });
  return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body };
}
