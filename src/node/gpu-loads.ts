/**
 * How busy this node's GPUs are, and with whom: the driver's numbers, and of them what others than our jobs do. Our own
 * are known by their process trees; a GPU that none of our steps had is loaded by others, whether the driver names
 * their processes or not (in a container it doesn't).
 */

import type { Clock } from "../platform/clock.ts";
import type { GpuLoad, GpuProcess } from "../platform/gpu.ts";
import type { GpuUse } from "../protocol/records.ts";
import type { StepEntry } from "./step-table.ts";

/** A sign of life waits so long for the driver, in milliseconds; then the last numbers go with it. */
const WAIT_MS = 1000;

/** Processes of others that are told of, for each GPU: the largest. */
const STRANGERS_MAX = 8;

export interface GpuLoadsPorts {
  readonly clock: Pick<Clock, "after" | "monotonic">;
  /** How long the driver's numbers may still be of a step that is over, in milliseconds: they are asked for now and then. */
  readonly staleMs: number;
  /** Never rejects; asked as often as anybody likes, it answers from its cache. */
  readonly load: () => Promise<readonly GpuLoad[]>;
  readonly steps: () => readonly StepEntry[];
  /** Processes of all steps of this node. */
  readonly ours: () => ReadonlySet<number>;
  /** What a process runs, in a word; empty if it can't be seen. */
  readonly nameOf: (pid: number) => string;
}

export class GpuLoads {
  private readonly ports: GpuLoadsPorts;
  private latest: readonly GpuUse[] = [];
  /** When steps were last seen to have each physical GPU, on the monotonic clock. */
  private readonly heldAt = new Map<number, number>();
  private looking: Promise<void> | null = null;

  constructor(ports: GpuLoadsPorts) {
    this.ports = ports;
  }

  /** The newest numbers that can be had within a moment; none where the driver tells nothing. Never rejects. */
  async now(): Promise<readonly GpuUse[]> {
    this.looking ??= this.look().finally(() => {
      this.looking = null;
    });
    await new Promise<void>((resolve) => {
      const cancel = this.ports.clock.after(WAIT_MS, resolve);
      void this.looking?.then(() => {
        cancel();
        resolve();
      });
    });
    return this.latest;
  }

  private async look(): Promise<void> {
    this.noteHeld();
    const loads = await this.ports.load();
    this.noteHeld();
    const ours = loads.some(({ processes }) => processes.length > 0) ? this.ports.ours() : new Set<number>();
    this.latest = loads.map((load) => useOf(load, ours, this.isHeld(load.index), this.ports.nameOf));
  }

  private noteHeld(): void {
    const now = this.ports.clock.monotonic();
    for (const index of this.held()) this.heldAt.set(index, now);
  }

  private isHeld(index: number): boolean {
    const at = this.heldAt.get(index);
    return at !== undefined && this.ports.clock.monotonic() - at <= this.ports.staleMs;
  }

  /** Physical GPUs that steps have. */
  private held(): ReadonlySet<number> {
    const running = this.ports.steps().filter(({ phase }) => phase !== "ended");
    return new Set(running.flatMap(({ record }) => (record.gpus ?? []).map(physicalOf)));
  }
}

/** The GPU that an index means: MIG instances have 100 times (their GPU's position + 1) plus their own number. */
function physicalOf(index: number): number {
  return index < 100 ? index : Math.floor(index / 100) - 1;
}

function useOf(load: GpuLoad, ours: ReadonlySet<number>, isHeld: boolean, nameOf: (pid: number) => string): GpuUse {
  const { index, utilisationPercent, memoryUsedMiB, temperatureC, powerW, processes } = load;
  const strangers = processes.filter(({ pid }) => !ours.has(pid));
  const isShared = isHeld || strangers.length < processes.length;
  const seenMiB = strangers.reduce((sum, { memoryMiB }) => sum + Math.round(memoryMiB), 0);
  return {
    index,
    utilisationPercent: whole(utilisationPercent),
    memoryUsedMiB: whole(memoryUsedMiB),
    temperatureC: whole(temperatureC),
    powerW: whole(powerW),
    strangers: strangers
      .toSorted((a, b) => b.memoryMiB - a.memoryMiB)
      .slice(0, STRANGERS_MAX)
      .map(({ pid, memoryMiB }) => ({ pid, memoryMiB: Math.round(memoryMiB), program: nameOf(pid) })),
    strangersMemoryMiB: isShared ? seenMiB : Math.max(seenMiB, whole(memoryUsedMiB) ?? 0),
    strangersPercent: isShared ? theirPercent(load, strangers) : (whole(utilisationPercent) ?? 0),
  };
}

/** Of a GPU that our jobs have too: what the driver says of each process; all of it where no process is ours. */
function theirPercent({ utilisationPercent, processes }: GpuLoad, strangers: readonly GpuProcess[]): number {
  if (strangers.length === 0) return 0;
  const known = strangers.flatMap(({ utilisationPercent: own }) => own ?? []);
  if (known.length > 0) return Math.min(100, whole(known.reduce((sum, one) => sum + one, 0)) ?? 0);
  return strangers.length === processes.length ? (whole(utilisationPercent) ?? 0) : 0;
}

function whole(value: number | null): number | null {
  return value === null ? null : Math.max(0, Math.round(value));
}
