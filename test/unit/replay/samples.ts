/** Small traces that tests replay. */

import { parseCluster } from "../../../src/replay/cluster.ts";
import type { Metered } from "../../../src/replay/meter.ts";
import { Placing } from "../../../src/replay/placement.ts";
import { findPolicy } from "../../../src/replay/policies.ts";
import { replayQueue } from "../../../src/replay/queue.ts";
import { replayShare, type Sharer, SLICE_S } from "../../../src/replay/share.ts";
import { createTasks, type Task } from "../../../src/replay/task.ts";
import type { TraceJob } from "../../../src/replay/trace.ts";
import { must } from "../../../src/util/assert.ts";

/** A job of so many GPUs. */
export function job(
  id: string,
  [submitS, runS, gpus, limitS = runS]: readonly [number, number, number, number?],
  over: Partial<TraceJob> = {},
): TraceJob {
  const wish = { kind: "gpus", thousandths: gpus * 1000, models: [], cpus: 1, memoryMiB: 0 } as const;
  return { id, submitS, runS, limitS, wish, user: "", account: "", name: "", waitedS: null, eventCostS: 0, ...over };
}

export interface Replayed {
  readonly tasks: readonly Task[];
  readonly metered: Metered;
  /** Start and end by the job's name. */
  readonly times: Readonly<Record<string, readonly [number | null, number | null]>>;
}

/** Jobs that run to their end, with a policy by its name. */
export function queued(policy: string, cluster: string, jobs: readonly TraceJob[]): Replayed {
  const found = must(findPolicy(policy), "a policy");
  if (found.kind !== "queue") throw new Error("jobs take turns");
  const nodes = parseCluster(cluster);
  const { tasks } = createTasks(jobs, nodes, { limitS: (one) => one.limitS ?? one.runS });
  return replayed(tasks, replayQueue(tasks, nodes, found.rules, new Placing("pack")));
}

/** Jobs that take turns. */
export function shared(sharer: Sharer, cluster: string, jobs: readonly TraceJob[]): Replayed {
  const nodes = parseCluster(cluster);
  const { tasks } = createTasks(jobs, nodes, { limitS: () => SLICE_S });
  return replayed(tasks, replayShare(tasks, nodes, sharer, new Placing("pack")));
}

function replayed(tasks: readonly Task[], steps: Generator<number, Metered>): Replayed {
  let step = steps.next();
  while (!step.done) step = steps.next();
  const times = Object.fromEntries(tasks.map(({ job: { id }, startS, endS }) => [id, [startS, endS]] as const));
  return { tasks, metered: step.value, times };
}
