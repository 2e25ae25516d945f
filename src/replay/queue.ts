/**
 * Replays a trace with jobs that run to their end once they started. Each submission and each end is an event of its own,
 * with a pass of the scheduler after it. Of the same moment come first the ends that limits foretold (room that
 * everybody counted on), then submissions, then all other ends.
 */

import type { Node } from "../core/node.ts";
import type { Allocation } from "../core/resources.ts";
import { HoldingBook } from "../sched/book.ts";
import { PassMemory } from "../sched/memory.ts";
import type { Plan } from "../sched/plan.ts";
import type { SchedulerPolicy } from "../sched/policy.ts";
import { createPredictor, type Predictor } from "../sched/predict.ts";
import { EventHeap } from "../util/heap.ts";
import { Meter, type Metered } from "./meter.ts";
import { planStarts } from "./pass.ts";
import type { Placing } from "./placement.ts";
import { Machine, type Task } from "./task.ts";

/** How jobs wait in line. */
export interface QueueRules {
  readonly scheduler: SchedulerPolicy;
  /** Run times are foretold by what the user's last jobs took; else by limits. */
  readonly predicts: boolean;
  /**
   * Who comes first when room was given back: the smallest number; the earliest if absent. Newcomers come last until then.
   * @param waitedS since its submission
   * @param likelyS how long it is likely to run
   */
  readonly rank?: (task: Task, waitedS: number, likelyS: number) => number;
}

const MS = 1000;

type EventKind = "foretold" | "submit" | "end";

const RANKS: Readonly<Record<EventKind, number>> = { foretold: 0, submit: 1, end: 2 };

interface QueueEvent {
  readonly at: number;
  readonly rank: number;
  readonly kind: EventKind;
  readonly task: Task;
}

/** Yields the number of events that were handled, now and then; returns what was measured. The tasks are filled in. */
export function* replayQueue(
  tasks: readonly Task[],
  nodes: readonly Node[],
  rules: QueueRules,
  placing: Placing,
): Generator<number, Metered> {
  const line = new Line(nodes, rules, placing);
  for (const task of tasks) line.expect("submit", task.job.submitS, task);
  let count = 0;
  for (;;) {
    const event = line.next();
    if (event === undefined) return line.measured();
    line.handle(event);
    count += 1;
    if (count % EVENTS_A_STEP === 0) yield count;
  }
}

/** Events between two looks at the clock by whoever drives a replay. */
const EVENTS_A_STEP = 64;

class Line {
  readonly #events = new EventHeap<QueueEvent>();
  readonly #machine: Machine;
  readonly #meter: Meter;
  readonly #rules: QueueRules;
  readonly #placing: Placing;
  readonly #predictor: Predictor = createPredictor();
  readonly #running = new Map<Task, Allocation>();
  readonly #book = new HoldingBook();
  readonly #memory = new PassMemory();
  /** Foretold run times, seconds; as they were at the submission. */
  readonly #likelyS = new Map<number, number>();
  #waiting: Task[] = [];
  #kept: Plan["kept"] = [];
  /** Whether no room was given back since the last pass. */
  #isSettled = true;
  /** Of what waits, the smallest request. */
  #smallest = Number.POSITIVE_INFINITY;

  constructor(nodes: readonly Node[], rules: QueueRules, placing: Placing) {
    this.#placing = placing;
    this.#machine = new Machine(nodes);
    this.#meter = new Meter(this.#machine.capacity);
    this.#rules = rules;
  }

  expect(kind: EventKind, at: number, task: Task): void {
    this.#events.push({ at, rank: RANKS[kind], kind, task });
  }

  next(): QueueEvent | undefined {
    return this.#events.pop();
  }

  measured(): Metered {
    return this.#meter.result();
  }

