/** What a step's tasks used so far: from looks at their processes, and exactly once each has ended. */

import { type StepUsage, type TaskUsage, usageOfTasks } from "../../core/usage.ts";
import type { ProcessUsage, SpentTime } from "../../platform/process-usage.ts";

interface Looked {
  /** The highest so far: what ended unseen is missing in later looks. */
  readonly spent: SpentTime;
  readonly rssKiB: number;
  readonly vmKiB: number;
  readonly read: number;
  readonly written: number;
}

export class TaskUsages {
  private readonly looked = new Map<number, Looked>();
  private readonly exact = new Map<number, SpentTime>();

  /** A look at all live processes of a task. */
  look(task: number, processes: readonly ProcessUsage[]): void {
    if (processes.length === 0) return;
    const sum = (of: (one: ProcessUsage) => number): number => processes.reduce((all, one) => all + of(one), 0);
    const most = (of: (one: ProcessUsage) => number): number => Math.max(...processes.map(of));
    const before = this.looked.get(task);
    const spent = {
      userMs: sum((one) => one.userMs),
      systemMs: sum((one) => one.systemMs),
      pages: sum((o) => o.pages),
    };
    this.looked.set(task, {
      spent: before ? higher(before.spent, spent) : spent,
      rssKiB: grown(
        before?.rssKiB,
        sum((one) => one.rssKiB),
        most((one) => one.peakRssKiB),
      ),
      vmKiB: grown(
        before?.vmKiB,
        sum((one) => one.vmKiB),
        most((one) => one.peakVmKiB),
      ),
      read: grown(
        before?.read,
        sum((one) => one.read),
      ),
      written: grown(
        before?.written,
        sum((one) => one.written),
      ),
    });
  }

  /** A task ended; this is what it and all it waited for used. */
  ended(task: number, spent: SpentTime | undefined): void {
    if (spent) this.exact.set(task, spent);
  }

  /** Of those tasks that anything is known of. */
  get total(): StepUsage | undefined {
    const tasks = [...new Set([...this.looked.keys(), ...this.exact.keys()])].sort((a, b) => a - b);
    return usageOfTasks(tasks.map((task) => this.of(task)));
  }

  private of(task: number): TaskUsage {
    const looked = this.looked.get(task);
    const exact = this.exact.get(task);
    // Daemons that a task left to themselves count in looks only.
    const spent = higher(looked?.spent ?? NOTHING, exact ?? NOTHING);
    const { userMs, systemMs, pages } = spent;
    const known = { task, userMs: Math.round(userMs), systemMs: Math.round(systemMs), pages: Math.round(pages) };
    if (!looked) return known;
    const { rssKiB, vmKiB, read, written } = looked;
    return { ...known, looked: { rssKiB, vmKiB, read, written } };
  }
}

function grown(before: number | undefined, ...now: readonly number[]): number {
  return Math.max(before ?? 0, ...now);
}

const NOTHING: SpentTime = { userMs: 0, systemMs: 0, pages: 0 };

/** The one with more CPU time: the parts of one look belong together. */
function higher(a: SpentTime, b: SpentTime): SpentTime {
  return a.userMs + a.systemMs > b.userMs + b.systemMs ? a : b;
}
