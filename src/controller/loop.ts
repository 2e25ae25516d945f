/**
 * The single writer. Commands go through the kernel one by one; their events are written in batches; answers and
 * effects leave only after the batch that holds their events is on disk.
 *
 *   execute(command) -> kernel.step -> state moves on at once, records join the open batch
 *   flush            -> one append (a synced write) for all that came meanwhile -> answers, effects
 *
 * Naive would be one fsync a command (a few hundred a second). While one batch is being written, the next fills up.
 *
 * When the disk refuses a batch, everything that is not on disk is forgotten: its commands are answered with STORAGE,
 * the state is read again from disk, and connected nodes are told to start over (`onReloaded`). So memory and disk
 * never disagree, and nothing acknowledged is lost. Until a write succeeds again only reading is possible.
 *
 * A journal that somebody removed or replaced is such a refusal too.
 */

import type { Command } from "../core/commands.ts";
import type { Decision } from "../core/decide/decision.ts";
import type { Effect } from "../core/effects.ts";
import type { Event, JournalRecord } from "../core/events.ts";
import { type Outcome, step } from "../core/kernel.ts";
import type { ClusterState } from "../core/state.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { RpcError } from "../protocol/errors.ts";
import { type StorageProblem, storageError, storageProblem } from "./storage-error.ts";
import { JournalMoved } from "./store/journal.ts";
import type { OpenedStore, Store } from "./store/store.ts";

export interface Loop {
  /** The newest state, the open batch included. Read only. Another object after a reload. */
  readonly state: ClusterState;
  /** Sequence number of the last record that is on disk. */
  readonly durableSeq: number;
  /** Why nothing can be written right now; empty when all is well. */
  readonly problem: string;
  /** Carries out one command; the answer comes once it is durable. Rejects with STORAGE if it can't be. */
  execute(command: Command): Promise<Decision>;
  /** Waits for the open batch, then closes the store. */
  close(): Promise<void>;
}

export interface LoopPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Hears what happens, before it is on disk; must not throw. */
  onEvents?(events: readonly Event[]): void;
  /** Carries out effects; must not throw. */
  perform(effects: readonly Effect[]): void;
  /** The state was read again from disk: whatever was told to others before may be untrue. */
  onReloaded(): void;
  /** The disk takes writes again. */
  onMended(): void;
}

/** How often a disk that refused a write is tried again, if no command does it sooner. */
const MEND_MS = 1000;

/** How often it is looked whether the journal is still there while nothing is written: two stats. */
const LOOK_MS = 1000;

interface Waiting {
  readonly decision: Decision;
  resolve(decision: Decision): void;
  reject(error: RpcError): void;
}

interface Batch {
  readonly records: JournalRecord[];
  readonly effects: Effect[];
  readonly waiting: Waiting[];
}

/** Starts the loop on an opened store. */
export function createLoop(opened: OpenedStore, ports: LoopPorts): Loop {
  return new SingleWriter(opened, ports);
}

class SingleWriter implements Loop {
  state: ClusterState;
  durableSeq: number;
  #problem: StorageProblem | null = null;
  readonly #store: Store;
  readonly #ports: LoopPorts;
  #batch = emptyBatch();
  #flushing: Promise<void> | null = null;
  #mending: Promise<void> | null = null;
  #lastAt = 0;
  /** Memory may hold what the disk does not. */
  #isSuspect = false;
  #cancelLook: Cancel = () => {};
  #isClosed = false;

  constructor({ store, state }: OpenedStore, ports: LoopPorts) {
    this.#store = store;
    this.#ports = ports;
    this.state = state;
    this.durableSeq = state.seq;
    this.#lookLater();
  }

  get problem(): string {
    return this.#problem?.text ?? "";
  }

