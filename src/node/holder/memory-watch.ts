/**
 * Keeps steps within the memory that they, or their job on this node, asked for. Where the kernel does so by control groups
 * (gate.ts), it ends single processes in version 1: here the rest of their step follows. All else holds in any case. Once a second, and only while a step
 * with such a limit runs, all processes are added up in a quick way that counts shared memory more than once. What
 * seems too much is measured exactly, and if it is too much, the step is killed; of a job, the largest of its steps.
 */

import type { Cancel } from "../../platform/clock.ts";
import type { StepProcess } from "../../platform/proctable.ts";
import { MEMORY_WATCH_MS } from "./limits.ts";
import { hasKernelKilled, limitText } from "./memory-group.ts";
import { announceOutOfMemory } from "./notices.ts";
import { type HolderPorts, SIGNAL } from "./ports.ts";
import { jobPrefix, type Registry } from "./registry.ts";
import type { Step } from "./step.ts";

/** Exact measuring takes at most this part of the time: it is done so many times its own length later at the soonest. */
const MEASURE_PAUSES = 20;

const KIB_PER_MIB = 1024;

type Memory = NonNullable<Step["memory"]>;
type LimitedStep = Step & { readonly memory: Memory };

export class MemoryWatch {
  private readonly ports: HolderPorts;
  private readonly registry: Registry;
  private cancel: Cancel | null = null;
  private measureAtMs = 0;
  private isClosed = false;

  constructor(ports: HolderPorts, registry: Registry) {
    this.ports = ports;
    this.registry = registry;
  }

  /** A step was launched. */
  review(): void {
    if (this.cancel || this.isClosed || this.limited().length === 0) return;
    this.cancel = this.ports.clock.after(MEMORY_WATCH_MS, () => {
      void this.look()
        .catch((error: unknown) =>
          this.ports.log.error("the memory of steps can't be watched", { error: String(error) }),
        )
        .finally(() => {
          this.cancel = null;
          this.review();
        });
    });
  }

  close(): void {
    this.isClosed = true;
    this.cancel?.();
  }

  private limited(): LimitedStep[] {
    return this.registry.all().filter((step): step is LimitedStep => step.memory !== null && step.phase === "running");
  }

  private async look(): Promise<void> {
    const { clock, table } = this.ports;
    for (const step of this.limited()) {
      if (!step.outOfMemory && hasKernelKilled(this.ports, step)) await this.end(step, limitText(this.ports, step));
    }
    const processes = table.find("");
    const quick = sums(processes, (one) => table.memory.mostKiB(one.pid));
    const suspects = this.limited().filter((step) => !step.outOfMemory && isOver(step, quick));
    // Killed before, and not gone: they were forking.
    for (const step of this.limited()) if (step.outOfMemory) this.kill(step);
    const startMs = clock.monotonic();
    if (suspects.length === 0 || startMs < this.measureAtMs) return;
    const prefixes = new Set(suspects.map((step) => jobPrefix(step.key)));
    const measured = processes.filter(({ step }) => prefixes.has(prefixOf(step)));
    const shares = await Promise.all(measured.map((one) => table.memory.shareKiB(one.pid)));
    this.measureAtMs = clock.monotonic() + MEASURE_PAUSES * (clock.monotonic() - startMs);
    const exact = sums(measured, (_, index) => shares[index] ?? 0);
    for (const step of suspects)
      if (step.phase === "running" && isGuilty(step, exact)) await this.end(step, usageText(step, exact));
  }

  private async end(step: LimitedStep, words: string): Promise<void> {
    step.outOfMemory = true;
    this.ports.log.warn("a step is killed for its memory", { step: step.name, words, ...step.memory });
    // Before the end of its output.
    const announcing = announceOutOfMemory(this.ports, step, words);
    this.kill(step);
    await announcing;
  }

  private kill(step: Step): void {
    const { table } = this.ports;
    for (const one of table.find(step.name)) if (one.step === step.name) table.signal(one, SIGNAL.KILL);
  }
}

/** KiB by the names of steps, and by those of starts of jobs. */
interface Usage {
  readonly steps: ReadonlyMap<string, number>;
  readonly jobs: ReadonlyMap<string, number>;
}

function sums(processes: readonly StepProcess[], usedKiB: (one: StepProcess, index: number) => number): Usage {
  const steps = new Map<string, number>();
  const jobs = new Map<string, number>();
  for (const [index, one] of processes.entries()) {
    const used = usedKiB(one, index);
    const job = prefixOf(one.step);
    steps.set(one.step, (steps.get(one.step) ?? 0) + used);
    jobs.set(job, (jobs.get(job) ?? 0) + used);
  }
  return { steps, jobs };
}

function isOver(step: LimitedStep, usage: Usage): boolean {
  return isStepOver(step, usage) || isJobOver(step, usage);
}

/** Whether it is the one to go: itself over its limit, or the largest of a job that is. */
function isGuilty(step: LimitedStep, usage: Usage): boolean {
  if (isStepOver(step, usage)) return true;
  if (!isJobOver(step, usage)) return false;
  const used = usage.steps.get(step.name) ?? 0;
  const prefix = jobPrefix(step.key);
  return [...usage.steps].every(([name, other]) => prefixOf(name) !== prefix || other <= used);
}

/** `It used 120 MiB of memory and may use 100 MiB.` */
function usageText(step: LimitedStep, usage: Usage): string {
  const { stepMiB, jobMiB } = step.memory;
  const mib = (kib = 0): number => Math.ceil(kib / KIB_PER_MIB);
  return isStepOver(step, usage)
    ? `It used ${mib(usage.steps.get(step.name))} MiB of memory and may use ${stepMiB} MiB.`
    : `Its job used ${mib(usage.jobs.get(jobPrefix(step.key)))} MiB of memory on this node and may use ${jobMiB} MiB.`;
}

function isStepOver({ name, memory }: LimitedStep, { steps }: Usage): boolean {
  return memory.stepMiB > 0 && (steps.get(name) ?? 0) > memory.stepMiB * KIB_PER_MIB;
}

function isJobOver({ key, memory }: LimitedStep, { jobs }: Usage): boolean {
  return memory.jobMiB > 0 && (jobs.get(jobPrefix(key)) ?? 0) > memory.jobMiB * KIB_PER_MIB;
}

/** `JOB.ATTEMPT.` of a step's name. */
function prefixOf(step: string): string {
  return step.slice(0, step.lastIndexOf(".") + 1);
}
