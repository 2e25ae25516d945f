/**
 * Tiresias-L (Gu et al., "Tiresias: A GPU Cluster Manager for Distributed Deep Learning", NSDI 2019): two-dimensional
 * least attained service in discrete queues, first come first served in each. The bounds are those of Muri's simulator.
 */

import { WHOLE_GPU } from "../../core/resources.ts";
import type { Sharer, Turn } from "../share.ts";

/** GPU seconds after which a job leaves the first queue, the second; it stays in the third. */
const BOUNDS = [3250, 7200] as const;

/** The policy. */
export function tiresiasL(): Sharer {
  let queues: Turn[][] = [[], [], []];
  const queueOf = new Map<Turn, number>();
  const gpusOf = ({ task }: Turn): number => task.size / WHOLE_GPU;
  const leave = (turn: Turn): void => {
    const queue = queues[queueOf.get(turn) ?? 0];
    const at = queue?.indexOf(turn) ?? -1;
    if (at >= 0) queue?.splice(at, 1);
  };
  const demote = (turn: Turn): void => {
    const at = queueOf.get(turn) ?? 0;
    if (turn.ranS * gpusOf(turn) < (BOUNDS[at] ?? Number.POSITIVE_INFINITY)) return;
    leave(turn);
    queueOf.set(turn, at + 1);
    queues[at + 1]?.push(turn);
  };
  return {
    arrive(turn) {
      queueOf.set(turn, 0);
      queues[0]?.push(turn);
    },
    end(turn) {
      leave(turn);
      queueOf.delete(turn);
    },
    order(turns) {
      // One step an event, as in the source.
      for (const turn of turns) if (turn.isRunning) demote(turn);
      return queues.flat();
    },
    dealt() {
      // Who runs keeps its place before those who wait.
      queues = queues.map((queue) => [
        ...queue.filter((one) => one.isRunning),
        ...queue.filter((one) => !one.isRunning),
      ]);
    },
    nextAt(turns, at) {
      let next = Number.POSITIVE_INFINITY;
      for (const turn of turns) {
        const bound = BOUNDS[queueOf.get(turn) ?? 0];
        if (!turn.isRunning || bound === undefined) continue;
        next = Math.min(next, Math.ceil(bound / gpusOf(turn)) - turn.ranS + at);
      }
      return next;
    },
  };
}
