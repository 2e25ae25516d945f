/**
 * Replays a trace with jobs that take turns: at every event all GPUs are dealt out anew, the most important jobs first,
 * and whoever gets none waits with the work it has done.
 *
 * The cost of that is the one of Muri's simulator (Zhao et al., SIGCOMM 2022): at every event, be it an arrival, an end or
 * a change of order, each job that ran since the last one loses `eventCostS` seconds of progress, stopped or not.
 */

import type { Node } from "../core/node.ts";
import { HoldingBook } from "../sched/book.ts";
import { PassMemory } from "../sched/memory.ts";
import { EASY, type SchedulerPolicy } from "../sched/policy.ts";
import { Meter, type Metered } from "./meter.ts";
import { planStarts } from "./pass.ts";
import type { Placing } from "./placement.ts";
import { Machine, type Task } from "./task.ts";

/** A job that takes turns. */
export interface Turn {
  readonly task: Task;
  /** Seconds of work that are left; policies that are said not to know it never look at it. */
  leftS: number;
  /** Seconds that it has run so far, what was lost included. */
  ranS: number;
  isRunning: boolean;
  /** When it is over if nothing happens before. */
  endS: number;
  /** For the policy, to sort by. */
  key: number;
}

/** Whose turn it is. One for each replay. */
export interface Sharer {
  arrive?(turn: Turn): void;
  end?(turn: Turn): void;
  /** Puts all jobs that are not over in order, the most important first. The array may be sorted in place. */
  order(turns: Turn[], at: number): readonly Turn[];
  /** Told once everybody knows whether they run. */
  dealt?(): void;
  /** When the order changes by itself, at the earliest, in seconds; Infinity for never. */
  nextAt?(turns: readonly Turn[], at: number): number;
}

const MS = 1000;

/** All ask for the same slice of time: so nobody behind a job that finds no room could delay it. */
export const SLICE_S = 1;

const GREEDY: SchedulerPolicy = { ...EASY, backfillDepth: Number.POSITIVE_INFINITY };

/** Nobody holds anything past the moment. */
const NOBODY = new HoldingBook();

/** Events between two looks at the clock by whoever drives a replay. */
const EVENTS_A_STEP = 16;

/** Yields the number of events that were handled, now and then. The tasks, whose limits must be slices, are filled in. */
export function* replayShare(
  tasks: readonly Task[],
  nodes: readonly Node[],
  sharer: Sharer,
  placing: Placing,
): Generator<number, Metered> {
  const round = new Round(tasks, nodes, sharer, placing);
  let count = 0;
  while (round.step()) {
    count += 1;
    if (count % EVENTS_A_STEP === 0) yield count;
  }
  return round.measured();
}

class Round {
  readonly #tasks: readonly Task[];
  readonly #machine: Machine;
  readonly #meter: Meter;
  readonly #sharer: Sharer;
  readonly #placing: Placing;
  readonly #memory = new PassMemory();
  #turns: Turn[] = [];
  #arrived = 0;
  #last = 0;
  #free: number;
  #changesAt = Number.POSITIVE_INFINITY;
  /** The jobs that the last pass looked at, in order; whether it stopped before the last; and who runs since. */
  #dealt: { readonly seen: readonly Task[]; readonly isCut: boolean; readonly chosen: ReadonlySet<number> } = {
    ...{ seen: [], isCut: false, chosen: new Set() },
  };

  constructor(tasks: readonly Task[], nodes: readonly Node[], sharer: Sharer, placing: Placing) {
    this.#placing = placing;
    this.#tasks = tasks;
    this.#machine = new Machine(nodes);
    this.#meter = new Meter(this.#machine.capacity);
    this.#free = this.#machine.capacity;
    this.#sharer = sharer;
  }

  measured(): Metered {
    return this.#meter.result();
  }

  /** Handles the next event; false if there is none. */
  step(): boolean {
    const submitAt = this.#tasks[this.#arrived]?.job.submitS ?? Number.POSITIVE_INFINITY;
    const endAt = this.#turns.reduce(
      (least, { isRunning, endS }) => (isRunning ? Math.min(least, endS) : least),
      Number.POSITIVE_INFINITY,
    );
    const eventAt = Math.min(submitAt, endAt);
    const at = Math.min(eventAt, this.#changesAt);
    if (!Number.isFinite(at)) return false;
    this.#meter.advance(
      at,
      this.#free,
      this.#turns.some(({ isRunning }) => !isRunning),
    );
    if (endAt === at) this.#end(at);
    if (submitAt === at) this.#arrive(at);
    this.#progress(at);
    this.#last = at;
    this.#deal(at);
    return true;
  }

  #end(at: number): void {
    for (const turn of this.#turns) {
      if (!turn.isRunning || turn.endS !== at) continue;
      turn.ranS += at - this.#last;
      turn.task.endS = at;
      this.#sharer.end?.(turn);
    }
    this.#turns = this.#turns.filter(({ task }) => task.endS === null);
  }

  #arrive(at: number): void {
    for (;;) {
      const task = this.#tasks[this.#arrived];
      if (task?.job.submitS !== at) return;
      this.#arrived += 1;
      this.#placing.note(task);
      const turn = { task, leftS: task.job.runS, ranS: 0, isRunning: false, endS: Number.POSITIVE_INFINITY, key: 0 };
      this.#turns.push(turn);
      this.#sharer.arrive?.(turn);
    }
  }

  #progress(at: number): void {
    for (const turn of this.#turns) {
      if (!turn.isRunning) continue;
      const seconds = at - this.#last;
      turn.ranS += seconds;
      turn.leftS -= Math.max(seconds - turn.task.job.eventCostS, 0);
    }
  }

  #deal(at: number): void {
    const chosen = this.#choose(this.#sharer.order(this.#turns, at), at);
    for (const turn of this.#turns) {
      const { task } = turn;
      const runs = chosen.has(task.record.id);
      if (turn.isRunning && !runs) task.preemptions += 1;
      turn.isRunning = runs;
      if (runs) task.startS ??= at;
      turn.endS = runs ? at + turn.leftS : Number.POSITIVE_INFINITY;
    }
    this.#sharer.dealt?.();
    this.#changesAt = this.#sharer.nextAt?.(this.#turns, at) ?? Number.POSITIVE_INFINITY;
  }

  /** The jobs that run now. All GPUs are dealt out anew, so as long as those that were looked at are the same, so are they. */
  #choose(order: readonly Turn[], at: number): ReadonlySet<number> {
    const { seen } = this.#dealt;
    if (seen.length > 0 && seen.every((task, index) => order[index]?.task === task)) {
      if (this.#dealt.isCut || order.length === seen.length) return this.#dealt.chosen;
    }
    const read: Task[] = [];
    let isCut = true;
    function* waiting(): Generator<Task> {
      for (const { task } of order) {
        read.push(task);
        yield task;
      }
      isCut = false;
    }
    const { nodes, capacity } = this.#machine;
    const { starts } = planStarts({
      ...{ nodes, machine: this.#machine, free: capacity, waiting: waiting() },
      ...{
        holdings: NOBODY,
        memory: this.#memory,
        now: at * MS,
        policy: { ...GREEDY, scoringOf: this.#placing.scoringOf },
      },
    });
    this.#free = capacity;
    for (const { allocation } of starts) this.#free -= this.#machine.amountOf(allocation);
    this.#dealt = { seen: read, isCut, chosen: new Set(starts.map(({ jobId }) => jobId)) };
    return this.#dealt.chosen;
  }
}
