/** One pass of the scheduler over waiting jobs of a replay: `schedule` of sched/, as the controller calls it. */

import type { PendingJob } from "../core/job.ts";
import type { Node } from "../core/node.ts";
import type { HoldingBook } from "../sched/book.ts";
import { OPEN_GATE } from "../sched/eligible.ts";
import type { PassMemory } from "../sched/memory.ts";
import type { Plan } from "../sched/plan.ts";
import type { SchedulerPolicy } from "../sched/policy.ts";
import { schedule } from "../sched/schedule.ts";
import type { Machine, Task } from "./task.ts";

export interface PassInput {
  readonly nodes: readonly Node[];
  readonly machine: Pick<Machine, "amountOf">;
  /** What is free, in the machine's unit. */
  readonly free: number;
  /** The most important first. */
  readonly waiting: Iterable<Task>;
  readonly holdings: HoldingBook;
  /** What the passes before found out. */
  readonly memory: PassMemory;
  /** Milliseconds. */
  readonly now: number;
  readonly policy: SchedulerPolicy;
  /** What the pass before promised. */
  readonly kept?: Plan["kept"];
}

/**
 * What starts now, and what is promised. Jobs that ask for more than is free in all can't; where only the first blocked one matters, the
 * others of them are not shown to the scheduler, which changes nothing but its work.
 */
export function planStarts(input: PassInput): Pick<Plan, "starts" | "kept"> {
  const { nodes, machine, free, waiting, holdings, memory, now, policy, kept = [] } = input;
  let left = free;
  const isBrief = policy.reservations <= 1;
  function* pending(): Generator<PendingJob> {
    let isBlocked = false;
    for (const { record, size } of waiting) {
      if (isBrief && left <= 0) return;
      if (size > left) {
        if (isBrief && isBlocked) continue;
        isBlocked = true;
      }
      yield record;
    }
  }
  const { limits } = OPEN_GATE;
  const gate = {
    ...OPEN_GATE,
    limits: {
      ...limits,
      take: (...[job, allocation]: Parameters<typeof limits.take>) => {
        left -= machine.amountOf(allocation);
        limits.take(job, allocation);
      },
    },
  };
  const view = { pending: pending(), expiring: [], nodes, isConnected: () => true, gate, holdings, memory, kept };
  return schedule(view, now, policy);
}
