/** What one node must have free at least to run all of a request: sums that are quickly looked at before all else. */

import { cpusOn, type Demand, memoryOn, thousandthsOf } from "../../core/room.ts";

export interface Needs {
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Thousandths. */
  readonly gpus: number;
}

/** Never more than the request takes in the end. */
export function needsOf(demand: Demand): Needs {
  const { request, per, tasksPerWish, wishes } = demand;
  const tasks = request.tasks ?? 1;
  const times = per === "task" ? Math.ceil(tasks / tasksPerWish) : 1;
  const counts = wishes.map(({ count }) => count * times);
  const gpus = request.gpus?.byMemory ? 0 : thousandthsOf(demand, counts);
  const cpus = cpusOn(request, tasks, gpus);
  return { cpus, gpus, memoryMiB: memoryOn(request, cpus, gpus, 0) };
}
