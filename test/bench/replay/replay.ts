/** A replay of a trace file with one policy, by the code of `mgpu sim`: what the benches compare with published values. */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import { parseCluster } from "../../../src/replay/cluster.ts";
import { POLICIES } from "../../../src/replay/policies.ts";
import { readTrace } from "../../../src/replay/readers/detect.ts";
import { policiesNamed, replay } from "../../../src/replay/replay.ts";
import { slowdownOf } from "../../../src/replay/statistics.ts";

export interface ReplayJob {
  readonly path: string;
  readonly cluster: string;
  readonly policy: string;
  readonly isFirstFit: boolean;
}

export interface ReplayResult {
  readonly meanCompletionS: number;
  /** Seconds from the trace's beginning to the last end. */
  readonly endS: number;
  readonly meanSlowdown: number;
  readonly maxSlowdown: number;
  readonly jobs: number;
  /** Jobs that started at another moment than the trace tells of. */
  readonly startsElsewhere: number;
  readonly wallMs: number;
}

/** Replays; throws if a job is left over. */
export function replayFile({ path, cluster, policy, isFirstFit }: ReplayJob): ReplayResult {
  const data = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(data) : data).toString();
  const trace = readTrace([{ name: basename(path), text }], null);
  const begin = process.hrtime.bigint();
  const steps = replay(trace, {
    ...{ policies: policiesNamed([policy], POLICIES), variants: [{ label: "", nodes: parseCluster(cluster) }] },
    ...{ limitS: null, eventCostS: null, placement: isFirstFit ? "first-fit" : "pack" },
  });
  let step = steps.next();
  while (!step.done) step = steps.next();
  const wallMs = Number(process.hrtime.bigint() - begin) / 1e6;
  const [run] = step.value.runs;
  if (run === undefined || run.summary.jobs !== trace.jobs.length) throw new Error(`${path}: not all jobs are over`);
  const { tasks, summary } = run;
  return {
    meanCompletionS: summary.completionS.mean,
    endS: tasks.reduce((last, { endS }) => Math.max(last, endS ?? 0), 0),
    meanSlowdown: tasks.reduce((sum, task) => sum + slowdownOf(task), 0) / tasks.length,
    maxSlowdown: summary.slowdown.max,
    jobs: tasks.length,
    startsElsewhere: tasks.filter(({ job, startS }) => (startS ?? 0) - job.submitS !== job.waitedS).length,
    wallMs,
  };
}
