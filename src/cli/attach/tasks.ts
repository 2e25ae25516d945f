/** What is known of a step's tasks. Everything may be told twice: a new connection starts from the beginning. */

import { type ExitStatus, shellCode } from "../../core/job.ts";
import { taskWords } from "./messages.ts";

export class Tasks {
  /** Number of tasks; known for sure once the job has its nodes. */
  total: number;
  private readonly running = new Set<number>();
  private readonly exits = new Map<number, ExitStatus>();
  /** Exits that were not taken yet, by node. */
  private fresh = new Map<string, Map<number, ExitStatus>>();

  constructor(total: number) {
    this.total = total;
  }

  started(tasks: readonly number[]): void {
    for (const task of tasks) this.running.add(task);
  }

  /** False if that was known already. */
  exited(node: string, task: number, exit: ExitStatus): boolean {
    if (this.exits.has(task)) return false;
    this.exits.set(task, exit);
    const ofNode = this.fresh.get(node) ?? new Map<number, ExitStatus>();
    this.fresh.set(node, ofNode.set(task, exit));
    return true;
  }

  /** Exits that nobody took before, by node. */
  takeFresh(): ReadonlyMap<string, ReadonlyMap<number, ExitStatus>> {
    const taken = this.fresh;
    this.fresh = new Map();
    return taken;
  }

  get haveAnyBegun(): boolean {
    return this.running.size > 0 || this.exits.size > 0;
  }

  /** Whether each task was started or is over already. */
  get areAllStarted(): boolean {
    return this.all().every((task) => this.running.has(task) || this.exits.has(task));
  }

  get areAllOver(): boolean {
    return this.exits.size >= this.total;
  }

  get hasSignalled(): boolean {
    return [...this.exits.values()].some(({ signal }) => signal !== 0);
  }

  /** The highest of what a shell would report for each task. */
  get code(): number {
    return [...this.exits.values()].reduce((highest, exit) => Math.max(highest, shellCode(exit)), 0);
  }

  /** `tasks 0,2-4: running`, `task 1: exited`. */
  stateLines(): string[] {
    const states = ["running", "exited", "not started"] as const;
    const stateOf = (task: number): (typeof states)[number] => {
      if (this.exits.has(task)) return "exited";
      return this.running.has(task) ? "running" : "not started";
    };
    return states.flatMap((state) => {
      const tasks = this.all().filter((task) => stateOf(task) === state);
      return tasks.length === 0 ? [] : [`${taskWords(tasks)}: ${state}`];
    });
  }

  private all(): number[] {
    return Array.from({ length: this.total }, (_, task) => task);
  }
}
