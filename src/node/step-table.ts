/** The steps that a node daemon knows, by key and by start of their job. Only what their fields say; no behaviour. */

import { formatStart, formatStepKey, type StepKey } from "../core/ids.ts";
import { type Deferred, deferred } from "./deferred.ts";
import type { HolderPort } from "./holder-port.ts";
import type { LaunchRecord, StepEnd } from "./spool-records.ts";

/**
 * - `idle`: recorded, and no holder was asked by this daemon; an earlier daemon may have
 * - `handing`: on its way to a holder
 * - `running`: a holder says so
 * - `orphaned`: its holder is gone; a batch script is followed by its files, other steps are cleared away
 * - `ended`: over, however; never changes again
 */
export type StepPhase = "idle" | "handing" | "running" | "orphaned" | "ended";

export interface StepEntry {
  record: LaunchRecord;
  phase: StepPhase;
  /** Who was asked to run it; `null` before, and when that holder is gone. */
  holder: HolderPort | null;
  /** From an earlier daemon's spool. */
  readonly adopted: boolean;
  /** The launch record is on disk; rejects if that failed. */
  recorded: Promise<void>;
  /** No launch is under way (any more). Never rejects. */
  handed: Promise<void>;
  /** Its tasks were put into their control group, and its holder is told to let them go on. */
  admitted: boolean;
  /** Its job is being ended: it must not start any more. */
  cancelled: boolean;
  end: StepEnd | null;
  /** The holder was told that it may forget the step. */
  forgotten: boolean;
  /** Resolves when its end is recorded and on its way to the controller. */
  readonly over: Deferred;
  /** The controller has its end on disk. */
  confirmed: boolean;
}

/** An entry in phase `idle`, or `ended` if its end is known. */
export function newEntry(record: LaunchRecord, end: StepEnd | null, adopted: boolean): StepEntry {
  return {
    record,
    phase: end ? "ended" : "idle",
    holder: null,
    adopted,
    recorded: Promise.resolve(),
    handed: Promise.resolve(),
    admitted: false,
    cancelled: false,
    end,
    forgotten: false,
    over: deferred(),
    confirmed: false,
  };
}

export class StepTable {
  private readonly byKey = new Map<string, StepEntry>();
  private readonly byStart = new Map<string, Set<StepEntry>>();

  get(key: StepKey): StepEntry | undefined {
    return this.byKey.get(formatStepKey(key));
  }

  add(entry: StepEntry): void {
    const { key } = entry.record;
    this.byKey.set(formatStepKey(key), entry);
    const start = formatStart(key);
    const others = this.byStart.get(start);
    if (others) others.add(entry);
    else this.byStart.set(start, new Set([entry]));
  }

  delete(entry: StepEntry): void {
    const { key } = entry.record;
    this.byKey.delete(formatStepKey(key));
    const start = formatStart(key);
    const others = this.byStart.get(start);
    others?.delete(entry);
    if (others?.size === 0) this.byStart.delete(start);
  }

  /** The steps of one start of a job, in the order in which they came. */
  ofStart(jobId: number, attempt: number): StepEntry[] {
    return [...(this.byStart.get(formatStart({ jobId, attempt })) ?? [])];
  }

  /** All steps, in the order in which they came. */
  all(): StepEntry[] {
    return [...this.byKey.values()];
  }
}
