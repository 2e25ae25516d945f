/**
 * Looks at what the processes of running steps use: soon after a step's start, then more and more seldom, and all
 * steps in one look. A step that is over before the first look has its CPU time all the same, from its end.
 */

import type { Cancel } from "../../platform/clock.ts";
import type { ProcessUsage } from "../../platform/process-usage.ts";
import type { StepProcess } from "../../platform/proctable.ts";
import { USAGE_FIRST_MS, USAGE_WATCH_MS } from "./limits.ts";
import type { HolderPorts } from "./ports.ts";
import type { Registry } from "./registry.ts";
import type { Step } from "./step.ts";

export class UsageWatch {
  private readonly ports: HolderPorts;
  private readonly registry: Registry;
  private cancel: Cancel | null = null;
  private waitMs = USAGE_FIRST_MS;
  private isClosed = false;

  constructor(ports: HolderPorts, registry: Registry) {
    this.ports = ports;
    this.registry = registry;
  }

  /** A step was launched. */
  review(): void {
    this.waitMs = USAGE_FIRST_MS;
    if (this.cancel === null) this.later();
  }

  /** Looks now; answers the live processes by the names of their steps. */
  look(): ReadonlyMap<string, readonly StepProcess[]> {
    const running = this.registry.all().filter(({ phase }) => phase === "running");
    const found = new Map<string, StepProcess[]>(running.map((step) => [step.name, []]));
    if (running.length === 0) return found;
    for (const one of this.ports.table.find("")) found.get(one.step)?.push(one);
    for (const step of running) this.lookAt(step, found.get(step.name) ?? []);
    return found;
  }

  close(): void {
    this.isClosed = true;
    this.cancel?.();
  }

  private later(): void {
    if (this.isClosed || this.registry.all().every(({ phase }) => phase !== "running")) return;
    this.cancel = this.ports.clock.after(this.waitMs, () => {
      this.cancel = null;
      this.waitMs = Math.min(USAGE_WATCH_MS, this.waitMs * 2);
      try {
        this.look();
      } catch (error) {
        this.ports.log.error("what steps use can't be looked at", { error: String(error) });
      }
      this.later();
    });
  }

  private lookAt(step: Step, processes: readonly StepProcess[]): void {
    const byTask = new Map<number, ProcessUsage[]>();
    const tasks = tasksOf(step, processes);
    for (const one of processes) {
      const usage = this.ports.table.usage(one.pid);
      if (usage === null) continue;
      const task = tasks.get(one.pid) ?? step.tasks[0] ?? 0;
      const list = byTask.get(task);
      if (list) list.push(usage);
      else byTask.set(task, [usage]);
    }
    for (const [task, usages] of byTask) step.used.look(task, usages);
  }
}

/** Which task each process belongs to: that of its session, which each task has to itself, or that of its parent. */
function tasksOf(step: Step, processes: readonly StepProcess[]): ReadonlyMap<number, number> {
  const known = new Map<number, number>();
  if (step.tasks.length < 2) return known;
  const leaders = new Map([...step.leaders].map(([task, { pid }]) => [pid, task]));
  for (const one of processes) {
    const task = leaders.get(one.pid) ?? leaders.get(one.session);
    if (task !== undefined) known.set(one.pid, task);
  }
  for (let isMore = true; isMore; ) {
    isMore = false;
    for (const { pid, parent } of processes) {
      const task = known.get(parent);
      if (known.has(pid) || task === undefined) continue;
      known.set(pid, task);
      isMore = true;
    }
  }
  return known;
}