  async execute(command: Command): Promise<Decision> {
    while (this.#problem) await this.#mend();
    let outcome: Outcome;
    try {
      outcome = step(this.state, command, this.#nextTime());
    } catch (error) {
      throw this.#broken(command, error as Error);
    }
    if (outcome.record) {
      this.#batch.records.push(outcome.record);
      this.#ports.onEvents?.(outcome.record.events);
    }
    this.#batch.effects.push(...outcome.effects);
    return new Promise((resolve, reject) => {
      this.#batch.waiting.push({ decision: outcome.decision, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelLook();
    await this.#flushing;
    await this.#store.close();
  }

  /** Times in the journal never go back, even if the machine's clock does. */
  #nextTime(): number {
    this.#lastAt = Math.max(this.#lastAt, this.#ports.clock.now());
    return this.#lastAt;
  }

  async #flush(): Promise<void> {
    // One turn of patience: commands that arrived together share a batch.
    await Promise.resolve();
    while (this.#batch.waiting.length > 0) {
      const full = this.#batch;
      this.#batch = emptyBatch();
      try {
        if (full.records.length > 0) await this.#store.append(full.records);
        this.durableSeq = full.records.at(-1)?.seq ?? this.durableSeq;
      } catch (error) {
        await this.#startOver(error as Error, full.waiting);
        continue;
      }
      release(full, this.#ports);
    }
    this.#flushing = null;
  }

  async #startOver(error: Error, refused: readonly Waiting[]): Promise<void> {
    const problem = this.#fail(storageProblem(error));
    const lost = [...refused, ...this.#batch.waiting];
    this.#batch = emptyBatch();
    this.#ports.log.error("a write failed; going on from what is on disk", { error: error.message, lost: lost.length });
    await this.#reload().catch((reason: unknown) => {
      this.#ports.log.error("the state can't be read", { error: String(reason) });
    });
    for (const one of lost) one.reject(storageError(problem));
  }

  #fail(problem: StorageProblem): StorageProblem {
    this.#problem = problem;
    this.#mendLater();
    return problem;
  }

  async #reload(): Promise<void> {
    this.#isSuspect = true;
    this.state = await this.#store.reload();
    this.durableSeq = this.state.seq;
    this.#isSuspect = false;
    this.#ports.onReloaded();
  }

  /** A broken assertion may leave the state half changed: the next command reads it again from disk first. */
  #broken(command: Command, error: Error): RpcError {
    this.#isSuspect = true;
    this.#fail({ text: "an internal error; the state is read again from disk", hint: "try again in a moment" });
    this.#ports.log.error("a command broke an assertion", { command: command.type, error: error.stack });
    return new RpcError("INTERNAL", `${command.type} failed inside the controller`, "see its log");
  }

  /** Before the next command after trouble: can the disk be written again? Concurrent callers share one try. */
  #mend(): Promise<void> {
    this.#mending ??= this.#tryToMend().finally(() => {
      this.#mending = null;
    });
    return this.#mending;
  }

  /** Waiting jobs and timers must not depend on somebody typing a command. */
  #mendLater(): void {
    this.#ports.clock.after(MEND_MS, () => {
      if (this.#problem) this.#mend().catch(() => this.#mendLater());
    });
  }

  #lookLater(): void {
    this.#cancelLook = this.#ports.clock.after(LOOK_MS, () => {
      void this.#look().finally(() => !this.#isClosed && this.#lookLater());
    });
  }

  /** Nobody should have to submit a job to learn that none can be stored. */
  async #look(): Promise<void> {
    if (this.#problem || this.#flushing !== null) return;
    try {
      await this.#store.checkPlace();
    } catch (error) {
      // A file that is being exchanged for the next one can't be looked at; one that is gone stays so.
      if (!(error instanceof JournalMoved) || this.#problem || this.#flushing !== null) return;
      this.#isSuspect = true;
      this.#fail(storageProblem(error));
      this.#ports.log.error("nothing can be stored", { error: error.message });
    }
  }

  async #tryToMend(): Promise<void> {
    try {
      await this.#flushing;
      await this.#store.probe();
      if (this.#isSuspect) await this.#reload();
    } catch (error) {
      this.#problem = storageProblem(error);
      throw storageError(this.#problem);
    }
    this.#ports.log.info("the state folder can be written again");
    this.#problem = null;
    this.#ports.onMended();
  }
}

function release(batch: Batch, ports: LoopPorts): void {
  ports.perform(batch.effects);
  for (const { decision, resolve } of batch.waiting) resolve(decision);
}

function emptyBatch(): Batch {
  return { records: [], effects: [], waiting: [] };
}