  handle({ kind, at, task }: QueueEvent): void {
    this.#meter.advance(at, this.#machine.free, this.#waiting.length > 0);
    if (kind === "foretold") {
      this.#isSettled = false;
      return this.#release(task);
    }
    if (kind === "submit") this.#arrive(task);
    else this.#end(task, at);
    if (this.#smallest > this.#machine.free) return;
    const first = this.#waiting[0];
    if (kind === "end" || !this.#isSettled || first === task || first === undefined) this.#pass(at, this.#ranked(at));
    else if (this.#rules.scheduler.reservations > 1) this.#pass(at, this.#waiting);
    // Nothing was given back since the last pass: who found no room then finds none now, so the newcomer alone may
    // start, if it delays not the first one.
    else if (task.size <= this.#machine.free) this.#pass(at, [first, task]);
  }

  #arrive(task: Task): void {
    this.#placing.note(task);
    if (this.#rules.predicts) {
      const limitS = task.record.spec.timeLimitS ?? 0;
      const likelyS = this.#predictor.predictS(task.job.user, limitS);
      if (likelyS !== null) this.#likelyS.set(task.record.id, Math.max(1, likelyS));
    }
    this.#waiting.push(task);
    this.#smallest = Math.min(this.#smallest, task.size);
  }

  #end(task: Task, at: number): void {
    this.#release(task);
    task.endS = at;
    this.#predictor.note(task.job.user, task.job.runS);
  }

  #release(task: Task): void {
    const allocation = this.#running.get(task);
    if (!allocation) return;
    this.#running.delete(task);
    this.#book.drop(task.record.id);
    this.#machine.give(allocation);
  }

  #pass(at: number, waiting: readonly Task[]): void {
    const { scheduler } = this.#rules;
    this.#isSettled = true;
    const byId = new Map<number, Task>();
    const { starts, kept } = planStarts({
      ...{ nodes: this.#machine.nodes, machine: this.#machine, free: this.#machine.free, waiting },
      holdings: this.#book,
      memory: this.#memory,
      kept: this.#kept,
      now: at * MS,
      policy: {
        ...scheduler,
        scoringOf: this.#placing.scoringOf,
        ...(this.#rules.predicts ? { predictS: this.#predict } : {}),
      },
    });
    // The promise of a single job gets no later anyway.
    this.#kept = scheduler.reservations > 1 ? kept : [];
    if (starts.length === 0) return;
    for (const task of waiting) byId.set(task.record.id, task);
    for (const { jobId, allocation } of starts) {
      const task = byId.get(jobId);
      if (task) this.#start(task, allocation, at);
    }
    this.#waiting = this.#waiting.filter(({ startS }) => startS === null);
    this.#smallest = this.#waiting.reduce((least, { size }) => Math.min(least, size), Number.POSITIVE_INFINITY);
  }

  readonly #predict = (job: { readonly id: number }, limitS: number): number | null =>
    this.#likelyS.get(job.id) ?? (limitS > 0 ? limitS : null);

  /** All that wait, in order: it is looked at anew whenever room was given back. */
  #ranked(at: number): readonly Task[] {
    const { rank } = this.#rules;
    if (!rank) return this.#waiting;
    const ranks = new Map<Task, number>();
    for (const task of this.#waiting) {
      const { id, spec } = task.record;
      const likelyS = this.#likelyS.get(id) ?? spec.timeLimitS ?? 0;
      ranks.set(task, rank(task, at - task.job.submitS, likelyS));
    }
    return this.#waiting.sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0) || a.record.id - b.record.id);
  }

  #start(task: Task, allocation: Allocation, at: number): void {
    task.startS = at;
    const limitS = task.record.spec.timeLimitS ?? 0;
    const until = limitS === 0 ? Number.POSITIVE_INFINITY : (at + limitS) * MS;
    this.#machine.take(allocation);
    this.#running.set(task, allocation);
    this.#book.put(task.record.id, { allocation, until, licenses: [], partition: "" });
    const endS = at + task.job.runS;
    if (task.job.runS === limitS) this.expect("foretold", endS, task);
    this.expect("end", endS, task);
  }
}
