/**
 * What steps with GPUs make of them: the node daemon looks at its GPUs from time to time, for as long as such a step
 * runs, and keeps the average and the highest for each. A daemon that was restarted begins anew.
 *
 * The driver tells of whole GPUs: of one that is shared, all that its jobs do together; of MIG instances nothing.
 */

import { formatStepKey, type StepKey } from "../core/ids.ts";
import type { Spread, StepUsage } from "../core/usage.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { GpuLoad } from "../platform/gpu.ts";
import type { StepEntry } from "./step-table.ts";

/** After a step's start, in milliseconds: programs load something first. */
const FIRST_LOOK_MS = 2_000;

/** Between two looks, in milliseconds: one costs a tenth of a second of the driver's time. */
const LOOK_MS = 15_000;

/** Of all GPUs of a step on this node together: percent, and MiB. */
interface Seen {
  looks: number;
  utilSum: number;
  utilMax: number;
  memorySum: number;
  memoryMax: number;
}

interface GpuWatchPorts {
  readonly clock: Pick<Clock, "after">;
  /** Never rejects. */
  readonly load: () => Promise<readonly GpuLoad[]>;
  /** The steps on record. */
  readonly steps: () => readonly StepEntry[];
}

export class GpuWatch {
  private readonly ports: GpuWatchPorts;
  private readonly seen = new Map<string, Seen>();
  private cancel: Cancel | null = null;
  private isClosed = false;

  constructor(ports: GpuWatchPorts) {
    this.ports = ports;
  }

  /** A step runs. */
  review(): void {
    if (this.cancel === null && this.running().length > 0) this.later(FIRST_LOOK_MS);
  }

  /** A step's usage with what was seen of its GPUs, which belongs to its first task here. */
  withGpus(key: StepKey, usage: StepUsage): StepUsage {
    const seen = this.seen.get(formatStepKey(key));
    if (!seen) return usage;
    const task = usage.cpuMs[1];
    const spread = (sum: number, max: number): Spread => {
      const average = Math.round((10 * sum) / seen.looks) / 10;
      return [max, task, average, task, average];
    };
    return {
      ...usage,
      gpuUtil: spread(seen.utilSum, seen.utilMax),
      gpuMemMiB: spread(seen.memorySum, seen.memoryMax),
    };
  }

  /** Nothing more is asked of a step. */
  forget(key: StepKey): void {
    this.seen.delete(formatStepKey(key));
  }

  close(): void {
    this.isClosed = true;
    this.cancel?.();
  }

  private running(): readonly StepEntry[] {
    return this.ports.steps().filter(({ phase, record }) => phase === "running" && (record.gpus ?? []).length > 0);
  }

  private later(ms: number): void {
    if (this.isClosed) return;
    this.cancel = this.ports.clock.after(ms, () => void this.look());
  }

  private async look(): Promise<void> {
    const loads = new Map((await this.ports.load()).map((load) => [load.index, load]));
    const running = this.running();
    for (const { record } of running) {
      const mine = (record.gpus ?? []).flatMap((index) => loads.get(index) ?? []);
      const known = mine.filter(({ utilisationPercent }) => utilisationPercent !== null);
      if (known.length > 0) this.add(record.key, known);
    }
    this.cancel = null;
    if (running.length > 0) this.later(LOOK_MS);
  }

  private add(key: StepKey, loads: readonly GpuLoad[]): void {
    const name = formatStepKey(key);
    const util = loads.reduce((sum, { utilisationPercent }) => sum + (utilisationPercent ?? 0), 0);
    const memory = loads.reduce((sum, { memoryUsedMiB }) => sum + (memoryUsedMiB ?? 0), 0);
    const before = this.seen.get(name) ?? { looks: 0, utilSum: 0, utilMax: 0, memorySum: 0, memoryMax: 0 };
    this.seen.set(name, {
      looks: before.looks + 1,
      utilSum: before.utilSum + util,
      utilMax: Math.max(before.utilMax, util),
      memorySum: before.memorySum + memory,
      memoryMax: Math.max(before.memoryMax, memory),
    });
  }
}
